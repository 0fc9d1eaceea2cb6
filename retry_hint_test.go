package trysail_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// A hint is an error that knows how long the server wants to be left alone.
type hint time.Duration

func (hint) Error() string               { return "come back later" }
func (h hint) RetryAfter() time.Duration { return time.Duration(h) }

// The server's own minimum is a floor, and a little is spread on top of it where
// it is what decides.
func TestRetryAfterIsAFloor(t *testing.T) {
	for name, tc := range map[string]struct {
		outcome     error
		least, most time.Duration // of the first wait; the computed one is 2 s to 4 s
	}{
		"shorter than the computed wait": {trysail.RateLimited(errDown, time.Second), 2 * time.Second, 4 * time.Second},
		"longer":                         {trysail.RateLimited(errDown, 5*time.Second), 5 * time.Second, 5500 * time.Millisecond},
		"much longer: 1 s on top":        {trysail.RateLimited(errDown, 40*time.Second), 40 * time.Second, 41 * time.Second},
		"of another class":               {trysail.WithClass(errDown, trysail.ClassOverloaded, 5*time.Second), 5 * time.Second, 5500 * time.Millisecond},
		"from a method":                  {hint(5 * time.Second), 5 * time.Second, 5500 * time.Millisecond},
		"from a method of a wrapped one": {errors.Join(errDown, hint(5*time.Second)), 5 * time.Second, 5500 * time.Millisecond},
		"inside a mark":                  {trysail.Unavailable(hint(5 * time.Second)), 5 * time.Second, 5500 * time.Millisecond},
		"the longer of two":              {errors.Join(hint(time.Second), hint(5*time.Second)), 5 * time.Second, 5500 * time.Millisecond},
		"negative":                       {hint(-time.Hour), 2 * time.Second, 4 * time.Second},
		"the most negative":              {hint(math.MinInt64), 2 * time.Second, 4 * time.Second},
		"negative, marked":               {trysail.WithClass(errDown, trysail.ClassTransient, math.MinInt64), 2 * time.Second, 4 * time.Second},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 2}, Breaker: trysail.BreakerPolicy{Disabled: true}})
			for range 100 {
				if got := waits(t, op, tc.outcome); len(got) != 1 || got[0] < tc.least || got[0] > tc.most {
					t.Fatalf("waits after %v = %v, want one of %v to %v", tc.outcome, got, tc.least, tc.most)
				}
			}
		})
	}
}

func TestRetryAfterWithoutJitterIsExact(t *testing.T) {
	for name, backoff := range map[string]trysail.Backoff{
		"exponential": trysail.BackoffExponential,
		"none":        trysail.BackoffNone,
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{NoJitter: true, Backoff: backoff}})
			if got, want := waits(t, op, hint(7*time.Second)), seconds(7, 7); !slices.Equal(got, want) {
				t.Errorf("waits = %v, want %v", got, want)
			}
		})
	}
}

// A wait that does not fit into what is left of the budget is not begun, and what
// the server said comes back to the caller.
func TestRetryAfterThatDoesNotFitStopsAtOnce(t *testing.T) {
	const year = 366 * 24 * time.Hour
	for name, tc := range map[string]struct {
		after, want time.Duration
	}{
		"one nanosecond over the budget": {time.Minute + 1, time.Minute + 1},
		"an hour":                        {time.Hour, time.Hour},
		"a hostile one is cut to a year": {math.MaxInt64, year},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{NoJitter: true}}) // a budget of 60 s
			n, took, err := attempts(t.Context(), op, always(trysail.RateLimited(errDown, tc.after)))
			if n != 1 || took != 0 {
				t.Errorf("Do() made %d attempts in %v, want 1 in 0s", n, took)
			}
			want := trysail.Error{Operation: "op", Class: trysail.ClassRateLimited, Attempts: 1, RetryAfter: tc.want}
			wantError(t, err, want, errDown)
		})
	}
	bubble(t, "one that just fits is waited for", func(t *testing.T) {
		op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{NoJitter: true}})
		n, took, _ := attempts(t.Context(), op, always(hint(time.Minute)))
		if n != 2 || took != time.Minute {
			t.Errorf("Do() made %d attempts in %v, want 2 in 1m0s", n, took)
		}
	})
	bubble(t, "also the second time", func(t *testing.T) {
		op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{NoJitter: true}})
		n, took, err := attempts(t.Context(), op, func(attempt int) error {
			return hint(time.Duration(attempt) * 25 * time.Second)
		})
		if n != 2 || took != 25*time.Second {
			t.Errorf("Do() made %d attempts in %v, want 2 in 25s", n, took)
		}
		want := trysail.Error{Operation: "op", Attempts: 2, RetryAfter: 50 * time.Second}
		wantError(t, err, want, hint(50*time.Second))
	})
}

// wantError compares an Error's fields, and its cause by errors.Is.
func wantError(t *testing.T, err error, want trysail.Error, cause error) {
	t.Helper()
	var e *trysail.Error
	if !errors.As(err, &e) {
		t.Fatalf("Do() = %#v, want a *trysail.Error", err)
	}
	got := *e
	got.Err = nil
	if got != want || !errors.Is(err, cause) {
		t.Errorf("Do() = %+v (%v), want %+v and %v", got, err, want, cause)
	}
}

// The specification's "extended backoff": twice the wait, within MaxDelay.
func TestRateLimitWithoutAHintWaitsTwiceAsLong(t *testing.T) {
	for name, want := range map[string][]time.Duration{
		"aggressive":   seconds(2),
		"balanced":     seconds(4, 4),
		"conservative": seconds(8, 8, 16, 30),
		"critical":     seconds(6, 6, 12, 24, 48, 60),
		"production":   seconds(4, 6, 12, 24),
	} {
		bubble(t, name, func(t *testing.T) {
			policy := numbers()[name].policy
			policy.Retry.NoJitter = true
			if got := waits(t, newOperation(t, policy), trysail.RateLimited(errDown, 0)); !slices.Equal(got, want) {
				t.Errorf("waits = %v, want %v", got, want)
			}
		})
	}
}

func TestRetryAfterOfARefusalReachesTheOuterCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, outer := newOperation(t, once()), newOperation(t, trysail.Policy{})
		trip(t, inner)
		n, _, err := attempts(t.Context(), outer, func(int) error { return call(t, inner, nil) })
		if n != 1 {
			t.Errorf("Do() made %d attempts, want 1", n)
		}
		want := trysail.Error{Operation: "op", Class: trysail.ClassOverloaded, Attempts: 1, RetryAfter: time.Minute}
		wantError(t, err, want, trysail.ErrOpen)
	})
}
