package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

// within is a policy with time limits and exact waits of 2 s. Attempts are 3.
func within(total, attempt time.Duration) trysail.Policy {
	return trysail.Policy{Total: total, Attempt: attempt, Retry: trysail.RetryPolicy{NoJitter: true}}
}

// errLimit is what a provider says with 429 and a wait of 3 s.
var errLimit = trysail.RateLimited(errors.New("429"), 3*time.Second)

// hang is an attempt that ends with its context, as a client reports that.
func hang(ctx context.Context) error {
	<-ctx.Done()
	return fmt.Errorf("post: %w", ctx.Err())
}

// timed makes a call and returns the attempts, the time and the error.
func timed(ctx context.Context, op *trysail.Operation, f func(ctx context.Context, attempt int) error) (n int, took time.Duration, err error) {
	start := time.Now()
	_, err = trysail.Do(ctx, op, func(ctx context.Context) (int, error) {
		n++
		return 0, f(ctx, n)
	})
	return n, time.Since(start), err
}

func TestAttemptLimitIsRetriedThenExhausted(t *testing.T) {
	errOwn := errors.New("read tcp: i/o timeout")
	for name, end := range map[string]error{
		"the context's error":    nil,
		"an error of its own":    errOwn,
		"the cause":              trysail.ErrAttemptTimeout,
		"a made-up cancellation": fmt.Errorf("http2: %w", context.Canceled),
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, within(0, 20*time.Second))
			n, took, err := timed(t.Context(), op, func(ctx context.Context, _ int) error {
				if ended := hang(ctx); end == nil {
					return ended
				}
				return end
			})
			if n != 3 || took != 64*time.Second {
				t.Errorf("Do() made %d attempts in %v, want 3 in 64s", n, took)
			}
			if end == nil {
				end = context.DeadlineExceeded
			}
			wantError(t, err, trysail.Error{Operation: "op", Class: trysail.ClassTransient, Attempts: 3}, end)
			if !errors.Is(err, trysail.ErrAttemptTimeout) || errors.Is(err, trysail.ErrTotalTimeout) {
				t.Errorf("Do() = %v, want %v and no %v", err, trysail.ErrAttemptTimeout, trysail.ErrTotalTimeout)
			}
			if s, m := op.Breaker().Snapshot(), op.Metrics(); s.Failures != 1 || m.Canceled != 0 || m.Retries != 2 {
				t.Errorf("Snapshot() = %+v, Metrics() = %+v; want one failure after two retries", s, m)
			}
		})
	}
}

func TestAttemptLimitToTheNanosecond(t *testing.T) {
	for name, tc := range map[string]struct {
		takes    time.Duration
		attempts int
		took     time.Duration
	}{
		"in time":            {20*time.Second - 1, 1, 20*time.Second - 1},
		"a nanosecond late":  {20*time.Second + 1, 2, 22 * time.Second},
		"does not come back": {time.Hour, 2, 22 * time.Second},
	} {
		bubble(t, name, func(t *testing.T) {
			n, took, err := timed(t.Context(), newOperation(t, within(0, 20*time.Second)), func(ctx context.Context, attempt int) error {
				if attempt == 2 {
					return nil
				}
				select {
				case <-time.After(tc.takes):
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
			if n != tc.attempts || took != tc.took || err != nil {
				t.Errorf("Do() = %v after %d attempts in %v, want nil after %d in %v", err, n, took, tc.attempts, tc.took)
			}
		})
	}
}

// A class that is stated stays, also when the attempt's limit has passed.
func TestAttemptLimitHidesNoClass(t *testing.T) {
	for name, tc := range map[string]struct {
		outcome  error
		attempts int
		class    trysail.Class
		failures int
	}{
		"permanent":  {errBadRequest, 1, trysail.ClassPermanent, 0},
		"committed":  {trysail.Committed(errDown), 1, trysail.ClassTransient, 1},
		"overloaded": {errBusy, 3, trysail.ClassOverloaded, 1},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, within(0, 20*time.Second))
			n, _, err := timed(t.Context(), op, func(ctx context.Context, _ int) error {
				<-ctx.Done()
				return tc.outcome
			})
			wantError(t, err, trysail.Error{Operation: "op", Class: tc.class, Attempts: tc.attempts}, tc.outcome)
			if s := op.Breaker().Snapshot(); n != tc.attempts || s.Failures != tc.failures {
				t.Errorf("%d attempts, %d failures; want %d, %d", n, s.Failures, tc.attempts, tc.failures)
			}
		})
	}
}

// The limit of the call ends attempts, and waits that would reach it are not begun.
func TestTotalLimitEndsTheCall(t *testing.T) {
	for name, tc := range map[string]struct {
		total, attempt time.Duration
		fn             func(ctx context.Context, attempt int) error
		attempts       int
		took           time.Duration
		is, isNot      error
	}{
		"the first attempt": {
			30 * time.Second, 0, func(ctx context.Context, _ int) error { return hang(ctx) },
			1, 30 * time.Second, trysail.ErrTotalTimeout, trysail.ErrAttemptTimeout,
		},
		"a later attempt, before its own limit": {
			50 * time.Second, 20 * time.Second, func(ctx context.Context, _ int) error { return hang(ctx) },
			3, 50 * time.Second, trysail.ErrTotalTimeout, trysail.ErrOpen,
		},
		"a wait that would reach it": {
			2 * time.Second, 0, func(context.Context, int) error { return errDown },
			1, 0, errDown, context.DeadlineExceeded,
		},
		"a wait that leaves a nanosecond": {
			2*time.Second + 1, 0, func(ctx context.Context, attempt int) error {
				if attempt == 1 {
					return errDown
				}
				return hang(ctx)
			},
			2, 2*time.Second + 1, trysail.ErrTotalTimeout, trysail.ErrAttemptTimeout,
		},
		"never, when all is quick": {
			time.Minute, 20 * time.Second, func(context.Context, int) error { return errDown },
			3, 4 * time.Second, errDown, trysail.ErrTotalTimeout,
		},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, within(tc.total, tc.attempt))
			n, took, err := timed(t.Context(), op, tc.fn)
			if n != tc.attempts || took != tc.took {
				t.Errorf("Do() made %d attempts in %v, want %d in %v", n, took, tc.attempts, tc.took)
			}
			if !errors.Is(err, tc.is) || errors.Is(err, tc.isNot) {
				t.Errorf("Do() = %v, want %v and no %v", err, tc.is, tc.isNot)
			}
			if s := op.Breaker().Snapshot(); s.Failures != 1 {
				t.Errorf("Snapshot().Failures = %d, want 1", s.Failures)
			}
		})
	}
}

// A limit must not hide the 429 that used it up, however the client words its end.
func TestTotalLimitHidesNoRateLimit(t *testing.T) {
	for name, word := range map[string]func(context.Context) error{
		"the context's error": context.Context.Err,
		"wrapped":             hang,
		"the cause":           context.Cause,
	} {
		bubble(t, name, func(t *testing.T) {
			_, took, err := timed(t.Context(), newOperation(t, within(30*time.Second, 0)), func(ctx context.Context, attempt int) error {
				if attempt == 1 {
					return errLimit
				}
				<-ctx.Done()
				return word(ctx)
			})
			if took != 30*time.Second {
				t.Errorf("Do() took %v, want 30s", took)
			}
			wantError(t, err, trysail.Error{
				Operation: "op", Class: trysail.ClassRateLimited, Attempts: 2, RetryAfter: 3 * time.Second,
			}, trysail.ErrTotalTimeout)
			if !errors.Is(err, errLimit) {
				t.Errorf("Do() = %v, want the %v inside", err, errLimit)
			}
		})
	}
}

func TestWhoseLimitHasPassed(t *testing.T) {
	for name, tc := range map[string]struct {
		caller, total, attempt, took time.Duration
		want                         error
		not                          []error
	}{
		"the caller's": {
			10 * time.Second, 30 * time.Second, 20 * time.Second, 10 * time.Second,
			context.DeadlineExceeded,
			[]error{trysail.ErrTotalTimeout, trysail.ErrAttemptTimeout},
		},
		"the call's": {
			time.Minute, 30 * time.Second, 30 * time.Second, 30 * time.Second,
			trysail.ErrTotalTimeout, nil, // both limits are up at once
		},
		"the call's alone": {
			time.Minute, 30 * time.Second, 0, 30 * time.Second,
			trysail.ErrTotalTimeout,
			[]error{trysail.ErrAttemptTimeout},
		},
		"the attempt's": {
			time.Minute, 30 * time.Second, 20 * time.Second, 20 * time.Second,
			trysail.ErrAttemptTimeout,
			[]error{trysail.ErrTotalTimeout},
		},
	} {
		bubble(t, name, func(t *testing.T) {
			policy := within(tc.total, tc.attempt)
			policy.Retry.Disabled = true
			ctx, cancel := context.WithTimeout(t.Context(), tc.caller)
			defer cancel()
			_, took, err := timed(ctx, newOperation(t, policy), func(ctx context.Context, _ int) error { return hang(ctx) })
			if took != tc.took || trysail.Classify(err) != trysail.ClassTransient {
				t.Errorf("Do() = %v in %v, want it transient in %v", err, took, tc.took)
			}
			if tc.total == tc.attempt {
				tc.want = context.DeadlineExceeded // of two limits at one instant either may be named
			}
			if !errors.Is(err, tc.want) {
				t.Errorf("Do() = %v, want %v", err, tc.want)
			}
			for _, not := range tc.not {
				if errors.Is(err, not) {
					t.Errorf("Do() = %v, want no %v", err, not)
				}
			}
		})
	}
}

// To an operation the limit of the one around it is its caller's deadline.
func TestLimitOfAnOuterOperationIsTheCallersDeadline(t *testing.T) {
	for name, outer := range map[string]trysail.Policy{
		"total":   within(30*time.Second, 0),
		"attempt": within(0, 30*time.Second),
	} {
		bubble(t, name, func(t *testing.T) {
			outer.Retry.Disabled = true
			inner := newOperation(t, within(time.Hour, 0))
			var got error
			_, _, err := timed(t.Context(), newOperation(t, outer), func(ctx context.Context, _ int) error {
				_, _, got = timed(ctx, inner, func(ctx context.Context, _ int) error { <-ctx.Done(); return errDown })
				return got
			})
			if !errors.Is(got, context.DeadlineExceeded) || errors.Is(got, trysail.ErrTotalTimeout) {
				t.Errorf("inner Do() = %v, want %v, and not a limit of its own", got, context.DeadlineExceeded)
			}
			if errors.Is(err, trysail.ErrTotalTimeout) != (name == "total") {
				t.Errorf("outer Do() = %v, want its limit %s named", err, name)
			}
		})
	}
}
