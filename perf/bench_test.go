package perf_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/perf"
)

// BenchmarkSynthetic is what a call costs in a synthetic run, to be compared with BenchmarkCall: the difference is what
// measuring adds.
func BenchmarkSynthetic(b *testing.B) {
	const calls = perf.MaxIterations
	for _, concurrency := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("concurrency=%d", concurrency), func(b *testing.B) {
			r := perf.NewRunner(perf.RunnerConfig{})
			b.ReportAllocs()
			for b.Loop() {
				m, err := r.Synthetic(b.Context(), perf.SyntheticOptions{Operation: "x", Iterations: calls, Concurrency: concurrency})
				if err != nil || m.Results.Errors != 0 {
					b.Fatalf("Synthetic = %+v, %v", m, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/calls, "ns/call")
		})
	}
}

// BenchmarkCall is the call alone.
func BenchmarkCall(b *testing.B) {
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		b.Fatal(err)
	}
	nothing := func(context.Context) (struct{}, error) { return struct{}{}, nil }
	b.ReportAllocs()
	for b.Loop() {
		if _, err := trysail.Do(b.Context(), orc.Operation("x"), nothing); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	r := perf.NewRunner(perf.RunnerConfig{})
	for b.Loop() {
		if s, err := r.Run(b.Context(), perf.Options{}); err != nil || len(s.Results) != 7 {
			b.Fatalf("Run = %d results, %v", len(s.Results), err)
		}
	}
}

// BenchmarkOverview is an answer from a full history of the largest size.
func BenchmarkOverview(b *testing.B) {
	h, err := perf.NewHistory(perf.HistoryConfig{Max: 10_000})
	if err != nil {
		b.Fatal(err)
	}
	suites := make([]perf.Suite, 10_000)
	for i := range suites {
		suites[i] = runOf(0, float64(i))
		suites[i].BenchmarkID = fmt.Sprint("bench_", i)
	}
	if err := h.Restore(suites, nil); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if o, err := h.Overview(100); err != nil || o.TotalRuns != len(suites) {
			b.Fatalf("Overview = %d runs, %v", o.TotalRuns, err)
		}
	}
}
