package perf

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// SuiteName is the name of a [Suite], as the specification has it.
const SuiteName = "Resilience Configuration Performance Benchmark"

// targetShare is the share of benchmarks that must pass for the target to be met.
const targetShare = 0.8

// The types below are what the API answers and a store keeps. Their fields carry the unit in their name, as on the
// wire, and are therefore plain numbers.

// A Result is what a benchmark has measured. It is not changed any more.
type Result struct {
	Operation string `json:"operation"`

	DurationMS float64 `json:"duration_ms"` // of all iterations together

	// MemoryPeakMB is the most that was allocated on the heap during one iteration, in MiB: an upper bound of what the
	// iteration held at its peak. The figure is the process': it holds what others allocate meanwhile, and is off by
	// some KiB.
	MemoryPeakMB float64 `json:"memory_peak_mb"`

	Iterations    int     `json:"iterations"` // that were done
	AvgDurationMS float64 `json:"avg_duration_ms"`
	MinDurationMS float64 `json:"min_duration_ms"`
	MaxDurationMS float64 `json:"max_duration_ms"`
	P95DurationMS float64 `json:"p95_duration_ms"`
	StdDevMS      float64 `json:"std_dev_ms"`   // of the sample: n-1; 0 for one iteration
	SuccessRate   float64 `json:"success_rate"` // 0 to 1

	ThresholdMS float64 `json:"threshold_ms"` // what the average may be
	Partial     bool    `json:"partial"`      // whether it was stopped before all iterations were done

	// Metadata says what was done: see docs/reference/benchmarks.md. error_<i> is why iteration i failed, of the
	// first 10 that did; errors_left_out is how many more failed.
	Metadata map[string]any `json:"metadata"`
}

// Passed reports whether all iterations were done, none failed, and their average is not over the threshold.
func (r Result) Passed() bool {
	return !r.Partial && r.Iterations > 0 && r.SuccessRate == 1 && r.AvgDurationMS <= r.ThresholdMS
}

// resultOf makes a result of what was measured.
func resultOf(name string, asked int, s samples) Result {
	stats := summarize(s.times)
	metadata := map[string]any(s.notes)
	for _, f := range s.errs {
		metadata["error_"+strconv.Itoa(f.iteration)] = textOf(f.err)
	}
	if more := s.failed - len(s.errs); more > 0 {
		metadata["errors_left_out"] = more
	}
	return Result{
		Operation:  name,
		DurationMS: stats.sum, MemoryPeakMB: float64(s.peak) / mebibyte,
		Iterations:    len(s.times),
		AvgDurationMS: stats.mean, MinDurationMS: stats.min, MaxDurationMS: stats.max,
		P95DurationMS: stats.percentile(95), StdDevMS: stats.deviation,
		SuccessRate: s.successRate(), ThresholdMS: milliseconds(Threshold(name)),
		Partial: len(s.times) < asked, Metadata: metadata,
	}
}

// A Suite is the outcome of one run. It is not changed any more.
type Suite struct {
	BenchmarkID string    `json:"benchmark_id"` // bench_YYYYMMDD_HHMMSS in UTC, followed by _2 and so on if need be
	Name        string    `json:"name"`
	Timestamp   time.Time `json:"timestamp"` // when it began, UTC

	Results          []Result    `json:"results"`
	TotalDurationMS  float64     `json:"total_duration_ms"` // by the clock, from begin to end
	PassRate         float64     `json:"pass_rate"`         // passed results / results, 0 to 1; 0 without results
	FailedBenchmarks []string    `json:"failed_benchmarks"` // the operations that did not pass
	EnvironmentInfo  Environment `json:"environment_info"`

	Partial bool     `json:"partial"`           // whether it was stopped before its end
	NotRun  []string `json:"not_run,omitempty"` // the operations whose turn never came
}

// PassPercent returns the pass rate in percent, 0 to 100.
func (s Suite) PassPercent() float64 { return s.PassRate * 100 }

// TargetMet reports whether the run came to its end and at least 80 % of its benchmarks passed.
func (s Suite) TargetMet() bool { return !s.Partial && s.PassRate >= targetShare }

// judge fills in what follows from the results.
func (s *Suite) judge() {
	passed := 0
	s.FailedBenchmarks = []string{}
	for _, r := range s.Results {
		if r.Passed() {
			passed++
		} else {
			s.FailedBenchmarks = append(s.FailedBenchmarks, r.Operation)
		}
		s.Partial = s.Partial || r.Partial
	}
	s.PassRate = float64(passed) / float64(max(len(s.Results), 1))
}

// Clone returns a copy that shares nothing with s but the values in Metadata.
func (s Suite) Clone() Suite {
	s.Results = slices.Clone(s.Results)
	for i := range s.Results {
		s.Results[i].Metadata = maps.Clone(s.Results[i].Metadata)
	}
	s.FailedBenchmarks, s.NotRun = slices.Clone(s.FailedBenchmarks), slices.Clone(s.NotRun)
	return s
}

// A Summary is a suite in five numbers: what the GET of the API shows.
type Summary struct {
	TotalBenchmarks      int      `json:"total_benchmarks"`
	PassRate             float64  `json:"pass_rate"`
	TotalDurationMS      float64  `json:"total_duration_ms"`
	FailedBenchmarks     []string `json:"failed_benchmarks"`
	PerformanceTargetMet bool     `json:"performance_target_met"` // see [Suite.TargetMet]
}

// Summary returns the suite in five numbers.
func (s Suite) Summary() Summary {
	return Summary{len(s.Results), s.PassRate, s.TotalDurationMS, slices.Clone(s.FailedBenchmarks), s.TargetMet()}
}

// Totals are what the results of a POST to the API come to.
type Totals struct {
	TotalBenchmarks      int     `json:"total_benchmarks"`
	TotalDurationMS      float64 `json:"total_duration_ms"`    // of all iterations together
	AvgDurationMS        float64 `json:"avg_duration_ms"`      // mean of the results' averages
	OverallSuccessRate   float64 `json:"overall_success_rate"` // mean of the results' rates, 0 to 1
	PerformanceTargetMet bool    `json:"performance_target_met"`
}

// Totals returns what the results come to. The target is met when everything was run and the average is under 100 ms.
func (s Suite) Totals() Totals {
	t := Totals{TotalBenchmarks: len(s.Results)}
	n := float64(max(len(s.Results), 1))
	for _, r := range s.Results {
		t.TotalDurationMS += r.DurationMS
		t.AvgDurationMS += r.AvgDurationMS / n
		t.OverallSuccessRate += r.SuccessRate
	}
	t.OverallSuccessRate /= n
	t.PerformanceTargetMet = !s.Partial && len(s.Results) > 0 && t.AvgDurationMS < milliseconds(configLoading)
	return t
}

// maxNumber is more than any measurement comes to; as milliseconds it is 30,000 years.
const maxNumber = 1e15

// finite reports whether all numbers of r are what a measurement can come to.
func (r Result) finite() bool {
	for _, v := range []float64{r.DurationMS, r.MemoryPeakMB, r.AvgDurationMS, r.MinDurationMS, r.MaxDurationMS, r.P95DurationMS, r.StdDevMS, r.SuccessRate} {
		if !(v >= 0 && v <= maxNumber) { // written so that NaN fails too
			return false
		}
	}
	return true
}
