package perf_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/perf"
)

const benchmarks = "preset_loading, settings_initialization, resilience_config_loading, service_initialization, custom_config_loading, " +
	"legacy_config_loading, validation_performance, breaker_call_overhead, breaker_state_check, breaker_metrics_update, breaker_memory"

func TestOptionsCheck(t *testing.T) {
	for name, c := range map[string]struct {
		opts perf.Options
		want string
	}{
		"nothing":        {perf.Options{}, ""},
		"the least":      {perf.Options{Iterations: 1, Operations: []string{"breaker_memory"}}, ""},
		"the most":       {perf.Options{Iterations: 10_000, IncludeSlow: true}, ""},
		"too many":       {perf.Options{Iterations: 10_001}, "iterations is 10001, want 1 to 10000"},
		"negative":       {perf.Options{Iterations: -1}, "iterations is -1, want 1 to 10000"},
		"unknown":        {perf.Options{Operations: []string{"preset_loading", "x"}}, `unknown benchmark operation: operations[1] is "x", want one of ` + benchmarks},
		"no name":        {perf.Options{Operations: []string{""}}, `unknown benchmark operation: operations[0] is "", want one of ` + benchmarks},
		"twice":          {perf.Options{Operations: []string{"preset_loading", "preset_loading"}}, `operations[1] is "preset_loading", want each benchmark at most once`},
		"all faults":     {perf.Options{Iterations: -1, Operations: []string{"preset_loading", "preset_loading"}}, "iterations is -1, want 1 to 10000\n" + `operations[1] is "preset_loading", want each benchmark at most once`},
		"a long unknown": {perf.Options{Operations: []string{strings.Repeat("x", 1000)}}, `unknown benchmark operation: operations[0] is "` + strings.Repeat("x", 60) + `…", want one of ` + benchmarks},
	} {
		t.Run(name, func(t *testing.T) { wantFaults(t, c.opts.Check(), c.want) })
	}
	many := perf.Options{Operations: make([]string, 1000)}
	if err := many.Check(); strings.Count(err.Error(), "\n") > 15 || !strings.Contains(err.Error(), "a list of 1000 names") {
		t.Errorf("Check of 1000 names = %v, want it short", err)
	}
}

func TestSyntheticOptionsCheck(t *testing.T) {
	for name, c := range map[string]struct {
		opts perf.SyntheticOptions
		want string
	}{
		"a name alone":        {perf.SyntheticOptions{Operation: "text_processing"}, ""},
		"the most":            {perf.SyntheticOptions{Operation: strings.Repeat("x", 200), Iterations: 10_000, Concurrency: 100}, ""},
		"nothing":             {perf.SyntheticOptions{}, `operation_name is "", want 1 to 200 bytes`},
		"a long name":         {perf.SyntheticOptions{Operation: strings.Repeat("x", 201)}, `operation_name is "` + strings.Repeat("x", 60) + `…", want 1 to 200 bytes`},
		"a control character": {perf.SyntheticOptions{Operation: "a\nb"}, `operation_name is "a\nb", want no control characters`},
		"not UTF-8":           {perf.SyntheticOptions{Operation: "\xff"}, `operation_name is "\xff", want valid UTF-8`},
		"numbers": {
			perf.SyntheticOptions{Operation: "x", Iterations: 10_001, Concurrency: 101},
			"iterations is 10001, want 1 to 10000\nconcurrency is 101, want 1 to 100",
		},
		"negative":       {perf.SyntheticOptions{Operation: "x", Concurrency: -1}, "concurrency is -1, want 1 to 100"},
		"memory by one":  {perf.SyntheticOptions{Operation: "breaker_memory", Concurrency: 1}, ""},
		"memory by two":  {perf.SyntheticOptions{Operation: "breaker_memory", Concurrency: 2}, "concurrency is 2, want 1 for breaker_memory, which looks at the memory of the whole process"},
		"memory by many": {perf.SyntheticOptions{Operation: "breaker_memory", Concurrency: 101}, "concurrency is 101, want 1 to 100"},
	} {
		t.Run(name, func(t *testing.T) { wantFaults(t, c.opts.Check(), c.want) })
	}
}

func wantFaults(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		if want != "" {
			t.Fatalf("Check() = nil, want %s", want)
		}
		return
	}
	var fault *perf.OptionError
	if err.Error() != want || !errors.As(err, &fault) {
		t.Errorf("Check() = %v\nwant %s", err, want)
	}
	if errors.Is(err, perf.ErrUnknownBenchmark) != strings.Contains(want, "unknown benchmark") {
		t.Errorf("Is(ErrUnknownBenchmark) is wrong for %v", err)
	}
}

// FuzzOptions holds that whatever is asked for is either refused whole, with the field's name, or done as asked.
func FuzzOptions(f *testing.F) {
	f.Add("text_processing", 3, 2, "preset_loading", true)
	f.Add("preset_loading", 1, 1, "", false)
	f.Add("a\x00", -1, 101, "x", true)
	f.Fuzz(func(t *testing.T, name string, iterations, concurrency int, benchmark string, slow bool) {
		r := perf.NewRunner(perf.RunnerConfig{})
		if iterations > 20 && iterations <= perf.MaxIterations {
			iterations = iterations%20 + 1 // as good, and sooner done
		}
		m, err := r.Synthetic(t.Context(), perf.SyntheticOptions{Operation: name, Iterations: iterations, Concurrency: concurrency})
		refused(t, err, iterations < 0 || iterations > perf.MaxIterations || concurrency < 0 || concurrency > perf.MaxConcurrency)
		if err == nil {
			l := m.Results
			ordered := l.MinResponseTime <= l.P50ResponseTime && l.P50ResponseTime <= l.P95ResponseTime &&
				l.P95ResponseTime <= l.P99ResponseTime && l.P99ResponseTime <= l.MaxResponseTime
			if iterations > 0 && m.Iterations != iterations || l.Errors != 0 || l.SuccessRate != 1 || !ordered {
				t.Errorf("Synthetic(%q, %d, %d) = %+v", name, iterations, concurrency, m)
			}
		}
		s, err := r.Run(t.Context(), perf.Options{Iterations: iterations, IncludeSlow: slow, Operations: []string{benchmark}})
		refused(t, err, iterations < 0 || iterations > perf.MaxIterations)
		if err == nil && (len(s.Results) != 1 || s.Results[0].Operation != benchmark || s.Partial) {
			t.Errorf("Run(%q) = %+v, want one result", benchmark, s)
		}
	})
}

func refused(t *testing.T, err error, must bool) {
	t.Helper()
	var fault *perf.OptionError
	if err != nil && (!errors.As(err, &fault) || fault.Field == "" || fault.Want == "") {
		t.Errorf("error %v is no OptionError with field and wish", err)
	}
	if err == nil && must {
		t.Error("bad options were taken")
	}
	if errors.Is(err, context.Canceled) {
		t.Errorf("error %v, but nobody canceled", err)
	}
}
