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

type noHedgeKey struct{}

// WithoutHedging returns a context whose calls are not hedged, whatever their operation's policy
// says: those that must not be made twice at the same time, such as a tool call with effects.
func WithoutHedging(ctx context.Context) context.Context {
	return context.WithValue(ctx, noHedgeKey{}, true)
}

// mayHedge reports whether an attempt may have rivals. A probe is a single attempt.
func (c *call) mayHedge(ctx context.Context) bool {
	return c.set.policy.Hedge.active() && !c.permit.probe && ctx.Value(noHedgeKey{}) == nil
}

// race makes an attempt, and others beside it as the policy says. Whoever ends ctx ends
// them all. It returns the first success; or the first error that repeating cannot help; or, when all
// have failed, the last error.
func race[T any](ctx context.Context, c *call, fn func(context.Context) (T, error)) (T, error) {
	policy := &c.set.policy.Hedge
	r := rivals[T]{fn: fn, op: c.op, results: make(chan rival[T], 1+policy.Max)}
	began := c.op.clock.now()
	r.begin(ctx)
	delay, known := c.set.hedging.delay(policy)
	alarm := time.NewTimer(delay)
	defer alarm.Stop()
	if !known {
		alarm.Stop() // a first call cannot be late
	}
	for {
		select {
		case got := <-r.results:
			r.running--
			if got.err == nil {
				c.set.hedging.learn(policy, time.Duration(c.op.clock.now()-began))
			}
			if got.panicked != nil || got.err == nil || r.running == 0 || !c.mayRepeat(got.err) {
				r.end(got.number)
				return got.take(c)
			}
			r.discard(got) // another one is still running
		case <-alarm.C:
			if hedges := len(r.cancels); c.hedge(ctx, hedges, delay) {
				r.begin(ctx)
				if hedges < policy.Max {
					alarm.Reset(delay)
				}
			}
		}
	}
}

// mayRepeat reports whether an attempt with that error may be followed by another one.
func (c *call) mayRepeat(err error) bool {
	v := judge(err)
	return !v.final() && c.set.table[v.class].Retry
}

// hedge reports whether another attempt may begin beside those that run, and counts it.
func (c *call) hedge(ctx context.Context, number int, delay time.Duration) bool {
	if ctx.Err() != nil || c.stopped() {
		return false
	}
	if !c.set.account.allow(c.op.clock, c.op.clock.now(), c.set.policy.Retry.Cost) {
		c.op.counters.rare().denied.Add(1)
		return false
	}
	c.hedges++
	c.op.counters.rare().hedges.Add(1)
	if c.op.tell != nil {
		c.op.tell(Event{Kind: EventHedge, Operation: c.op.name, Time: time.Now().UTC(), Attempt: number, Wait: delay})
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
func (r *rival[T]) take(c *call) (T, error) {
	if r.panicked != nil {
		panic(*r.panicked)
	}
	if r.err == nil && r.number > 0 {
		c.op.counters.rare().hedgeWins.Add(1)
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
			Time: time.Now().UTC(), Outcome: "hedge lost",
			Reason: fmt.Sprintf("an attempt that was not needed any more panicked: %v", end.panicked.value),
		})
		return
	}
	if closer, ok := any(end.value).(interface{ Close() error }); ok {
		defer func() { _ = recover() }() // beside an error the value may well be a nil pointer
		_ = closer.Close()
	}
}
