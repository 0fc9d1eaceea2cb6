package perf

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// A Sink stores what a [History] holds. Storing a suite, known by its BenchmarkID, twice must be the same as storing it once;
// there is one baseline, and a later one replaces it.
type Sink interface {
	SaveSuite(context.Context, Suite) error
	SaveBaseline(context.Context, Baseline) error
}

// A Baseline is what later runs are compared with.
type Baseline struct {
	BenchmarkID string             `json:"benchmark_id"` // of the run that it was taken from
	SetAt       time.Time          `json:"set_at"`       // UTC
	Averages    map[string]float64 `json:"averages"`     // milliseconds by operation
}

// A HistoryConfig sets up a [History]. The zero value is ready to use: each zero field takes its stated default.
type HistoryConfig struct {
	// Max is how many suites are kept, the newest: 1 to 10,000. Default 100. A suite takes some 20 KB.
	Max int

	// RegressionPercent is by how much an average must be over its baseline to be called a regression: more than 0, at
	// most 1000. Default 20. Small times vary much between runs on a busy machine.
	RegressionPercent float64

	// Sink is given everything that is added. Nil: the history is in memory only.
	Sink Sink
}

// A History remembers suites, in the order in which they were added. It is safe for concurrent use.
type History struct {
	cfg HistoryConfig
	ids ids

	mu       sync.RWMutex
	suites   []Suite   // guarded by mu; oldest first
	baseline *Baseline // guarded by mu; nil: none was set
}

const (
	defaultMax        = 100
	defaultRegression = 20
	lastWords         = 5 * time.Second // for storing a suite whose context has ended
)

// NewHistory returns an empty history, or an error that names every bad field.
func NewHistory(cfg HistoryConfig) (*History, error) {
	if cfg.Max == 0 {
		cfg.Max = defaultMax
	}
	if cfg.RegressionPercent == 0 {
		cfg.RegressionPercent = defaultRegression
	}
	var errs []error
	if cfg.Max < 1 || cfg.Max > 10_000 {
		errs = append(errs, fmt.Errorf("Max is %d, want 1 to 10000", cfg.Max))
	}
	if !(cfg.RegressionPercent > 0 && cfg.RegressionPercent <= 1000) { // written so that NaN fails too
		errs = append(errs, fmt.Errorf("RegressionPercent is %v, want more than 0 and at most 1000", cfg.RegressionPercent))
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("benchmark history: %w", errors.Join(errs...))
	}
	return &History{cfg: cfg}, nil
}

// Add remembers a suite and gives it to the sink, if there is one, also when ctx has ended: then for at most 5 seconds.
// The error is [ErrNotStored] when the sink has failed; the suite is then in memory only. A suite that [History.Restore] would
// not take is refused and nothing changes.
func (h *History) Add(ctx context.Context, s Suite) error {
	s = s.Clone()
	h.mu.Lock()
	err := s.check(h.index(s.BenchmarkID) >= 0)
	if err == nil {
		h.keep(s)
	}
	h.mu.Unlock()
	if err != nil {
		return fmt.Errorf("add benchmark %q to the history: %w", short(s.BenchmarkID), err)
	}
	return h.store(ctx, s.BenchmarkID, func(ctx context.Context) error { return h.cfg.Sink.SaveSuite(ctx, s.Clone()) })
}

func (h *History) store(ctx context.Context, id string, save func(context.Context) error) error {
	if h.cfg.Sink == nil {
		return nil
	}
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), lastWords)
		defer cancel()
	}
	if err := save(ctx); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrNotStored, id, err)
	}
	return nil
}

// keep adds a suite and lets the oldest go. The caller holds mu.
func (h *History) keep(s Suite) {
	h.suites = append(h.suites, s)
	if over := len(h.suites) - h.cfg.Max; over > 0 {
		h.suites = slices.Delete(h.suites, 0, over)
	}
}

// Len returns how many suites are kept.
func (h *History) Len() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.suites)
}

// Recent returns the newest suites, the newest first, n at most. The caller owns them.
func (h *History) Recent(n int) []Suite {
	h.mu.RLock()
	defer h.mu.RUnlock()
	list := make([]Suite, 0, max(min(n, len(h.suites)), 0))
	for _, s := range slices.Backward(h.suites) {
		if len(list) >= n {
			break
		}
		list = append(list, s.Clone())
	}
	return list
}

// Latest returns the newest suite that came to its end, if there is one. The caller owns it.
func (h *History) Latest() (Suite, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, s := range slices.Backward(h.suites) {
		if !s.Partial {
			return s.Clone(), true
		}
	}
	return Suite{}, false
}

// Find returns the suite with that ID.
func (h *History) Find(id string) (Suite, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if i := h.index(id); i >= 0 {
		return h.suites[i].Clone(), true
	}
	return Suite{}, false
}

func (h *History) has(id string) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.index(id) >= 0
}

// index returns where the suite with that ID is, or -1. The caller holds mu.
func (h *History) index(id string) int {
	return slices.IndexFunc(h.suites, func(s Suite) bool { return s.BenchmarkID == id })
}

// ErrUnknownRun says that the history holds no suite with an ID.
var ErrUnknownRun = errors.New("no such benchmark run in the history")

// SetBaseline makes the run with that ID what later ones are compared with. What was measured stays the baseline when the run
// itself is forgotten. A run without one complete result is refused, one that is not known with [ErrUnknownRun]. For
// the sink holds what is said at [History.Add].
func (h *History) SetBaseline(ctx context.Context, id string) (Baseline, error) {
	h.mu.Lock()
	kept, err := h.baselineOf(id)
	if err == nil {
		h.baseline = &kept
	}
	h.mu.Unlock()
	if err != nil {
		return Baseline{}, fmt.Errorf("set baseline: %w", err)
	}
	return kept.clone(), h.store(ctx, "baseline "+id, func(ctx context.Context) error { return h.cfg.Sink.SaveBaseline(ctx, kept.clone()) })
}

func (b Baseline) clone() Baseline {
	b.Averages = maps.Clone(b.Averages)
	return b
}

// baselineOf makes a baseline of a run. The caller holds mu.
func (h *History) baselineOf(id string) (Baseline, error) {
	i := h.index(id)
	if i < 0 {
		return Baseline{}, fmt.Errorf("%w: %q", ErrUnknownRun, short(id))
	}
	b := Baseline{BenchmarkID: id, SetAt: time.Now().UTC().Round(0), Averages: map[string]float64{}}
	for _, r := range h.suites[i].Results {
		if r.counts() {
			b.Averages[r.Operation] = r.AvgDurationMS
		}
	}
	if len(b.Averages) == 0 {
		return Baseline{}, fmt.Errorf("run %s holds no complete result without failures", id)
	}
	return b, nil
}

// counts reports whether r can be compared with others: one that was stopped, or failed, says nothing about speed.
func (r Result) counts() bool { return !r.Partial && r.Iterations > 0 && r.SuccessRate == 1 }
