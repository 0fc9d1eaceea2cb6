package trysail

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// A Result is the outcome of one item of a [Batch].
type Result[T any] struct {
	Value T
	Err   error // as Do returns it
}

// batchWidth is how many items of a batch run at once.
const batchWidth = 8

// Batch runs fn for every item under op, eight at a time, and returns one result per
// item, in their order. Each item is a call of its own, with its own retries.
//
// When the breaker refuses an item, those that have not begun are not tried: their results
// carry the same refusal, and they are not counted as calls. When the caller cancels, they carry the
// context's error. A panic in fn ends the batch and goes on in the caller's goroutine, with
// the stack of where it happened in its text.
func Batch[In, Out any](ctx context.Context, op *Operation, items []In,
	fn func(context.Context, In) (Out, error),
) []Result[Out] {
	b := batch[In, Out]{ctx: ctx, op: op, run: Wrap(op, fn), items: items, results: make([]Result[Out], len(items))}
	var workers sync.WaitGroup
	for range min(batchWidth, len(items)) {
		workers.Go(b.work)
	}
	workers.Wait()
	if p := b.panicked.Load(); p != nil {
		panic(*p)
	}
	if stop := b.stop.Load(); stop != nil {
		for i := int(b.next.Load()); i < len(items); i++ {
			b.results[i].Err = *stop // nobody was left to begin it
		}
	}
	return b.results
}

// batch is a Batch under way.
type batch[In, Out any] struct {
	ctx      context.Context //nolint:containedctx // it is the call's, whose workers share it
	op       *Operation
	run      func(context.Context, In) (Out, error)
	items    []In
	results  []Result[Out]
	next     atomic.Int64
	stop     atomic.Pointer[error] // why the rest is not tried
	panicked atomic.Pointer[carriedPanic]
}

func (b *batch[In, Out]) work() {
	for {
		i := int(b.next.Add(1)) - 1
		if i >= len(b.items) || b.panicked.Load() != nil {
			return
		}
		b.one(i)
	}
}

func (b *batch[In, Out]) one(i int) {
	if stop := b.stop.Load(); stop != nil {
		b.results[i].Err = *stop
		return
	}
	b.results[i].Err = errNoAnswer // if fn ends its goroutine
	defer func() {
		if v := recover(); v != nil {
			b.panicked.CompareAndSwap(nil, carry(v))
		}
		if err := b.results[i].Err; errors.Is(err, errNoAnswer) {
			b.stop.CompareAndSwap(nil, &err) // this worker is gone, and the others may follow
		}
	}()
	value, err := b.run(b.ctx, b.items[i])
	b.results[i] = Result[Out]{value, err}
	if rest := b.rest(err); rest != nil {
		b.stop.CompareAndSwap(nil, &rest)
	}
}

// rest returns the error of the items that have not begun, if they need not begin: the
// refusal of this operation's own breaker, or the end of the caller's context.
func (b *batch[In, Out]) rest(err error) error {
	var refused *Error
	switch {
	case err == nil || b.op == nil:
		return nil
	case errors.As(err, &refused) && refused.Attempts == 0 && refused.Operation == b.op.name && errors.Is(err, ErrOpen):
		return err
	case b.ctx.Err() == nil:
		return nil
	case errors.Is(endOf(b.ctx), context.Canceled):
		return &Error{Operation: b.op.name, Class: ClassCanceled, Err: endOf(b.ctx)}
	default:
		return &Error{Operation: b.op.name, Class: ClassTransient, Err: endOf(b.ctx)}
	}
}
