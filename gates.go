package trysail

import (
	"context"
	"errors"
	"time"
)

// gates are what a call passes before the breaker is asked: the limiter, then the bulkhead.
type gates struct {
	limiter  *Limiter  // nil when the policy has none
	bulkhead *bulkhead // nil when the policy has none

	kept struct { // also while the policy has none, for the case that it gets one again
		limiter  *Limiter
		bulkhead *bulkhead
	}
}

// gatesFor returns the gates of a checked policy, with what the ones before knew; nil
// if there were and are none.
func (op *Operation) gatesFor(policy *Policy, before *gates) *gates {
	if before == nil && !policy.Limiter.active() && !policy.Bulkhead.active() {
		return nil
	}
	g := &gates{}
	if before != nil {
		g.kept = before.kept
	}
	if policy.Limiter.active() {
		if g.kept.limiter == nil {
			g.kept.limiter = newLimiter(op.name, op.clock, policy.Limiter)
		} else {
			g.kept.limiter.reconfigure(policy.Limiter)
		}
		g.limiter = g.kept.limiter
	}
	switch {
	case g.kept.bulkhead != nil:
		g.kept.bulkhead.reconfigure(policy.Bulkhead)
	case policy.Bulkhead.active():
		g.kept.bulkhead = newBulkhead(op.name, policy.Bulkhead)
	}
	if policy.Bulkhead.active() {
		g.bulkhead = g.kept.bulkhead
	}
	return g
}

// enter passes the gates, or says why not. The limit of the call holds while it waits. Its
// time with the dependency begins afterwards.
func (c *call) enter(ctx context.Context) error {
	if total := c.set.policy.Total; total > 0 {
		limited, cancel := context.WithTimeoutCause(ctx, total, errQueueLimit)
		defer cancel()
		ctx = limited
	}
	began := c.start
	if err := c.pass(ctx); err != nil {
		return err
	}
	c.start = c.op.clock.now()
	c.queued = time.Duration(c.start - began)
	if total := c.set.policy.Total; total > 0 && c.queued >= total {
		// It got through in the last moment; nothing is left for the call itself.
		c.refund()
		c.leave()
		return c.turnedAway(&Error{Operation: c.op.name, Class: ClassTransient, Err: ErrTotalTimeout})
	}
	return nil
}

// errQueueLimit is the cause of the context of a wait at the gates when the limit of the call has
// passed. No function gets that context, so no inner operation can take the limit for its own.
var errQueueLimit = errors.New("time limit of the call has passed in the queue")

func (c *call) pass(ctx context.Context) error {
	g := c.set.gates
	if g.limiter != nil {
		if err := g.limiter.Wait(ctx, 1); err != nil {
			return c.turnedAway(err)
		}
	}
	if g.bulkhead == nil {
		return nil
	}
	if err := g.bulkhead.enter(ctx); err != nil {
		c.refund()
		return c.turnedAway(err)
	}
	c.place = g.bulkhead
	return nil
}

// gateLimit is why a wait at a gate has ended: the limit of the call, or what ended the caller's
// context.
func gateLimit(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errQueueLimit) {
		return ErrTotalTimeout
	}
	return endOf(ctx)
}

// turnedAway counts a call that did not get through the gates.
func (c *call) turnedAway(err error) error {
	n := &c.op.counters
	switch {
	case errors.Is(err, ErrBulkheadFull):
		n.full.Add(1)
	case errors.Is(err, ErrLimited):
		n.limited.Add(1)
	default:
		n.unstarted.Add(1)
	}
	if Classify(err) == ClassCanceled {
		n.canceled.Add(1)
	}
	c.op.explain(Decision{Time: time.Now().UTC(), Outcome: "refused", Reason: Classify(err).String() + ": " + cause(err)})
	return err
}

// cause is the text of an error without the operation's name.
func cause(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Err.Error()
	}
	return err.Error()
}

// refund gives back what a call took that does not reach the dependency after all.
func (c *call) refund() {
	if l := c.set.gates.limiter; l != nil {
		l.giveBack(1)
	}
}

// leave gives a call's place back.
func (c *call) leave() {
	if c.place != nil {
		c.place.leave()
	}
}

// Limiter returns a snapshot of the operation's limiter, and whether it has one.
func (op *Operation) Limiter() (LimiterSnapshot, bool) {
	if g := op.settings.Load().gates; g != nil && g.limiter != nil {
		return g.limiter.Snapshot(), true
	}
	return LimiterSnapshot{}, false
}

// Bulkhead returns a snapshot of the operation's bulkhead, and whether it has one.
func (op *Operation) Bulkhead() (BulkheadSnapshot, bool) {
	if g := op.settings.Load().gates; g != nil && g.bulkhead != nil {
		return g.bulkhead.snapshot(), true
	}
	return BulkheadSnapshot{}, false
}
