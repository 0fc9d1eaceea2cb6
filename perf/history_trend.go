package perf

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// A Direction says where an operation's times go.
type Direction string

// The directions.
const (
	Improving Direction = "improving" // more than 5 % shorter
	Stable    Direction = "stable"
	Degrading Direction = "degrading" // more than 5 % longer
)

const (
	stableWithin = 5.0 // percent
	baselineRuns = 10  // at most, where no baseline was set
)

// A Trend compares the first half of an operation's runs with the second. Of an odd number of runs the one in the middle
// belongs to the second half.
type Trend struct {
	TrendPercentage float64   `json:"trend_percentage"` // of the second half over the first; below 0 is faster
	TrendDirection  Direction `json:"trend_direction"`
	FirstHalfAvgMS  float64   `json:"first_half_avg_ms"`
	SecondHalfAvgMS float64   `json:"second_half_avg_ms"`
	SampleCount     int       `json:"sample_count"`
}

// A Regression is an operation whose newest average is over its baseline by more than HistoryConfig.RegressionPercent.
type Regression struct {
	Operation     string  `json:"operation"`
	BaselineAvgMS float64 `json:"baseline_avg_ms"`
	CurrentAvgMS  float64 `json:"current_avg_ms"`
	ChangePercent float64 `json:"change_percent"`
}

// An Overview is a history at one moment: the answer of GET /performance/history.
type Overview struct {
	History        []RunSummary       `json:"history"`    // the newest first
	TotalRuns      int                `json:"total_runs"` // that are kept
	Limit          int                `json:"limit"`
	TrendAnalysis  map[string]Trend   `json:"trend_analysis"` // of operations that were measured at least twice
	Regressions    []Regression       `json:"regressions"`    // by name of the operation
	Baseline       map[string]float64 `json:"baseline"`       // milliseconds by operation; null: nothing to compare with yet
	CurrentResults []CurrentResult    `json:"current_results"`
	Message        string             `json:"message,omitempty"` // what is missing, if something is
}

// A RunSummary is one run of an [Overview].
type RunSummary struct {
	BenchmarkID     string         `json:"benchmark_id"`
	Timestamp       time.Time      `json:"timestamp"`
	Name            string         `json:"name"`
	PassRate        float64        `json:"pass_rate"`
	TotalDurationMS float64        `json:"total_duration_ms"`
	Partial         bool           `json:"partial"`
	Results         []RunOperation `json:"results"`
}

// A RunOperation is one result of a [RunSummary].
type RunOperation struct {
	Operation     string  `json:"operation"`
	AvgDurationMS float64 `json:"avg_duration_ms"`
	P95MS         float64 `json:"p95_ms"`
	SuccessRate   float64 `json:"success_rate"`
}

// A CurrentResult is the newest that is known of an operation.
type CurrentResult struct {
	Operation     string    `json:"operation"`
	AvgDurationMS float64   `json:"avg_duration_ms"`
	Timestamp     time.Time `json:"timestamp"` // of its run
}

// MaxLimit is how many runs an [Overview] lists at most.
const MaxLimit = 100

// Overview returns the newest runs, limit at most, 1 to 100, and what all that are kept come to. Results that
// were stopped, or failed in an iteration, are listed but not compared. Without a baseline that was set, the mean of up to
// 10 runs before an operation's newest one is the baseline.
func (h *History) Overview(limit int) (Overview, error) {
	if err := inRange("limit", limit, MaxLimit); err != nil || limit == 0 {
		return Overview{}, &OptionError{Field: "limit", Value: limit, Want: fmt.Sprintf("1 to %d", MaxLimit)}
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	o := Overview{
		History: []RunSummary{}, TotalRuns: len(h.suites), Limit: limit,
		TrendAnalysis: map[string]Trend{}, Regressions: []Regression{}, CurrentResults: []CurrentResult{},
	}
	for _, s := range slices.Backward(h.suites[max(len(h.suites)-limit, 0):]) {
		o.History = append(o.History, s.inShort())
	}
	list := h.series()
	baseline := h.compareWith(list)
	for _, name := range slices.Sorted(maps.Keys(list)) {
		s := list[name]
		if t, ok := trendOf(s.averages); ok {
			o.TrendAnalysis[name] = t
		}
		now := s.averages[len(s.averages)-1]
		o.CurrentResults = append(o.CurrentResults, CurrentResult{name, now, s.newest})
		was, ok := baseline[name]
		if change := percentChange(was, now); ok && change > h.cfg.RegressionPercent {
			o.Regressions = append(o.Regressions, Regression{name, was, now, change})
		}
	}
	o.Baseline = baseline
	switch {
	case len(h.suites) == 0:
		o.Message = "No benchmark has been run yet."
	case len(o.TrendAnalysis) == 0:
		o.Message = "Trends need at least two complete runs of an operation."
	}
	return o, nil
}

func (s Suite) inShort() RunSummary {
	run := RunSummary{s.BenchmarkID, s.Timestamp, s.Name, s.PassRate, s.TotalDurationMS, s.Partial, []RunOperation{}}
	for _, r := range s.Results {
		run.Results = append(run.Results, RunOperation{r.Operation, r.AvgDurationMS, r.P95DurationMS, r.SuccessRate})
	}
	return run
}

// A series is what is known of one operation.
type series struct {
	averages []float64 // milliseconds, oldest first; at least one
	newest   time.Time
}

// series returns what can be compared, by operation. The caller holds mu.
func (h *History) series() map[string]series {
	list := map[string]series{}
	for _, s := range h.suites {
		for _, r := range s.Results {
			if r.counts() {
				list[r.Operation] = series{append(list[r.Operation].averages, r.AvgDurationMS), s.Timestamp}
			}
		}
	}
	return list
}

// compareWith returns the baseline by operation, nil if there is none. The caller holds mu.
func (h *History) compareWith(list map[string]series) map[string]float64 {
	if h.baseline != nil {
		return maps.Clone(h.baseline.Averages)
	}
	var averages map[string]float64
	for name, s := range list {
		if before := s.averages[:len(s.averages)-1]; len(before) > 0 {
			if averages == nil {
				averages = map[string]float64{}
			}
			averages[name] = mean(before[max(len(before)-baselineRuns, 0):])
		}
	}
	return averages
}

// trendOf compares the halves of averages, if there are two.
func trendOf(averages []float64) (Trend, bool) {
	if len(averages) < 2 {
		return Trend{}, false
	}
	half := len(averages) / 2
	t := Trend{FirstHalfAvgMS: mean(averages[:half]), SecondHalfAvgMS: mean(averages[half:]), SampleCount: len(averages)}
	t.TrendPercentage = percentChange(t.FirstHalfAvgMS, t.SecondHalfAvgMS)
	switch {
	case t.TrendPercentage > stableWithin:
		t.TrendDirection = Degrading
	case t.TrendPercentage < -stableWithin:
		t.TrendDirection = Improving
	default:
		t.TrendDirection = Stable
	}
	return t, true
}
