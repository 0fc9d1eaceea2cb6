package trysail

import (
	"context"
	"errors"
)

// Do runs fn under op: refused while op's breaker is open, otherwise at least
// once, and again after failures as the policy says.
//
// It returns what the last attempt returned. A failure comes as an [*Error] that
// wraps the dependency's own error; the value beside it is the last attempt's
// too, so that a response can be looked at. fn must heed the context that it gets:
// ctx itself, or, where the policy has time limits, one that ends with them and
// when fn has returned. When the caller cancels, Do makes no further attempt, and the
// breaker does not count the call, unless as a slow one: see BreakerPolicy.SlowCall. A panic in fn counts as
// a failure and goes on its way.
//
// A success costs about 90 ns and allocates nothing, without time limits.
func Do[T any](ctx context.Context, op *Operation, fn func(context.Context) (T, error)) (T, error) {
	var value T
	if fn == nil {
		return value, misuse(op, ErrNoFunction)
	}
	if refused := op.refusedAgain(ctx); refused != nil {
		return value, refused
	}
	var c call
	if err := c.begin(ctx, op); err != nil {
		return value, err
	}
	defer c.end()
	if c.set.limited {
		return attempts(ctx, &c, fn)
	}
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

// DoWithFallback is [Do] with further ways to an answer: when the call is refused or
// fails, the fallbacks answer instead, in turn, until one succeeds. Each gets the reason for
// which it is asked. They do not run when the caller cancelled or the call cannot be made as
// written, and they move no breaker; the call counts as failed. If they all fail, the
// first error is returned together with the last.
func DoWithFallback[T any](ctx context.Context, op *Operation, fn func(context.Context) (T, error),
	fallbacks ...func(ctx context.Context, cause error) (T, error),
) (T, error) {
	value, err := Do(ctx, op, fn)
	if err == nil || fn == nil || !op.fallsBack(err) {
		return value, err
	}
	for _, fallback := range fallbacks {
		if fallback != nil {
			value, err = fallBack(ctx, op, err, fallbacks)
			op.observeFallback(err)
			return value, err
		}
	}
	return value, err
}

// observeFallback tells what has come of the fallbacks.
func (op *Operation) observeFallback(err error) {
	if op.tell == nil {
		return
	}
	e := Event{Kind: EventFallback, Operation: op.name, Time: op.now(), Err: err}
	if err != nil {
		e.Class = Classify(err)
	}
	op.tell(e)
}

// fallBack asks one fallback after the other.
func fallBack[T any](ctx context.Context, op *Operation, first error,
	fallbacks []func(ctx context.Context, cause error) (T, error),
) (value T, err error) {
	err = first
	counted := false
	for _, fallback := range fallbacks {
		if fallback == nil {
			continue
		}
		if counted && errors.Is(ctx.Err(), context.Canceled) {
			return value, &both{err, ctx.Err()} // the caller has left since the one before
		}
		if !counted {
			counted = true
			op.counters.rare().fallbacks.Add(1)
		}
		var failed error
		if value, failed = fallback(ctx, err); failed == nil {
			return value, nil
		}
		err = &both{first, failed}
	}
	return value, err
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
