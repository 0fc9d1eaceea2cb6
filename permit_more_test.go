package trysail_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// acquire returns a permit that the breaker must give.
func acquire(ctx context.Context, t testing.TB, op *trysail.Operation) *trysail.Permit {
	t.Helper()
	p, err := op.Acquire(ctx)
	if err != nil {
		t.Fatalf("Acquire() = %v, want a permit", err)
	}
	return p
}

// collect runs the garbage collector until done, or gives up.
func collect(done func() bool) bool {
	for range 500 {
		if done() {
			return true
		}
		runtime.GC()
		runtime.Gosched()
	}
	return done()
}

// Of many who give a permit back one is heard, and each other is a misuse.
func TestConcurrentDone(t *testing.T) {
	op := newOperation(t, once())
	for range 200 {
		p := acquire(t.Context(), t, op)
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() { p.Done([]error{nil, errDown}[i%2]) })
		}
		all.Wait()
		op.Breaker().Reset("test")
	}
	if m := op.Metrics(); m.Calls != 200 || m.Misuses != 600 || m.Succeeded+m.Failed != 200 {
		t.Errorf("Metrics() = %+v, want 200 calls and 600 misuses", m)
	}
}

// The garbage collector must not take a permit back while, or after, it is given back.
func TestPermitThatWasGivenBackIsNotLost(t *testing.T) {
	op := newOperation(t, once())
	for range 1000 {
		acquire(t.Context(), t, op).Done(nil)
	}
	collected := make(chan struct{})
	runtime.AddCleanup(&struct{ p *int }{new(int)}, func(c chan struct{}) { close(c) }, collected)
	collect(func() bool {
		select {
		case <-collected:
			return true
		default:
			return false
		}
	})
	if m := op.Metrics(); m.Misuses != 0 || m.Succeeded != 1000 {
		t.Errorf("Metrics() = %+v, want 1000 successes and no misuse", m)
	}
}

func TestLostPermitOfStart(t *testing.T) {
	policy := once()
	policy.Attempt = time.Hour
	op := newOperation(t, policy)
	var own context.Context
	_, _, _ = trysail.Start(t.Context(), op, func(ctx context.Context) (int, error) { own = ctx; return 1, nil })
	if !collect(func() bool { return own.Err() != nil && op.Metrics().Misuses == 1 }) {
		t.Errorf("context %v, Metrics() = %+v; want it ended and a misuse", own.Err(), op.Metrics())
	}
	if m, s := op.Metrics(), op.Breaker().Snapshot(); m.Failed != 1 || s.Failures != 1 {
		t.Errorf("Metrics() = %+v, %d failures; want the lost permit as a failure", m, s.Failures)
	}
}

func TestPermitOfAProbe(t *testing.T) {
	for name, tc := range map[string]struct {
		held    time.Duration
		outcome error
		want    trysail.State
	}{
		"a success":                 {0, nil, trysail.Closed},
		"a failure":                 {0, errDown, trysail.Open},
		"a neutral outcome":         {0, errBadRequest, trysail.HalfOpen},
		"a success in time":         {2*time.Minute - 1, nil, trysail.Closed},
		"a success after the lease": {2 * time.Minute, nil, trysail.Open},
		"a neutral one, too late":   {2 * time.Minute, errBadRequest, trysail.Open},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, once())
			halfOpen(t, op)
			p := acquire(t.Context(), t, op)
			if _, err := op.Acquire(t.Context()); !errors.Is(err, trysail.ErrOpen) {
				t.Errorf("Acquire() beside the probe = %v, want %v", err, trysail.ErrOpen)
			}
			time.Sleep(tc.held)
			p.Done(tc.outcome)
			wantState(t, op, tc.want)
			if tc.want == trysail.HalfOpen {
				acquire(t.Context(), t, op).Done(nil) // the place is free again
				wantState(t, op, trysail.Closed)
			}
		})
	}
}

// What began before a transition moves nothing after it.
func TestPermitOfAnEarlierGeneration(t *testing.T) {
	for name, outcome := range map[string]error{"success": nil, "failure": errDown} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, once())
			p := acquire(t.Context(), t, op)
			halfOpen(t, op)
			before := op.Breaker().Snapshot()
			p.Done(outcome)
			before.Stale++
			if got := op.Breaker().Snapshot(); got != before {
				t.Errorf("Snapshot() = %+v, want %+v", got, before)
			}
		})
	}
}

// The context of Acquire decides what an error means, as it does in Do.
func TestPermitWhoseCallersContextEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		make     func(context.Context) (context.Context, context.CancelFunc)
		failures int
		canceled uint64
	}{
		"canceled": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Minute, cancel)
			return ctx, cancel
		}, 0, 1},
		"deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Minute)
		}, 1, 0},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, once())
			ctx, cancel := tc.make(t.Context())
			defer cancel()
			p := acquire(ctx, t, op)
			time.Sleep(time.Minute)
			synctest.Wait()
			p.Done(errDown)
			if m, s := op.Metrics(), op.Breaker().Snapshot(); s.Failures != tc.failures || m.Canceled != tc.canceled || m.Failed != 1 {
				t.Errorf("Metrics() = %+v, %d failures; want %d, and %d canceled", m, s.Failures, tc.failures, tc.canceled)
			}
			if p, err := op.Acquire(ctx); p != nil || !errors.Is(err, ctx.Err()) {
				t.Errorf("Acquire(ended) = %v, %v; want no permit and %v", p, err, ctx.Err())
			}
		})
	}
}

func TestAcquireThatCannotBeMade(t *testing.T) {
	var none *trysail.Operation
	if p, err := none.Acquire(t.Context()); p != nil || !errors.Is(err, trysail.ErrNoOperation) {
		t.Errorf("Acquire() of nil = %v, %v; want %v", p, err, trysail.ErrNoOperation)
	}
	if p, err := newOrchestrator(t, trysail.Config{}).Operation("").Acquire(t.Context()); p != nil || !errors.Is(err, trysail.ErrName) {
		t.Errorf("Acquire() = %v, %v; want %v", p, err, trysail.ErrName)
	}
	disabled := newOperation(t, trysail.Policy{Breaker: trysail.BreakerPolicy{Disabled: true}})
	acquire(t.Context(), t, disabled).Done(errDown)
	if m := disabled.Metrics(); m.Failed != 1 {
		t.Errorf("Metrics() without a breaker = %+v, want one failure", m)
	}
}

// There is no next attempt after a permit was given back, and so no reason that speaks of one.
func TestExplainOfAPermit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{NoJitter: true}})
		acquire(t.Context(), t, op).Done(errDown)
		if got := op.Explain(); len(got) != 1 || strings.Contains(got[0].Reason, "wait") {
			t.Errorf("Explain() = %+v, want a reason that fits a permit", got)
		}
	})
}

// A probe's lease covers its stream, which may be far longer than its begin.
func TestProbeOfStartHasItsWholeTimeFromItsBegin(t *testing.T) {
	for name, tc := range map[string]struct {
		stream time.Duration
		want   trysail.State
	}{
		"within it": {2*time.Minute - 1, trysail.Closed},
		"over it":   {2 * time.Minute, trysail.Open},
	} {
		bubble(t, name, func(t *testing.T) {
			policy := once()
			policy.Attempt = 20 * time.Second
			op := newOperation(t, policy)
			halfOpen(t, op)
			_, permit, err := began(t.Context(), op, func(context.Context, int) error { time.Sleep(19 * time.Second); return nil })
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(tc.stream)
			permit.Done(nil)
			wantState(t, op, tc.want)
		})
	}
}

// A stream that began when the attempt's time had passed is nobody's: it is closed.
func TestStartClosesWhatCameTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc, err := trysail.New(trysail.Config{Default: trysail.Policy{Attempt: time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		begun, closed := 0, 0
		_, _, err = trysail.Start(t.Context(), orc.Operation("op"), func(context.Context) (closing, error) {
			begun++
			time.Sleep(2 * time.Second) // deaf to its context
			return func() error { closed++; return nil }, nil
		})
		if !errors.Is(err, trysail.ErrAttemptTimeout) || begun != 3 || closed != begun {
			t.Errorf("Start() = %v with %d begun and %d closed, want all closed", err, begun, closed)
		}
	})
}

// closing is a value with a method Close.
type closing func() error

func (c closing) Close() error { return c() }
