package trysail_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/trysail-go/trysail"
)

// steady is how often a call comes to an operation, at least, when the provider is well.
const steady = 250 * time.Millisecond

// caller makes calls until the fleet is done. It does not wait for their ends.
func (f *fleet) caller(o *fleetOperation, number int, plan callerPlan) {
	stream := uint64(1+o.number)<<40 | uint64(1+number)<<24
	d := newDice(f.plan.seed, stream)
	for n := range uint64(1 << 24) {
		pause := time.NewTimer(d.between(plan.every/2, plan.every/2*3))
		select {
		case <-f.over:
			pause.Stop()
			return
		case <-pause.C:
		}
		c := &fleetCall{dice: newDice(f.plan.seed, stream|(n+1)), fleetOperation: o, began: time.Now()}
		own, since := plan, time.Since(f.start)
		early := since < o.from(f.plan.heal)
		if early {
			o.early.Add(1)
		}
		if since >= f.plan.heal { // nobody spoils the recovery
			own.habit, own.lasts = own.habit.mild(), quickest
		}
		f.calls.Go(func() { f.call(o, c, own, early) })
	}
}

// mild is the habit without cancellations and deadlines, which would be failures of the caller's.
func (h habit) mild() habit {
	if h == streaming {
		return streaming
	}
	return plain
}

// call makes a call, and keeps its permit if there is one.
func (f *fleet) call(o *fleetOperation, c *fleetCall, plan callerPlan, early bool) {
	returned := sync.OnceFunc(func() {
		if early {
			o.early.Add(-1)
		}
	})
	defer returned() // also when the goroutine ends in the middle
	f.provider.begin(c)
	defer f.provider.end(c)
	stream, permit := f.begin(o, c, plan)
	if permit == nil {
		return
	}
	if o.harmless() {
		returned()
	}
	o.holds.Add(1)
	defer o.holds.Add(-1)
	_ = linger(f.bail, plan.lasts, nil)
	if stream.Err() != nil && f.bail.Err() == nil {
		f.blame("operation %d: the context of an answer ended before its permit: %v", o.number, context.Cause(stream))
	}
	f.provider.leave(c)
	var outcome error
	if time.Since(f.start) < f.plan.heal {
		outcome = []error{nil, errDown, errBadRequest}[c.IntN(3)]
	}
	if outcome == nil {
		o.succeeded.Add(1)
	}
	permit.Done(outcome)
}

// harmless reports whether the recovery can be judged while a permit from before is kept.
func (o *operationPlan) harmless() bool {
	return bearsHolders(o.policy) && !slices.ContainsFunc(o.changes, func(c changePlan) bool { return !bearsHolders(c.policy) })
}

// errGone is the error of a call that did not return.
var errGone = errors.New("the call has left its goroutine")

// begin makes a call and enters what came of it into the account; of a permit that is to be kept,
// nothing has come yet but the context of its answer.
func (f *fleet) begin(o *fleetOperation, c *fleetCall, plan callerPlan) (stream context.Context, permit *trysail.Permit) {
	err := errGone
	o.made.Add(1)
	defer func() {
		if r := recover(); r != nil {
			if e, ok := r.(error); !ok || !errors.Is(e, errFleet) {
				panic(r)
			}
		}
		if permit == nil {
			f.enter(o, err)
		}
		if took, most := time.Since(c.began), o.longest(plan.habit, c.began); took > most {
			f.blame("operation %d: a %v call took %v, want at most %v", o.number, plan.habit, took, most)
		}
	}()
	ctx, cancel := context.WithCancel(f.bail)
	switch plan.habit {
	case hurried:
		ctx, cancel = context.WithTimeout(ctx, plan.lasts)
	case impatient:
		defer time.AfterFunc(plan.lasts, cancel).Stop()
	case streaming:
		stream, permit, err = trysail.Start(f.bail, o.op, func(ctx context.Context) (context.Context, error) { return f.provider.open(ctx, c) })
		if err != nil {
			f.provider.leave(c) // one that began too late
		}
		return stream, permit
	case holding:
		if permit, err = o.op.Acquire(f.bail); err == nil {
			f.provider.arrive(c)
			f.provider.enter(o.number, 1)
			f.provider.enter(o.number, -1)
		}
		return f.bail, permit
	default: // plain
	}
	defer cancel()
	_, err = trysail.Do(ctx, o.op, func(ctx context.Context) (int, error) { return 0, f.provider.serve(ctx, c) })
	return nil, nil
}

// enter keeps the callers' side of the account.
func (f *fleet) enter(o *fleetOperation, err error) {
	var e *trysail.Error
	switch {
	case err == nil:
		o.succeeded.Add(1)
	case errors.Is(err, errGone):
		o.panicked.Add(1)
	case errors.Is(err, trysail.ErrOpen):
		o.rejected.Add(1)
		if o.settled.Load() {
			f.blame("operation %d: %v, want all calls let through by now", o.number, err)
		}
	case errors.Is(err, trysail.ErrThrottled):
		o.throttled.Add(1)
		if o.settled.Load() {
			f.blame("operation %d: %v, want nothing dropped by now", o.number, err)
		}
	case errors.Is(err, trysail.ErrBulkheadFull):
		o.full.Add(1)
	case errors.Is(err, trysail.ErrLimited):
		o.limited.Add(1)
	case errors.As(err, &e) && e.Attempts == 0:
		o.unstarted.Add(1)
	}
}
