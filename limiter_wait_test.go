package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

func TestWaitEndsAtTheVeryInstant(t *testing.T) {
	for name, tc := range map[string]struct {
		n              float64
		most, deadline time.Duration
		after          time.Duration
		ok             bool
	}{
		"as long as it may":               {12_000, 6 * time.Second, 0, 6 * time.Second, true},
		"a nanosecond longer than it may": {12_000, 6*time.Second - 1, 0, 6 * time.Second, false},
		"not at all":                      {1, 0, 0, 500 * time.Microsecond, false},
		"well before the deadline":        {2000, time.Minute, time.Hour, time.Second, true},
		"just before the deadline":        {2000, time.Minute, time.Second + 1, time.Second, true},
		"at the deadline":                 {2000, time.Minute, time.Second, time.Second, false},
		"after the deadline":              {2000, time.Minute, time.Second - 1, time.Second, false},
	} {
		bubble(t, name, func(t *testing.T) {
			l, ctx := usedUp(t, tokens(tc.most)), t.Context()
			if tc.deadline > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tc.deadline)
				defer cancel()
			}
			start := time.Now()
			err := l.Wait(ctx, tc.n)
			took := time.Since(start)
			if !tc.ok {
				wantLimited(t, err, tc.after)
				if took != 0 {
					t.Errorf("Wait() took %v, want it refused at once", took)
				}
				return
			}
			if err != nil || took != tc.after {
				t.Errorf("Wait() = %v after %v, want nil after %v", err, took, tc.after)
			}
			wantAllow(t, l, 1, false)
		})
	}
}

// A crew waits with a limiter, and notes what came of it.
type crew struct {
	l     *trysail.Limiter
	start time.Time
	mu    sync.Mutex // guards notes
	notes []string
}

// wait lets the named one wait for n units, in a goroutine, behind all before.
func (c *crew) wait(ctx context.Context, name string, n float64) {
	go func() {
		err := c.l.Wait(ctx, n)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.notes = append(c.notes, fmt.Sprintf("%s %v %v", name, time.Since(c.start), short(err)))
	}()
	synctest.Wait()
}

func short(err error) string {
	var e *trysail.Error
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, trysail.ErrOverBurst):
		return "over burst"
	case errors.Is(err, trysail.ErrLimited) && errors.As(err, &e):
		return fmt.Sprint("limited ", e.RetryAfter)
	default:
		return err.Error()
	}
}

// want compares what came of the waits so far; at one instant the order is nobody's.
func (c *crew) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.Sort(c.notes)
	slices.Sort(want)
	if !slices.Equal(c.notes, want) {
		t.Errorf("the waits went %q, want %q", c.notes, want)
	}
}

// crewed starts three waits, for 1, 2 and 3 seconds; the second is the one of ctx.
func crewed(ctx context.Context, t *testing.T, most time.Duration) *crew {
	c := &crew{l: usedUp(t, tokens(most)), start: time.Now()}
	c.wait(t.Context(), "a", 2000)
	c.wait(ctx, "b", 2000)
	c.wait(t.Context(), "c", 2000)
	return c
}

func TestWaitIsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := crewed(t.Context(), t, time.Minute)
		wantAllow(t, c.l, 0, false) // not even nothing overtakes
		if s := c.l.Snapshot(); s.Waiting != 3 || s.Waits != 3 || s.Available != 0 {
			t.Errorf("Snapshot() = %+v, want 3 waiting and nothing available", s)
		}
		if got, want := c.l.Until(), 3*time.Second+500*time.Microsecond; got != want {
			t.Errorf("Until() = %v, want %v: after those who wait", got, want)
		}
		time.Sleep(3 * time.Second)
		c.want(t, "a 1s ok", "b 2s ok", "c 3s ok")
	})
}

func TestWaitersMoveUpWhenOneLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := crewed(ctx, t, time.Minute)
		time.Sleep(1500 * time.Millisecond)
		cancel()
		time.Sleep(3 * time.Second)
		c.want(t, "a 1s ok", "b 1.5s canceled", "c 2s ok")
		if got := c.l.Snapshot().Available; got != 2.5*2000 {
			t.Errorf("Available = %v, want 5000: nothing is charged for the one who left", got)
		}
	})
}

// The first to leave is the one whom the timer is set for.
func TestWaitersMoveUpWhenTheFirstLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := &crew{l: usedUp(t, tokens(time.Minute)), start: time.Now()}
		c.wait(ctx, "a", 12_000)
		c.wait(t.Context(), "b", 2)
		time.Sleep(10 * time.Millisecond) // enough for b by now
		cancel()
		c.want(t, "b 10ms ok", "a 10ms canceled")
	})
}

// What came at the same instant as the end of the caller is not lost.
func TestWaitGivesBackWhatCameTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 500 {
			l := usedUp(t, tokens(time.Minute))
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			err := l.Wait(ctx, 2000)
			synctest.Wait()
			want := 2000.0
			if err == nil {
				want = 0
			}
			if got := l.Snapshot().Available; got != want {
				t.Fatalf("Wait() = %v, Available = %v, want %v", err, got, want)
			}
			cancel()
		}
	})
}
