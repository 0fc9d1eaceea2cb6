package trysail

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrHedgeLost is the cause of the context of an attempt that is not needed any more, because
// another attempt of the same call has ended it. See [HedgePolicy] and [context.Cause].
var ErrHedgeLost = errors.New("another attempt was faster")

// Hedged returns fn with hedges: run by Do or Start under op, an attempt that takes long has others
// beside it, as op's policy says, and the first success is the answer. Without hedges in the policy it is fn.
//
//	answer, err := trysail.Do(ctx, op, trysail.Hedged(op, ask))
//
// fn then runs in several goroutines at the same time, each with a context of its own, and must
// bear that; so it is the code that says so, and the configuration only when. Wrap nothing that must not be made
// twice at the same time, such as a tool call with effects. An attempt that has lost has its context ended, with
// the cause [ErrHedgeLost]; it may still be running when the call returns. Its value, if it has a method
// Close() error, is closed, also beside an error, in a goroutine of its own. A panic in fn goes on in the goroutine of the caller.
//
// Retries, time limits and the breaker see one attempt. Each hedge is taken from Retry.Budget;
// without one, from a budget of op's own with the defaults of [RetryBudgetConfig]. None begins while the
// breaker refuses calls or lets more and more through, while the throttle drops some, or after an attempt of the same call was
// refused for a rate limit or for the load. A call that may be hedged costs two goroutines, some 3 us.
func Hedged[T any](op *Operation, fn func(context.Context) (T, error)) func(context.Context) (T, error) {
	if op == nil || op.common == nil || op.bad != nil || fn == nil {
		return fn // Do says what is wrong
	}
	return func(ctx context.Context) (value T, err error) {
		set := op.settings.Load()
		if !set.policy.Hedge.active() {
			return fn(ctx)
		}
		own, cancel := context.WithCancel(ctx)
		end := cancel
		defer func() { end() }()
		if value, err = race(own, &hedger{op: op, set: set}, fn); err == nil {
			end = racesOf(ctx).keep(cancel)
		}
		return value, err
	}
}

// A hedger decides about the attempts of one race.
type hedger struct {
	op  *Operation
	set *settings // those with which the race began
}

// race makes an attempt, and others beside it. Whoever ends ctx ends them all. It returns the
// first success; or the first error that repeating cannot help, which is any when ctx has ended; or, when all
// have failed, the last error.
func race[T any](ctx context.Context, h *hedger, fn func(context.Context) (T, error)) (T, error) {
	policy := &h.set.policy.Hedge
	r := rivals[T]{fn: fn, op: h.op, results: make(chan rival[T], 1+policy.Max)}
	var failed error // of the attempts that have failed so far
	began := h.op.clock.now()
	r.begin(ctx)
	delay, known := h.set.hedging.delay(policy)
	alarm := time.NewTimer(delay)
	defer alarm.Stop()
	if !known {
		alarm.Stop() // a first call cannot be late
	}
	for {
		select {
		case got := <-r.results:
			r.running--
			if took := time.Duration(h.op.clock.now() - began); got.err == nil || ctx.Err() != nil && h.late(took, delay, known) {
				h.set.hedging.learn(policy, took)
			}
			if got.panicked != nil || got.err == nil || r.running == 0 || ctx.Err() != nil || !h.mayRepeat(got.err) {
				r.end(got.number)
				got.err = telling(ctx, failed, got.err)
				return got.take(h.op)
			}
			failed = telling(ctx, failed, got.err)
			if slowDown(got.err) {
				alarm.Stop() // those that run may still succeed, but no more of them are begun
			}
			r.discard(got)
		case <-alarm.C:
			if hedges := len(r.cancels); h.hedge(ctx, hedges, delay) {
				r.begin(ctx)
				if hedges < policy.Max {
					alarm.Reset(delay)
				}
			}
		}
	}
}

// late reports whether attempts that were ended after so long without an answer are known to be slow: they ran
// for as long as an attempt may, or for longer than those that are hedged. What was ended sooner may have been
// about to answer.
func (h *hedger) late(took, delay time.Duration, known bool) bool {
	limit := h.set.policy.Attempt
	limit -= limit / 32 // it began before the race did; nobody can tell the difference in the histogram
	return limit > 0 && took >= limit || known && took >= delay
}

// telling returns the error of attempts of which one failed with before, and then one with err. It is
// err, unless before tells more: a longer wait that the server asked for, or anything if the time ran out.
func telling(ctx context.Context, before, err error) error {
	if before == nil || err == nil {
		return err
	}
	if judge(before).after > judge(err).after || ctx.Err() != nil {
		return &both{before, err}
	}
	return err
}

// mayRepeat reports whether an attempt with that error may be followed by another one.
func (h *hedger) mayRepeat(err error) bool {
	v := judge(err)
	return !v.final() && h.set.table[v.class].Retry
}

// slowDown reports whether an error says that the dependency takes no more, or wants to be left alone for a time.
func slowDown(err error) bool {
	v := judge(err)
	return v.after > 0 || v.class == ClassRateLimited || v.class == ClassOverloaded
}

// spare reports whether the dependency must be spared, as far as is known: a breaker that is half-open, or
// closed a moment ago, lets only some calls through, and a probe is a single attempt; so does a throttle that drops calls.
func (h *hedger) spare(now int64) bool {
	if b := h.set.active; b != nil && b.holdsBack(now) {
		return true
	}
	g := h.set.gates
	return g != nil && g.throttle != nil && g.throttle.dropping.Load()
}

// hedge reports whether another attempt may begin beside those that run, and counts it.
func (h *hedger) hedge(ctx context.Context, number int, delay time.Duration) bool {
	if ctx.Err() != nil || h.spare(h.op.clock.now()) {
		return false
	}
	op := h.op
	if !h.set.account.allow(op.clock, op.clock.now(), h.set.policy.Retry.Cost) {
		op.counters.rare().denied.Add(1)
		return false
	}
	op.counters.rare().hedges.Add(1)
	if op.tell != nil {
		op.tell(Event{Kind: EventHedge, Operation: op.name, Time: op.now(), Attempt: number, Wait: delay})
	}
	return true
}

// rivals are the attempts of one race.
type rivals[T any] struct {
	fn      func(context.Context) (T, error)
	op      *Operation
	cancels []context.CancelCauseFunc // of all that have begun
	running int

	mu      sync.Mutex // guards what follows
	over    bool
	results chan rival[T] // has room for all
}

// A rival is how an attempt of a race has ended.
type rival[T any] struct {
	number   int // 0: the first
	value    T
	err      error
	panicked *carriedPanic
}

// take returns what the rival has, as the answer of the attempt.
func (r *rival[T]) take(op *Operation) (T, error) {
	if r.panicked != nil {
		panic(*r.panicked)
	}
	if r.err == nil && r.number > 0 {
		op.counters.rare().hedgeWins.Add(1)
	}
	return r.value, r.err
}

// begin starts an attempt.
func (r *rivals[T]) begin(ctx context.Context) {
	own, cancel := context.WithCancelCause(ctx)
	number := len(r.cancels)
	r.cancels = append(r.cancels, cancel)
	r.running++
	go r.run(own, number)
}

func (r *rivals[T]) run(ctx context.Context, number int) {
	end := rival[T]{number: number, err: Committed(errNoAnswer)} // if fn ends its goroutine
	defer func() {
		if v := recover(); v != nil {
			end.panicked = carry(v)
		}
		r.hand(end)
	}()
	end.value, end.err = r.fn(ctx)
}

// hand delivers the end of an attempt, if anybody still wants it.
func (r *rivals[T]) hand(end rival[T]) {
	r.mu.Lock()
	over := r.over
	if !over {
		r.results <- end
	}
	r.mu.Unlock()
	if over {
		r.discard(end)
	}
}

// end ends the race. All attempts but the winner's lose their context; that of the winner
// ends with the one of the race.
func (r *rivals[T]) end(winner int) {
	r.mu.Lock()
	r.over = true
	r.mu.Unlock()
	for number, cancel := range r.cancels {
		if number != winner {
			cancel(ErrHedgeLost)
		}
	}
	for {
		select {
		case end := <-r.results:
			r.discard(end)
		default:
			return
		}
	}
}

// discard releases what nobody gets. The panic of an attempt that has lost must not end a program whose
// call has been answered; it is noted.
func (r *rivals[T]) discard(end rival[T]) {
	if end.panicked != nil {
		r.op.explain(Decision{
			Time: r.op.now(), Outcome: "hedge lost",
			Reason: fmt.Sprintf("an attempt that was not needed any more panicked: %v", end.panicked.value),
		})
		return
	}
	if closer, ok := any(end.value).(interface{ Close() error }); ok {
		go func() { // a Close may take long, and the winner is waiting
			defer func() { _ = recover() }() // beside an error the value may well be a nil pointer
			_ = closer.Close()
		}()
	}
}
