package perf_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/perf"
)

func mustRun(t *testing.T, r *perf.Runner, opts perf.Options) perf.Suite {
	t.Helper()
	s, err := r.Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRunHonoursOptions(t *testing.T) {
	seven := []string{
		"preset_loading 100", "settings_initialization 50", "resilience_config_loading 50", "service_initialization 25",
		"custom_config_loading 25", "legacy_config_loading 25", "validation_performance 50",
	}
	for name, c := range map[string]struct {
		opts perf.Options
		want []string
	}{
		"the defaults":       {perf.Options{}, seven},
		"with the slow":      {perf.Options{IncludeSlow: true}, append(slices.Clone(seven), "breaker_call_overhead 50", "breaker_state_check 50", "breaker_metrics_update 50", "breaker_memory 10")},
		"other iterations":   {perf.Options{Iterations: 3, Operations: []string{"validation_performance", "preset_loading"}}, []string{"preset_loading 3", "validation_performance 3"}},
		"a slow one by name": {perf.Options{Operations: []string{"breaker_state_check"}}, []string{"breaker_state_check 50"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustRun(t, perf.NewRunner(perf.RunnerConfig{}), c.opts)
			var got []string
			for _, r := range s.Results {
				got = append(got, fmt.Sprintf("%s %d", r.Operation, r.Iterations))
				if r.SuccessRate != 1 || r.Partial || r.ThresholdMS != float64(perf.Threshold(r.Operation))/1e6 || r.MemoryPeakMB < 0 {
					t.Errorf("result is %+v, want a complete one without failures", r)
				}
				if r.MinDurationMS > r.AvgDurationMS || r.AvgDurationMS > r.MaxDurationMS || r.MaxDurationMS > r.DurationMS || r.P95DurationMS > r.MaxDurationMS {
					t.Errorf("times of %s do not fit: %+v", r.Operation, r)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("Run(%+v) ran %v, want %v", c.opts, got, c.want)
			}
			if s.Name != "Resilience Configuration Performance Benchmark" || s.Partial || len(s.NotRun) != 0 {
				t.Errorf("suite is %q, partial %v, not run %v", s.Name, s.Partial, s.NotRun)
			}
		})
	}
}

func TestHistoryOfRunner(t *testing.T) {
	h := history(t, perf.HistoryConfig{})
	if got := perf.NewRunner(perf.RunnerConfig{History: h}).History(); got != h {
		t.Errorf("History() = %p, want %p", got, h)
	}
	if got := new(perf.Runner).History(); got != nil {
		t.Errorf("History() of a runner without one = %p, want nil", got)
	}
}

func TestRunEndsWithContext(t *testing.T) {
	why := errors.New("the server stops")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	h := history(t, perf.HistoryConfig{})
	s, err := perf.NewRunner(perf.RunnerConfig{History: h}).Run(ctx, perf.Options{})
	if !errors.Is(err, perf.ErrStopped) || !errors.Is(err, why) {
		t.Errorf("Run = %v, want ErrStopped and the cause", err)
	}
	if !s.Partial || len(s.Results) != 0 || len(s.NotRun) != 7 || s.PassRate != 0 || s.TargetMet() || s.Totals().PerformanceTargetMet {
		t.Errorf("suite is %+v, want a partial one in which nothing ran", s)
	}
	if kept, ok := h.Find(s.BenchmarkID); !ok || !kept.Partial {
		t.Errorf("history holds %+v, want the partial suite", kept)
	}
}

// TestRunReadsNoEnvironment sets the process' variables to what no configuration would take.
func TestRunReadsNoEnvironment(t *testing.T) {
	for _, name := range []string{"RESILIENCE_PRESET", "RESILIENCE_CUSTOM_CONFIG", "RETRY_MAX_ATTEMPTS", "LOG_LEVEL"} {
		t.Setenv(name, "nonsense")
	}
	s := mustRun(t, perf.NewRunner(perf.RunnerConfig{}), perf.Options{Iterations: 1, IncludeSlow: true})
	for _, r := range s.Results {
		if r.SuccessRate != 1 {
			t.Errorf("%s failed: %v", r.Operation, r.Metadata)
		}
	}
	if v := s.EnvironmentInfo.Variables; v != (perf.Variables{}) {
		t.Errorf("variables are %+v, want none without RunnerConfig.Variables", v)
	}
}

func TestEnvironmentShowsNoSecret(t *testing.T) {
	variables := config.Variables(map[string]string{
		"DEBUG": "yes", "RESILIENCE_PRESET": "production", "API_KEY": "secret-1", "GEMINI_API_KEY": "secret-2",
		"OPENAI_API_KEY": "", "ANTHROPIC_API_KEY": "secret-3",
	})
	s := mustRun(t, perf.NewRunner(perf.RunnerConfig{Variables: variables}), perf.Options{Iterations: 1})
	e := s.EnvironmentInfo
	want := perf.Variables{Debug: true, Preset: "production", APIKeySet: true, GeminiKeySet: true, AnthropicKeySet: true}
	if e.Variables != want || e.GoVersion == "" || e.OS == "" || e.Arch == "" || e.CPUCount < 1 || e.GoMaxProcs < 1 {
		t.Errorf("environment is %+v, want variables %+v", e, want)
	}
	const shape = `"environment_variables":{"DEBUG":true,"RESILIENCE_PRESET":"production","API_KEY_SET":true,"GEMINI_API_KEY_SET":true,` +
		`"OPENAI_API_KEY_SET":false,"ANTHROPIC_API_KEY_SET":true}`
	if text := asJSON(t, s); !strings.Contains(text, shape) || strings.Contains(text, "secret-") {
		t.Errorf("suite shows a secret, or lacks %s: %s", shape, text)
	}
}

func TestIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := history(t, perf.HistoryConfig{})
		first := perf.NewRunner(perf.RunnerConfig{History: h})
		second := perf.NewRunner(perf.RunnerConfig{History: h})
		one := perf.Options{Iterations: 1, Operations: []string{"preset_loading"}}
		var got []string
		got = append(got, mustRun(t, first, one).BenchmarkID, mustRun(t, first, one).BenchmarkID)
		m, err := first.Synthetic(t.Context(), perf.SyntheticOptions{Operation: "x", Iterations: 1})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m.BenchmarkID, mustRun(t, second, one).BenchmarkID)
		restarted := history(t, perf.HistoryConfig{})
		if err := restarted.Restore(h.Recent(100), nil); err != nil {
			t.Fatal(err)
		}
		got = append(got, mustRun(t, perf.NewRunner(perf.RunnerConfig{History: restarted}), one).BenchmarkID)
		time.Sleep(time.Second)
		got = append(got, mustRun(t, first, one).BenchmarkID)
		want := []string{
			"bench_20000101_000000", "bench_20000101_000000_2", "bench_20000101_000000_3", "bench_20000101_000000_4",
			"bench_20000101_000000_3", // after a restart: what was synthetic is not known any more
			"bench_20000101_000001",
		}
		if !slices.Equal(got, want) {
			t.Errorf("IDs are %v, want %v", got, want)
		}
	})
}

// TestRunsOverlap has many runs at once: their IDs differ, no memory figure has a wrong sign, and no metadata is shared.
func TestRunsOverlap(t *testing.T) {
	h := history(t, perf.HistoryConfig{})
	var group sync.WaitGroup
	for i := range 8 {
		r := perf.NewRunner(perf.RunnerConfig{History: h}) // one each: only the history is shared
		group.Go(func() {
			if i%2 == 0 {
				m, err := r.Synthetic(t.Context(), perf.SyntheticOptions{Operation: "service_initialization", Iterations: 20, Concurrency: 4})
				if err != nil || m.Results.Errors != 0 || m.Iterations != 20 {
					t.Errorf("Synthetic = %+v, %v", m, err)
				}
				return
			}
			s, err := r.Run(t.Context(), perf.Options{Iterations: 5, IncludeSlow: true})
			if err != nil || len(s.Results) != 11 {
				t.Errorf("Run = %d results, %v; want 11", len(s.Results), err)
			}
			for _, result := range s.Results {
				if result.SuccessRate != 1 || result.MemoryPeakMB < 0 || result.MemoryPeakMB > 1<<20 {
					t.Errorf("%s: success rate %v, %v MiB", result.Operation, result.SuccessRate, result.MemoryPeakMB)
				}
				result.Metadata["changed"] = true // what the caller got is the caller's
			}
		})
	}
	group.Wait()
	ids := map[string]bool{}
	for _, s := range h.Recent(100) {
		ids[s.BenchmarkID] = true
		for _, result := range s.Results {
			if result.Metadata["changed"] != nil {
				t.Fatalf("what a caller did to its suite is in the history: %v", result.Metadata)
			}
		}
	}
	if len(ids) != 4 || h.Len() != 4 {
		t.Errorf("%d IDs of %d suites, want 4 of 4", len(ids), h.Len())
	}
}

func TestZeroRunner(t *testing.T) {
	var r perf.Runner
	s := mustRun(t, &r, perf.Options{Iterations: 1})
	m, err := r.Synthetic(t.Context(), perf.SyntheticOptions{Operation: "x", Iterations: 1})
	if err != nil || len(s.Results) != 7 || m.Iterations != 1 || m.BenchmarkID == s.BenchmarkID {
		t.Errorf("zero Runner: %d results, %+v, %v", len(s.Results), m, err)
	}
}
