package trysail_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

func TestBreakerRecoversExactlyAfterItsTimeout(t *testing.T) {
	for name, tc := range map[string]struct {
		wait time.Duration
		want error
		then trysail.State
	}{
		"one nanosecond early": {time.Minute - 1, trysail.ErrOpen, trysail.Open},
		"on time":              {time.Minute, nil, trysail.Closed},
		"a day late":           {24 * time.Hour, nil, trysail.Closed},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, once())
			trip(t, op)
			time.Sleep(tc.wait)
			if err := call(t, op, nil); !errors.Is(err, tc.want) {
				t.Errorf("Do() after %v = %v, want %v", tc.wait, err, tc.want)
			}
			wantState(t, op, tc.then)
		})
	}
}

func TestBreakerHalfOpensWithoutACall(t *testing.T) {
	for name, look := range map[string]func(*trysail.Orchestrator, *trysail.Operation) trysail.State{
		"Snapshot": func(_ *trysail.Orchestrator, op *trysail.Operation) trysail.State {
			return op.Breaker().Snapshot().State
		},
		"State": func(_ *trysail.Orchestrator, op *trysail.Operation) trysail.State {
			return op.Breaker().State()
		},
		"Breakers": func(orc *trysail.Orchestrator, _ *trysail.Operation) trysail.State {
			return orc.Breakers()[0].State
		},
		"Reset": func(_ *trysail.Orchestrator, op *trysail.Operation) trysail.State {
			return op.Breaker().Reset("test")
		},
	} {
		for wait, want := range map[time.Duration]trysail.State{
			time.Minute - 1: trysail.Open,
			time.Minute:     trysail.HalfOpen,
		} {
			bubble(t, name+" after "+wait.String(), func(t *testing.T) {
				orc := newOrchestrator(t, trysail.Config{Default: once()})
				op := orc.Operation("op")
				for range 5 {
					_ = call(t, op, errDown)
				}
				time.Sleep(wait)
				if got := look(orc, op); got != want {
					t.Errorf("%s after %v = %v, want %v", name, wait, got, want)
				}
			})
		}
	}
}

func TestSnapshotThroughAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := once()
		policy.Breaker = trysail.BreakerPolicy{FailureThreshold: 2, RecoveryTimeout: time.Minute, HalfOpenMaxCalls: 3}
		op := newOperation(t, policy)
		want := trysail.BreakerSnapshot{
			Operation: "op", FailureThreshold: 2, RecoveryTimeout: time.Minute, HalfOpenMaxCalls: 3, Enforce: 1,
		}
		check := func(when string) {
			t.Helper()
			if got := op.Breaker().Snapshot(); got != want {
				t.Errorf("%s: Snapshot() = %+v, want %+v", when, got, want)
			}
		}
		check("new")

		time.Sleep(time.Second)
		_ = call(t, op, errDown)
		want.Failures, want.LastFailure = 1, time.Now().UTC()
		check("one failure")

		time.Sleep(time.Second)
		_ = call(t, op, errDown)
		now := time.Now().UTC()
		want.State, want.Generation, want.Failures = trysail.Open, 1, 2
		want.Reason, want.Reopens = "2 calls in a row failed", 1
		want.LastFailure, want.OpenedAt, want.NextAttemptAt = now, now, now.Add(time.Minute)
		check("open")

		time.Sleep(time.Minute)
		want.State, want.Generation, want.NextAttemptAt = trysail.HalfOpen, 2, time.Time{}
		want.Reason = "the recovery timeout has passed"
		check("half-open")

		first, second := hold(t, op), hold(t, op)
		want.Probes = 2
		check("two probes")

		_ = first.end(nil)
		want.State, want.Generation, want.Failures, want.OpenedAt, want.Probes = trysail.Closed, 3, 0, time.Time{}, 0
		want.Reason = "a probe succeeded"
		check("closed again")

		_ = second.end(errDown)
		want.Stale = 1
		check("late probe")

		_ = call(t, op, nil)
		check("success")

		time.Sleep(time.Minute - 1)
		check("well for almost as long as the recovery timeout")
		time.Sleep(time.Nanosecond)
		want.Reopens = 0
		check("well for as long as the recovery timeout")
	})
}

// In a bubble no time passes between New and the first failure; with a coarse
// clock neither does outside.
func TestSnapshotKnowsTheTimeOfAFailureAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		_ = call(t, op, nil)
		trip(t, op)
		now := time.Now().UTC()
		if s := op.Breaker().Snapshot(); s.LastFailure != now || s.OpenedAt != now {
			t.Errorf("Snapshot() = %+v, want LastFailure and OpenedAt %v", s, now)
		}
		if m := op.Metrics(); m.LastFailure != now || m.LastSuccess != now {
			t.Errorf("Metrics() = %+v, want LastFailure and LastSuccess %v", m, now)
		}
	})
}

func TestNeutralProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		halfOpen(t, op)
		before := op.Breaker().Snapshot()
		for range 3 { // each would be refused if the one before had kept the place
			if err := call(t, op, errBadRequest); !errors.Is(err, errBadRequest) {
				t.Errorf("neutral probe = %v, want %v", err, errBadRequest)
			}
		}
		if got := op.Breaker().Snapshot(); got != before {
			t.Errorf("Snapshot() = %+v, want %+v", got, before)
		}
	})
}

func TestNeutralCallKeepsTheStreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		for range 4 {
			_ = call(t, op, errDown)
			_ = call(t, op, errBadRequest)
		}
		if s := op.Breaker().Snapshot(); s.Failures != 4 || s.State != trysail.Closed {
			t.Errorf("Snapshot() = %+v, want closed with 4 failures", s)
		}
		_ = call(t, op, errDown)
		wantState(t, op, trysail.Open)
	})
}

func TestFailedProbeStartsTheTimeoutAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		halfOpen(t, op)
		probe := hold(t, op)
		time.Sleep(30 * time.Second)
		_ = probe.end(errDown)
		s := op.Breaker().Snapshot()
		if want := time.Now().UTC().Add(time.Minute); s.State != trysail.Open || s.NextAttemptAt != want || s.Failures != 6 {
			t.Errorf("Snapshot() = %+v, want open until %v with 6 failures", s, want)
		}
		time.Sleep(time.Minute - 1)
		wantState(t, op, trysail.Open)
		time.Sleep(time.Nanosecond)
		wantState(t, op, trysail.HalfOpen)
	})
}

func TestOneSuccessOfSeveralProbesCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := once()
		policy.Breaker.HalfOpenMaxCalls = 10
		op := newOperation(t, policy)
		halfOpen(t, op)
		first, second := hold(t, op), hold(t, op)
		_ = first.end(nil)
		wantState(t, op, trysail.Closed)
		_ = second.end(errDown)
		wantState(t, op, trysail.Closed)
		if s := op.Breaker().Snapshot(); s.Failures != 0 || s.Probes != 0 {
			t.Errorf("Snapshot() = %+v, want no failures and no probes", s)
		}
	})
}

func TestTransitionsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		check := func(when string, opens, halfOpens, closes uint64) {
			t.Helper()
			m := op.Metrics()
			if m.Opens != opens || m.HalfOpens != halfOpens || m.Closes != closes {
				t.Errorf("%s: opens, half-opens, closes = %d, %d, %d; want %d, %d, %d",
					when, m.Opens, m.HalfOpens, m.Closes, opens, halfOpens, closes)
			}
		}
		_ = call(t, op, nil)
		check("the first success closes nothing", 0, 0, 0)
		trip(t, op)
		check("opened", 1, 0, 0)
		time.Sleep(time.Minute)
		check("not looked at", 1, 0, 0)
		_ = call(t, op, errDown)
		check("probe failed", 2, 1, 0)
		time.Sleep(time.Minute)
		_ = call(t, op, nil)
		check("probe succeeded", 2, 2, 1)
		trip(t, op)
		op.Breaker().Reset("test")
		check("a reset is no close", 3, 2, 1)
	})
}

func TestStateString(t *testing.T) {
	for state, want := range map[trysail.State]string{
		trysail.Closed: "closed", trysail.Open: "open", trysail.HalfOpen: "half-open",
		trysail.ForcedOpen: "forced-open", trysail.Disabled: "disabled", trysail.MetricsOnly: "metrics-only",
		6: "State(6)", 255: "State(255)",
	} {
		if got := state.String(); got != want {
			t.Errorf("State(%d).String() = %q, want %q", uint8(state), got, want)
		}
	}
}
