package trysail

import (
	"context"
	"errors"
	"time"
)

// Do runs fn under op: refused while op's breaker is open, otherwise at least
// once, and again after failures as the policy says.
//
// It returns what the last attempt returned. A failure comes as an [*Error] that
// wraps the dependency's own error; the value beside it is the last attempt's
// too, so that a response can be looked at. fn gets ctx unchanged and must heed
// it. When the caller cancels, Do makes no further attempt, and the breaker does
// not count the call. A panic in fn counts as a failure and goes on its way.
//
// A success costs about 75 ns and allocates nothing.
func Do[T any](ctx context.Context, op *Operation, fn func(context.Context) (T, error)) (T, error) {
	var (
		c     call
		value T
	)
	if fn == nil {
		return value, misuse(op, ErrNoFunction)
	}
	if err := c.begin(ctx, op); err != nil {
		return value, err
	}
	defer c.end()
	for {
		var err error
		value, err = fn(ctx)
		if err == nil {
			c.succeed()
			return value, nil
		}
		if !c.again(ctx, err) {
			return value, c.err
		}
	}
}

// DoWithFallback is [Do] with a second way to an answer: when the call is
// refused or fails, fallback gets the reason and answers instead. It does not run
// when the caller cancelled or the call cannot be made as written, and it moves no
// breaker; the call counts as failed. If the fallback fails too, its error is returned together with the first.
func DoWithFallback[T any](ctx context.Context, op *Operation, fn func(context.Context) (T, error),
	fallback func(ctx context.Context, cause error) (T, error),
) (T, error) {
	value, err := Do(ctx, op, fn)
	if err == nil || fn == nil || fallback == nil || !op.fallsBack(err) {
		return value, err
	}
	op.counters.fallbacks.Add(1)
	value, failed := fallback(ctx, err)
	if failed != nil {
		return value, &both{err, failed}
	}
	return value, nil
}

// Wrap returns fn as a function that runs under op.
func Wrap[In, Out any](op *Operation, fn func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (Out, error) {
		if fn == nil {
			var none Out
			return none, misuse(op, ErrNoFunction)
		}
		return Do(ctx, op, func(ctx context.Context) (Out, error) { return fn(ctx, in) })
	}
}

// misuse is the error of a call that cannot be made as written.
func misuse(op *Operation, reason error) error {
	e := &Error{Class: ClassPermanent, Err: reason}
	if op != nil {
		e.Operation = op.name
	}
	return e
}

// A call is one Do under way. It lives on the caller's stack.
type call struct {
	op       *Operation
	policy   *RetryPolicy
	breaker  *Breaker // nil when there is none
	permit   permit
	start    int64
	attempts int
	waited   time.Duration
	last     error // the dependency's error of an earlier attempt
	err      error // what Do returns
	settled  bool
}

// begin asks whether the call may be made.
func (c *call) begin(ctx context.Context, op *Operation) error {
	if op == nil {
		return misuse(nil, ErrNoOperation)
	}
	if op.bad != nil {
		return misuse(op, op.bad)
	}
	c.op = op
	c.start = op.clock.now()
	if err := ctx.Err(); err != nil {
		return c.unstarted(err)
	}
	set := op.settings.Load()
	c.policy, c.breaker = &set.policy.Retry, set.active()
	if c.breaker == nil {
		return nil
	}
	permit, refused := c.breaker.admit(c.start)
	if refused != nil {
		op.counters.rejected.Add(1)
		return refused
	}
	c.permit = permit
	return nil
}

// unstarted ends a call whose caller was gone before it began.
func (c *call) unstarted(err error) error {
	c.op.counters.unstarted.Add(1)
	c.op.counters.lastFailure.Store(c.start)
	e := &Error{Operation: c.op.name, Class: ClassTransient, Err: err}
	if errors.Is(err, context.Canceled) {
		e.Class = ClassCanceled
		c.op.counters.canceled.Add(1)
	}
	return e
}

// succeed settles the call.
func (c *call) succeed() {
	c.settled = true
	now := c.op.clock.now()
	c.op.counters.success(c.start, now)
	if c.breaker != nil {
		c.breaker.settle(c.permit, outcomeSuccess, now)
	}
}

// end settles a call that panicked, or whose goroutine was ended by fn. It does
// not recover, so the panic keeps its own stack.
func (c *call) end() {
	if !c.settled {
		c.op.counters.panics.Add(1)
		c.fail(outcomeFailure)
	}
}

func (c *call) fail(o outcome) {
	c.settled = true
	now := c.op.clock.now()
	c.op.counters.failure(c.start, now)
	if c.breaker != nil {
		c.breaker.settle(c.permit, o, now)
	}
}
