package trysail

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Calls that have to go through gates, or to be told of, never take the short way to a refusal.
func TestTheShortWayIsOnlyForWhatNothingComesBefore(t *testing.T) {
	limited := Policy{Limiter: LimiterPolicy{Rate: 1}}
	for name, tc := range map[string]struct {
		cfg  Config
		want bool
	}{
		"nothing else":   {Config{}, true},
		"a limiter":      {Config{Default: limited}, false},
		"observed calls": {Config{Observer: silent{}, ObserveCalls: true}, false},
		"observed":       {Config{Observer: silent{}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			orc, err := New(tc.cfg)
			if err != nil {
				t.Fatal(err)
			}
			op := orc.Operation("op")
			op.Breaker().OpenUntil(time.Now().Add(time.Hour), "test")
			for n, want := range []bool{false, tc.want} { // the first may be the only one for a long time: a timer would be too much for it
				err := ask(t, op)
				if short := op.refusal.Load() != nil; !errors.Is(err, ErrOpen) || short != want {
					t.Errorf("after refusal %d, %v, there is a short way: %v, want %v", n+1, err, short, want)
				}
			}
		})
	}
}

// ask makes a call that succeeds unless it is refused.
func ask(t *testing.T, op *Operation) error {
	t.Helper()
	_, err := Do(t.Context(), op, func(context.Context) (int, error) { return 0, nil })
	return err
}

// opened returns an operation whose breaker is open for so long, and has refused often enough for the short way.
func opened(t *testing.T, d time.Duration) *Operation {
	t.Helper()
	orc, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	op := orc.Operation("op")
	op.Breaker().OpenUntil(time.Now().Add(d), "test")
	for range 2 {
		if err := ask(t, op); !errors.Is(err, ErrOpen) {
			t.Fatalf("the call gets %v, want %v", err, ErrOpen)
		}
	}
	return op
}

// The short way reads no clock, so a timer ends it: before the refusal does.
func TestTheShortWayEndsBeforeTheRefusal(t *testing.T) {
	for name, tc := range map[string]struct {
		open, short time.Duration
	}{
		"a long time":            {time.Minute, 9 * time.Millisecond},
		"the last milliseconds":  {4 * time.Millisecond, 3 * time.Millisecond},
		"the shortest":           {time.Millisecond + 1, 1},
		"too short for the way":  {time.Millisecond, 0},
		"shorter than its place": {time.Microsecond, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			op := opened(t, tc.open)
			if got := op.refusal.Load() != nil; got != (tc.short > 0) {
				t.Fatalf("%s: there is a short way: %v, want %v", name, got, tc.short > 0)
			}
			time.Sleep(tc.short - 1)
			if op.refusal.Load() == nil && tc.short > 0 {
				t.Errorf("%s: after %v there is no short way any more", name, tc.short-1)
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if op.refusal.Load() != nil {
				t.Errorf("%s: after %v there is still a short way", name, tc.short)
			}
		})
	}
}

// Calls without a pause are refused until the very end of the open period, and the first one at its end is the probe.
func TestTheShortWayKeepsTheEdge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const open = 25 * time.Millisecond
		start := time.Now()
		op := opened(t, open)
		for time.Since(start) < open {
			if err := ask(t, op); !errors.Is(err, ErrOpen) {
				t.Fatalf("after %v the call gets %v, want %v", time.Since(start), err, ErrOpen)
			}
			time.Sleep(50 * time.Microsecond)
		}
		if err := ask(t, op); err != nil {
			t.Errorf("after %v the call gets %v, want a probe that succeeds", time.Since(start), err)
		}
	})
}

// On a machine without a free processor the timer may be late. A few calls in a row find out.
func TestTheShortWayWhenItsTimerIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := opened(t, 5*time.Millisecond)
		late := op.refusal.Load()
		time.Sleep(5 * time.Millisecond)
		synctest.Wait()
		op.refusal.Store(late)
		refused := 0
		for ask(t, op) != nil {
			if refused++; refused > refusalLook {
				t.Fatalf("%d calls are refused after the end, want at most %d", refused, refusalLook)
			}
		}
		if refused == 0 {
			t.Error("the first call looks at the clock; the test tries nothing")
		}
	})
}

// A way that is made while the breaker changes is taken away again.
func TestTheShortWayIsNotMadeForAStateThatIsOver(t *testing.T) {
	op := opened(t, time.Minute)
	old := op.refusal.Load()
	op.Breaker().Close(Override{})
	op.Breaker().shorten(old, op.clock.now())
	if op.refusal.Load() != nil {
		t.Error("calls are refused after the breaker was closed")
	}
	if err := ask(t, op); err != nil {
		t.Errorf("the call gets %v, want to be made", err)
	}
}

type silent struct{}

func (silent) Observe(Event) {}
