package trysail

import (
	"context"
	"errors"
	"time"
)

// A call is one Do under way. It lives on the caller's stack.
type call struct {
	op       *Operation
	set      *settings // those that it began with
	breaker  *Breaker  // nil when there is none
	permit   permit
	place    *bulkhead       // where it has a place; nil if nowhere
	start    int64           // after the waits at the gates
	queued   time.Duration   // those waits
	caller   context.Context //nolint:containedctx // the caller's, where the policy has a limit for the call
	attempts int
	onces    int // of those, how many failed with an error that is worth one retry only
	waited   time.Duration
	pacer    pacer
	bucket   int64 // of the retry budget, in which the newest retry was taken
	last     error // the dependency's error of an earlier attempt
	err      error // what Do returns
	broke    bool  // the retry budget did not allow another attempt
	held     bool  // its outcome came with a permit
	settled  bool
}

// begin asks whether the call may be made.
func (c *call) begin(ctx context.Context, op *Operation) error {
	if op == nil || op.common == nil {
		return misuse(nil, ErrNoOperation)
	}
	if op.bad != nil {
		return misuse(op, op.bad)
	}
	c.op = op
	c.start = op.clock.now()
	if err := endOf(ctx); err != nil {
		return c.unstarted(err)
	}
	set := op.settings.Load()
	c.set, c.breaker = set, set.active
	if set.gates != nil {
		if err := c.enter(ctx); err != nil {
			return c.unmade(err)
		}
	}
	if c.breaker != nil {
		permit, refused := c.breaker.admit(c.start)
		if refused != nil {
			op.counters.rejected.Add(1)
			if set.gates != nil {
				c.abandon()
			}
			if op.tellCalls == nil { // a refusal must cost next to nothing
				return refused
			}
			return c.unmade(refused)
		}
		c.permit = permit
	}
	if set.account != nil {
		set.account.begin(op.clock, c.start) // a refused call earns no retry
	}
	return nil
}

// unstarted ends a call whose caller was gone before it began.
func (c *call) unstarted(err error) error {
	c.op.counters.rare().unstarted.Add(1)
	c.op.counters.rare().lastFailure.Store(c.start)
	e := &Error{Operation: c.op.name, Class: ClassTransient, Err: err}
	if errors.Is(err, context.Canceled) {
		e.Class = ClassCanceled
		c.op.counters.rare().canceled.Add(1)
	}
	return c.unmade(e)
}

// unmade tells of a call that was not made, and returns why.
func (c *call) unmade(why error) error {
	if c.op.tellCalls != nil {
		c.err = why
		c.observeEnd(c.op.clock.now())
	}
	return why
}

// observeEnd tells of the end of the call.
func (c *call) observeEnd(now int64) {
	if c.op.tellCalls == nil {
		return
	}
	e := Event{Kind: EventCall, Operation: c.op.name, Time: c.op.clock.wall(now), Attempt: c.attempts, Wait: c.queued, Leaked: c.permit.leaked, Err: c.err}
	if e.Err != nil {
		e.Class = Classify(e.Err)
	}
	if c.attempts > 0 {
		e.Took = time.Duration(now - c.start)
	}
	c.op.tellCalls(e)
}

// succeed settles the call.
func (c *call) succeed() {
	c.settled = true
	now := c.op.clock.now()
	c.op.counters.success(c.start, now)
	if c.breaker != nil {
		c.breaker.succeed(c.permit, c.start, now)
	}
	if b := c.set.account; b != nil {
		b.succeed(c.op.clock, now, c.set.policy.Retry.Cost)
	}
	c.report(signalTaken, now)
	if c.op.tellCalls != nil {
		if !c.held {
			c.attempts++ // the one that succeeded
		}
		c.observeEnd(now)
	}
}

// renew gives a probe whose answer has begun the time that a probe has.
func (c *call) renew() {
	if c.permit.probe {
		c.breaker.renew(c.permit, c.op.clock.now())
	}
}

// end settles a call that panicked, or whose goroutine was ended by fn. It does
// not recover, so the panic keeps its own stack.
func (c *call) end() {
	if !c.settled {
		if !c.held {
			c.attempts++
		}
		c.breakOff(errPanicked)
		c.op.counters.rare().panics.Add(1) // after the failure, of which it is one
	}
}

// breakOff settles a call of which no outcome will come, as a failure.
func (c *call) breakOff(why error) {
	c.op.explain(Decision{Time: c.op.now(), Outcome: "failed", Reason: c.told(why.Error()), Attempts: c.attempts})
	c.err = why
	c.fail(result{outcome: outcomeFailure}, signalNone)
}

// errPanicked is what an observer hears of a call whose function did not return.
var errPanicked = errors.New("the function panicked or left its goroutine")

// fail settles the call, whose error is c.err.
func (c *call) fail(r result, s signal) {
	c.settled = true
	now := c.op.clock.now()
	c.op.counters.failure(c.start, now)
	if c.breaker != nil {
		c.breaker.settle(c.permit, r, c.start, now)
	}
	c.report(s, now)
	c.observeEnd(now)
}
