package trysail

import (
	"context"
	"errors"
	"time"
)

// gates are what a call passes before the breaker is asked: the throttle, the limiter, the
// bulkhead. Each is nil when the policy has none.
type gates struct {
	throttle *throttle
	limiter  *Limiter
	bulkhead *bulkhead

	kept *gates // all that there have been, for the case that the policy gets one again
}

// gatesFor returns the gates of a checked policy, with what the ones before knew; nil
// if there were and are none.
func (op *Operation) gatesFor(policy *Policy, before *gates) *gates {
	if before == nil && !policy.Throttle.active() && !policy.Limiter.active() && !policy.Bulkhead.active() {
		return nil // before anything is allocated: it is what most operations have
	}
	g := &gates{kept: &gates{}}
	if before != nil {
		*g.kept = *before.kept
	}
	now := op.clock.now()
	if policy.Throttle.active() {
		if g.kept.throttle == nil {
			g.kept.throttle = newThrottle(op.name, policy.Throttle, now)
		} else {
			g.kept.throttle.reconfigure(policy.Throttle, now)
		}
		g.throttle = g.kept.throttle
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
	case g.kept.bulkhead != nil: // also without a bound: those who wait must be let in
		g.kept.bulkhead.reconfigure(policy.Bulkhead)
	case policy.Bulkhead.active():
		g.kept.bulkhead = newBulkhead(op.name, policy.Bulkhead)
	}
	if policy.Bulkhead.active() {
		g.bulkhead = g.kept.bulkhead
	}
	return g
}

// enter passes the gates, or says why not. Mostly all are open, and it reads no clock.
func (c *call) enter(ctx context.Context) error {
	g := c.set.gates
	if g.throttle != nil {
		if err := g.throttle.admit(c.start); err != nil {
			return c.turnedAway(err)
		}
	}
	if g.limiter != nil && !g.limiter.allow(c.start, 1) {
		return c.queue(ctx, g.limiter)
	}
	if g.bulkhead != nil && !c.occupy(g.bulkhead) {
		return c.queue(ctx, nil)
	}
	return nil
}

func (c *call) occupy(b *bulkhead) bool {
	if b.occupy() {
		c.place = b
	}
	return c.place != nil
}

// queue waits at the limiter, if there is one that did not let the call through, and at the bulkhead.
// The limit of the call holds while it waits. Its time with the dependency begins afterwards.
func (c *call) queue(ctx context.Context, closed *Limiter) error {
	total := c.set.policy.Total
	if total > 0 {
		limited, cancel := context.WithTimeoutCause(ctx, total, errQueueLimit)
		defer cancel()
		ctx = limited
	}
	err := c.waitAtGates(ctx, closed)
	now := c.op.clock.now()
	c.queued = time.Duration(now - c.start)
	if err != nil {
		return c.turnedAway(err)
	}
	c.start = now
	if total > 0 && c.queued >= total {
		// It got through in the last moment; nothing is left for the call itself.
		c.abandon()
		return c.turnedAway(&Error{Operation: c.op.name, Class: ClassTransient, Err: ErrTotalTimeout})
	}
	return nil
}

// waitAtGates takes the call's turn at the limiter, and then its place. It waits for nothing while the breaker
// would refuse the call anyway.
func (c *call) waitAtGates(ctx context.Context, closed *Limiter) error {
	if closed != nil {
		if err := c.shut(); err != nil {
			return err
		}
		if err := closed.Wait(ctx, 1); err != nil {
			return err
		}
	}
	b := c.set.gates.bulkhead
	if b == nil || c.occupy(b) {
		return nil
	}
	err := c.shut()
	if err == nil {
		err = b.enter(ctx)
	}
	if err != nil {
		c.refund()
		return err
	}
	c.place = b
	return nil
}

// shut returns the refusal of a breaker that lets nobody through at present. Who is waiting when it opens is
// refused at his turn, and gives it to the next one, so that all leave with the first.
func (c *call) shut() error {
	if c.breaker == nil {
		return nil
	}
	if refused := c.breaker.shut(c.op.clock.now()); refused != nil {
		return refused
	}
	return nil
}

// errQueueLimit is the cause of the context of a wait at the gates when the limit of the call has
// passed. No function gets that context, so no inner operation can take the limit for its own.
var errQueueLimit = errors.New("time limit of the call has passed in the queue")

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
	if errors.Is(err, ErrOpen) {
		c.op.counters.rejected.Add(1)
		return err // the breaker explains its refusals itself
	}
	n := c.op.counters.rare()
	switch {
	case errors.Is(err, ErrBulkheadFull):
		n.full.Add(1)
	case errors.Is(err, ErrThrottled):
		n.throttled.Add(1)
	case errors.Is(err, ErrLimited):
		n.limited.Add(1)
	default:
		n.unstarted.Add(1)
	}
	if Classify(err) == ClassCanceled {
		n.canceled.Add(1)
	}
	if last := n.explained.Load(); last == 0 || c.start-last >= refusalStep {
		n.explained.Store(c.start)
		c.op.explain(Decision{Time: c.op.now(), Outcome: "refused", Reason: Classify(err).String() + ": " + cause(err)})
	}
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

// abandon gives back what a call has got at the gates that does not reach the dependency after all.
func (c *call) abandon() {
	c.refund()
	c.leave()
}

// refund gives back what a call took from the limiter.
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

// A signal is what the end of a call says about the load that the dependency takes.
type signal uint8

const (
	signalNone     signal = iota // nothing
	signalTaken                  // it took the call, whatever the answer
	signalFailed                 // it did not, but not because of the load
	signalOverload               // it takes no more, or takes too long
)

// signal returns what a failed call says. That a time limit has passed says nothing about load when
// the dependency has said what was wrong, such as a bad request. A deadline of the caller's own says nothing
// at all: it may have been far too short for any answer.
func (c *call) signal(v verdict, err error) signal {
	late := errors.Is(err, ErrAttemptTimeout) || errors.Is(err, ErrTotalTimeout)
	switch {
	case v.class == ClassCanceled, v.class == ClassTransient && v.ended && !late && c.last == nil:
		return signalNone
	case v.class == ClassRateLimited, v.class == ClassOverloaded, v.class == ClassTransient && late:
		return signalOverload
	case c.set.table[v.class].Count && v.class != ClassBadAnswer:
		return signalFailed
	default:
		return signalTaken
	}
}

// report tells the gates how the call has ended, and gives its place back.
func (c *call) report(s signal, now int64) {
	g := c.set.gates
	if g == nil {
		return
	}
	if g.throttle != nil {
		g.throttle.count(s, now)
	}
	if c.place != nil {
		c.place.learn(s, c.start, now)
	}
	c.leave()
}

// Throttle returns a snapshot of the operation's throttle, and whether it has one.
func (op *Operation) Throttle() (ThrottleSnapshot, bool) {
	if g := op.settings.Load().gates; g != nil && g.throttle != nil {
		return g.throttle.snapshot(op.clock.now()), true
	}
	return ThrottleSnapshot{}, false
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
