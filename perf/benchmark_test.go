package perf_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail/perf"
)

// TestBenchmarks is the table of the contract (6.2), and the specification's targets for a breaker.
func TestBenchmarks(t *testing.T) {
	want := []string{
		"preset_loading 100 10ms",
		"settings_initialization 50 100ms",
		"resilience_config_loading 50 100ms",
		"service_initialization 25 200ms",
		"custom_config_loading 25 100ms",
		"legacy_config_loading 25 100ms",
		"validation_performance 50 50ms",
		"breaker_call_overhead 50 1ms slow",
		"breaker_state_check 50 100µs slow",
		"breaker_metrics_update 50 500µs slow",
		"breaker_memory 10 100ms slow",
	}
	var got []string
	for _, b := range perf.Benchmarks() {
		line := fmt.Sprintf("%s %d %v", b.Name, b.Iterations, b.Threshold)
		if b.Slow {
			line += " slow"
		}
		got = append(got, line)
		if b.Description == "" {
			t.Errorf("%s has no description", b.Name)
		}
		if d := perf.Threshold(b.Name); d != b.Threshold {
			t.Errorf("Threshold(%s) = %v, want %v", b.Name, d, b.Threshold)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("Benchmarks() = %s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if d := perf.Threshold("text_processing"); d != 100*time.Millisecond {
		t.Errorf("Threshold of an unknown operation = %v, want 100ms", d)
	}
}

// TestMetadata runs everything and holds the metadata of each benchmark to the contract.
func TestMetadata(t *testing.T) {
	s, err := perf.NewRunner(perf.RunnerConfig{}).Run(t.Context(), perf.Options{Iterations: 2, IncludeSlow: true})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"preset_loading":            "preset_development_loaded=true preset_production_loaded=true preset_simple_loaded=true",
		"settings_initialization":   "settings_development_initialized=true settings_production_initialized=true settings_simple_initialized=true",
		"resilience_config_loading": "config_development_loaded=true config_production_loaded=true config_simple_loaded=true",
		"service_initialization":    services(),
		"custom_config_loading":     "custom_config_0_loaded=true custom_config_1_loaded=true custom_config_2_loaded=true",
		"legacy_config_loading": "legacy_config_0_detected=true legacy_config_0_loaded=true " +
			"legacy_config_1_detected=true legacy_config_1_loaded=true",
		"validation_performance": "config_0_errors=0 config_0_valid=true config_1_errors=0 config_1_valid=true config_2_errors=0 config_2_valid=true",
		"breaker_call_overhead":  "calls_per_iteration=1000",
		"breaker_state_check":    "checks_per_iteration=1000",
		"breaker_metrics_update": "updates_per_iteration=1000",
	}
	for _, r := range s.Results {
		if r.Operation == "breaker_memory" {
			if n, ok := r.Metadata["bytes_per_breaker"].(int); !ok || n <= 0 || n > 1<<20 || r.Metadata["bytes_per_breaker_target"] != 1<<20 {
				t.Errorf("metadata of breaker_memory is %v, want more than 0 and at most 1 MiB per breaker", r.Metadata)
			}
			continue
		}
		if got := lines(r.Metadata); got != want[r.Operation] {
			t.Errorf("metadata of %s is %s\nwant %s", r.Operation, got, want[r.Operation])
		}
	}
	if len(s.Results) != len(perf.Benchmarks()) {
		t.Errorf("%d results, want %d", len(s.Results), len(perf.Benchmarks()))
	}
}

func services() string {
	m := map[string]any{}
	for _, preset := range []string{"simple", "development", "production"} {
		for _, op := range []string{"summarize", "sentiment", "key_points", "questions", "qa"} {
			m["service_"+preset+"_"+op+"_config"] = true
		}
	}
	return lines(m)
}

func lines(m map[string]any) string {
	var list []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		list = append(list, fmt.Sprintf("%s=%v", key, m[key]))
	}
	return strings.Join(list, " ")
}

// TestThresholds is the answer of GET /performance/thresholds in the contract (1.9), and the targets for a breaker.
func TestThresholds(t *testing.T) {
	const want = `{"thresholds":{"config_loading_ms":100,"preset_access_ms":10,"validation_ms":50,"service_initialization_ms":200,` +
		`"circuit_breaker_overhead_ms":1,"state_check_ms":0.1,"metrics_update_ms":0.5},` +
		`"targets":{"primary_target":"Configuration loading under 100ms",` +
		`"secondary_targets":["Preset access under 10ms","Validation under 50ms","Service initialization under 200ms"]},` +
		`"measurement_info":{"default_iterations":50,"memory_tracking":"Peak memory usage in MB","timing_precision":"nanoseconds of a monotonic clock"}}`
	if got := asJSON(t, perf.Thresholds()); got != want {
		t.Errorf("Thresholds() = %s\nwant %s", got, want)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
