package trysail

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A throng enters and leaves a bulkhead from many goroutines, and counts.
type throng struct {
	b                     *bulkhead
	inside, peak          atomic.Int64
	entered, full, gone   atomic.Uint64
	linger                func(r *rand.Rand)
	patience              func(r *rand.Rand) time.Duration
	callers, callsPerEach int
}

func (g *throng) run(t *testing.T, seed uint64) {
	var all sync.WaitGroup
	for i := range g.callers {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			for range g.callsPerEach {
				g.call(t.Context(), r)
			}
		})
	}
	all.Wait()
}

func (g *throng) call(ctx context.Context, r *rand.Rand) {
	ctx, cancel := context.WithTimeout(WithPriority(ctx, Priority(r.IntN(int(priorities)))), g.patience(r))
	defer cancel()
	switch err := g.b.enter(ctx); {
	case err == nil:
		g.entered.Add(1)
		n := g.inside.Add(1)
		for p := g.peak.Load(); n > p && !g.peak.CompareAndSwap(p, n); p = g.peak.Load() {
		}
		g.linger(r)
		g.inside.Add(-1)
		g.b.leave()
	case errors.Is(err, context.DeadlineExceeded):
		g.gone.Add(1)
	case errors.Is(err, ErrBulkheadFull):
		g.full.Add(1)
	}
}

// check wants nobody lost: every call came to an end, every place is free again.
func (g *throng) check(t *testing.T, seed uint64, most int64) {
	t.Helper()
	entered, full, gone := g.entered.Load(), g.full.Load(), g.gone.Load()
	if got, want := entered+full+gone, uint64(g.callers*g.callsPerEach); got != want {
		t.Errorf("seed %d: entered, refused and gone = %d, want %d", seed, got, want)
	}
	if peak := g.peak.Load(); peak < 1 || peak > most {
		t.Errorf("seed %d: %d at once, want 1 to %d", seed, peak, most)
	}
	s := g.b.snapshot()
	if s.Running != 0 || s.Waiting != 0 || s.Refused != full+gone || g.b.word.Load() != onePlace*g.b.places.Load() {
		t.Errorf("seed %d: snapshot() = %+v with the word %d; want nobody left, and %d refused", seed, s, g.b.word.Load(), full+gone)
	}
}

// In the bubble's time many things happen at the very same instant.
func TestStressBulkheadInOneInstant(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			g := &throng{callers: 32, callsPerEach: 60}
			g.b = newBulkhead("stress", BulkheadPolicy{MaxConcurrent: 3, MaxQueue: 10, MaxWait: 5 * time.Second})
			g.linger = func(r *rand.Rand) { time.Sleep(time.Second * time.Duration(r.IntN(4))) }
			g.patience = func(r *rand.Rand) time.Duration { return time.Second * time.Duration(1+r.IntN(8)) }
			g.run(t, seed)
			g.check(t, seed, 3)
		})
	}
}

// In real time the fast path is contended, while an operator changes his mind.
func TestStressBulkheadReconfigured(t *testing.T) {
	const seed = 1
	g := &throng{callers: 16, callsPerEach: 2000}
	policy := BulkheadPolicy{MaxConcurrent: 4, MaxQueue: 8, MaxWait: time.Minute}
	g.b = newBulkhead("op", policy)
	g.linger = func(*rand.Rand) { runtime.Gosched() }
	g.patience = func(r *rand.Rand) time.Duration { return time.Minute >> r.IntN(2) >> (r.IntN(2) * 30) }
	done := make(chan struct{})
	var operator sync.WaitGroup
	operator.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				g.b.reconfigure(policy)
				return
			default:
				g.b.reconfigure(BulkheadPolicy{MaxConcurrent: 1 + i%4, MaxQueue: i % 9, MaxWait: time.Minute})
				runtime.Gosched()
			}
		}
	})
	g.run(t, seed)
	close(done)
	operator.Wait()
	g.check(t, seed, 4)
}
