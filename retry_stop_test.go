package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// A wait that would reach the caller's deadline is not begun: the error in hand
// tells more, and sooner.
func TestDeadlineArithmetic(t *testing.T) {
	for name, tc := range map[string]struct {
		deadline time.Duration
		attempts int
		took     time.Duration
	}{
		"shorter than the first wait":        {time.Second, 1, 0},
		"exactly the first wait":             {2 * time.Second, 1, 0},
		"one nanosecond more":                {2*time.Second + 1, 2, 2 * time.Second},
		"exactly both waits":                 {4 * time.Second, 2, 2 * time.Second},
		"one nanosecond more than both":      {4*time.Second + 1, 3, 4 * time.Second},
		"an hour, as if there were no limit": {time.Hour, 3, 4 * time.Second},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{NoJitter: true}})
			ctx, cancel := context.WithTimeout(t.Context(), tc.deadline)
			defer cancel()
			n, took, err := attempts(ctx, op, always(errDown))
			if n != tc.attempts || took != tc.took {
				t.Errorf("Do() made %d attempts in %v, want %d in %v", n, took, tc.attempts, tc.took)
			}
			if !errors.Is(err, errDown) || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Do() = %v, want %v and no %v", err, errDown, context.DeadlineExceeded)
			}
			if s := op.Breaker().Snapshot(); s.Failures != 1 {
				t.Errorf("Snapshot().Failures = %d, want 1", s.Failures)
			}
		})
	}
}

// The caller's deadline ends an attempt; what the dependency said before is
// still found in the error, and decides its class.
func TestDeadlineDuringAnAttempt(t *testing.T) {
	untilEnd := func(ctx context.Context) error {
		<-ctx.Done()
		return fmt.Errorf("post: %w", ctx.Err())
	}
	limited := trysail.RateLimited(errors.New("429"), 3*time.Second)
	for name, tc := range map[string]struct {
		fn       func(ctx context.Context, attempt int) error
		want     trysail.Error
		also     error // besides the deadline
		failures int   // that the breaker counts
	}{
		"the first attempt": {
			func(ctx context.Context, _ int) error { return untilEnd(ctx) },
			trysail.Error{Operation: "op", Class: trysail.ClassTransient, Attempts: 1},
			nil, 1,
		},
		"the second, after a rate limit": {
			func(ctx context.Context, attempt int) error {
				if attempt == 1 {
					return limited
				}
				return untilEnd(ctx)
			},
			trysail.Error{Operation: "op", Class: trysail.ClassRateLimited, Attempts: 2, RetryAfter: 3 * time.Second},
			limited, 1,
		},
		"an attempt that says something of its own": {
			func(ctx context.Context, _ int) error { _ = untilEnd(ctx); return errDown },
			trysail.Error{Operation: "op", Class: trysail.ClassTransient, Attempts: 1},
			errDown, 1,
		},
		"a permanent error stays neutral": {
			func(ctx context.Context, _ int) error { _ = untilEnd(ctx); return errBadRequest },
			trysail.Error{Operation: "op", Class: trysail.ClassPermanent, Attempts: 1},
			errBadRequest, 0,
		},
		"a client that calls it a cancellation": {
			func(ctx context.Context, _ int) error {
				_ = untilEnd(ctx)
				return fmt.Errorf("http2: %w", context.Canceled)
			},
			trysail.Error{Operation: "op", Class: trysail.ClassTransient, Attempts: 1},
			context.Canceled, 1,
		},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{NoJitter: true}})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			n, took, err := attempts(ctx, op, func(attempt int) error { return tc.fn(ctx, attempt) })
			if n != tc.want.Attempts || took != 10*time.Second {
				t.Errorf("Do() made %d attempts in %v, want %d in 10s", n, took, tc.want.Attempts)
			}
			wantError(t, err, tc.want, context.DeadlineExceeded)
			if tc.also != nil && !errors.Is(err, tc.also) {
				t.Errorf("Do() = %v, want one that is %v too", err, tc.also)
			}
			if s := op.Breaker().Snapshot(); s.Failures != tc.failures {
				t.Errorf("Snapshot().Failures = %d, want %d", s.Failures, tc.failures)
			}
			if m := op.Metrics(); m.Canceled != 0 {
				t.Errorf("Metrics().Canceled = %d, want 0: the caller did not cancel", m.Canceled)
			}
		})
	}
}

func TestCauseOfTheCallersEndIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errUser := errors.New("the user closed the window")
		ctx, cancel := context.WithCancelCause(t.Context())
		op := newOperation(t, trysail.Policy{})
		_, err := trysail.Do(ctx, op, func(ctx context.Context) (int, error) {
			cancel(errUser)
			return 0, context.Cause(ctx)
		})
		if !errors.Is(err, errUser) || !errors.Is(err, context.Canceled) || trysail.Classify(err) != trysail.ClassCanceled {
			t.Errorf("Do() = %v, want one that is both %v and %v", err, errUser, context.Canceled)
		}
	})
}

func TestCauseOfTheCallersEndHidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		_, _, err := attempts(ctx, newOperation(t, trysail.Policy{}), func(attempt int) error {
			if attempt == 1 {
				return errDown
			}
			cancel(errors.New("the user closed the window"))
			return context.Cause(ctx)
		})
		if !errors.Is(err, errDown) || !errors.Is(err, context.Canceled) {
			t.Errorf("Do() = %v, want one that is both %v and %v", err, errDown, context.Canceled)
		}
	})
}

// Others have found out what this call would only repeat.
func TestRetryingStopsWhenTheBreakerOpens(t *testing.T) {
	for name, when := range map[string]time.Duration{
		"during the attempt": 0,
		"during the wait":    time.Second,
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, trysail.Policy{
				Retry: trysail.RetryPolicy{NoJitter: true}, Breaker: trysail.BreakerPolicy{FailureThreshold: 1},
			})
			other := hold(t, op)
			openIt := func() { other.outcome <- trysail.Committed(errDown) } // its one attempt
			n, took, err := attempts(t.Context(), op, func(int) error {
				if when == 0 {
					openIt()
					synctest.Wait()
				} else {
					time.AfterFunc(when, openIt)
				}
				return errBusy
			})
			if n != 1 || !errors.Is(err, errBusy) || errors.Is(err, trysail.ErrOpen) {
				t.Errorf("Do() = %v after %d attempts, want %v after 1", err, n, errBusy)
			}
			if when == 0 && took != 0 {
				t.Errorf("Do() took %v, want 0s: the wait is not begun", took)
			}
			if m := op.Metrics(); m.Retries != 0 || m.Rejected != 0 {
				t.Errorf("Metrics() = %+v, want no retries and no rejections", m)
			}
		})
	}
}

var errBusy = trysail.Unavailable(errors.New("busy"))

func TestWhatIsNotRepeated(t *testing.T) {
	for name, tc := range map[string]struct {
		outcomes []error // the last one is that of all later attempts
		want     int     // attempts
		class    trysail.Class
	}{
		"transient: all attempts":              {[]error{errDown}, 3, trysail.ClassTransient},
		"transient, then permanent":            {[]error{errDown, errBadRequest}, 2, trysail.ClassPermanent},
		"permanent":                            {[]error{errBadRequest}, 1, trysail.ClassPermanent},
		"quota exhausted":                      {[]error{trysail.WithClass(errDown, trysail.ClassQuotaExhausted, 0)}, 1, trysail.ClassQuotaExhausted},
		"context length":                       {[]error{trysail.WithClass(errDown, trysail.ClassContextLength, 0)}, 1, trysail.ClassContextLength},
		"content policy":                       {[]error{trysail.WithClass(errDown, trysail.ClassContentPolicy, 0)}, 1, trysail.ClassContentPolicy},
		"committed":                            {[]error{trysail.Committed(errDown)}, 1, trysail.ClassTransient},
		"committed, then marked by a wrapper":  {[]error{trysail.Unavailable(trysail.Committed(errDown))}, 1, trysail.ClassOverloaded},
		"committed, marked before":             {[]error{trysail.Committed(errBusy)}, 1, trysail.ClassOverloaded},
		"committed, joined behind a transient": {[]error{errors.Join(errBusy, trysail.Committed(errDown))}, 1, trysail.ClassOverloaded},
		"transient, then committed":            {[]error{errBusy, trysail.Committed(errDown)}, 2, trysail.ClassTransient},
		"another operation's error":            {[]error{&trysail.Error{Class: trysail.ClassTransient, Err: errDown}}, 1, trysail.ClassTransient},
		"another operation's error, joined":    {[]error{errors.Join(errDown, &trysail.Error{Class: trysail.ClassTransient, Err: errDown})}, 1, trysail.ClassTransient},
		"another operation's error, wrapped":   {[]error{fmt.Errorf("step 2: %w", &trysail.Error{Class: trysail.ClassRateLimited, Err: errDown})}, 1, trysail.ClassRateLimited},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, trysail.Policy{})
			n, _, err := attempts(t.Context(), op, func(attempt int) error {
				return tc.outcomes[min(attempt, len(tc.outcomes))-1]
			})
			if got := trysail.Classify(err); n != tc.want || got != tc.class {
				t.Errorf("Do() = %v (%v) after %d attempts, want %v after %d", err, got, n, tc.class, tc.want)
			}
			if last := tc.outcomes[len(tc.outcomes)-1]; !errors.Is(err, last) {
				t.Errorf("Do() = %v, want %v", err, last)
			}
		})
	}
}

func TestProbeIsASingleAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, trysail.Policy{Breaker: trysail.BreakerPolicy{FailureThreshold: 1}})
		halfOpen(t, op)
		n, took, err := attempts(t.Context(), op, always(errDown))
		if n != 1 || took != 0 || !errors.Is(err, errDown) {
			t.Errorf("probe = %v after %d attempts and %v, want %v after 1", err, n, took, errDown)
		}
		wantState(t, op, trysail.Open)
	})
}

// A probe stays one when another probe has closed the breaker meanwhile.
func TestProbeIsASingleAttemptAlsoWhenTheBreakerCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, trysail.Policy{Breaker: trysail.BreakerPolicy{FailureThreshold: 1, HalfOpenMaxCalls: 2}})
		halfOpen(t, op)
		other := hold(t, op)
		n, _, _ := attempts(t.Context(), op, func(int) error {
			_ = other.end(nil)
			wantState(t, op, trysail.Closed)
			return errDown
		})
		if n != 1 {
			t.Errorf("probe made %d attempts, want 1", n)
		}
		wantState(t, op, trysail.Closed)
	})
}

func TestRetryDisabled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, took, err := attempts(t.Context(), newOperation(t, once()), always(errDown))
		if n != 1 || took != 0 || !errors.Is(err, errDown) {
			t.Errorf("Do() = %v after %d attempts and %v, want %v after 1", err, n, took, errDown)
		}
	})
}
