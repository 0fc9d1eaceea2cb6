package gateway

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestWatchdog says to the nanosecond when a provider is late.
func TestWatchdog(t *testing.T) {
	limit := func(d time.Duration) *timeoutError { return &timeoutError{"it", d} }
	wait := func(d time.Duration) func(*watchdog) { return func(*watchdog) { time.Sleep(d) } }
	expect := func(d time.Duration) func(*watchdog) { return func(w *watchdog) { w.expect(limit(d)) } }
	aside := func(d time.Duration) func(*watchdog) {
		return func(w *watchdog) {
			_ = w.aside(func() error {
				time.Sleep(d)
				return nil
			})
		}
	}
	for name, tc := range map[string]struct {
		steps []func(*watchdog)
		late  time.Duration // since its begin
	}{
		"nothing comes":                  {nil, time.Minute},
		"a longer limit":                 {[]func(*watchdog){wait(time.Second), expect(2 * time.Minute)}, 2*time.Minute + time.Second},
		"a shorter limit":                {[]func(*watchdog){wait(time.Second), expect(time.Second)}, 2 * time.Second},
		"longer, then shorter":           {[]func(*watchdog){expect(time.Hour), wait(2 * time.Minute), expect(time.Second)}, 2*time.Minute + time.Second},
		"again and again":                {[]func(*watchdog){wait(50 * time.Second), expect(time.Minute), wait(50 * time.Second), expect(time.Minute)}, 160 * time.Second},
		"the client takes its time":      {[]func(*watchdog){wait(time.Second), aside(10 * time.Second)}, 70 * time.Second},
		"much of it":                     {[]func(*watchdog){wait(time.Second), aside(3 * time.Hour)}, 3*time.Hour + time.Minute},
		"twice":                          {[]func(*watchdog){aside(2 * time.Minute), wait(59 * time.Second), aside(2 * time.Minute)}, 5 * time.Minute},
		"and then a shorter limit":       {[]func(*watchdog){aside(2 * time.Minute), expect(time.Second)}, 2*time.Minute + time.Second},
		"the last moment before a limit": {[]func(*watchdog){wait(time.Minute - 1), expect(time.Second)}, time.Minute - 1 + time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				w := watch(t.Context(), *limit(time.Minute))
				defer w.stop()
				for _, step := range tc.steps {
					step(w)
				}
				<-w.ctx.Done()
				if took := time.Since(begun); took != tc.late {
					t.Errorf("late after %v, want %v", took, tc.late)
				}
				if cause := context.Cause(w.ctx); !errors.As(cause, new(timeoutError)) {
					t.Errorf("the cause is %v", cause)
				}
			})
		})
	}
}

func TestWatchdogStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t.Context(), timeoutError{"it", time.Minute})
		w.stop()
		time.Sleep(time.Hour)
		if cause := context.Cause(w.ctx); errors.As(cause, new(timeoutError)) {
			t.Errorf("the cause is %v, want none of a limit", cause)
		}
	})
}
