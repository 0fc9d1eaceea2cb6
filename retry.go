package trysail

import (
	"context"
	"math/rand/v2"
	"time"
)

// delay returns how long to wait after the attempt-th failed attempt.
//
// The server's own minimum is a floor, never undercut. Where it is the longer
// of the two, a tenth of it, at most a second, is spread on top: callers that
// were sent away together must not come back together.
func (r *RetryPolicy) delay(attempt int, v verdict) time.Duration {
	d := r.computed(attempt, v)
	if v.after <= d {
		return d
	}
	return v.after + r.spread(min(v.after/10, time.Second))
}

// computed is the formula without the server's hint. A rate limit without a
// hint waits twice as long (the specification's "extended backoff").
func (r *RetryPolicy) computed(attempt int, v verdict) time.Duration {
	if r.Backoff == BackoffNone {
		return 0
	}
	d := min(max(doubled(r.Base, attempt-1, r.MaxDelay), r.MinDelay), r.MaxDelay)
	if v.class == ClassRateLimited && v.after == 0 {
		d = min(2*d, r.MaxDelay)
	}
	return d + r.spread(r.Jitter)
}

// spread returns a random part of up to most.
func (r *RetryPolicy) spread(most time.Duration) time.Duration {
	if r.NoJitter || most <= 0 {
		return 0
	}
	return rand.N(most + 1)
}

// doubled returns base·2^times, at most limit. Compared this way round nothing
// overflows, however many times.
func doubled(base time.Duration, times int, limit time.Duration) time.Duration {
	if base > limit>>times {
		return limit
	}
	return base << times
}

// pause waits for d, or until ctx ends, and reports whether the time passed.
func pause(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil // both may have come at once
	case <-ctx.Done():
		return false
	}
}

// outlasts reports whether a wait of d would reach ctx's deadline: the error in
// hand then tells the caller more, and sooner, than "deadline exceeded" would.
func outlasts(ctx context.Context, d time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) <= d
}
