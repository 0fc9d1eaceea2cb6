package trysail

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
	"unsafe"
)

// turned returns the instant t as it would be if the system's clock had been wrong by so many hours then: another
// time of day at the same moment of the monotonic clock.
func turned(t *testing.T, at time.Time, hours int64) time.Time {
	t.Helper()
	wall := (*uint64)(unsafe.Pointer(&at)) //nolint:gosec // package time has no way to turn one clock alone
	*wall += uint64(hours*3600) << 30      // seconds stand above 30 bits of nanoseconds
	if got := time.Since(at); got < 0 || got > time.Minute || time.Until(at.Round(0)) < time.Duration(hours-1)*time.Hour {
		t.Fatalf("%v is %v ago, want just now, with the time of day %d hours ahead", at, got, hours)
	}
	return at
}

// heardAll remembers events, and says when there are so many.
type heardAll struct {
	mu     sync.Mutex // guards events
	events []Event
	full   chan struct{}
	want   int
}

// Observe implements [Observer].
func (h *heardAll) Observe(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.events = append(h.events, e); len(h.events) == h.want {
		close(h.full)
	}
}

// All that is told has its time of one clock, also after the system's clock was set back by a day.
func TestTimesAreOfOneClock(t *testing.T) {
	heard := &heardAll{full: make(chan struct{}), want: 7}
	policy := Policy{
		Retry: RetryPolicy{Attempts: 2, Backoff: BackoffNone},
		Hedge: HedgePolicy{After: 1}, Limiter: LimiterPolicy{Rate: 1e-6},
	}
	o, err := New(Config{Default: policy, Observer: heard, ObserveCalls: true})
	if err != nil {
		t.Fatal(err)
	}
	o.common.clock.base = turned(t, o.common.clock.base, 24)
	op := o.Operation("op")
	calls, second, lost := 0, make(chan struct{}), make(chan struct{})
	_, _ = DoWithFallback(t.Context(), op, func(ctx context.Context) (int, error) {
		if calls++; calls == 1 {
			return 0, errors.New("down")
		}
		var mu sync.Mutex // guards begun
		begun := 0
		return Hedged(op, func(ctx context.Context) (int, error) {
			mu.Lock()
			begun++
			mine := begun
			mu.Unlock()
			if mine == 1 { // it loses, and panics
				defer close(lost)
				<-ctx.Done()
				panic("lost")
			}
			close(second)
			return 0, Permanent(errors.New("bad"))
		})(ctx)
	}, func(context.Context, error) (int, error) { return 1, nil })
	<-second
	<-lost
	_, _ = Do(t.Context(), op, func(context.Context) (int, error) { return 0, nil }) // the limiter refuses it
	op.Breaker().ForceOpen(Override{})
	if _, err := DoWithFallback(t.Context(), op, func(context.Context) (int, error) { return 0, nil },
		func(context.Context, error) (int, error) { return 1, nil }); err != nil {
		t.Fatal(err)
	}
	<-heard.full
	heard.mu.Lock()
	defer heard.mu.Unlock()
	tomorrow := func(what string, at time.Time) {
		t.Helper()
		if off := time.Until(at) - 24*time.Hour; off > time.Second || off < -time.Minute {
			t.Errorf("%s is at %v, want in 24h: that is the orchestrator's clock", what, at)
		}
	}
	kinds := map[EventKind]bool{}
	for _, e := range heard.events {
		kinds[e.Kind] = true
		tomorrow(e.Kind.String(), e.Time)
	}
	if len(kinds) != int(eventKinds)-1 {
		t.Errorf("heard %v, want events of all kinds", heard.events)
	}
	for _, d := range op.Explain() {
		tomorrow(d.Outcome+" "+d.Reason, d.Time)
	}
	tomorrow("Health", o.Health().Time)
}
