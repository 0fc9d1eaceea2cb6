package trysail

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// On a busy machine the timer of the line may be late. Then whoever comes by serves those
// who are due, before anything changes: what is due is due.
func TestWhatIsDueIsServedFirst(t *testing.T) {
	for name, change := range map[string]func(leave context.CancelFunc, l *Limiter){
		"a caller comes":         func(_ context.CancelFunc, l *Limiter) { l.Allow(1) },
		"a reservation comes":    func(_ context.CancelFunc, l *Limiter) { _, _ = l.Reserve(1) },
		"another waiter leaves":  func(leave context.CancelFunc, _ *Limiter) { leave() },
		"a settlement charges":   func(_ context.CancelFunc, l *Limiter) { l.settle(0, 9) },
		"a settlement gives":     func(_ context.CancelFunc, l *Limiter) { l.settle(9, 0) },
		"a penalty comes":        func(_ context.CancelFunc, l *Limiter) { l.Penalize(time.Now().Add(time.Hour)) },
		"the rate falls":         func(_ context.CancelFunc, l *Limiter) { _ = l.SetRate(0.1, 10) },
		"the burst shrinks":      func(_ context.CancelFunc, l *Limiter) { _ = l.SetRate(1, 1) },
		"somebody looks":         func(_ context.CancelFunc, l *Limiter) { l.Snapshot() },
		"the timer fires at all": func(_ context.CancelFunc, l *Limiter) { l.tick() },
		"nobody comes":           func(context.CancelFunc, *Limiter) {},
	} {
		bubbleOf(t, name, func(t *testing.T) {
			l := newLimiter("op", clock{base: time.Now()}, LimiterPolicy{Rate: 1, Burst: 10, MaxWait: 10 * time.Second})
			l.Allow(10)
			ends := make(chan error, 2)
			go func() { ends <- l.Wait(t.Context(), 10) }()
			synctest.Wait()
			l.line.timer.Stop()
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			time.Sleep(5 * time.Second)
			go func() { _ = l.Wait(ctx, 1) }()
			synctest.Wait()
			l.line.timer.Stop()
			time.Sleep(5*time.Second + 1)
			change(leave, l)
			synctest.Wait()
			select {
			case err := <-ends:
				if err != nil || name == "nobody comes" {
					t.Errorf("Wait() = %v, want nil, and that only now", err)
				}
			default:
				if name != "nobody comes" {
					t.Error("Wait() has not returned")
				}
				l.tick()
			}
		})
	}
}

// Units may come free between the first look and the second, under the lock.
func TestWhatComesFreeBeforeTheLineIsNoWait(t *testing.T) {
	l := newLimiter("op", clock{base: time.Now()}, LimiterPolicy{Rate: 1, Burst: 1, MaxWait: time.Second})
	if place, err := l.join(1, time.Hour); place != nil || err != nil {
		t.Errorf("join() = %v, %v; want neither a turn nor an error", place, err)
	}
	if s := l.Snapshot(); s.Waits != 0 || s.Available > 0.5 {
		t.Errorf("Snapshot() = %+v, want the unit taken without a wait", s)
	}
}
