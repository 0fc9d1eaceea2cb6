package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/perf"
	"github.com/trysail-go/trysail/server/api"
	"github.com/trysail-go/trysail/server/store"
)

const (
	storeEvery  = 250 * time.Millisecond // how often what was recorded is stored: so much of it a kill -9 costs
	storingTime = 5 * time.Second        // for one thing to be stored, and at least for what is left at the end
)

// remembered is how much of what was recorded is kept at hand, and given back at the start.
func remembered() monitor.Config { return monitor.Config{MaxEvents: 10_000, MaxAlerts: 1_000} }

// A keeper keeps what is to outlive the program in the data directory, and gives it back at the next start. Without a directory it
// keeps less, in memory.
type keeper struct {
	store      *store.Store
	log        *slog.Logger
	benchmarks *perf.History
	lost       atomic.Uint64 // events that were gone before they could be stored

	stop      context.CancelFunc // ends what follows; nil: nothing is persisted now
	persisted chan error
}

// checkDataDir finds what no disk that gets well will cure.
func (s *serveCmd) checkDataDir() error {
	if info, err := os.Stat(s.DataDir); s.DataDir != "" && err == nil && !info.IsDir() {
		return fmt.Errorf("data-dir is %q, which is no directory, want one or a name that is free", s.DataDir)
	}
	return nil
}

// storeOf says how much is kept. Without a directory it is what can be read while the program runs: of all but the audit log
// collector, reloader and history have a copy that is at hand, so that little is enough.
func storeOf(dir string, log *slog.Logger) store.Config {
	cfg := store.Config{Dir: dir, Log: log}
	if dir == "" {
		cfg.Events.Most, cfg.Alerts.Most = 100, 100
		cfg.Runs.Most, cfg.Versions.Most = keptSuites+1, keptVersions // with the baseline
		cfg.Audit.Most = 10_000
		cfg.MaxMemoryBytes = 16 << 20
	}
	return cfg
}

// openKeeper opens the store of a directory; without one, in memory.
func openKeeper(ctx context.Context, dir string, log *slog.Logger) (*keeper, error) {
	if dir == "" {
		log.Info("no data directory: events, alerts, benchmarks, versions of the configuration and the audit log end with the program")
	}
	k := &keeper{log: log}
	var err error
	if k.store, err = store.Open(ctx, storeOf(dir, log)); err != nil {
		return nil, err
	}
	if err := k.openBenchmarks(ctx); err != nil {
		return nil, errors.Join(err, k.store.Close(ctx))
	}
	return k, nil
}

// restore gives a collector what was recorded before. What cannot be read now stays where it is, and what comes goes behind it.
func (k *keeper) restore(ctx context.Context, m *monitor.Collector) {
	most := remembered()
	events, alerts, err := k.store.Newest(ctx, most.MaxEvents, most.MaxAlerts)
	if err != nil {
		k.log.Error("what was recorded before cannot be read now", "error", err)
		return
	}
	if err := m.Restore(events, alerts); err != nil {
		k.log.Warn("some of what was recorded before is left out", "error", err)
	}
	if path := k.store.Health().Path; path != "" {
		k.log.Info("data directory", "file", path, "events", len(events), "alerts", len(alerts))
	}
}

// persist begins to store what a collector records, until [keeper.close].
func (k *keeper) persist(m *monitor.Collector) {
	ctx, stop := context.WithCancel(context.Background())
	k.stop, k.persisted = stop, make(chan error, 1)
	go func() { k.persisted <- m.Persist(ctx, missing{k.store, &k.lost}, storeEvery) }()
}

// missing counts the events that come too late to be stored.
type missing struct {
	sink  monitor.Sink
	count *atomic.Uint64
}

func (m missing) Save(ctx context.Context, b monitor.Batch) error {
	if err := m.sink.Save(ctx, b); err != nil {
		return err // the same come again
	}
	m.count.Add(b.Missed)
	return nil
}

// health is how the store is.
func (k *keeper) health() api.StoreHealth {
	h := k.store.Health()
	return api.StoreHealth{
		Path: h.Path, Degraded: h.Degraded, Reason: h.Reason, Since: h.Since, Retry: h.Retry,
		Held: h.Held, MaxHeld: h.MaxHeld, Refused: h.Refused, Lost: k.lost.Load(), SetAside: h.SetAside,
	}
}

// close stores what is left and closes the file, and waits for that until ctx ends. The error says what is lost. It may be
// called again.
func (k *keeper) close(ctx context.Context) error {
	if k == nil {
		return nil
	}
	var unsaved error
	if k.stop != nil {
		k.stop()
		select {
		case unsaved = <-k.persisted:
		case <-ctx.Done():
			unsaved = fmt.Errorf("persist monitoring: %w", context.Cause(ctx))
		}
		k.stop = nil
	}
	return errors.Join(unsaved, k.store.Close(ctx))
}
