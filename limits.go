package trysail

import (
	"context"
	"errors"
	"time"
)

// Time limits of a policy that have passed; match them with [errors.Is]. They are
// also the causes of the contexts that they end, see [context.Cause].
var (
	// ErrAttemptTimeout means that an attempt took longer than Policy.Attempt.
	ErrAttemptTimeout = errors.New("time limit of the attempt has passed")

	// ErrTotalTimeout means that a call took longer than Policy.Total, waits included.
	ErrTotalTimeout = errors.New("time limit of the call has passed")
)

// attempts is the loop of Do where there are limits.
func attempts[T any](ctx context.Context, c *call, fn func(context.Context) (T, error)) (value T, err error) {
	if total := c.set.policy.Total; total > 0 {
		total -= c.queued
		c.caller = ctx
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, total, ErrTotalTimeout)
		defer cancel()
	}
	for {
		if value, err = limited(ctx, c, fn); err == nil {
			c.succeed()
			return value, nil
		}
		if !c.again(ctx, err) {
			return value, c.err
		}
	}
}

// limited makes an attempt under its limit, if it has one. When the limit has
// passed, the error says so, and says what fn said.
func limited[T any](ctx context.Context, c *call, fn func(context.Context) (T, error)) (T, error) {
	if c.set.policy.Attempt == 0 {
		return fn(ctx)
	}
	own, cancel := context.WithTimeoutCause(ctx, c.set.policy.Attempt, ErrAttemptTimeout)
	defer cancel()
	value, err := fn(own)
	if err != nil && ctx.Err() == nil && own.Err() != nil {
		err = late(err)
	}
	return value, err
}

// late is the error of an attempt that was ended by its own limit. Whatever the
// client made of that, it is a fault that may pass, and not a cancellation.
func late(err error) error {
	if Classify(err) == ClassCanceled {
		err = Transient(err)
	}
	if errors.Is(err, ErrAttemptTimeout) {
		return err
	}
	return &both{err, ErrAttemptTimeout}
}

// endOf is ctx.Err, but for a context that a time limit of ours has ended by cancelling it. That
// is a deadline: nobody has left.
func endOf(ctx context.Context) error {
	if ended := ctx.Err(); ended != nil {
		return endedBy(ctx, ended)
	}
	return nil
}

func endedBy(ctx context.Context, ended error) error {
	if cause := context.Cause(ctx); errors.Is(cause, ErrAttemptTimeout) || errors.Is(cause, ErrTotalTimeout) {
		return context.DeadlineExceeded
	}
	return ended
}

// whose returns the reason for which a call's context has ended: the limit of its
// policy, or what ended the caller's context, which may be a limit of an outer operation.
func (c *call) whose(ctx context.Context) error {
	if c.caller != nil && c.caller.Err() == nil && errors.Is(context.Cause(ctx), ErrTotalTimeout) {
		return ErrTotalTimeout
	}
	return endOf(ctx)
}

// newLimit returns a timer that ends a context when an attempt's limit has passed.
func newLimit(d time.Duration, cancel context.CancelCauseFunc) *time.Timer {
	return time.AfterFunc(d, func() { cancel(ErrAttemptTimeout) })
}
