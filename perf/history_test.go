package perf_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail/perf"
)

func history(t *testing.T, cfg perf.HistoryConfig) *perf.History {
	t.Helper()
	h, err := perf.NewHistory(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// runOf is the n-th suite, in which preset_loading took avg ms.
func runOf(n int, avg float64) perf.Suite {
	return perf.Suite{
		BenchmarkID: fmt.Sprintf("bench_20240115_1030%02d", n), Name: perf.SuiteName,
		Timestamp: time.Date(2024, 1, 15, 10, 30, n, 0, time.UTC), PassRate: 1, TotalDurationMS: 100, FailedBenchmarks: []string{},
		Results: []perf.Result{{
			Operation: "preset_loading", Iterations: 10, AvgDurationMS: avg, P95DurationMS: avg * 2, DurationMS: avg * 10,
			SuccessRate: 1, ThresholdMS: 10, Metadata: map[string]any{},
		}},
	}
}

func filled(t *testing.T, cfg perf.HistoryConfig, averages ...float64) *perf.History {
	t.Helper()
	h := history(t, cfg)
	for i, avg := range averages {
		if err := h.Add(t.Context(), runOf(i, avg)); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func overview(t *testing.T, h *perf.History, limit int) perf.Overview {
	t.Helper()
	o, err := h.Overview(limit)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestLatestCameToItsEnd(t *testing.T) {
	h := filled(t, perf.HistoryConfig{}, 1, 2)
	stopped := runOf(9, 3)
	stopped.Partial = true
	if err := h.Add(t.Context(), stopped); err != nil {
		t.Fatal(err)
	}
	s, ok := h.Latest()
	if !ok || s.BenchmarkID != runOf(1, 2).BenchmarkID {
		t.Fatalf("Latest() = %s, %v; want the second run", s.BenchmarkID, ok)
	}
	s.Results[0].Operation = "changed by its owner"
	if again, _ := h.Latest(); again.Results[0].Operation != "preset_loading" {
		t.Errorf("the history's own suite was changed to %q", again.Results[0].Operation)
	}
	if s, ok := history(t, perf.HistoryConfig{}).Latest(); ok {
		t.Errorf("Latest() of an empty history = %s, want none", s.BenchmarkID)
	}
}

func TestTrends(t *testing.T) {
	for name, c := range map[string]struct {
		averages []float64
		want     perf.Trend
	}{
		"the contract's 8 and 12":            {[]float64{8, 12}, perf.Trend{TrendPercentage: 50, TrendDirection: perf.Degrading, FirstHalfAvgMS: 8, SecondHalfAvgMS: 12, SampleCount: 2}},
		"faster":                             {[]float64{8, 6}, perf.Trend{TrendPercentage: -25, TrendDirection: perf.Improving, FirstHalfAvgMS: 8, SecondHalfAvgMS: 6, SampleCount: 2}},
		"5 % more is stable":                 {[]float64{100, 105}, perf.Trend{TrendPercentage: 5, TrendDirection: perf.Stable, FirstHalfAvgMS: 100, SecondHalfAvgMS: 105, SampleCount: 2}},
		"5 % less is stable":                 {[]float64{100, 95}, perf.Trend{TrendPercentage: -5, TrendDirection: perf.Stable, FirstHalfAvgMS: 100, SecondHalfAvgMS: 95, SampleCount: 2}},
		"6 % is not":                         {[]float64{100, 106}, perf.Trend{TrendPercentage: 6, TrendDirection: perf.Degrading, FirstHalfAvgMS: 100, SecondHalfAvgMS: 106, SampleCount: 2}},
		"the middle is of the second half":   {[]float64{10, 20, 40}, perf.Trend{TrendPercentage: 200, TrendDirection: perf.Degrading, FirstHalfAvgMS: 10, SecondHalfAvgMS: 30, SampleCount: 3}},
		"means":                              {[]float64{1, 3, 4, 2}, perf.Trend{TrendPercentage: 50, TrendDirection: perf.Degrading, FirstHalfAvgMS: 2, SecondHalfAvgMS: 3, SampleCount: 4}},
		"a clock too coarse for the first":   {[]float64{0, 1}, perf.Trend{TrendPercentage: 100, TrendDirection: perf.Degrading, SecondHalfAvgMS: 1, SampleCount: 2}},
		"a clock that is too coarse for all": {[]float64{0, 0}, perf.Trend{TrendDirection: perf.Stable, SampleCount: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			o := overview(t, filled(t, perf.HistoryConfig{}, c.averages...), 10)
			if got := o.TrendAnalysis["preset_loading"]; got != c.want || len(o.TrendAnalysis) != 1 || o.Message != "" {
				t.Errorf("trend of %v = %+v, message %q; want %+v", c.averages, got, o.Message, c.want)
			}
		})
	}
}

// TestTrendsOfAllOperations runs everything twice and leaves out what was stopped or has failed.
func TestTrendsOfAllOperations(t *testing.T) {
	h := history(t, perf.HistoryConfig{})
	r := perf.NewRunner(perf.RunnerConfig{History: h})
	for range 2 {
		mustRun(t, r, perf.Options{Iterations: 1, IncludeSlow: true})
	}
	bad := runOf(0, 1e6)
	bad.Results = append(bad.Results, perf.Result{Operation: "validation_performance", Iterations: 1, SuccessRate: 0.5, AvgDurationMS: 1e6})
	bad.Results[0].Partial = true
	if err := h.Add(t.Context(), bad); err != nil {
		t.Fatal(err)
	}
	o := overview(t, h, 100)
	for _, b := range perf.Benchmarks() {
		if trend := o.TrendAnalysis[b.Name]; trend.SampleCount != 2 || trend.SecondHalfAvgMS >= 1e6 {
			t.Errorf("trend of %s is %+v, want one of 2 samples", b.Name, trend)
		}
	}
	if len(o.CurrentResults) != len(perf.Benchmarks()) || o.TotalRuns != 3 || len(o.History) != 3 {
		t.Errorf("%d current results, %d runs; want %d, 3", len(o.CurrentResults), o.TotalRuns, len(perf.Benchmarks()))
	}
}

func TestRegressions(t *testing.T) {
	regression := func(was, now, change float64) []perf.Regression {
		return []perf.Regression{{Operation: "preset_loading", BaselineAvgMS: was, CurrentAvgMS: now, ChangePercent: change}}
	}
	for name, c := range map[string]struct {
		percent  float64
		averages []float64
		baseline float64
		want     []perf.Regression
	}{
		"exactly 20 % is none":     {0, []float64{10, 12}, 10, []perf.Regression{}},
		"more is one":              {0, []float64{10, 12.5}, 10, regression(10, 12.5, 25)},
		"faster is none":           {0, []float64{10, 1}, 10, []perf.Regression{}},
		"another percentage":       {1, []float64{100, 102}, 100, regression(100, 102, 2)},
		"the mean of those before": {0, []float64{8, 12, 20}, 10, regression(10, 20, 100)},
		"ten before at most":       {0, append([]float64{1000, 1000}, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 8), 4, regression(4, 8, 100)},
	} {
		t.Run(name, func(t *testing.T) {
			o := overview(t, filled(t, perf.HistoryConfig{RegressionPercent: c.percent}, c.averages...), 1)
			if !slices.Equal(o.Regressions, c.want) || o.Baseline["preset_loading"] != c.baseline {
				t.Errorf("regressions %+v, baseline %v; want %+v, %v", o.Regressions, o.Baseline, c.want, c.baseline)
			}
		})
	}
}

func TestSetBaseline(t *testing.T) {
	h := filled(t, perf.HistoryConfig{Max: 2}, 2, 10)
	b, err := h.SetBaseline(t.Context(), runOf(0, 2).BenchmarkID)
	if err != nil || b.Averages["preset_loading"] != 2 || b.SetAt.IsZero() {
		t.Fatalf("SetBaseline = %+v, %v; want 2 ms", b, err)
	}
	b.Averages["preset_loading"] = 77 // the caller's copy
	for i, avg := range []float64{3, 4} {
		if err := h.Add(t.Context(), runOf(10+i, avg)); err != nil {
			t.Fatal(err)
		}
	}
	o := overview(t, h, 10) // the baseline's run is forgotten by now, the baseline is not
	want := []perf.Regression{{Operation: "preset_loading", BaselineAvgMS: 2, CurrentAvgMS: 4, ChangePercent: 100}}
	if !slices.Equal(o.Regressions, want) || o.Baseline["preset_loading"] != 2 || o.TotalRuns != 2 {
		t.Errorf("regressions %+v, baseline %v of %d runs; want %+v", o.Regressions, o.Baseline, o.TotalRuns, want)
	}
	if _, err := h.SetBaseline(t.Context(), "bench_x"); !errors.Is(err, perf.ErrUnknownRun) || !strings.Contains(err.Error(), `"bench_x"`) {
		t.Errorf("SetBaseline of an unknown run = %v, want ErrUnknownRun", err)
	}
	empty := runOf(20, 1)
	empty.Results[0].Partial = true
	if err := h.Add(t.Context(), empty); err != nil {
		t.Fatal(err)
	}
	if _, err := h.SetBaseline(t.Context(), empty.BenchmarkID); err == nil || !strings.Contains(err.Error(), "no complete result") {
		t.Errorf("SetBaseline of a run without a complete result = %v, want an error", err)
	}
	if got := overview(t, h, 10).Baseline["preset_loading"]; got != 2 {
		t.Errorf("baseline after refusals = %v, want 2", got)
	}
}

func TestOverviewJSON(t *testing.T) {
	const empty = `{"history":[],"total_runs":0,"limit":10,"trend_analysis":{},"regressions":[],"baseline":null,"current_results":[],` +
		`"message":"No benchmark has been run yet."}`
	if got := asJSON(t, overview(t, history(t, perf.HistoryConfig{}), 10)); got != empty {
		t.Errorf("empty history is %s\nwant %s", got, empty)
	}
	const run = `{"benchmark_id":"bench_20240115_1030%02d","timestamp":"2024-01-15T10:30:%02dZ","name":"Resilience Configuration Performance Benchmark",` +
		`"pass_rate":1,"total_duration_ms":100,"partial":false,"results":[{"operation":"preset_loading","avg_duration_ms":%d,"p95_ms":%d,"success_rate":1}]}`
	one := `{"history":[` + fmt.Sprintf(run, 0, 0, 8, 16) + `],"total_runs":1,"limit":1,"trend_analysis":{},"regressions":[],"baseline":null,` +
		`"current_results":[{"operation":"preset_loading","avg_duration_ms":8,"timestamp":"2024-01-15T10:30:00Z"}],` +
		`"message":"Trends need at least two complete runs of an operation."}`
	if got := asJSON(t, overview(t, filled(t, perf.HistoryConfig{}, 8), 1)); got != one {
		t.Errorf("history of one is %s\nwant %s", got, one)
	}
	two := `{"history":[` + fmt.Sprintf(run, 1, 1, 12, 24) + `,` + fmt.Sprintf(run, 0, 0, 8, 16) + `],"total_runs":2,"limit":100,` +
		`"trend_analysis":{"preset_loading":{"trend_percentage":50,"trend_direction":"degrading","first_half_avg_ms":8,"second_half_avg_ms":12,"sample_count":2}},` +
		`"regressions":[{"operation":"preset_loading","baseline_avg_ms":8,"current_avg_ms":12,"change_percent":50}],"baseline":{"preset_loading":8},` +
		`"current_results":[{"operation":"preset_loading","avg_duration_ms":12,"timestamp":"2024-01-15T10:30:01Z"}]}`
	if got := asJSON(t, overview(t, filled(t, perf.HistoryConfig{}, 8, 12), 100)); got != two {
		t.Errorf("history of two is %s\nwant %s", got, two)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	h := filled(t, perf.HistoryConfig{Max: 3}, 0, 1, 2, 3, 4)
	var got []float64
	for _, s := range h.Recent(10) {
		got = append(got, s.Results[0].AvgDurationMS)
	}
	if !slices.Equal(got, []float64{4, 3, 2}) || h.Len() != 3 {
		t.Errorf("kept %v, want 4, 3, 2", got)
	}
	if s, ok := h.Find(runOf(0, 0).BenchmarkID); ok {
		t.Errorf("Find of a forgotten run = %+v", s)
	}
	if list := h.Recent(-1); len(list) != 0 {
		t.Errorf("Recent(-1) = %v, want none", list)
	}
	for _, limit := range []int{0, -1, 101} {
		var fault *perf.OptionError
		if _, err := h.Overview(limit); !errors.As(err, &fault) || err.Error() != fmt.Sprintf("limit is %d, want 1 to 100", limit) {
			t.Errorf("Overview(%d) = %v, want the range", limit, err)
		}
	}
}

func TestBadHistoryConfig(t *testing.T) {
	for want, cfg := range map[string]perf.HistoryConfig{
		"Max is -1, want 1 to 10000":                                   {Max: -1},
		"Max is 10001, want 1 to 10000":                                {Max: 10_001},
		"RegressionPercent is -1, want more than 0 and at most 1000":   {RegressionPercent: -1},
		"RegressionPercent is NaN, want more than 0 and at most 1000":  {RegressionPercent: math.NaN()},
		"RegressionPercent is 1001, want more than 0 and at most 1000": {RegressionPercent: 1001},
	} {
		if _, err := perf.NewHistory(cfg); err == nil || err.Error() != "benchmark history: "+want {
			t.Errorf("NewHistory(%+v) = %v, want %s", cfg, err, want)
		}
	}
}

// A shelf is a Sink that fails on demand.
type shelf struct {
	mu       sync.Mutex
	err      error
	suites   []perf.Suite
	baseline *perf.Baseline
}

func (s *shelf) SaveSuite(ctx context.Context, suite perf.Suite) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(s.err, ctx.Err()); err != nil {
		return err
	}
	s.suites = append(s.suites, suite)
	return nil
}

func (s *shelf) SaveBaseline(ctx context.Context, b perf.Baseline) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(s.err, ctx.Err()); err != nil {
		return err
	}
	s.baseline = &b
	return nil
}

// TestStoreAndRestore brings a history through a sink into another one: they say the same.
func TestStoreAndRestore(t *testing.T) {
	sink := &shelf{}
	h := filled(t, perf.HistoryConfig{Sink: sink}, 8, 12, 9)
	if _, err := h.SetBaseline(t.Context(), runOf(1, 0).BenchmarkID); err != nil {
		t.Fatal(err)
	}
	stored := slices.Clone(sink.suites)
	slices.Reverse(stored)
	again := history(t, perf.HistoryConfig{Sink: sink})
	if err := again.Restore(stored, sink.baseline); err != nil {
		t.Fatal(err)
	}
	if got, want := asJSON(t, overview(t, again, 10)), asJSON(t, overview(t, h, 10)); got != want {
		t.Errorf("restored history is %s\nwant %s", got, want)
	}
	if len(sink.suites) != 3 {
		t.Errorf("sink holds %d suites after Restore, want 3", len(sink.suites))
	}
}

func TestSinkFails(t *testing.T) {
	down := errors.New("disk full")
	sink := &shelf{err: down}
	h := history(t, perf.HistoryConfig{Sink: sink})
	s, err := perf.NewRunner(perf.RunnerConfig{History: h}).Run(t.Context(), perf.Options{Iterations: 1})
	if !errors.Is(err, perf.ErrNotStored) || !errors.Is(err, down) || errors.Is(err, perf.ErrStopped) {
		t.Errorf("Run = %v, want ErrNotStored", err)
	}
	if _, ok := h.Find(s.BenchmarkID); !ok || len(s.Results) != 7 {
		t.Error("the suite is not in the history, or not complete, because the sink failed")
	}
	if _, err := h.SetBaseline(t.Context(), s.BenchmarkID); !errors.Is(err, perf.ErrNotStored) || overview(t, h, 1).Baseline == nil {
		t.Errorf("SetBaseline = %v, want ErrNotStored and the baseline in memory", err)
	}
}

// TestStoreAfterTheEnd stores the partial suite of a run whose context has ended, and does not wait for ever.
func TestStoreAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sink := &shelf{}
	r := perf.NewRunner(perf.RunnerConfig{History: history(t, perf.HistoryConfig{Sink: sink})})
	if _, err := r.Run(ctx, perf.Options{}); !errors.Is(err, perf.ErrStopped) || errors.Is(err, perf.ErrNotStored) || len(sink.suites) != 1 {
		t.Errorf("Run = %v with %d suites stored, want ErrStopped alone and 1", err, len(sink.suites))
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		start := time.Now()
		h := history(t, perf.HistoryConfig{Sink: hanging{}})
		if err := h.Add(ctx, runOf(0, 1)); !errors.Is(err, perf.ErrNotStored) || time.Since(start) != 5*time.Second {
			t.Errorf("Add = %v after %v, want ErrNotStored after 5s", err, time.Since(start))
		}
	})
}

type hanging struct{}

func (hanging) SaveSuite(ctx context.Context, _ perf.Suite) error {
	<-ctx.Done()
	return ctx.Err()
}

func (hanging) SaveBaseline(ctx context.Context, _ perf.Baseline) error {
	return hanging{}.SaveSuite(ctx, perf.Suite{})
}

func TestRestoreLeavesOutWhatIsWrong(t *testing.T) {
	for want, change := range map[string]func(*perf.Suite){
		"its ID has 0 bytes, want 1 to 200":                                                         func(s *perf.Suite) { s.BenchmarkID = "" },
		"there is one with its ID already":                                                          func(s *perf.Suite) { s.BenchmarkID = runOf(0, 1).BenchmarkID },
		"its time is in the year 1, want 1970 to 9999":                                              func(s *perf.Suite) { s.Timestamp = time.Time{} },
		"its pass rate is NaN, want 0 to 1":                                                         func(s *perf.Suite) { s.PassRate = math.NaN() },
		"its duration is +Inf ms, want 0 to 1e15":                                                   func(s *perf.Suite) { s.TotalDurationMS = math.Inf(1) },
		`its result 1 is of "", want a name, each once`:                                             func(s *perf.Suite) { s.Results[0].Operation = "" },
		`its result 2 is of "preset_loading", want a name, each once`:                               func(s *perf.Suite) { s.Results = append(s.Results, s.Results[0]) },
		"its result 1, of preset_loading, has a number that is negative, too large or not finite":   func(s *perf.Suite) { s.Results[0].AvgDurationMS = math.NaN() },
		"its result 1, of preset_loading, has a number that is negative, too large or not finite\n": func(s *perf.Suite) { s.Results[0].SuccessRate = 1.5 },
	} {
		bad := runOf(1, 2)
		change(&bad)
		h := history(t, perf.HistoryConfig{})
		err := h.Restore([]perf.Suite{runOf(0, 1), bad, runOf(2, 3)}, nil)
		if err == nil || !strings.HasSuffix(err.Error(), strings.TrimSuffix(want, "\n")) || !strings.Contains(err.Error(), "suite 2 of 3") {
			t.Errorf("Restore = %v, want suite 2 of 3: %s", err, want)
		}
		if h.Len() != 2 {
			t.Errorf("%s: %d suites restored, want the 2 good ones", want, h.Len())
		}
	}
	h := history(t, perf.HistoryConfig{})
	if err := h.Restore(make([]perf.Suite, 100), nil); err == nil || !strings.HasSuffix(err.Error(), "and 90 more") {
		t.Errorf("Restore of 100 bad suites = %v, want 10 and 90 more", err)
	}
	for want, b := range map[string]*perf.Baseline{
		`baseline "b" holds no averages`:                          {BenchmarkID: "b"},
		`baseline "b": the average of "x" is NaN, want 0 to 1e15`: {BenchmarkID: "b", Averages: map[string]float64{"x": math.NaN()}},
	} {
		if err := h.Restore(nil, b); err == nil || err.Error() != "restore benchmarks: "+want {
			t.Errorf("Restore = %v, want %s", err, want)
		}
	}
}

// TestRestoreGoesBefore has stored runs come before those of this process, and the oldest go when there are too many.
func TestRestoreGoesBefore(t *testing.T) {
	h := filled(t, perf.HistoryConfig{Max: 3}, 7)
	if err := h.Restore([]perf.Suite{runOf(30, 3), runOf(10, 1), runOf(20, 2)}, nil); err != nil {
		t.Fatal(err)
	}
	var got []float64
	for _, s := range h.Recent(10) {
		got = append(got, s.Results[0].AvgDurationMS)
	}
	if !slices.Equal(got, []float64{7, 3, 2}) {
		t.Errorf("restored history is %v, want 7, 3, 2", got)
	}
	if err := h.Add(t.Context(), runOf(30, 3)); err == nil || !strings.Contains(err.Error(), "there is one with its ID already") {
		t.Errorf("Add of a suite that is there = %v, want an error", err)
	}
}
