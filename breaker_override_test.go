package trysail_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// overrides are the ways to overrule a breaker, by the state that they lead to.
var overrides = map[trysail.State]func(*trysail.Breaker, trysail.Override) trysail.State{
	trysail.ForcedOpen:  (*trysail.Breaker).ForceOpen,
	trysail.Disabled:    (*trysail.Breaker).Disable,
	trysail.MetricsOnly: (*trysail.Breaker).MetricsOnly,
}

// situations are what a breaker may be in when an operator comes.
var situations = map[string]func(*testing.T, *trysail.Operation){
	"closed": func(t *testing.T, op *trysail.Operation) { _ = call(t, op, errDown) },
	"open":   trips,
	"open, and due to half-open": func(t *testing.T, op *trysail.Operation) {
		trip(t, op)
		time.Sleep(time.Minute)
	},
	"half-open with a probe": func(t *testing.T, op *trysail.Operation) {
		halfOpen(t, op)
		hold(t, op)
	},
	"forced open": func(_ *testing.T, op *trysail.Operation) { op.Breaker().ForceOpen(trysail.Override{For: time.Minute}) },
	"disabled":    func(_ *testing.T, op *trysail.Operation) { op.Breaker().Disable(trysail.Override{For: time.Minute}) },
	"metrics only": func(_ *testing.T, op *trysail.Operation) {
		op.Breaker().MetricsOnly(trysail.Override{For: time.Minute})
	},
}

func TestR9OverrideIsInTheSnapshotAndToldOf(t *testing.T) {
	for state, overrule := range overrides {
		for name, prepare := range situations {
			for length, d := range map[string]time.Duration{"for ever": 0, "for an hour": time.Hour} {
				bubble(t, name+" becomes "+state.String()+" "+length, func(t *testing.T) {
					op, r := observed(t, once())
					time.Sleep(time.Second)
					prepare(t, op)
					before, told, opens := op.Breaker().Snapshot(), len(r.heard()), op.Metrics().Opens
					o := trysail.Override{Reason: "maintenance", Author: "ada", For: d}
					if got := overrule(op.Breaker(), o); got != before.State {
						t.Errorf("overruling = %v, want the state before, %v", got, before.State)
					}
					want := trysail.BreakerSnapshot{
						Operation: "op", State: state, Reason: "maintenance (ada)", Generation: before.Generation + 1,
						FailureThreshold: 5, RecoveryTimeout: time.Minute, HalfOpenMaxCalls: 1, Enforce: 1,
						LastFailure: before.LastFailure, Override: o,
					}
					if d > 0 {
						want.ExpiresAt = time.Now().Add(d).UTC()
					}
					if got := op.Breaker().Snapshot(); got != want {
						t.Errorf("Snapshot() = %+v\nwant %+v", got, want)
					}
					wantEvent := trysail.Event{
						Kind: trysail.EventTransition, Operation: "op", Time: time.Now().UTC(),
						From: before.State, To: state, Generation: before.Generation + 1, Reason: "maintenance (ada)",
					}
					if got := r.heard(); len(got) != told+1 || got[told] != wantEvent {
						t.Errorf("events %+v, want one more: %+v", got, wantEvent)
					}
					if m := op.Metrics(); m.Opens != opens {
						t.Errorf("Metrics().Opens = %d, want %d: no rule opened", m.Opens, opens)
					}
				})
			}
		}
	}
}

func TestR9ReasonsOfOverrides(t *testing.T) {
	for want, o := range map[string]trysail.Override{
		"no reason given":       {},
		"no reason given (ada)": {Author: "ada"},
		"because":               {Reason: "because"},
		"because (ada)":         {Reason: "because", Author: "ada"},
	} {
		b := newOperation(t, once()).Breaker()
		b.Disable(o)
		if s := b.Snapshot(); s.Reason != want || s.Override != o {
			t.Errorf("after Disable(%+v): Reason = %q, Override = %+v; want %q and the same", o, s.Reason, s.Override, want)
		}
		b.Close(o)
		if s := b.Snapshot(); s.Reason != want || s.Override != (trysail.Override{}) || s.State != trysail.Closed {
			t.Errorf("after Close(%+v): Snapshot() = %+v, want closed because of %q, no override", o, s, want)
		}
	}
}

// Every rule that could open, half-open or close the breaker is met many times over,
// and nothing happens.
func TestR9NoRuleLeavesAnOverride(t *testing.T) {
	for state, overrule := range overrides {
		bubble(t, state.String(), func(t *testing.T) {
			op, r := observed(t, trysail.Policy{
				Retry: once().Retry,
				Breaker: trysail.BreakerPolicy{
					FailureThreshold: 2, FailureRate: 0.1, SlowRate: 0.1, SlowCall: 32 * time.Second, MinCalls: 1,
					MaxRecovery: time.Hour, RampUp: time.Hour,
				},
			})
			calls(t, op, "f")
			wantState(t, op, trysail.Open)
			overrule(op.Breaker(), trysail.Override{})
			told := len(r.heard())
			var under []*held
			for range 200 {
				if state == trysail.ForcedOpen {
					if err := call(t, op, nil); !errors.Is(err, trysail.ErrOpen) {
						t.Fatalf("Do() = %v, want %v", err, trysail.ErrOpen)
					}
				} else {
					calls(t, op, "sfSFnff")
					under = append(under, hold(t, op))
				}
				time.Sleep(3 * time.Minute)
				wantState(t, op, state)
				op.Breaker().OpenUntil(time.Now().Add(time.Hour), "test")
				wantState(t, op, state)
			}
			if got := r.heard(); len(got) != told {
				t.Errorf("events %+v, want none", got[told:])
			}
			for _, h := range under {
				_ = h.end(errDown)
			}
			m := op.Metrics()
			if refused := m.Rejected > 0; refused != (state == trysail.ForcedOpen) {
				t.Errorf("Metrics() = %+v, want calls refused: %v", m, !refused)
			}
			if m.Opens != 1 || m.Closes != 0 {
				t.Errorf("Metrics() = %+v, want one open and no close", m)
			}
		})
	}
}

func TestR9OverrideExpiresExactly(t *testing.T) {
	for state, overrule := range overrides {
		for name, look := range map[string]func(*testing.T, *trysail.Operation){
			"looked at":   func(_ *testing.T, op *trysail.Operation) { op.Breaker().Snapshot() },
			"called":      func(t *testing.T, op *trysail.Operation) { _ = call(t, op, errBadRequest) },
			"left alone":  nothing,
			"asked":       func(_ *testing.T, op *trysail.Operation) { op.Breaker().State() },
			"Reset later": func(_ *testing.T, op *trysail.Operation) { op.Breaker().OpenUntil(time.Time{}, "") },
		} {
			bubble(t, state.String()+" "+name, func(t *testing.T) {
				op, r := observed(t, once())
				trip(t, op)
				overrule(op.Breaker(), trysail.Override{For: time.Hour})
				time.Sleep(time.Hour - 1)
				look(t, op)
				wantState(t, op, state)
				told := len(r.heard())
				time.Sleep(time.Nanosecond)
				due := time.Now().UTC()
				look(t, op)
				want := trysail.Event{
					Kind: trysail.EventTransition, Operation: "op", Time: due, From: state, To: trysail.Closed,
					Generation: 3, Reason: "the operator's word has expired",
				}
				if got := r.heard(); len(got) != told+1 || got[told] != want {
					t.Errorf("events %+v, want one more: %+v", got, want)
				}
				s := op.Breaker().Snapshot()
				if s.State != trysail.Closed || s.Override != (trysail.Override{}) || !s.ExpiresAt.IsZero() || s.Failures != 0 {
					t.Errorf("Snapshot() = %+v, want closed, without an override and failures", s)
				}
				if err := call(t, op, nil); err != nil {
					t.Errorf("Do() after the end = %v, want success", err)
				}
			})
		}
	}
}

// Also when nobody looked, observers included, the end was when it was due.
func TestR9UnwatchedOverrideExpiredOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		op.Breaker().ForceOpen(trysail.Override{For: time.Hour})
		time.Sleep(24 * time.Hour)
		if err := call(t, op, nil); err != nil {
			t.Errorf("Do() a day later = %v, want success", err)
		}
	})
}

func TestR9CallsUnderWayWhenAnOverrideEndsAreStale(t *testing.T) {
	for state, overrule := range overrides {
		if state == trysail.ForcedOpen {
			continue
		}
		bubble(t, state.String(), func(t *testing.T) {
			policy := once()
			policy.Breaker.FailureThreshold = 1
			op := newOperation(t, policy)
			overrule(op.Breaker(), trysail.Override{For: time.Hour})
			late := hold(t, op)
			time.Sleep(time.Hour)
			_ = late.end(errDown)
			if s := op.Breaker().Snapshot(); s.State != trysail.Closed || s.Stale != 1 {
				t.Errorf("Snapshot() = %+v, want closed, one stale", s)
			}
		})
	}
}

func TestR9CloseAndResetLiftAnOverride(t *testing.T) {
	for state, overrule := range overrides {
		for name, lift := range map[string]func(*trysail.Breaker) trysail.State{
			"Close": func(b *trysail.Breaker) trysail.State {
				return b.Close(trysail.Override{Reason: "done", Author: "ada", For: time.Hour})
			},
			"Reset": func(b *trysail.Breaker) trysail.State { return b.Reset("done") },
		} {
			bubble(t, state.String()+" "+name, func(t *testing.T) {
				op, r := observed(t, once())
				overrule(op.Breaker(), trysail.Override{For: time.Hour, Reason: "x"})
				if got := lift(op.Breaker()); got != state {
					t.Errorf("%s() = %v, want %v", name, got, state)
				}
				want := map[string]string{"Close": "done (ada)", "Reset": "reset: done"}[name]
				s := op.Breaker().Snapshot()
				if s.State != trysail.Closed || s.Override != (trysail.Override{}) || !s.ExpiresAt.IsZero() || s.Reason != want {
					t.Errorf("Snapshot() = %+v, want closed because of %q, without an override", s, want)
				}
				told := r.heard()
				if e := told[len(told)-1]; e.From != state || e.To != trysail.Closed || e.Reason != want {
					t.Errorf("event %+v, want %v to close because of %q", e, state, want)
				}
				time.Sleep(2 * time.Hour) // the timer of the end finds nothing due
				if got := r.heard(); len(got) != len(told) {
					t.Errorf("events %+v, want none", got[len(told):])
				}
				trip(t, op) // the rules hold again
			})
		}
	}
}

func TestR9CloseEndsAnOpenPeriod(t *testing.T) {
	for name, prepare := range map[string]func(*testing.T, *trysail.Operation){"open": trips, "half-open": halfOpens} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, once())
			prepare(t, op)
			op.Breaker().Close(trysail.Override{Reason: "it works"})
			if err := call(t, op, nil); err != nil {
				t.Errorf("Do() = %v, want success", err)
			}
			if s := op.Breaker().Snapshot(); s.State != trysail.Closed || s.Failures != 0 || s.Reason != "it works" || s.LastFailure.IsZero() {
				t.Errorf("Snapshot() = %+v, want closed without failures, the last failure known", s)
			}
			if m := op.Metrics(); m.Closes != 0 {
				t.Errorf("Metrics().Closes = %d, want 0: no rule closed", m.Closes)
			}
		})
	}
}

// A second word replaces the first, its end included.
func TestR9SecondOverrideReplacesTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		op.Breaker().ForceOpen(trysail.Override{For: time.Minute})
		op.Breaker().ForceOpen(trysail.Override{For: time.Hour})
		time.Sleep(time.Hour - 1)
		wantState(t, op, trysail.ForcedOpen)
		op.Breaker().ForceOpen(trysail.Override{})
		time.Sleep(24 * time.Hour)
		wantState(t, op, trysail.ForcedOpen)
		if got := op.Breaker().Disable(trysail.Override{For: time.Minute}); got != trysail.ForcedOpen {
			t.Errorf("Disable() = %v, want %v", got, trysail.ForcedOpen)
		}
		time.Sleep(time.Minute)
		wantState(t, op, trysail.Closed)
	})
}

func TestR9DisabledJudgesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, rated(trysail.BreakerPolicy{FailureRate: 0.1, MinCalls: 1}))
		op.Breaker().Disable(trysail.Override{})
		calls(t, op, "fffff")
		s := op.Breaker().Snapshot()
		if s.Failures != 0 || s.WindowCalls != 0 || s.WouldOpen != 0 || s.WouldReject != 0 || s.LastFailure.IsZero() {
			t.Errorf("Snapshot() = %+v, want nothing counted, the last failure known", s)
		}
	})
}

func TestR9RetriesGoOnWhileCallsRun(t *testing.T) {
	for state, overrule := range overrides {
		if state == trysail.ForcedOpen {
			continue
		}
		bubble(t, state.String(), func(t *testing.T) {
			op := newOperation(t, trysail.Policy{})
			overrule(op.Breaker(), trysail.Override{})
			if n, _, _ := attempts(t.Context(), op, func(int) error { return errDown }); n != 3 {
				t.Errorf("Do() made %d attempts, want 3", n)
			}
		})
	}
}

func TestR9ForceOpenStopsRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, trysail.Policy{})
		n, _, err := attempts(t.Context(), op, func(int) error {
			op.Breaker().ForceOpen(trysail.Override{})
			return errDown
		})
		if n != 1 || !errors.Is(err, errDown) {
			t.Errorf("Do() made %d attempts and returned %v, want 1 and %v", n, err, errDown)
		}
	})
}
