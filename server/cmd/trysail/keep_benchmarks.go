package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/trysail-go/trysail/perf"
	"github.com/trysail-go/trysail/server/store"
)

// The rows of runs: suites under their own IDs, and the baseline.
const (
	suiteRun    = "suite"
	baselineRun = "baseline"
	keptSuites  = 100
)

// A benchShelf stores runs of benchmarks.
type benchShelf struct {
	store *store.Store

	mu       sync.Mutex // guards what follows
	baseline *perf.Baseline
}

// SaveSuite implements [perf.Sink]. The baseline is stored with it once more: of the runs that are stored the oldest go, and it must not.
func (b *benchShelf) SaveSuite(ctx context.Context, s perf.Suite) error {
	if err := b.add(ctx, store.Run{ID: s.BenchmarkID, Time: s.Timestamp, Name: suiteRun}, s); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.baseline == nil {
		return nil
	}
	return b.add(ctx, store.Run{ID: baselineRun, Name: baselineRun}, b.baseline)
}

// SaveBaseline implements [perf.Sink].
func (b *benchShelf) SaveBaseline(ctx context.Context, base perf.Baseline) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.baseline = &base
	return b.add(ctx, store.Run{ID: baselineRun, Name: baselineRun}, base)
}

func (b *benchShelf) add(ctx context.Context, r store.Run, what any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	r.Body = body
	return b.store.AddRun(ctx, r)
}

// openBenchmarks makes the history of benchmarks, with what is stored. What cannot be read is left out.
func (k *keeper) openBenchmarks(ctx context.Context) error {
	shelf := &benchShelf{store: k.store}
	history, err := perf.NewHistory(perf.HistoryConfig{Max: keptSuites, Sink: shelf})
	if err != nil {
		return err
	}
	k.benchmarks = history
	suites, baseline, bad := shelf.load(ctx)
	shelf.baseline = baseline
	if err := errors.Join(bad, history.Restore(suites, baseline)); err != nil {
		k.log.Warn("some of the earlier benchmarks are left out", "error", err)
	}
	return nil
}

// load returns what is stored, with the error of what cannot be read.
func (b *benchShelf) load(ctx context.Context) (suites []perf.Suite, baseline *perf.Baseline, _ error) {
	runs, bad := b.store.Runs(ctx, store.RunQuery{Name: suiteRun, Limit: keptSuites})
	for _, r := range runs {
		var s perf.Suite
		if err := json.Unmarshal(r.Body, &s); err != nil {
			bad = errors.Join(bad, fmt.Errorf("run %s: %w", r.ID, err))
			continue
		}
		suites = append(suites, s)
	}
	r, err := b.store.Run(ctx, baselineRun)
	if err == nil {
		err = json.Unmarshal(r.Body, &baseline)
	}
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	if err != nil {
		baseline, err = nil, fmt.Errorf("baseline: %w", err)
	}
	return suites, baseline, errors.Join(bad, err)
}
