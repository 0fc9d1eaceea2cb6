package trysail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// onePlaceOnly is a bulkhead of one call, with room for three more, who wait for 30 s.
func onePlaceOnly() BulkheadPolicy {
	return completed(BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 3})
}

// A hall is a bulkhead and a list of what came of those who tried to enter.
type hall struct {
	t     *testing.T
	b     *bulkhead
	start time.Time
	mu    sync.Mutex // guards notes
	notes []string
}

// newHall returns a hall in which every place is taken.
func newHall(t *testing.T, p BulkheadPolicy) *hall {
	t.Helper()
	h := &hall{t: t, b: newBulkhead("op", p), start: time.Now()}
	for range p.MaxConcurrent {
		if err := h.b.enter(t.Context()); err != nil {
			t.Fatalf("enter() = %v, want a place", err)
		}
	}
	return h
}

// enter lets the named one try, behind all before.
func (h *hall) enter(ctx context.Context, name string) {
	go func() {
		err := h.b.enter(ctx)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.notes = append(h.notes, fmt.Sprintf("%s %v %s", name, time.Since(h.start), ending(err)))
	}()
	synctest.Wait()
}

func ending(err error) string {
	var names []string
	for name, target := range map[string]error{
		"full": ErrBulkheadFull, "canceled": context.Canceled, "deadline": context.DeadlineExceeded,
	} {
		if errors.Is(err, target) {
			names = append(names, name)
		}
	}
	if err == nil {
		return "in"
	}
	slices.Sort(names)
	return strings.Join(names, " ") + " " + Classify(err).String()
}

// want compares what came of those who tried, at one instant in any order, and how full
// it is now.
func (h *hall) want(running, waiting int, notes ...string) {
	h.t.Helper()
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	got := slices.Sorted(slices.Values(h.notes))
	slices.Sort(notes)
	if s := h.b.snapshot(); !slices.Equal(got, notes) || s.Running != running || s.Waiting != waiting {
		h.t.Errorf("it went %q, and now %+v; want %q, and %d running, %d waiting", got, s, notes, running, waiting)
	}
	if contendedNow := h.b.word.Load()&contended != 0; contendedNow != (waiting > 0) {
		h.t.Errorf("contended is %v while %d wait", contendedNow, waiting)
	}
}

func TestBulkheadRefusesWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, BulkheadPolicy{MaxConcurrent: 2})
		err := h.b.enter(t.Context())
		const want = `operation "op": not called: bulkhead is full: 2 of 2 places taken, 0 of 0 waiting`
		if !errors.Is(err, ErrBulkheadFull) || Classify(err) != ClassOverloaded || err.Error() != want {
			t.Errorf("enter() = %v (%v), want %s, overloaded", err, Classify(err), want)
		}
		h.b.leave()
		h.enter(t.Context(), "a")
		h.want(2, 0, "a 0s in")
		if s := h.b.snapshot(); s.Refused != 1 || s.Waits != 0 {
			t.Errorf("snapshot() = %+v, want 1 refused and nobody who waited", s)
		}
	})
}

func TestBulkheadServesTheMostUrgentInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 6, MaxWait: time.Hour})
		for _, c := range []struct {
			name string
			ctx  context.Context
		}{
			{"background 1", WithPriority(t.Context(), PriorityBackground)},
			{"batch 1", WithPriority(t.Context(), PriorityBatch)},
			{"default 1", t.Context()},
			{"background 2", WithPriority(t.Context(), 200)}, // no such priority
			{"batch 2", WithPriority(t.Context(), PriorityBatch)},
			{"default 2", WithPriority(t.Context(), PriorityInteractive)},
		} {
			h.enter(c.ctx, c.name)
		}
		h.want(1, 6)
		var want []string
		for i, name := range []string{"default 1", "default 2", "batch 1", "batch 2", "background 1", "background 2"} {
			time.Sleep(time.Second)
			h.b.leave()
			want = append(want, fmt.Sprintf("%s %ds in", name, i+1))
			h.want(1, 5-i, slices.Clone(want)...)
		}
		h.b.leave()
		h.want(0, 0, want...)
	})
}

func TestBulkheadQueueFullOfLessUrgentWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, onePlaceOnly())
		h.enter(WithPriority(t.Context(), PriorityBackground), "background 1")
		h.enter(WithPriority(t.Context(), PriorityBackground), "background 2")
		h.enter(WithPriority(t.Context(), PriorityBatch), "batch")
		h.enter(WithPriority(t.Context(), PriorityBackground), "background 3")
		want := []string{"background 3 0s full overloaded"}
		h.want(1, 3, want...)
		for _, gaveWay := range []string{"background 2", "background 1", "batch"} {
			h.enter(t.Context(), "interactive")
			want = append(want, gaveWay+" 0s full overloaded")
			h.want(1, 3, slices.Clone(want)...)
		}
		h.enter(t.Context(), "interactive") // nobody is left who is less urgent
		want = append(want, "interactive 0s full overloaded")
		h.want(1, 3, slices.Clone(want)...)
		h.b.reconfigure(BulkheadPolicy{MaxConcurrent: 4, MaxQueue: 3})
		h.want(4, 0, append(want, "interactive 0s in", "interactive 0s in", "interactive 0s in")...)
		if s := h.b.snapshot(); s.Refused != 5 || s.Waits != 6 {
			t.Errorf("snapshot() = %+v, want 5 refused and 6 who waited", s)
		}
	})
}

func TestBulkheadWaitEndsAtTheVeryInstant(t *testing.T) {
	for name, tc := range map[string]struct {
		free     time.Duration // a place comes free
		deadline time.Duration
		want     string
	}{
		"in time":                {30*time.Second - 1, time.Hour, "a 29.999999999s in"},
		"too late":               {30*time.Second + 1, time.Hour, "a 30s full overloaded"},
		"before the deadline":    {10*time.Second - 1, 10 * time.Second, "a 9.999999999s in"},
		"after the deadline":     {10*time.Second + 1, 10 * time.Second, "a 10s deadline full overloaded"},
		"the deadline is longer": {time.Minute, 31 * time.Second, "a 30s full overloaded"},
	} {
		bubbleOf(t, name, func(t *testing.T) {
			h := newHall(t, onePlaceOnly())
			ctx, cancel := context.WithTimeout(t.Context(), tc.deadline)
			defer cancel()
			h.enter(ctx, "a")
			time.Sleep(tc.free)
			h.b.leave()
			running := 0
			if strings.HasSuffix(tc.want, "in") {
				running = 1
			}
			h.want(running, 0, tc.want)
		})
	}
}

// bubbleOf runs f as a subtest in a bubble of its own.
func bubbleOf(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestPriorityText(t *testing.T) {
	for p, want := range map[Priority]string{
		PriorityInteractive: "interactive", PriorityBatch: "batch", PriorityBackground: "background", 3: "Priority(3)",
	} {
		if got := p.String(); got != want {
			t.Errorf("Priority(%d).String() = %q, want %q", uint8(p), got, want)
		}
	}
}
