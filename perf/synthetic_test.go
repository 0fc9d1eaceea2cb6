package perf_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/perf"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

// TestSyntheticLatencies measures, by the bubble's clock, calls that take 1 to 100 ms, by ten at once.
func TestSyntheticLatencies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		m, err := perf.NewRunner(perf.RunnerConfig{}).Synthetic(t.Context(), perf.SyntheticOptions{
			Operation: "text_processing", Iterations: 100, Concurrency: 10,
			Target: func(context.Context) error {
				time.Sleep(time.Duration(calls.Add(1)) * time.Millisecond)
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		l := m.Results
		for name, c := range map[string]struct{ got, want float64 }{
			"average": {l.AverageResponseTime, 0.0505}, "min": {l.MinResponseTime, 0.001}, "max": {l.MaxResponseTime, 0.1},
			"p50": {l.P50ResponseTime, 0.05}, "p95": {l.P95ResponseTime, 0.095}, "p99": {l.P99ResponseTime, 0.099},
			"success rate": {l.SuccessRate, 1},
			// Worker k of ten makes the calls k, k+10, …: the last needs 10+20+…+100 ms.
			"total": {l.TotalTime, 0.55}, "per second": {l.RequestsPerSecond, 100 / 0.55},
			"summary": {m.Summary.AvgDurationMS, 50.5},
		} {
			if !near(c.got, c.want) {
				t.Errorf("%s = %v, want %v", name, c.got, c.want)
			}
		}
		if m.Iterations != 100 || m.Concurrency != 10 || m.Partial || l.Errors != 0 || !m.Summary.PerformanceTargetMet ||
			m.BenchmarkID != "bench_20000101_000000" || m.OperationName != "text_processing" || m.Pipeline.Strategy != trysail.Balanced {
			t.Errorf("measurement is %+v", m)
		}
	})
}

// TestSyntheticJSON holds the fields of the specification's answer to their names.
func TestSyntheticJSON(t *testing.T) {
	text := asJSON(t, perf.Measurement{})
	const want = `{"benchmark_id":"","operation_name":"","iterations":0,"concurrency":0,"results":{"total_time":0,"average_response_time":0,` +
		`"requests_per_second":0,"success_rate":0,"p50_response_time":0,"p95_response_time":0,"p99_response_time":0,` +
		`"min_response_time":0,"max_response_time":0,"errors":0},"summary":{"total_benchmarks":0,"total_duration_ms":0,` +
		`"avg_duration_ms":0,"overall_success_rate":0,"performance_target_met":false},"timestamp":"0001-01-01T00:00:00Z","partial":false}`
	if text != want {
		t.Errorf("Measurement is %s\nwant %s", text, want)
	}
}

// TestSyntheticRetries has each call fail once: it takes the time of the wait between its attempts, too.
func TestSyntheticRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc := live(t, trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{
			Attempts: 2, Base: 4 * time.Second, MinDelay: 4 * time.Second, MaxDelay: 4 * time.Second, NoJitter: true,
		}}})
		var calls atomic.Int64
		m, err := perf.NewRunner(perf.RunnerConfig{Orchestrator: orc}).Synthetic(t.Context(), perf.SyntheticOptions{
			Operation: "x", Iterations: 5,
			Target: func(context.Context) error {
				if calls.Add(1)%2 == 1 {
					return trysail.Transient(errors.New("try again"))
				}
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if m.Results.Errors != 0 || m.Results.AverageResponseTime != 4 || m.Results.TotalTime != 20 || m.Pipeline.Retries != 5 || m.Pipeline.Attempts != 2 {
			t.Errorf("results %+v, pipeline %+v; want 4 s per call and 5 retries", m.Results, m.Pipeline)
		}
	})
}

func live(t *testing.T, cfg trysail.Config) *trysail.Orchestrator {
	t.Helper()
	orc, err := trysail.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return orc
}

type counting struct{ events atomic.Int64 }

func (c *counting) Observe(trysail.Event) { c.events.Add(1) }

// TestSyntheticLeavesLiveStateAlone runs failures under an operation that is live, with everything that operations share.
func TestSyntheticLeavesLiveStateAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{})
		if err != nil {
			t.Fatal(err)
		}
		observer := &counting{}
		orc := live(t, trysail.Config{
			Observer: observer, ObserveCalls: true,
			Default: trysail.Policy{Retry: trysail.RetryPolicy{Budget: budget}},
			Operations: map[string]trysail.OperationConfig{"configured": {
				Strategy: trysail.Critical, Policy: trysail.Policy{Limiter: trysail.LimiterPolicy{Rate: 1e-6}},
			}},
		})
		if _, err := orc.Register("registered", trysail.OperationConfig{Strategy: trysail.Conservative, Policy: trysail.Policy{
			Limiter:  trysail.LimiterPolicy{Rate: 1e-6},
			Bulkhead: trysail.BulkheadPolicy{MaxConcurrent: 1},
			Breaker:  trysail.BreakerPolicy{FailureThreshold: 2},
			Retry:    trysail.RetryPolicy{Attempts: 2, Budget: budget},
		}}); err != nil {
			t.Fatal(err)
		}
		before := asText(orc, budget)
		r := perf.NewRunner(perf.RunnerConfig{Orchestrator: orc})
		for name, want := range map[string]perf.Pipeline{
			"registered": {Strategy: trysail.Conservative, Attempts: 2, Retries: 2, Rejected: 8, Opens: 1, BreakerState: "open"},
			"configured": {Strategy: trysail.Critical, Attempts: 7, Retries: 60, Opens: 1, BreakerState: "open"},
			"unknown":    {Strategy: trysail.Balanced, Attempts: 3, Retries: 10, Rejected: 5, Opens: 1, BreakerState: "open"},
		} {
			m, err := r.Synthetic(t.Context(), perf.SyntheticOptions{
				Operation: name, Iterations: 10, Target: func(context.Context) error { return trysail.Transient(errors.New("down")) },
			})
			if err != nil {
				t.Fatal(err)
			}
			if *m.Pipeline != want || m.Results.Errors != 10 || m.Results.SuccessRate != 0 {
				t.Errorf("%s: pipeline %+v, %d errors; want %+v, 10", name, *m.Pipeline, m.Results.Errors, want)
			}
			classes := m.Results.ErrorClasses
			if classes["breaker_open"] != int(want.Rejected) || classes["transient"] != 10-int(want.Rejected) || !strings.Contains(m.Results.FirstError, "down") {
				t.Errorf("%s: classes %v, first error %q", name, classes, m.Results.FirstError)
			}
		}
		if after := asText(orc, budget); after != before || observer.events.Load() != 0 {
			t.Errorf("live state is %s\nwas %s; %d events, want 0", after, before, observer.events.Load())
		}
	})
}

func asText(orc *trysail.Orchestrator, budget *trysail.RetryBudget) string {
	return fmt.Sprintf("%+v %+v %+v", orc.Breakers(), orc.Metrics(), budget.Snapshot())
}

// hostile is an error all of whose methods panic.
type hostile struct{}

func (hostile) Error() string   { panic("Error") }
func (hostile) Is(error) bool   { panic("Is") }
func (hostile) As(any) bool     { panic("As") }
func (hostile) Unwrap() error   { panic("Unwrap") }
func (hostile) StatusCode() int { panic("StatusCode") }

// TestSyntheticSurvivesItsTarget has targets that panic, that end their goroutine, and whose errors panic, from several
// goroutines at once.
func TestSyntheticSurvivesItsTarget(t *testing.T) {
	for name, target := range map[string]func(context.Context) error{
		"panics":  func(context.Context) error { panic("boom") },
		"goexits": func(context.Context) error { runtime.Goexit(); return nil },
		"hostile": func(context.Context) error { return hostile{} },
	} {
		t.Run(name, func(t *testing.T) {
			m, err := perf.NewRunner(perf.RunnerConfig{}).Synthetic(t.Context(), perf.SyntheticOptions{
				Operation: "x", Iterations: 40, Concurrency: 4, Target: target,
			})
			l := m.Results
			if err != nil || m.Iterations != 40 || l.Errors != 40 || l.SuccessRate != 0 || l.FirstError == "" || l.ErrorClasses["breaker_open"] == 40 {
				t.Errorf("Synthetic = %+v, %v; want 40 failed calls", m, err)
			}
		})
	}
}

func TestSyntheticEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		m, err := perf.NewRunner(perf.RunnerConfig{}).Synthetic(ctx, perf.SyntheticOptions{
			Operation: "x", Iterations: 100, Concurrency: 3,
			Target: func(ctx context.Context) error {
				select {
				case <-time.After(time.Second):
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			},
		})
		if !errors.Is(err, perf.ErrStopped) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "after 6 of 100 iterations") {
			t.Errorf("Synthetic = %v, want ErrStopped after 6 of 100", err)
		}
		if !m.Partial || m.Iterations != 6 || m.Results.Errors != 0 || m.Results.AverageResponseTime != 1 || m.Summary.PerformanceTargetMet {
			t.Errorf("measurement is %+v, want a partial one of 6 calls of 1 s", m)
		}
	})
}

// TestSyntheticOfBenchmarks runs each benchmark by its name.
func TestSyntheticOfBenchmarks(t *testing.T) {
	r := perf.NewRunner(perf.RunnerConfig{Orchestrator: live(t, trysail.Config{})})
	for _, b := range perf.Benchmarks() {
		concurrency := 3
		if b.Name == "breaker_memory" {
			concurrency = 1 // it takes no more
		}
		m, err := r.Synthetic(t.Context(), perf.SyntheticOptions{Operation: b.Name, Iterations: 6, Concurrency: concurrency})
		if err != nil || m.Iterations != 6 || m.Results.Errors != 0 || m.Pipeline != nil || m.Results.TotalTime <= 0 || m.Results.RequestsPerSecond <= 0 {
			t.Errorf("Synthetic(%s) = %+v, %v; want 6 iterations of the benchmark", b.Name, m, err)
		}
	}
}

func TestSyntheticDefaults(t *testing.T) {
	m, err := perf.NewRunner(perf.RunnerConfig{}).Synthetic(t.Context(), perf.SyntheticOptions{Operation: "x"})
	if err != nil || m.Iterations != 50 || m.Concurrency != 1 || m.Results.MaxResponseTime <= 0 {
		t.Errorf("Synthetic = %+v, %v; want 50 iterations, one at a time", m, err)
	}
}

// TestSyntheticFollowsLiveOperation has what the live operation has, of keys and switched-off parts, too.
func TestSyntheticFollowsLiveOperation(t *testing.T) {
	orc := live(t, trysail.Config{})
	op, err := orc.Register("chat", trysail.OperationConfig{Strategy: trysail.Aggressive, Policy: trysail.Policy{Retry: trysail.RetryPolicy{Disabled: true}}})
	if err != nil {
		t.Fatal(err)
	}
	op.For("tenant-7")
	r := perf.NewRunner(perf.RunnerConfig{Orchestrator: orc})
	for _, name := range []string{"chat", "chat[tenant-7]"} {
		m, err := r.Synthetic(t.Context(), perf.SyntheticOptions{Operation: name, Iterations: 2})
		want := perf.Pipeline{Strategy: trysail.Aggressive, Attempts: 1, BreakerState: "closed"}
		if err != nil || *m.Pipeline != want || m.Results.Errors != 0 {
			t.Errorf("Synthetic(%s) = %+v, %v; want %+v", name, m.Pipeline, err, want)
		}
	}
	off := perf.NewRunner(perf.RunnerConfig{Orchestrator: live(t, trysail.Config{Disabled: true})})
	m, err := off.Synthetic(t.Context(), perf.SyntheticOptions{
		Operation: "chat", Iterations: 50, Target: func(context.Context) error { return errors.New("down") },
	})
	if err != nil || *m.Pipeline != (perf.Pipeline{Strategy: trysail.Balanced, Attempts: 1}) || m.Results.Errors != 50 {
		t.Errorf("Synthetic while everything is off = %+v, %v; want 50 plain calls", m.Pipeline, err)
	}
}
