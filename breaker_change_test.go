package trysail_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

func TestReset(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(*testing.T, *trysail.Operation)
		was     trysail.State
	}{
		"closed": {func(t *testing.T, op *trysail.Operation) { _ = call(t, op, errDown) }, trysail.Closed},
		"open":   {func(t *testing.T, op *trysail.Operation) { trip(t, op) }, trysail.Open},
		"open, and due to half-open": {func(t *testing.T, op *trysail.Operation) {
			trip(t, op)
			time.Sleep(time.Minute)
		}, trysail.HalfOpen},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, once())
			time.Sleep(time.Second)
			tc.prepare(t, op)
			before := op.Breaker().Snapshot()
			if got := op.Breaker().Reset("test"); got != tc.was {
				t.Errorf("Reset() = %v, want %v", got, tc.was)
			}
			want := before
			want.State, want.Failures, want.Generation = trysail.Closed, 0, before.Generation+1
			want.LastFailure, want.OpenedAt, want.NextAttemptAt = time.Time{}, time.Time{}, time.Time{}
			want.Reason, want.Reopens = "reset: test", 0
			if got := op.Breaker().Snapshot(); got != want {
				t.Errorf("Snapshot() after Reset() = %+v, want %+v", got, want)
			}
			if m := op.Metrics(); m.Failed == 0 || m.LastFailure.IsZero() {
				t.Errorf("Metrics() after Reset() = %+v, want the counters kept", m)
			}
		})
	}
}

func TestResetMakesCallsUnderWayStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		var old []*held
		for range 5 {
			old = append(old, hold(t, op))
		}
		halfOpen(t, op)
		old = append(old, hold(t, op))
		op.Breaker().Reset("test")
		for _, h := range old {
			_ = h.end(errDown)
		}
		if s := op.Breaker().Snapshot(); s.State != trysail.Closed || s.Failures != 0 || s.Stale != 6 || s.Probes != 0 {
			t.Errorf("Snapshot() = %+v, want closed, no failures, no probes, 6 stale", s)
		}
	})
}

func TestRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		trip(t, op)
		refusal := func() *trysail.Error {
			t.Helper()
			err := call(t, op, nil)
			var e *trysail.Error
			if !errors.As(err, &e) || !errors.Is(err, trysail.ErrOpen) {
				t.Fatalf("Do() = %v, want a refusal", err)
			}
			return e
		}
		got := *refusal()
		if want := (trysail.Error{
			Operation: "op", Class: trysail.ClassOverloaded, RetryAfter: time.Minute, Err: got.Err,
		}); got != want {
			t.Errorf("refusal = %+v, want %+v", got, want)
		}
		for step := range 6000 { // through the minute, never too early, at most 10 ms too late
			left := time.Minute - time.Duration(step)*10*time.Millisecond
			for _, later := range []time.Duration{0, 3 * time.Millisecond, 10*time.Millisecond - 3*time.Millisecond - 1} {
				time.Sleep(later)
				left -= later
				if got := refusal().RetryAfter; got < left || got >= left+10*time.Millisecond {
					t.Fatalf("RetryAfter = %v with %v left, want that and less than 10ms more", got, left)
				}
			}
			time.Sleep(time.Nanosecond)
		}
		probe := hold(t, op)
		if got := refusal().RetryAfter; got != 0 {
			t.Errorf("RetryAfter while half-open = %v, want 0: unknown", got)
		}
		_ = probe.end(errDown)
		if got := refusal().RetryAfter; got != time.Minute {
			t.Errorf("RetryAfter after a failed probe = %v, want 1m0s", got)
		}
		if m := op.Metrics(); m.Failed != m.Rejected+6 || m.Rejected != 3*6000+3 {
			t.Errorf("Metrics() = %+v, want %d rejected calls", m, 3*6000+3)
		}
	})
}

func TestNewNumbersKeepTheState(t *testing.T) {
	start := func(t *testing.T) (*trysail.Orchestrator, *trysail.Operation) {
		orc := newOrchestrator(t, trysail.Config{Default: once()})
		return orc, orc.Operation("op")
	}
	bubble(t, "a count over a lowered threshold opens with the next failure", func(t *testing.T) {
		orc, op := start(t)
		for range 4 {
			_ = call(t, op, errDown)
		}
		register(t, orc, trysail.BreakerPolicy{FailureThreshold: 2})
		wantState(t, op, trysail.Closed)
		_ = call(t, op, errBadRequest)
		wantState(t, op, trysail.Closed)
		_ = call(t, op, errDown)
		wantState(t, op, trysail.Open)
		if s := op.Breaker().Snapshot(); s.Failures != 5 || s.FailureThreshold != 2 {
			t.Errorf("Snapshot() = %+v, want 5 failures under a threshold of 2", s)
		}
	})
	bubble(t, "a raised threshold holds at once", func(t *testing.T) {
		orc, op := start(t)
		for range 4 {
			_ = call(t, op, errDown)
		}
		register(t, orc, trysail.BreakerPolicy{FailureThreshold: 6})
		_ = call(t, op, errDown)
		wantState(t, op, trysail.Closed)
		_ = call(t, op, errDown)
		wantState(t, op, trysail.Open)
	})
	bubble(t, "an open period runs to the end that it had", func(t *testing.T) {
		orc, op := start(t)
		trip(t, op)
		breaker, before := op.Breaker(), op.Breaker().Snapshot()
		register(t, orc, trysail.BreakerPolicy{RecoveryTimeout: time.Second})
		if s := op.Breaker().Snapshot(); op.Breaker() != breaker || s.NextAttemptAt != before.NextAttemptAt || s.Generation != before.Generation {
			t.Errorf("Snapshot() = %+v, want state and end of %+v", s, before)
		}
		time.Sleep(time.Minute - 1)
		wantState(t, op, trysail.Open)
		time.Sleep(time.Nanosecond)
		_ = call(t, op, errDown)
		time.Sleep(time.Second)
		wantState(t, op, trysail.HalfOpen)
	})
	bubble(t, "a lowered number of probes counts those under way", func(t *testing.T) {
		policy := once()
		policy.Breaker.HalfOpenMaxCalls = 3
		orc := newOrchestrator(t, trysail.Config{Default: policy})
		op := orc.Operation("op")
		halfOpen(t, op)
		first, second, third := hold(t, op), hold(t, op), hold(t, op)
		register(t, orc, trysail.BreakerPolicy{HalfOpenMaxCalls: 1})
		_ = first.end(errBadRequest)
		if err := call(t, op, errBadRequest); !errors.Is(err, trysail.ErrOpen) {
			t.Errorf("Do() beside two probes of one = %v, want %v", err, trysail.ErrOpen)
		}
		_ = second.end(errBadRequest)
		_ = third.end(errBadRequest)
		_ = hold(t, op).end(nil)
		wantState(t, op, trysail.Closed)
	})
	bubble(t, "a breaker that is switched off and on again remembers", func(t *testing.T) {
		orc, op := start(t)
		trip(t, op)
		register(t, orc, trysail.BreakerPolicy{Disabled: true})
		if b := op.Breaker(); b != nil {
			t.Errorf("Breaker() = %v, want nil", b)
		}
		if err := call(t, op, nil); err != nil {
			t.Errorf("Do() without a breaker = %v, want success", err)
		}
		if m := op.Metrics(); m.Opens != 1 {
			t.Errorf("Metrics().Opens = %d, want 1", m.Opens)
		}
		register(t, orc, trysail.BreakerPolicy{})
		wantState(t, op, trysail.Open)
	})
	bubble(t, "calls under way finish under the policy that they began with", func(t *testing.T) {
		orc := newOrchestrator(t, trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{NoJitter: true}}})
		op := orc.Operation("op")
		n, took, _ := attempts(t.Context(), op, func(int) error {
			register(t, orc, trysail.BreakerPolicy{}) // one attempt from now on
			return errDown
		})
		if n != 3 || took != 4*time.Second {
			t.Errorf("Do() made %d attempts in %v, want 3 in 4s", n, took)
		}
	})
}
