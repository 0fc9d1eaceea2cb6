package trysail_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

func TestR10OpenErrorSaysWhy(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare    func(*testing.T, *trysail.Operation)
		want       trysail.OpenError
		since      time.Duration // from the begin of the test; Since and Until are set by these
		until      time.Duration
		retryAfter time.Duration
		text       string
	}{
		"open": {
			func(t *testing.T, op *trysail.Operation) { trip(t, op); time.Sleep(20 * time.Second) },
			trysail.OpenError{State: trysail.Open, Reason: "5 calls in a row failed", Generation: 1},
			time.Second, time.Minute + time.Second, 40 * time.Second,
			`operation "op": not called: circuit breaker is open: 5 calls in a row failed (retry after 40s)`,
		},
		"open until": {
			func(_ *testing.T, op *trysail.Operation) {
				op.Breaker().OpenUntil(time.Now().Add(time.Hour), "quota is used up")
			},
			trysail.OpenError{State: trysail.Open, Reason: "quota is used up", Generation: 1},
			time.Second, time.Hour + time.Second, time.Hour,
			`operation "op": not called: circuit breaker is open: quota is used up (retry after 1h0m0s)`,
		},
		"open without a reason": {
			func(_ *testing.T, op *trysail.Operation) { op.Breaker().OpenUntil(time.Now().Add(time.Hour), "") },
			trysail.OpenError{State: trysail.Open, Generation: 1},
			time.Second, time.Hour + time.Second, time.Hour,
			`operation "op": not called: circuit breaker is open (retry after 1h0m0s)`,
		},
		"half-open": {
			func(t *testing.T, op *trysail.Operation) {
				halfOpen(t, op)
				hold(t, op)
			},
			trysail.OpenError{State: trysail.HalfOpen, Reason: "the recovery timeout has passed", Generation: 2},
			time.Second, 0, 0,
			`operation "op": not called: circuit breaker is open (half-open): the recovery timeout has passed`,
		},
		"forced open": {
			func(_ *testing.T, op *trysail.Operation) {
				op.Breaker().ForceOpen(trysail.Override{Reason: "maintenance", Author: "ada"})
			},
			trysail.OpenError{State: trysail.ForcedOpen, Reason: "maintenance (ada)", Generation: 1},
			time.Second, 0, 0,
			`operation "op": not called: circuit breaker is open (forced-open): maintenance (ada)`,
		},
		"forced open for an hour": {
			func(_ *testing.T, op *trysail.Operation) {
				op.Breaker().ForceOpen(trysail.Override{For: time.Hour})
				time.Sleep(time.Minute)
			},
			trysail.OpenError{State: trysail.ForcedOpen, Reason: "no reason given", Generation: 1},
			time.Second, time.Hour + time.Second, 59 * time.Minute,
			`operation "op": not called: circuit breaker is open (forced-open): no reason given (retry after 59m0s)`,
		},
	} {
		bubble(t, name, func(t *testing.T) {
			start := time.Now()
			op := newOperation(t, once())
			time.Sleep(time.Second)
			tc.prepare(t, op)
			err, why := refusal(t, op)
			want := tc.want
			if tc.since > 0 {
				want.Since = start.Add(tc.since).UTC()
			}
			if tc.until > 0 {
				want.Until = start.Add(tc.until).UTC()
			}
			if *why != want {
				t.Errorf("OpenError = %+v, want %+v", *why, want)
			}
			if err.Operation != "op" || err.Class != trysail.ClassOverloaded || err.Attempts != 0 || err.RetryAfter != tc.retryAfter {
				t.Errorf("Error = %+v, want operation op, overloaded, no attempts, RetryAfter %v", *err, tc.retryAfter)
			}
			if got := err.Error(); got != tc.text {
				t.Errorf("Error() = %q, want %q", got, tc.text)
			}
			if !errors.Is(why, trysail.ErrOpen) {
				t.Errorf("errors.Is(%v, ErrOpen) = false, want true", why)
			}
		})
	}
}

func TestR10RefusalDuringTheRampSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, closed := ramping(t), time.Now().UTC()
		time.Sleep(time.Minute)
		var open *trysail.OpenError
		err := call(t, op, nil)
		for ; err == nil; err = call(t, op, nil) {
		}
		if !errors.As(err, &open) || open.State != trysail.Closed || open.Generation != 3 || open.Since != closed {
			t.Fatalf("Do() = %v, %+v, want an OpenError of a breaker that closed at %v, in generation 3", err, open, closed)
		}
		want := `operation "op": not called: circuit breaker is open: it has just closed, and does not let every call through yet`
		if got := err.Error(); got != want {
			t.Errorf("Error() = %q, want %q", got, want)
		}
	})
}

// ramping returns an operation whose breaker has just closed and lets a tenth through.
func ramping(t *testing.T) *trysail.Operation {
	t.Helper()
	op := newOperation(t, breaking(trysail.BreakerPolicy{RampUp: time.Hour}))
	_ = call(t, op, errDown)
	recovers(t, op)
	return op
}

// A refusal of one state must not be handed out in the next, however soon that comes.
func TestR10RefusalsAreOfTheirState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		b := op.Breaker()
		check := func(want trysail.State, reason string) {
			t.Helper()
			_, why := refusal(t, op)
			s := b.Snapshot()
			if why.State != want || why.Reason != reason || why.Generation != s.Generation {
				t.Errorf("OpenError = %+v, want %v because of %q in generation %d", *why, want, reason, s.Generation)
			}
		}
		trip(t, op)
		check(trysail.Open, "5 calls in a row failed")
		b.OpenUntil(time.Now().Add(time.Hour), "quota")
		check(trysail.Open, "quota")
		b.ForceOpen(trysail.Override{Reason: "one"})
		check(trysail.ForcedOpen, "one")
		b.ForceOpen(trysail.Override{Reason: "two"})
		check(trysail.ForcedOpen, "two")
		b.OpenUntil(time.Now().Add(time.Hour), "ignored")
		check(trysail.ForcedOpen, "two")
		b.Close(trysail.Override{})
		b.OpenUntil(time.Now().Add(time.Second), "a second")
		check(trysail.Open, "a second")
		time.Sleep(time.Second)
		probe := hold(t, op)
		check(trysail.HalfOpen, "the recovery timeout has passed")
		_ = probe.end(errDown)
		check(trysail.Open, "a probe failed")
	})
}

// Refusing is what a breaker does most while a dependency is down, and callers hold on to
// errors: a refusal must neither cost nor change later.
func TestR10RefusalsStayAsTheyWere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		trip(t, op)
		err, why := refusal(t, op)
		e, w := *err, *why
		for range 100 {
			time.Sleep(7 * time.Millisecond)
			_, _ = refusal(t, op)
		}
		op.Breaker().ForceOpen(trysail.Override{})
		_, _ = refusal(t, op)
		if *err != e || *why != w {
			t.Errorf("the refusal is %+v, %+v now, want %+v, %+v as it was", *err, *why, e, w)
		}
	})
}

func TestR10RefusalsAllocateNothing(t *testing.T) {
	for name, prepare := range map[string]func(*testing.T, *trysail.Operation){
		"open":        trips,
		"forced open": func(_ *testing.T, op *trysail.Operation) { op.Breaker().ForceOpen(trysail.Override{}) },
		"forced open for an hour": func(_ *testing.T, op *trysail.Operation) {
			op.Breaker().ForceOpen(trysail.Override{For: time.Hour})
		},
		"half-open": func(t *testing.T, op *trysail.Operation) {
			halfOpen(t, op)
			hold(t, op)
		},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, once())
			prepare(t, op)
			ctx := t.Context()
			if got := testing.AllocsPerRun(1000, func() {
				if _, err := trysail.Do(ctx, op, succeeds); err == nil {
					t.Error("Do() = nil, want a refusal")
				}
			}); got != 0 {
				t.Errorf("allocations of a refusal = %v, want 0 on average", got)
			}
		})
	}
	bubble(t, "ramp", func(t *testing.T) {
		op := ramping(t)
		ctx := t.Context()
		if got := testing.AllocsPerRun(1000, func() { _, _ = trysail.Do(ctx, op, succeeds) }); got != 0 {
			t.Errorf("allocations of a call during the ramp = %v, want 0 on average", got)
		}
	})
}

func succeeds(context.Context) (int, error) { return 1, nil }

// The rules over a window cost a lock, and no garbage.
func TestR10CallsUnderRatesAllocateNothing(t *testing.T) {
	for name, breaker := range map[string]trysail.BreakerPolicy{
		"failure rate":          {FailureRate: 0.5},
		"slow rate":             {SlowRate: 0.5, SlowCall: time.Minute},
		"both, by number":       {FailureRate: 0.5, SlowRate: 0.5, SlowCall: time.Minute, WindowCalls: 100},
		"a window of one call":  {FailureRate: 1, WindowCalls: 1},
		"a failure rate, ramps": {FailureRate: 0.5, RampUp: time.Minute},
	} {
		for lifts, overrule := range map[string]func(*trysail.Breaker){
			"":               func(*trysail.Breaker) {},
			", disabled":     func(b *trysail.Breaker) { b.Disable(trysail.Override{}) },
			", metrics only": func(b *trysail.Breaker) { b.MetricsOnly(trysail.Override{}) },
		} {
			t.Run(name+lifts, func(t *testing.T) {
				op := newOperation(t, rated(breaker))
				overrule(op.Breaker())
				ctx := t.Context()
				if got := testing.AllocsPerRun(1000, func() { _, _ = trysail.Do(ctx, op, succeeds) }); got != 0 {
					t.Errorf("allocations of a success = %v, want 0", got)
				}
			})
		}
	}
}

// Refusals share an error for some milliseconds. It must not outlive the reason for it.
func TestR10RefusalEndsWithTheOverride(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		trip(t, op) // it would be open for a minute
		op.Breaker().ForceOpen(trysail.Override{For: 5 * time.Millisecond})
		_, _ = refusal(t, op)
		time.Sleep(5 * time.Millisecond)
		if err := call(t, op, nil); err != nil {
			t.Errorf("Do() at the end of the override = %v, want success", err)
		}
	})
}

// A refusal says what kind of failure keeps the breaker open: a caller may wait for a rate limit, and
// not for a provider that is down.
func TestR10RefusalNamesTheClassOfTheCause(t *testing.T) {
	limited := trysail.RateLimited(errDown, 0)
	for name, tc := range map[string]struct {
		failures [5]error
		want     trysail.Class
	}{
		"of one class":       {[5]error{errFull, errFull, errFull, errFull, errFull}, overloaded},
		"the newest of many": {[5]error{errDown, errFull, errFull, errDown, limited}, rateLimited},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, once())
			for _, failure := range tc.failures {
				_ = call(t, op, failure)
			}
			if _, why := refusal(t, op); why.Class != tc.want {
				t.Errorf("the refusal names class %v, want %v", why.Class, tc.want)
			}
			time.Sleep(time.Minute)
			hold(t, op) // the probe
			if _, why := refusal(t, op); why.Class != tc.want {
				t.Errorf("half-open the refusal names class %v, want %v", why.Class, tc.want)
			}
			op.Breaker().ForceOpen(trysail.Override{})
			if _, why := refusal(t, op); why.Class != trysail.ClassTransient {
				t.Errorf("forced open it names class %v, want none", why.Class)
			}
		})
	}
}
