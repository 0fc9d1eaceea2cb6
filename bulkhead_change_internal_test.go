package trysail

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestBulkheadForgetsWhoLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, onePlaceOnly())
		ctx, cancel := context.WithCancel(t.Context())
		h.enter(t.Context(), "a")
		h.enter(ctx, "b")
		h.enter(t.Context(), "c")
		time.Sleep(time.Second)
		cancel()
		h.want(1, 2, "b 1s canceled canceled")
		h.b.leave()
		h.want(1, 1, "b 1s canceled canceled", "a 1s in")
		h.b.leave()
		h.want(1, 0, "b 1s canceled canceled", "a 1s in", "c 1s in")
	})
}

// A place that comes at the same moment as the end of its caller goes to the next,
// whichever of the two the caller sees first.
func TestBulkheadHandsOnWhatCameTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 500 {
			h := newHall(t, onePlaceOnly())
			ctx, cancel := context.WithCancel(t.Context())
			h.enter(ctx, "a")
			h.enter(t.Context(), "b")
			go cancel()
			go h.b.leave()
			synctest.Wait()
			if slices.Contains(h.notes, "a 0s in") {
				h.b.leave()
			}
			synctest.Wait()
			if s := h.b.snapshot(); !slices.Contains(h.notes, "b 0s in") || s.Running != 1 || s.Waiting != 0 {
				t.Fatalf("it went %q, and now %+v; want b in, at last", h.notes, s)
			}
			cancel()
		}
	})
}

func TestBulkheadGivesNothingToWhoHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, onePlaceOnly())
		ctx, cancel := context.WithCancel(t.Context())
		h.enter(ctx, "a")
		h.enter(t.Context(), "b")
		h.b.mu.Lock()
		cancel()
		h.b.word.Add(onePlace)
		h.b.grant() // a has gone, but cannot say so before the lock is free
		h.b.mu.Unlock()
		h.want(1, 0, "a 0s canceled canceled", "b 0s in")
	})
}

func TestBulkheadReconfigure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, BulkheadPolicy{MaxConcurrent: 3, MaxQueue: 3, MaxWait: time.Minute})
		for _, name := range []string{"a", "b", "c"} {
			h.enter(t.Context(), name)
		}
		h.b.reconfigure(BulkheadPolicy{MaxConcurrent: 4, MaxQueue: 3, MaxWait: time.Minute})
		h.want(4, 2, "a 0s in")
		h.b.reconfigure(BulkheadPolicy{MaxConcurrent: 2, MaxQueue: 1, MaxWait: time.Minute})
		h.enter(t.Context(), "d")
		h.want(4, 2, "a 0s in", "d 0s full overloaded") // those who are in stay in
		h.b.leave()
		h.b.leave()
		h.want(2, 2, "a 0s in", "d 0s full overloaded") // the surplus is gone
		h.b.leave()
		h.want(2, 1, "a 0s in", "d 0s full overloaded", "b 0s in")
		h.b.reconfigure(BulkheadPolicy{MaxConcurrent: 2, Disabled: true})
		h.want(3, 0, "a 0s in", "d 0s full overloaded", "b 0s in", "c 0s in")
		for range 1000 {
			if err := h.b.enter(t.Context()); err != nil {
				t.Fatalf("enter() = %v, want everybody in", err)
			}
		}
		h.b.reconfigure(BulkheadPolicy{MaxConcurrent: 1})
		for range 1002 {
			h.b.leave()
			if err := h.b.enter(t.Context()); !errors.Is(err, ErrBulkheadFull) {
				t.Fatalf("enter() = %v, want %v", err, ErrBulkheadFull)
			}
		}
		h.b.leave()
		if err := h.b.enter(t.Context()); err != nil {
			t.Fatalf("enter() = %v, want the one place", err)
		}
	})
}

// A call leaves after another has found no place free and before that one waits.
func TestBulkheadSeesWhoLeavesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, onePlaceOnly())
		h.b.leave()
		if err := h.b.queue(t.Context()); err != nil {
			t.Errorf("queue() = %v, want the place", err)
		}
		h.want(1, 0)
	})
}

// A call that leaves makes room in the queue, also before it has the lock to say so.
func TestBulkheadMakesRoomInItsQueueAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 1, MaxWait: time.Minute})
		h.enter(t.Context(), "a")
		h.b.word.Add(onePlace)
		h.enter(t.Context(), "b")
		h.want(1, 1, "a 0s in")
		h.b.leave()
		h.want(1, 0, "a 0s in", "b 0s in")
	})
}
