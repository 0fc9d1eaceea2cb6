package trysail_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// gated is a policy of one attempt with a limiter and a bulkhead.
func gated(limiter trysail.LimiterPolicy, bulkhead trysail.BulkheadPolicy) trysail.Policy {
	p := once()
	p.Limiter, p.Bulkhead = limiter, bulkhead
	return p
}

func TestPlacesAreGivenBack(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, op *trysail.Operation){
		"after a success":              func(t *testing.T, op *trysail.Operation) { _ = call(t, op, nil) },
		"after a failure":              func(t *testing.T, op *trysail.Operation) { _ = call(t, op, errDown) },
		"after a neutral end":          func(t *testing.T, op *trysail.Operation) { _ = call(t, op, errBadRequest) },
		"after a refusal by the brake": func(t *testing.T, op *trysail.Operation) { trip(t, op); _ = call(t, op, nil) },
		"after a panic": func(t *testing.T, op *trysail.Operation) {
			defer func() { _ = recover() }()
			_, _ = trysail.Do(t.Context(), op, func(context.Context) (int, error) { panic("oops") })
		},
		"after a permit": func(t *testing.T, op *trysail.Operation) {
			p, err := op.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			p.Done(nil)
			p.Done(nil)
		},
		"after a function that is none": func(t *testing.T, op *trysail.Operation) {
			_, _ = trysail.Do[int](t.Context(), op, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			op := newOperation(t, gated(trysail.LimiterPolicy{Rate: 1000, Burst: 1000}, trysail.BulkheadPolicy{MaxConcurrent: 2}))
			end(t, op)
			if s, ok := op.Bulkhead(); !ok || s.Running != 0 || s.Waiting != 0 {
				t.Errorf("Bulkhead() = %+v, %t; want nobody in it", s, ok)
			}
		})
	}
}

func TestFullBulkhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, gated(trysail.LimiterPolicy{}, trysail.BulkheadPolicy{MaxConcurrent: 2, MaxQueue: 1, MaxWait: 5 * time.Second}))
		first, second := hold(t, op), hold(t, op)
		waiting := make(chan error, 1)
		go func() { waiting <- call(t, op, nil) }()
		synctest.Wait()
		var refused *trysail.Error
		if err := call(t, op, nil); !errors.Is(err, trysail.ErrBulkheadFull) || !errors.As(err, &refused) ||
			refused.Class != trysail.ClassOverloaded || refused.Attempts != 0 {
			t.Errorf("a call too many: %v, want a refusal by the bulkhead", err)
		}
		_ = first.end(nil)
		if err := <-waiting; err != nil {
			t.Errorf("the call that waited: %v, want it run", err)
		}
		third := hold(t, op)
		started := time.Now()
		if err := call(t, op, nil); !errors.Is(err, trysail.ErrBulkheadFull) || time.Since(started) != 5*time.Second {
			t.Errorf("a call that waits in vain: %v after %v, want a refusal after 5s", err, time.Since(started))
		}
		_, _ = second.end(nil), third.end(nil)
		m := op.Metrics()
		if m.Full != 2 || m.Calls != m.Succeeded+m.Failed || m.Calls != 6 || op.Breaker().Snapshot().Failures != 0 {
			t.Errorf("metrics %+v, want two refusals among six calls, which are no failures of the breaker", m)
		}
		if m.P95Response > 6*time.Second {
			t.Errorf("P95Response = %v, which counts the wait for a place", m.P95Response)
		}
	})
}

func TestLimitedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, gated(trysail.LimiterPolicy{Rate: 2, Burst: 2, MaxWait: time.Second}, trysail.BulkheadPolicy{}))
		started := time.Now()
		for range 4 { // two at once, two with half a second's wait each
			if err := call(t, op, nil); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(started); took != time.Second {
			t.Errorf("four calls took %v, want 1s", took)
		}
		var calls sync.WaitGroup
		results := make(chan error, 5)
		for range 5 {
			calls.Go(func() { results <- call(t, op, nil) })
		}
		calls.Wait()
		close(results)
		limited := 0
		for err := range results {
			if errors.Is(err, trysail.ErrLimited) {
				limited++
			}
		}
		if m := op.Metrics(); limited != 3 || m.Limited != 3 || m.Calls != m.Succeeded+m.Failed {
			t.Errorf("%d of five were refused, metrics %+v; want 3 that would have waited over a second", limited, m)
		}
	})
}

// What an open breaker refuses costs no share of the rate.
func TestRefusedCallsUseNoRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, gated(trysail.LimiterPolicy{Rate: 0.001, Burst: 6}, trysail.BulkheadPolicy{}))
		trip(t, op) // five
		for range 100 {
			if err := call(t, op, nil); !errors.Is(err, trysail.ErrOpen) {
				t.Fatalf("%v, want the breaker's refusal", err)
			}
		}
		if s, _ := op.Limiter(); s.Available < 0.99 {
			t.Errorf("Limiter() = %+v, want the sixth unit still there", s)
		}
	})
}

func TestTotalLimitCoversTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := gated(trysail.LimiterPolicy{}, trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 1, MaxWait: time.Hour})
		policy.Total = 10 * time.Second
		op := newOperation(t, policy)
		first, err := op.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		if err := call(t, op, nil); !errors.Is(err, trysail.ErrTotalTimeout) || time.Since(started) != 10*time.Second {
			t.Errorf("in the queue: %v after %v, want ErrTotalTimeout after 10s", err, time.Since(started))
		}
		time.AfterFunc(4*time.Second, func() { first.Done(nil) })
		started = time.Now()
		_, err = trysail.Do(t.Context(), op, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		if !errors.Is(err, trysail.ErrTotalTimeout) || time.Since(started) != 10*time.Second {
			t.Errorf("after 4s in the queue: %v after %v, want ErrTotalTimeout after 10s altogether", err, time.Since(started))
		}
	})
}

// The limit of an outer operation is not the inner one's, which has one of its own.
func TestOuterLimitInTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := once()
		limited.Total = 10 * time.Second
		outer := newOperation(t, limited)
		policy := gated(trysail.LimiterPolicy{}, trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 1, MaxWait: time.Hour})
		policy.Total = time.Minute
		inner := newOperation(t, policy)
		first := hold(t, inner)
		var within error
		_ = outerCall(t, outer, func(ctx context.Context) error {
			_, within = trysail.Do(ctx, inner, func(context.Context) (int, error) { return 1, nil })
			return within
		})
		if !errors.Is(within, context.DeadlineExceeded) || errors.Is(within, trysail.ErrTotalTimeout) {
			t.Errorf("the inner call: %v, want the end of its caller's context", within)
		}
		_ = first.end(nil)
	})
}

func outerCall(t *testing.T, op *trysail.Operation, fn func(context.Context) error) error {
	t.Helper()
	_, err := trysail.Do(t.Context(), op, func(ctx context.Context) (int, error) { return 0, fn(ctx) })
	return err
}

// A place that comes at the very end of the limit leaves no time for the call.
func TestPlaceAtTheEndOfTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := gated(trysail.LimiterPolicy{}, trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 1})
		policy.Total = 10 * time.Second
		op := newOperation(t, policy)
		first, err := op.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(10*time.Second, func() { first.Done(nil) })
		ran := false
		_, err = trysail.Do(t.Context(), op, func(context.Context) (int, error) { ran = true; return 1, nil })
		synctest.Wait()
		if s, _ := op.Bulkhead(); ran || !errors.Is(err, trysail.ErrTotalTimeout) || s.Running != 0 {
			t.Errorf("ran %t, %v, %d running; want ErrTotalTimeout and nobody running", ran, err, s.Running)
		}
	})
}

func TestCancelledInTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, gated(trysail.LimiterPolicy{}, trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 9}))
		first := hold(t, op)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := trysail.Do(ctx, op, func(context.Context) (int, error) { return 1, nil })
		if m := op.Metrics(); !errors.Is(err, context.Canceled) || m.Canceled != 1 || m.Calls != 1 {
			t.Errorf("%v with %+v, want one cancelled call", err, m)
		}
		_ = first.end(nil)
	})
}

func TestUrgentCallsGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, gated(trysail.LimiterPolicy{}, trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 9}))
		first := hold(t, op)
		order := make(chan trysail.Priority, 3)
		for _, p := range []trysail.Priority{trysail.PriorityBackground, trysail.PriorityBatch, trysail.PriorityInteractive} {
			go func() {
				_, _ = trysail.Do(trysail.WithPriority(t.Context(), p), op, func(context.Context) (int, error) {
					order <- p
					return 1, nil
				})
			}()
			synctest.Wait()
		}
		_ = first.end(nil)
		for _, want := range []trysail.Priority{trysail.PriorityInteractive, trysail.PriorityBatch, trysail.PriorityBackground} {
			if got := <-order; got != want {
				t.Errorf("next is %v, want %v", got, want)
			}
		}
	})
}

func TestApplyOpensAndClosesGates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := trysail.Config{Default: gated(trysail.LimiterPolicy{Rate: 1, Burst: 1}, trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 5})}
		orc := newOrchestrator(t, cfg)
		op := orc.Operation("op")
		first := hold(t, op)
		cfg.Default.Limiter, cfg.Default.Bulkhead = trysail.LimiterPolicy{}, trysail.BulkheadPolicy{MaxConcurrent: 2, MaxQueue: 5}
		if _, err := orc.Apply(cfg); err != nil {
			t.Fatal(err)
		}
		second := hold(t, op)
		if _, ok := op.Limiter(); ok {
			t.Error("the limiter is still there")
		}
		waiting := make(chan error, 1)
		go func() { waiting <- call(t, op, nil) }()
		synctest.Wait()
		cfg.Default.Bulkhead = trysail.BulkheadPolicy{}
		if _, err := orc.Apply(cfg); err != nil {
			t.Fatal(err)
		}
		if err := <-waiting; err != nil {
			t.Errorf("the call that waited for a place that nobody needs any more: %v", err)
		}
		_, _ = first.end(nil), second.end(nil)
		cfg.Default.Bulkhead = trysail.BulkheadPolicy{MaxConcurrent: 3}
		if _, err := orc.Apply(cfg); err != nil {
			t.Fatal(err)
		}
		if s, ok := op.Bulkhead(); !ok || s.Running != 0 || s.MaxConcurrent != 3 {
			t.Errorf("Bulkhead() = %+v, %t; want three free places", s, ok)
		}
	})
}

func TestGatesAllocateNothing(t *testing.T) {
	op := newOperation(t, gated(trysail.LimiterPolicy{Rate: 1e9, Burst: 1e9}, trysail.BulkheadPolicy{MaxConcurrent: 10}))
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() {
		_, _ = trysail.Do(ctx, op, func(context.Context) (int, error) { return 1, nil })
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkDoThroughGates(b *testing.B) {
	op := newOperation(b, gated(trysail.LimiterPolicy{Rate: 1e9, Burst: 1e9}, trysail.BulkheadPolicy{MaxConcurrent: 10}))
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := trysail.Do(ctx, op, func(context.Context) (int, error) { return 1, nil }); err != nil {
			b.Fatal(err)
		}
	}
}

// Priorities are strict: as long as more urgent calls wait, others get no place. They wait for MaxWait, not for ever.
func TestBackgroundWorkDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, gated(trysail.LimiterPolicy{}, trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 10}))
		start := time.Now()
		var callers sync.WaitGroup
		for range 3 {
			callers.Go(func() {
				for time.Since(start) < time.Hour {
					_ = lasting(t, op, time.Second, nil)
				}
			})
		}
		time.Sleep(time.Minute)
		began := time.Now()
		_, err := trysail.Do(trysail.WithPriority(t.Context(), trysail.PriorityBackground), op, func(context.Context) (int, error) { return 0, nil })
		if took := time.Since(began); !errors.Is(err, trysail.ErrBulkheadFull) || took != 30*time.Second {
			t.Errorf("Do() = %v after %v, want a refusal after 30s", err, took)
		}
		callers.Wait()
		_, err = trysail.Do(trysail.WithPriority(t.Context(), trysail.PriorityBackground), op, func(context.Context) (int, error) { return 0, nil })
		if err != nil {
			t.Errorf("Do() = %v when nobody else is there", err)
		}
	})
}
