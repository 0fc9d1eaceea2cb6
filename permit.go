package trysail

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"sync"
)

// A Permit is the right to make one call whose outcome is known later, such as
// at the end of a stream. It comes from [Operation.Acquire] or [Start].
//
// It must be given back with Done, once. A permit that is lost, because its holder
// forgot it, is taken back when the garbage collector finds it, as a failure; the place
// of a probe is taken back after the policy's ProbeTimeout already.
type Permit struct {
	held *held
}

// held is what a permit gives back, also when the permit itself is gone.
type held struct {
	once   sync.Once
	cancel context.CancelCauseFunc // of the context that Start made; may be nil
	races  races
	ctx    context.Context //nolint:containedctx // the caller's: whether it ended decides what an error means
	call   call
}

// Acquire asks for a permit. A refusal is an [*Error], as [Do] returns it. Policy.Total bounds
// the wait for it at limiter and bulkhead. What comes then, attempts and time limits, is the
// caller's affair.
func (op *Operation) Acquire(ctx context.Context) (*Permit, error) {
	h := &held{ctx: ctx}
	if err := h.call.begin(ctx, op); err != nil {
		return nil, err
	}
	return newPermit(h), nil
}

func newPermit(h *held) *Permit {
	p := &Permit{held: h}
	runtime.AddCleanup(p, (*held).lose, h)
	return p
}

// Done gives the permit back and says how the call ended: nil is a success, any other
// error counts by its class. Further calls do nothing but count in
// [OperationMetrics].Misuses. On a nil permit, such as comes with a refusal, it does
// nothing. Mind that "defer p.Done(err)" takes the err of that moment; use a function.
func (p *Permit) Done(err error) {
	if p == nil || p.held == nil {
		return
	}
	defer runtime.KeepAlive(p) // or a collection in the middle could take it for lost
	h := p.held
	first := false
	h.once.Do(func() {
		first = true
		h.done(err)
	})
	if !first {
		h.call.op.counters.rare().misuses.Add(1)
	}
}

func (h *held) done(err error) {
	defer h.release()
	defer h.call.end() // a method of err may panic
	h.call.attempts, h.call.held = max(h.call.attempts, 1), true
	if err == nil {
		h.call.succeed()
		return
	}
	h.call.finish(h.ctx, h.call.judge(h.ctx, err), err)
}

// release ends the contexts that lived as long as the permit.
func (h *held) release() {
	if h.cancel != nil {
		h.cancel(nil)
	}
	h.races.end()
}

// errLost is what an observer hears of a permit that was lost.
var errLost = errors.New("the permit was lost: nobody called Done")

// lose takes back what nobody gave back.
func (h *held) lose() {
	h.once.Do(func() {
		h.release()
		h.call.attempts = max(h.call.attempts, 1)
		h.call.breakOff(errLost)
		h.call.op.counters.rare().misuses.Add(1)
	})
}

// Start is [Do] for an answer that begins before it is complete. It runs fn with retries
// until fn has returned the begin of an answer, such as a stream whose first token has come.
// The call's outcome is still open then, and the permit is the duty to say it:
//
//	stream, permit, err := trysail.Start(ctx, op, openStream)
//	if err != nil {
//		return err
//	}
//	err = readToTheEnd(stream)
//	permit.Done(err)
//
// Nothing is repeated after Start has returned. Policy.Attempt bounds fn, not what
// comes after; Policy.Total bounds the wait at limiter and bulkhead only. As a probe, the stream has
// BreakerPolicy.ProbeTimeout from its begin to its end. On failure the permit is nil.
func Start[T any](ctx context.Context, op *Operation, fn func(context.Context) (T, error)) (value T, p *Permit, err error) {
	if fn == nil {
		return value, nil, misuse(op, ErrNoFunction)
	}
	h := &held{ctx: ctx}
	c := &h.call
	if err := c.begin(ctx, op); err != nil {
		return value, nil, err
	}
	defer func() {
		if p == nil {
			c.end() // a panic; every other end has been settled
			h.release()
		}
	}()
	ctx = h.races.within(ctx) // hedging may be switched on while Start waits, and another operation's may be on
	for {
		if value, err = begun(ctx, h, fn); err == nil {
			c.attempts, c.last = c.attempts+1, nil // what comes is judged by itself
			c.renew()
			return value, newPermit(h), nil
		}
		if !c.again(ctx, err) {
			return value, nil, c.err
		}
	}
}

// begun makes an attempt whose context lives on when it has succeeded, until the
// permit is given back. Only the wait for its begin is limited.
func begun[T any](ctx context.Context, h *held, fn func(context.Context) (T, error)) (T, error) {
	if h.call.set.policy.Attempt == 0 {
		return fn(ctx)
	}
	own, cancel := context.WithCancelCause(ctx)
	timer := newLimit(h.call.set.policy.Attempt, cancel)
	defer func() {
		timer.Stop()
		if h.cancel == nil { // fn failed, or never returned
			cancel(nil)
		}
	}()
	value, err := fn(own)
	switch passed := !timer.Stop(); {
	case err == nil && !passed && own.Err() == nil:
		h.cancel = cancel
		return value, nil
	case err == nil: // a stream whose context has ended is none
		if closer, ok := any(value).(interface{ Close() error }); ok {
			_ = closer.Close()
		}
		return value, cmp.Or(ctx.Err(), ErrAttemptTimeout)
	case ctx.Err() == nil && passed:
		err = late(err)
	}
	return value, err
}
