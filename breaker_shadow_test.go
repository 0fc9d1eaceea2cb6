package trysail_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

func TestR9MetricsOnlyCountsWhatTheRulesWouldDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once()) // 5 failures, a minute
		op.Breaker().MetricsOnly(trysail.Override{})
		check := func(when string, opens, rejects uint64) {
			t.Helper()
			if s := op.Breaker().Snapshot(); s.WouldOpen != opens || s.WouldReject != rejects || s.State != trysail.MetricsOnly {
				t.Errorf("%s: %v with %d opens, %d rejects; want metrics-only with %d, %d",
					when, s.State, s.WouldOpen, s.WouldReject, opens, rejects)
			}
		}
		calls(t, op, "ffffsffff")
		check("not five in a row", 0, 0)
		calls(t, op, "f")
		check("five in a row", 1, 0)
		calls(t, op, "sss")
		check("three more", 1, 3)
		time.Sleep(time.Minute - 1)
		calls(t, op, "s")
		check("a nanosecond before the end", 1, 4)
		time.Sleep(time.Nanosecond)
		calls(t, op, "s")
		check("after the end", 1, 4)
		calls(t, op, "fffff")
		check("five in a row again", 2, 4)
		calls(t, op, "fffff")
		check("it cannot open twice", 2, 9)
		op.Breaker().Reset("test")
		if s := op.Breaker().Snapshot(); s.WouldOpen != 2 || s.WouldReject != 9 {
			t.Errorf("Snapshot() after Reset() = %+v, want the counts kept", s)
		}
	})
}

func TestR9MetricsOnlyKnowsTheRates(t *testing.T) {
	for name, tc := range map[string]struct {
		policy trysail.BreakerPolicy
		calls  string
	}{
		"failures": {trysail.BreakerPolicy{FailureRate: 0.5, MinCalls: 4}, "ssff"},
		"slow":     {trysail.BreakerPolicy{SlowRate: 0.5, SlowCall: time.Second, MinCalls: 4}, "ssSS"},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, rated(tc.policy))
			op.Breaker().MetricsOnly(trysail.Override{})
			calls(t, op, tc.calls[:3])
			if s := op.Breaker().Snapshot(); s.WouldOpen != 0 {
				t.Errorf("WouldOpen after %q = %d, want 0", tc.calls[:3], s.WouldOpen)
			}
			calls(t, op, tc.calls[3:]+"s")
			if s := op.Breaker().Snapshot(); s.WouldOpen != 1 || s.WouldReject != 1 || s.WindowCalls != 1 {
				t.Errorf("Snapshot() after %q = %+v, want 1 open, 1 reject, and 1 call in the window since", tc.calls, s)
			}
		})
	}
}

// What would have opened a closed breaker at the next call counts in metrics-only, too.
func TestR9MetricsOnlyKnowsCallsThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, rated(trysail.BreakerPolicy{SlowRate: 0.5, SlowCall: 32 * time.Second}))
		op.Breaker().MetricsOnly(trysail.Override{})
		var hung []*held
		for range 10 {
			hung = append(hung, hold(t, op))
		}
		time.Sleep(time.Minute)
		hung = append(hung, hold(t, op))
		if s := op.Breaker().Snapshot(); s.WouldOpen != 1 || s.WouldReject != 1 {
			t.Errorf("WouldOpen, WouldReject with ten calls that hang = %d, %d; want 1, 1", s.WouldOpen, s.WouldReject)
		}
		for _, h := range hung {
			_ = h.end(nil)
		}
	})
}

// The open period that would have been says nothing about the state that follows.
func TestR9LiftingMetricsOnlyForgetsItsShadow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		op.Breaker().MetricsOnly(trysail.Override{})
		calls(t, op, "fffff")
		op.Breaker().MetricsOnly(trysail.Override{})
		calls(t, op, "s")
		if s := op.Breaker().Snapshot(); s.WouldOpen != 1 || s.WouldReject != 0 {
			t.Errorf("Snapshot() = %+v, want 1 open and no reject", s)
		}
		calls(t, op, "fffff")
		op.Breaker().Close(trysail.Override{})
		calls(t, op, "s")
		wantState(t, op, trysail.Closed)
	})
}

// An end that lies centuries ahead is one that is told of on time, or none.
func TestR9OddLengthsOfOverrides(t *testing.T) {
	const year = 366 * 24 * time.Hour
	bubble(t, "centuries", func(t *testing.T) {
		op, r := observed(t, once())
		op.Breaker().ForceOpen(trysail.Override{For: 1<<63 - 1})
		ends := op.Breaker().Snapshot().ExpiresAt
		if got := time.Until(ends); got < year {
			t.Errorf("ExpiresAt is %v away, want a year at least", got)
		}
		time.Sleep(time.Until(ends))
		if got := r.heard(); len(got) != 2 {
			t.Errorf("events %+v, want the end told of without a look", got)
		}
		wantState(t, op, trysail.Closed)
	})
	bubble(t, "negative", func(t *testing.T) {
		start := time.Now()
		op, r := observed(t, once())
		op.Breaker().ForceOpen(trysail.Override{For: -time.Second, Reason: "x"})
		wantTransitions(t, start, r.heard(), []transition{
			{0, closed, trysail.ForcedOpen, 1, "x"}, {0, trysail.ForcedOpen, closed, 2, "the operator's word has expired"},
		})
		if s := op.Breaker().Snapshot(); s.State == trysail.ForcedOpen && s.ExpiresAt.IsZero() {
			t.Errorf("Snapshot() = %+v, want an override that has ended, not one without end", s)
		}
	})
}
