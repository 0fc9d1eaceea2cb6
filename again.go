package trysail

import (
	"context"
	"errors"
	"time"
)

// again takes the error of an attempt. It waits and reports true when another
// attempt is due; otherwise the call is settled and c.err is what Do returns.
func (c *call) again(ctx context.Context, err error) bool {
	c.attempts++
	v := c.judge(ctx, err)
	if v.once {
		c.onces++
	}
	wait, ok := c.wait(ctx, v)
	if ok && !v.paid && !c.affordable() {
		c.op.counters.rare().denied.Add(1)
		ok, c.broke, err = false, true, &both{err, ErrBudget}
	}
	if ok {
		c.observeRetry(v, wait, err)
		if pause(ctx, wait) && !c.stopped() {
			c.last = err
			c.waited += wait
			c.op.counters.rare().retries.Add(1)
			return true
		}
		if b := c.set.policy.Retry.Budget; b != nil && !v.paid {
			b.giveBack(c.bucket, c.set.policy.Retry.Cost)
		}
	}
	c.finish(ctx, v, err)
	return false
}

// judge classes the error of an attempt. The caller's own context goes before
// anything that the error says: clients dress up a cancellation in many ways.
func (c *call) judge(ctx context.Context, err error) verdict {
	switch ended := endOf(ctx); {
	case ended == nil:
		return judge(err)
	case errors.Is(ended, context.Canceled):
		return verdict{class: ClassCanceled, ended: true}
	default: // the caller's deadline: a failure of the dependency, unless it says better
		v := judge(err)
		if v.class == ClassCanceled {
			v.class = ClassTransient
		}
		v.ended = true
		return v
	}
}

// wait returns how long to wait before the next attempt, if there may be one.
func (c *call) wait(ctx context.Context, v verdict) (time.Duration, bool) {
	retry := c.retry(ctx)
	switch {
	case v.final(), c.permit.probe, retry.Disabled, !c.set.table[v.class].Retry, c.attempts >= retry.limit(v.class), c.spent(v):
		return 0, false
	case c.stopped():
		return 0, false
	}
	d := c.pacer.delay(retry, c.attempts, v)
	if c.waited+d > retry.DelayBudget || outlasts(ctx, d) {
		return 0, false
	}
	return d, true
}

// spent reports whether the one retry that the error is worth has been made.
func (c *call) spent(v verdict) bool { return v.once && c.onces > 1 }

// affordable reports whether the retry budget allows another attempt. It is asked
// last, because what it allows is taken from it.
func (c *call) affordable() (ok bool) {
	b := c.set.policy.Retry.Budget
	if b == nil {
		return true
	}
	c.bucket, ok = b.take(c.op.clock, c.op.clock.now(), c.set.policy.Retry.Cost)
	return ok
}

// stopped reports whether the breaker has stopped letting calls through since
// this one began: others have found out what this call would only repeat.
func (c *call) stopped() bool {
	return c.breaker != nil && c.breaker.load().state().Refuses()
}

// finish settles a failed call and makes its error.
func (c *call) finish(ctx context.Context, v verdict, err error) {
	if ctx.Err() != nil {
		err = c.telling(ctx, err, c.whose(ctx))
		v = c.judge(ctx, err)
	}
	c.op.explain(Decision{
		Time: c.op.now(), Outcome: "failed", Reason: c.told(c.whyNot(ctx, v)), Class: v.class, Attempts: c.attempts,
	})
	r := result{outcome: outcomeNeutral, class: v.class, after: v.after}
	switch {
	case c.set.table[v.class].Count && !v.neutral:
		r.outcome = outcomeFailure
	case v.class == ClassCanceled:
		r.outcome = outcomeLeft
	}
	c.err = &Error{Operation: c.op.name, Class: v.class, Attempts: c.attempts, RetryAfter: v.after, Err: err}
	c.fail(r, c.signal(v, err))
	if v.class == ClassCanceled {
		c.op.counters.rare().canceled.Add(1) // after the failure, of which it is one
	}
}

// telling returns the error of a call whose caller's context has ended. It can
// be matched as that end, and as the dependency's last error if there was one: a
// deadline must not hide the 429 that used it up.
func (c *call) telling(ctx context.Context, err, ended error) error {
	if !errors.Is(err, ended) && !errors.Is(err, ctx.Err()) && !errors.Is(err, context.Cause(ctx)) {
		return &both{err, ended}
	}
	if c.last != nil {
		return &both{c.last, ended}
	}
	if !errors.Is(err, ended) {
		return &both{err, ended} // a cause set by the caller
	}
	return err
}

func (c *call) observeRetry(v verdict, wait time.Duration, err error) {
	if c.op.tell == nil {
		return
	}
	c.op.tell(Event{
		Kind: EventRetry, Operation: c.op.name, Time: c.op.now(),
		Attempt: c.attempts, Class: v.class, Wait: wait, Err: err,
	})
}
