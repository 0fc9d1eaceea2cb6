package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// These are the checks on which other libraries were compared. None passed all.
func TestBreakerBehaviour(t *testing.T) {
	for name, check := range map[string]func(*testing.T, *trysail.Operation){
		"opens after five failures":                           opensAfterFiveFailures,
		"five panics open it":                                 fivePanicsOpenIt,
		"a panicking probe gives its permit back":             panickingProbeGivesItsPermitBack,
		"recovers although a probe hangs":                     recoversAlthoughAProbeHangs,
		"a failure from before the outage cannot re-open it":  failureFromBeforeCannotReopen,
		"a success from before the outage cannot close it":    successFromBeforeCannotClose,
		"context.Canceled is no failure":                      canceledIsNoFailure,
		"a success resets the streak (4 fail, 1 ok, x5)":      successResetsTheStreak,
		"half-open admits only the configured 1 of 1000":      admitsOnlyTheConfigured,
		"a refusal neither extends the outage nor counts one": refusalChangesNothing,
	} {
		bubble(t, name, func(t *testing.T) { check(t, newOperation(t, once())) })
	}
}

func opensAfterFiveFailures(t *testing.T, op *trysail.Operation) {
	for range 4 {
		_ = call(t, op, errDown)
		wantState(t, op, trysail.Closed)
	}
	if err := call(t, op, errDown); !errors.Is(err, errDown) {
		t.Errorf("fifth call = %v, want %v", err, errDown)
	}
	wantState(t, op, trysail.Open)
	if err := call(t, op, nil); !errors.Is(err, trysail.ErrOpen) {
		t.Errorf("sixth call = %v, want %v", err, trysail.ErrOpen)
	}
}

func fivePanicsOpenIt(t *testing.T, op *trysail.Operation) {
	for range 5 {
		wantState(t, op, trysail.Closed)
		panics(t, op)
	}
	wantState(t, op, trysail.Open)
}

// panics makes a call that panics, and swallows it.
func panics(t *testing.T, op *trysail.Operation) {
	t.Helper()
	defer func() {
		if r := recover(); r != "boom" {
			t.Errorf("recover() = %v, want boom", r)
		}
	}()
	_, _ = trysail.Do(t.Context(), op, func(context.Context) (int, error) { panic("boom") })
}

func panickingProbeGivesItsPermitBack(t *testing.T, op *trysail.Operation) {
	halfOpen(t, op)
	panics(t, op)
	wantState(t, op, trysail.Open)
	time.Sleep(time.Minute)
	if err := call(t, op, nil); err != nil {
		t.Errorf("next probe = %v, want success", err)
	}
	wantState(t, op, trysail.Closed)
}

func recoversAlthoughAProbeHangs(t *testing.T, op *trysail.Operation) {
	halfOpen(t, op)
	hung := hold(t, op)
	time.Sleep(2 * time.Minute) // the probe's lease
	wantState(t, op, trysail.Open)
	time.Sleep(time.Minute)
	if err := call(t, op, nil); err != nil {
		t.Errorf("next probe = %v, want success", err)
	}
	_ = hung.end(errDown)
	wantState(t, op, trysail.Closed)
}

func failureFromBeforeCannotReopen(t *testing.T, op *trysail.Operation) {
	old := hold(t, op)
	halfOpen(t, op)
	_ = old.end(errDown)
	wantState(t, op, trysail.HalfOpen)
}

func successFromBeforeCannotClose(t *testing.T, op *trysail.Operation) {
	old := hold(t, op)
	halfOpen(t, op)
	_ = old.end(nil)
	wantState(t, op, trysail.HalfOpen)
	if s := op.Breaker().Snapshot(); s.Stale != 1 || s.Failures != 5 {
		t.Errorf("Snapshot() = %+v, want 1 stale outcome and the 5 failures as before", s)
	}
}

func canceledIsNoFailure(t *testing.T, op *trysail.Operation) {
	for range 10 {
		_ = call(t, op, fmt.Errorf("post: %w", context.Canceled))
		ctx, cancel := context.WithCancel(t.Context())
		_, _ = trysail.Do(ctx, op, func(context.Context) (int, error) {
			cancel()
			return 0, errDown // clients dress a cancellation up in many ways
		})
	}
	if s := op.Breaker().Snapshot(); s.State != trysail.Closed || s.Failures != 0 {
		t.Errorf("Snapshot() = %+v, want closed without failures", s)
	}
}

func successResetsTheStreak(t *testing.T, op *trysail.Operation) {
	for range 5 {
		for range 4 {
			_ = call(t, op, errDown)
		}
		_ = call(t, op, nil)
		wantState(t, op, trysail.Closed)
	}
}

func admitsOnlyTheConfigured(t *testing.T, _ *trysail.Operation) {
	for _, want := range []int64{1, 3, 10} {
		policy := once()
		policy.Breaker.HalfOpenMaxCalls = int(want)
		op := newOperation(t, policy)
		halfOpen(t, op)
		var admitted, refused atomic.Int64
		release := make(chan struct{})
		var callers sync.WaitGroup
		for range 1000 {
			callers.Go(func() {
				_, err := trysail.Do(t.Context(), op, func(context.Context) (int, error) {
					admitted.Add(1)
					<-release
					return 0, nil
				})
				if errors.Is(err, trysail.ErrOpen) {
					refused.Add(1)
				}
			})
		}
		synctest.Wait()
		if a, r := admitted.Load(), refused.Load(); a != want || r != 1000-want {
			t.Errorf("of 1000 callers %d ran and %d were refused, want %d and %d", a, r, want, 1000-want)
		}
		close(release)
		callers.Wait()
		wantState(t, op, trysail.Closed)
	}
}

func refusalChangesNothing(t *testing.T, op *trysail.Operation) {
	trip(t, op)
	before := op.Breaker().Snapshot()
	time.Sleep(59 * time.Second)
	for range 10 {
		_ = call(t, op, nil)
	}
	if got := op.Breaker().Snapshot(); got != before {
		t.Errorf("Snapshot() after refusals = %+v, want %+v", got, before)
	}
	time.Sleep(time.Second)
	wantState(t, op, trysail.HalfOpen)
}

// A library that calls back under its lock deadlocks here.
func TestObserverMayUseTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var op *trysail.Operation
		heard := 0
		orc := newOrchestrator(t, trysail.Config{Default: once(), Observer: observer(func(e trysail.Event) {
			heard++
			if e.To != trysail.Open {
				return
			}
			if got := op.Breaker().State(); got != trysail.Open {
				t.Errorf("State() in the observer = %v, want %v", got, trysail.Open)
			}
			if err := call(t, op, nil); !errors.Is(err, trysail.ErrOpen) {
				t.Errorf("Do() in the observer = %v, want %v", err, trysail.ErrOpen)
			}
			if got := op.Breaker().Reset("by the observer"); got != trysail.Open {
				t.Errorf("Reset() in the observer = %v, want %v", got, trysail.Open)
			}
		})})
		op = orc.Operation("op")
		for range 5 {
			_ = call(t, op, errDown)
		}
		synctest.Wait()
		wantState(t, op, trysail.Closed)
		if heard != 2 {
			t.Errorf("the observer heard %d events, want 2: opened, reset", heard)
		}
	})
}
