package trysail

import (
	"context"
	"time"
)

// delay returns how long to wait after the attempt-th failed attempt of a call.
//
// The server's own minimum is a floor, never undercut. Where it is the longer
// of the two, a tenth of it, at most a second, is spread on top: callers that
// were sent away together must not come back together.
func (p *pacer) delay(r *RetryPolicy, attempt int, v verdict) time.Duration {
	d := p.computed(r, attempt, v)
	if v.after <= d {
		return d
	}
	return v.after + r.spread(min(v.after/10, time.Second))
}

// spread returns a random part of up to most.
func (r *RetryPolicy) spread(most time.Duration) time.Duration {
	if r.NoJitter || most <= 0 {
		return 0
	}
	return uniform(most)
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
