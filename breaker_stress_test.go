package trysail_test

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

	"github.com/trysail-go/trysail"
)

// Neutral probes leave the breaker half-open, so that every call is a probe.
func TestStressProbesNeverExceedTheirNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most, callers, calls = 3, 32, 500
		policy := once()
		policy.Breaker.HalfOpenMaxCalls = most
		op := newOperation(t, policy)
		halfOpen(t, op)
		var atOnce, peak, ran atomic.Int64
		probe := func(context.Context) (int, error) {
			n := atOnce.Add(1)
			defer atOnce.Add(-1)
			for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
			}
			ran.Add(1)
			runtime.Gosched()
			return 0, errBadRequest
		}
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				for range calls {
					_, _ = trysail.Do(t.Context(), op, probe)
				}
			})
		}
		all.Wait()
		if got := peak.Load(); got < 1 || got > most {
			t.Errorf("%d probes at once, want 1 to %d", got, most)
		}
		s, m := op.Breaker().Snapshot(), op.Metrics()
		if s.State != trysail.HalfOpen || s.Probes != 0 {
			t.Errorf("Snapshot() = %+v, want half-open without probes", s)
		}
		if got := m.Rejected + uint64(ran.Load()); got != callers*calls {
			t.Errorf("refused and run = %d, want %d", got, callers*calls)
		}
	})
}

// A crowd tallies what its calls returned.
type crowd struct{ succeeded, failed, rejected, canceled, panicked, retried atomic.Uint64 }

// call makes a call with a random end, and tallies it.
func (c *crowd) call(ctx context.Context, op *trysail.Operation) {
	defer func() {
		if recover() != nil {
			c.panicked.Add(1)
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	n := uint64(0)
	_, err := trysail.Do(ctx, op, func(context.Context) (int, error) {
		if n++; n > 1 {
			c.retried.Add(1)
		}
		switch rand.IntN(20) {
		case 0:
			panic("boom")
		case 1:
			cancel()
			return 0, ctx.Err()
		case 2, 3:
			return 0, errBadRequest
		case 4, 5, 6, 7, 8:
			return 0, errDown
		default:
			return 1, nil
		}
	})
	switch {
	case err == nil:
		c.succeeded.Add(1)
	case errors.Is(err, trysail.ErrOpen):
		c.rejected.Add(1)
	case errors.Is(err, context.Canceled):
		c.canceled.Add(1)
	default:
		c.failed.Add(1)
	}
}

// watch checks what must hold at every moment, until done.
func watch(t *testing.T, orc *trysail.Orchestrator, done <-chan struct{}) {
	var before trysail.OperationMetrics
	for {
		op, ok := orc.Lookup("op")
		if !ok {
			t.Error(`Lookup("op") found nothing`)
			return
		}
		m, s := op.Metrics(), op.Breaker().Snapshot()
		if m.Calls != m.Succeeded+m.Failed {
			t.Errorf("Metrics() = %+v, want Calls = Succeeded + Failed", m)
		}
		if m.Rejected+m.Canceled+m.Panics > m.Failed {
			t.Errorf("Metrics() = %+v, want rejected, cancelled and panicked ones among the failed", m)
		}
		if m.Succeeded < before.Succeeded || m.Failed < before.Failed || m.Rejected < before.Rejected || m.Opens < before.Opens {
			t.Errorf("Metrics() = %+v after %+v, want no counter to go back", m, before)
		}
		if s.Probes > s.HalfOpenMaxCalls || s.State != trysail.HalfOpen && s.Probes > 0 {
			t.Errorf("Snapshot() = %+v, want at most %d probes, while half-open only", s, s.HalfOpenMaxCalls)
		}
		before = m
		if h := orc.Health(); h.Operations != 1 || h.Breakers != 1 || h.Healthy != (len(h.Open) == 0) {
			t.Errorf("Health() = %+v, want one operation, healthy unless open", h)
		}
		select {
		case <-done:
			return
		default:
			runtime.Gosched()
		}
	}
}

func TestStressCountersAgree(t *testing.T) {
	const callers, calls = 16, 1500
	var heard atomic.Uint64
	orc := newOrchestrator(t, trysail.Config{
		Observer: observer(func(trysail.Event) { heard.Add(1) }),
		Default: trysail.Policy{
			Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone, Attempts: 2},
			Breaker: trysail.BreakerPolicy{
				FailureThreshold: 2, RecoveryTimeout: 20 * time.Microsecond, HalfOpenMaxCalls: 3, ProbeTimeout: time.Minute,
			},
		},
	})
	op, c := orc.Operation("op"), &crowd{}
	var all, watchers sync.WaitGroup
	done := make(chan struct{})
	watchers.Go(func() { watch(t, orc, done) })
	watchers.Go(func() { // an operator who cannot make up his mind
		for i := range 200 {
			if i%10 == 0 {
				op.Breaker().Reset("stress")
			}
			cfg := trysail.OperationConfig{Policy: trysail.Policy{Breaker: trysail.BreakerPolicy{FailureThreshold: 1 + i%4}}}
			if _, err := orc.Register("op", cfg); err != nil {
				t.Error(err)
			}
			runtime.Gosched()
		}
	})
	for range callers {
		all.Go(func() {
			for range calls {
				c.call(t.Context(), op)
			}
		})
	}
	all.Wait()
	close(done)
	watchers.Wait()

	m := op.Metrics()
	got := [...]uint64{m.Calls, m.Succeeded, m.Failed, m.Rejected, m.Canceled, m.Panics, m.Retries}
	failed := c.failed.Load() + c.rejected.Load() + c.canceled.Load() + c.panicked.Load()
	want := [...]uint64{
		callers * calls, c.succeeded.Load(), failed,
		c.rejected.Load(), c.canceled.Load(), c.panicked.Load(), c.retried.Load(),
	}
	if got != want {
		t.Errorf("calls, succeeded, failed, rejected, cancelled, panicked, retries = %v, want %v", got, want)
	}
	if m.Opens == 0 || m.HalfOpens == 0 || m.Closes == 0 || m.HalfOpens > m.Opens || m.Closes > m.HalfOpens {
		t.Errorf("opens, half-opens, closes = %d, %d, %d; want some of each, fewer and fewer", m.Opens, m.HalfOpens, m.Closes)
	}
}

// Where nothing else fails there is no slack in which a part that is counted
// before its whole could hide.
func TestStressPartsNeverExceedTheWhole(t *testing.T) {
	for name, end := range map[string]func() error{
		"cancelled": func() error { return context.Canceled },
		"panicked":  func() error { panic("boom") },
	} {
		t.Run(name, func(t *testing.T) {
			op := newOperation(t, trysail.Policy{Breaker: trysail.BreakerPolicy{Disabled: true}})
			var callers, watcher sync.WaitGroup
			done := make(chan struct{})
			watcher.Go(func() {
				for {
					if m := op.Metrics(); m.Canceled+m.Panics > m.Failed {
						t.Errorf("Metrics() = %+v, want cancelled and panicked ones among the failed", m)
						return
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
			for range 4 {
				callers.Go(func() {
					for range 5000 {
						func() {
							defer func() { _ = recover() }()
							_, _ = trysail.Do(t.Context(), op, func(context.Context) (int, error) { return 0, end() })
						}()
					}
				})
			}
			callers.Wait()
			close(done)
			watcher.Wait()
		})
	}
}
