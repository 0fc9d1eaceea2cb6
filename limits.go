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

// limited makes an attempt under its limit, and with its rivals, if it has any. When the limit has
// passed, the error says so, and says what fn said.
func limited[T any](ctx context.Context, c *call, fn func(context.Context) (T, error)) (value T, err error) {
	limit, hedged := c.set.policy.Attempt, c.mayHedge(ctx)
	if limit == 0 && !hedged {
		return fn(ctx)
	}
	own, cancel := bounded(ctx, limit)
	defer cancel()
	if hedged {
		value, err = race(own, c, fn)
	} else {
		value, err = fn(own)
	}
	if err != nil && ctx.Err() == nil && own.Err() != nil {
		err = late(err)
	}
	return value, err
}

// bounded returns the context of an attempt; a limit of 0 is none.
func bounded(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, limit, ErrAttemptTimeout)
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
	ended := ctx.Err()
	if ended == nil {
		return nil
	}
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

// newLimit ends a context when an attempt's limit has passed; 0 is none. The function that it returns
// lifts the limit, and reports whether it had not passed.
func newLimit(d time.Duration, cancel context.CancelCauseFunc) (lift func() bool) {
	if d == 0 {
		return func() bool { return true }
	}
	return time.AfterFunc(d, func() { cancel(ErrAttemptTimeout) }).Stop
}
