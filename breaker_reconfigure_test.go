package trysail_test

import (
	"errors"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

// reconfigurable returns an operation under the rate rules, and a function that puts it
// under others in place.
func reconfigurable(t *testing.T, breaker trysail.BreakerPolicy) (*trysail.Operation, func(func(*trysail.BreakerPolicy))) {
	t.Helper()
	orc := newOrchestrator(t, trysail.Config{Default: once()})
	breaker.RatesOnly = breaker.FailureRate > 0 || breaker.SlowRate > 0
	register(t, orc, breaker)
	return orc.Operation("op"), func(change func(*trysail.BreakerPolicy)) {
		t.Helper()
		change(&breaker)
		register(t, orc, breaker)
	}
}

func TestR12WindowStaysUnlessItsShapeChanges(t *testing.T) {
	byTime := trysail.BreakerPolicy{FailureRate: 0.9, SlowRate: 0.9, SlowCall: 32 * time.Second, MinCalls: 10, Window: time.Hour}
	byNumber := byTime
	byNumber.WindowCalls = 20
	for name, tc := range map[string]struct {
		policy trysail.BreakerPolicy
		change func(*trysail.BreakerPolicy)
		kept   bool
		under  int // calls under way that stay known
	}{
		"thresholds": {byTime, func(b *trysail.BreakerPolicy) {
			b.FailureThreshold, b.FailureRate, b.SlowRate, b.MinCalls = 7, 0.8, 0.7, 9
		}, true, 2},
		"recovery": {byTime, func(b *trysail.BreakerPolicy) {
			b.RecoveryTimeout, b.MaxRecovery, b.HalfOpenMaxCalls, b.ProbeTimeout = time.Second, time.Hour, 3, time.Hour
		}, true, 2},
		"nothing":                  {byTime, func(*trysail.BreakerPolicy) {}, true, 2},
		"another time":             {byTime, func(b *trysail.BreakerPolicy) { b.Window = time.Minute }, false, 2},
		"by number, not by time":   {byTime, func(b *trysail.BreakerPolicy) { b.WindowCalls = 20 }, false, 2},
		"another limit for slow":   {byTime, func(b *trysail.BreakerPolicy) { b.SlowCall = 16 * time.Second }, true, 0},
		"no rule about slow calls": {byTime, func(b *trysail.BreakerPolicy) { b.SlowRate, b.SlowCall = 0, 0 }, true, 0},
		"no rates at all": {byTime, func(b *trysail.BreakerPolicy) {
			*b = trysail.BreakerPolicy{}
		}, false, 0},
		"thresholds, by number":  {byNumber, func(b *trysail.BreakerPolicy) { b.FailureRate, b.MinCalls = 0.8, 9 }, true, 2},
		"another number":         {byNumber, func(b *trysail.BreakerPolicy) { b.WindowCalls = 21 }, false, 2},
		"by time, not by number": {byNumber, func(b *trysail.BreakerPolicy) { b.WindowCalls = 0 }, false, 2},
		"a time without meaning": {byNumber, func(b *trysail.BreakerPolicy) { b.Window = time.Minute }, true, 2},
	} {
		bubble(t, name, func(t *testing.T) {
			op, change := reconfigurable(t, tc.policy)
			time.Sleep(time.Second)
			var under []*held
			for range 2 {
				under = append(under, hold(t, op))
			}
			time.Sleep(34 * time.Second)
			calls(t, op, "ssffn")
			before := op.Breaker().Snapshot()
			change(tc.change)
			got := op.Breaker().Snapshot()
			if got.State != before.State || got.Generation != before.Generation || got.Failures != before.Failures || got.Reason != before.Reason {
				t.Errorf("Snapshot() = %+v, want state, generation, failures and reason of %+v", got, before)
			}
			calls, failures := 0, 0
			if tc.kept {
				calls, failures = 4, 2
			}
			if got.WindowCalls != calls || got.WindowFailures != failures || got.Overdue != tc.under {
				t.Errorf("Snapshot() = %+v, want %d calls, %d failures, %d overdue", got, calls, failures, tc.under)
			}
			for _, h := range under { // wherever they were counted, they are not under way any more
				_ = h.end(errBadRequest)
			}
			if s := op.Breaker().Snapshot(); s.Overdue != 0 || s.Stale != 0 {
				t.Errorf("Snapshot() = %+v, want none overdue and none stale", s)
			}
		})
	}
}

func TestR12NewSharesHoldForTheWindowAsItIs(t *testing.T) {
	bubble(t, "lowered", func(t *testing.T) {
		op, change := reconfigurable(t, trysail.BreakerPolicy{FailureRate: 0.9, MinCalls: 10})
		calls(t, op, "fffffffsss")
		change(func(b *trysail.BreakerPolicy) { b.FailureRate = 0.5 })
		wantState(t, op, trysail.Closed)
		calls(t, op, "s")
		wantState(t, op, trysail.Open)
	})
	bubble(t, "fewer calls are enough", func(t *testing.T) {
		op, change := reconfigurable(t, trysail.BreakerPolicy{FailureRate: 0.5, MinCalls: 10})
		calls(t, op, "ffff")
		change(func(b *trysail.BreakerPolicy) { b.MinCalls = 5 })
		calls(t, op, "s")
		wantState(t, op, trysail.Open)
	})
	bubble(t, "raised", func(t *testing.T) {
		op, change := reconfigurable(t, trysail.BreakerPolicy{FailureRate: 0.5, MinCalls: 10})
		calls(t, op, "fffffffff")
		change(func(b *trysail.BreakerPolicy) { b.FailureRate = 1 })
		calls(t, op, "sfff")
		wantState(t, op, trysail.Closed)
	})
	bubble(t, "rates where there were none", func(t *testing.T) {
		op, change := reconfigurable(t, trysail.BreakerPolicy{FailureThreshold: 100})
		under := []*held{hold(t, op), hold(t, op)}
		calls(t, op, "fff")
		change(func(b *trysail.BreakerPolicy) { b.FailureRate, b.MinCalls = 0.5, 2 })
		for _, h := range under { // began before there was a window, and count as they end
			wantState(t, op, trysail.Closed)
			_ = h.end(errDown)
		}
		wantState(t, op, trysail.Open)
	})
	bubble(t, "a rule about slow calls where there was none", func(t *testing.T) {
		op, change := reconfigurable(t, trysail.BreakerPolicy{})
		old := hold(t, op)
		change(func(b *trysail.BreakerPolicy) { b.SlowRate, b.SlowCall, b.MinCalls = 0.5, 32*time.Second, 2 })
		late := hold(t, op)
		time.Sleep(34 * time.Second)
		_ = old.end(nil) // slow, too, and not taken from what is under way, where it is not
		if s := op.Breaker().Snapshot(); s.State != trysail.Open || s.Reason !=
			"2 of 2 calls took longer than 32s, 1 of them are still under way" {
			t.Errorf("Snapshot() = %+v, want open because of 2 of 2 slow calls", s)
		}
		_ = late.end(nil)
	})
}

func TestR12OpenPeriodAndGrowthStay(t *testing.T) {
	for name, change := range map[string]func(*trysail.BreakerPolicy){
		"recovery": func(b *trysail.BreakerPolicy) { b.RecoveryTimeout, b.MaxRecovery = time.Second, time.Minute },
		"rates":    func(b *trysail.BreakerPolicy) { b.FailureRate, b.SlowRate, b.SlowCall = 0.1, 0.1, time.Second },
	} {
		bubble(t, name, func(t *testing.T) {
			op, reconfigure := reconfigurable(t, trysail.BreakerPolicy{
				FailureThreshold: 1, RecoveryTimeout: time.Minute, MaxRecovery: time.Hour,
			})
			_ = call(t, op, errDown)
			reopen(t, op)
			reopen(t, op)
			before := op.Breaker().Snapshot()
			reconfigure(change)
			got := op.Breaker().Snapshot()
			if got.NextAttemptAt != before.NextAttemptAt || got.Reopens != 3 || got.Generation != before.Generation || got.OpenedAt != before.OpenedAt {
				t.Errorf("Snapshot() = %+v, want end, growth and generation of %+v", got, before)
			}
		})
	}
}

func TestR12OverrideStays(t *testing.T) {
	for state, overrule := range overrides {
		bubble(t, state.String(), func(t *testing.T) {
			op, reconfigure := reconfigurable(t, trysail.BreakerPolicy{})
			overrule(op.Breaker(), trysail.Override{Reason: "x", Author: "ada", For: time.Hour})
			before := op.Breaker().Snapshot()
			reconfigure(func(b *trysail.BreakerPolicy) { b.FailureRate = 0.1 })
			if got := op.Breaker().Snapshot(); got != before {
				t.Errorf("Snapshot() = %+v, want %+v", got, before)
			}
			reconfigure(func(b *trysail.BreakerPolicy) { b.Disabled = true })
			reconfigure(func(b *trysail.BreakerPolicy) { b.Disabled = false })
			if got := op.Breaker().Snapshot(); got != before {
				t.Errorf("Snapshot() after off and on = %+v, want %+v", got, before)
			}
		})
	}
}

// Whatever the new numbers are, a half-open breaker must still come to a verdict.
func TestR12HalfOpenIsNeverStuck(t *testing.T) {
	rates := trysail.BreakerPolicy{FailureRate: 0.5, HalfOpenMaxCalls: 5} // 3 of 5 decide
	for name, tc := range map[string]struct {
		probes string
		change func(*trysail.BreakerPolicy)
	}{
		"fewer probes than have been judged": {"sfs", func(b *trysail.BreakerPolicy) { b.HalfOpenMaxCalls = 2 }},
		"as many as have been judged":        {"sfs", func(b *trysail.BreakerPolicy) { b.HalfOpenMaxCalls = 3 }},
		"one":                                {"s", func(b *trysail.BreakerPolicy) { b.HalfOpenMaxCalls = 1 }},
		"no rates, one probe": {"s", func(b *trysail.BreakerPolicy) {
			*b = trysail.BreakerPolicy{HalfOpenMaxCalls: 1}
		}},
		"more probes":     {"sf", func(b *trysail.BreakerPolicy) { b.HalfOpenMaxCalls = 10 }},
		"a lowered share": {"ssf", func(b *trysail.BreakerPolicy) { b.FailureRate = 0.1 }},
		"a raised share":  {"sff", func(b *trysail.BreakerPolicy) { b.FailureRate = 1 }},
	} {
		bubble(t, name, func(t *testing.T) {
			op, reconfigure := reconfigurable(t, rates)
			probing(t, op)
			calls(t, op, tc.probes)
			wantState(t, op, trysail.HalfOpen)
			reconfigure(tc.change)
			for range 10 {
				_ = call(t, op, nil)
			}
			if s := op.Breaker().Snapshot(); s.State == trysail.HalfOpen {
				t.Errorf("Snapshot() after %q, other numbers and ten more calls = %+v, want a verdict", tc.probes, s)
			}
		})
	}
}

// With probes under way the verdict comes with the next that ends.
func TestR12FewerProbesThanAreUnderWay(t *testing.T) {
	bubble(t, "three under way, one wanted", func(t *testing.T) {
		op, reconfigure := reconfigurable(t, trysail.BreakerPolicy{FailureRate: 0.5, HalfOpenMaxCalls: 3})
		probing(t, op)
		a, b, c := hold(t, op), hold(t, op), hold(t, op)
		reconfigure(func(b *trysail.BreakerPolicy) { b.HalfOpenMaxCalls = 1 })
		_ = a.end(errBadRequest)
		if err := call(t, op, nil); !errors.Is(err, trysail.ErrOpen) {
			t.Errorf("Do() beside two probes of one = %v, want %v", err, trysail.ErrOpen)
		}
		_ = b.end(errBadRequest)
		_ = c.end(nil)
		wantState(t, op, trysail.Closed)
	})
}
