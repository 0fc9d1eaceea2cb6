package perf_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/trysail-go/trysail/perf"
)

func TestPassed(t *testing.T) {
	good := perf.Result{Operation: "x", Iterations: 1, AvgDurationMS: 10, ThresholdMS: 10, SuccessRate: 1}
	for name, c := range map[string]struct {
		change func(*perf.Result)
		want   bool
	}{
		"exactly the threshold":         {func(*perf.Result) {}, true},
		"over it":                       {func(r *perf.Result) { r.AvgDurationMS = 10.001 }, false},
		"fast, but an iteration failed": {func(r *perf.Result) { r.AvgDurationMS, r.SuccessRate = 1, 0.99 }, false},
		"no iterations":                 {func(r *perf.Result) { r.Iterations = 0 }, false},
		"stopped":                       {func(r *perf.Result) { r.Partial = true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := good
			c.change(&r)
			if got := r.Passed(); got != c.want {
				t.Errorf("Passed() of %+v = %v, want %v", r, got, c.want)
			}
		})
	}
}

func fixedSuite() perf.Suite {
	return perf.Suite{
		BenchmarkID: "bench_20240115_103000", Name: perf.SuiteName, Timestamp: time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC),
		Results: []perf.Result{
			{
				Operation: "preset_loading", DurationMS: 200, MemoryPeakMB: 0.25, Iterations: 100, AvgDurationMS: 2, MinDurationMS: 0.5,
				MaxDurationMS: 9, P95DurationMS: 4, StdDevMS: 1.5, SuccessRate: 1, ThresholdMS: 10,
				Metadata: map[string]any{"preset_simple_loaded": true},
			},
			{
				Operation: "resilience_config_loading", DurationMS: 7500, Iterations: 50, AvgDurationMS: 150, MinDurationMS: 100,
				MaxDurationMS: 1234.5, P95DurationMS: 200, StdDevMS: 20, SuccessRate: 1, ThresholdMS: 100, Metadata: map[string]any{},
			},
			{
				Operation: "service_initialization", DurationMS: 2500, Iterations: 25, AvgDurationMS: 100, MinDurationMS: 0.000123,
				MaxDurationMS: 150, P95DurationMS: 140, StdDevMS: 3, SuccessRate: 0.96, ThresholdMS: 200,
				Metadata: map[string]any{"error_3": "it failed"},
			},
			{
				Operation: "validation_performance", Iterations: 2, AvgDurationMS: 1, DurationMS: 2, SuccessRate: 1, ThresholdMS: 50,
				Partial: true, Metadata: map[string]any{},
			},
		},
		TotalDurationMS: 10_300, PassRate: 0.25, Partial: true, NotRun: []string{"breaker_memory"},
		FailedBenchmarks: []string{"resilience_config_loading", "service_initialization", "validation_performance"},
		EnvironmentInfo: perf.Environment{
			GoVersion: "go1.26.8", OS: "linux", Arch: "amd64", CPUCount: 2, GoMaxProcs: 2, MemoryGB: 16,
			Variables: perf.Variables{Preset: "production", GeminiKeySet: true},
		},
	}
}

func TestSuiteInShort(t *testing.T) {
	s := fixedSuite()
	if got := s.PassPercent(); got != 25 {
		t.Errorf("PassPercent() = %v, want 25", got)
	}
	const summary = `{"total_benchmarks":4,"pass_rate":0.25,"total_duration_ms":10300,` +
		`"failed_benchmarks":["resilience_config_loading","service_initialization","validation_performance"],"performance_target_met":false}`
	if got := asJSON(t, s.Summary()); got != summary {
		t.Errorf("Summary() = %s, want %s", got, summary)
	}
	const totals = `{"total_benchmarks":4,"total_duration_ms":10202,"avg_duration_ms":63.25,"overall_success_rate":0.99,"performance_target_met":false}`
	if got := asJSON(t, s.Totals()); got != totals {
		t.Errorf("Totals() = %s, want %s", got, totals)
	}
	s.Partial = false
	if !s.Totals().PerformanceTargetMet {
		t.Error("Totals() of 63.25 ms does not meet the target of less than 100 ms")
	}
	for rate, want := range map[float64]bool{0.79: false, 0.8: true, 1: true} {
		if s.PassRate = rate; s.TargetMet() != want {
			t.Errorf("TargetMet() of %v = %v, want %v", rate, s.TargetMet(), want)
		}
	}
}

// TestSuiteJSON holds the fields of the contract (1.9) to their names, and a suite to surviving its way through a store.
func TestSuiteJSON(t *testing.T) {
	want := map[string][]string{
		"suite": {
			"benchmark_id", "environment_info", "failed_benchmarks", "name", "not_run", "partial", "pass_rate", "results", "timestamp",
			"total_duration_ms",
		},
		"result": {
			"avg_duration_ms", "duration_ms", "iterations", "max_duration_ms", "memory_peak_mb", "metadata", "min_duration_ms", "operation",
			"p95_duration_ms", "partial", "std_dev_ms", "success_rate", "threshold_ms",
		},
		"environment": {"arch", "cpu_count", "environment_variables", "go_version", "gomaxprocs", "memory_gb", "os"},
	}
	s := fixedSuite()
	for name, v := range map[string]any{"suite": s, "result": s.Results[0], "environment": s.EnvironmentInfo} {
		var m map[string]any
		if err := json.Unmarshal([]byte(asJSON(t, v)), &m); err != nil {
			t.Fatal(err)
		}
		var keys []string
		for key := range m {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		if !slices.Equal(keys, want[name]) {
			t.Errorf("%s has the fields %v, want %v", name, keys, want[name])
		}
	}
	var back perf.Suite
	text := asJSON(t, s)
	if err := json.Unmarshal([]byte(text), &back); err != nil {
		t.Fatal(err)
	}
	if again := asJSON(t, back); again != text {
		t.Errorf("a suite that was read and written again is %s, want %s", again, text)
	}
}
