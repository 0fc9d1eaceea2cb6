package trysail

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A Decision is why a call ended as it did, or why a breaker changed its state.
type Decision struct {
	Time     time.Time
	Outcome  string // "failed", "refused", "hedge lost", or the state that the breaker took
	Reason   string // the rule that decided, with its counts
	Class    Class  // of a failed call
	Attempts int    // of a failed call
	Times    int    // how often in a row, the newest at Time
}

// explained is how many decisions an operation remembers.
const explained = 32

// Explain returns the newest decisions of the operation, the oldest first: at most 32.
// Decisions of one kind that follow each other are one, with a count; refusals are noted at most
// every 10 ms. Successes are not among them.
func (op *Operation) Explain() []Decision {
	d := op.decisions.Load()
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	start := max(d.next-explained, 0)
	list := make([]Decision, 0, d.next-start)
	for i := start; i < d.next; i++ {
		list = append(list, d.ring[i%explained])
	}
	return list
}

// decisions is what an operation remembers. Most operations never fail and have none.
type decisions struct {
	mu   sync.Mutex // guards what follows
	ring [explained]Decision
	next int
}

// explain remembers a decision.
func (op *Operation) explain(e Decision) {
	d := op.decisions.Load()
	if d == nil {
		op.decisions.CompareAndSwap(nil, new(decisions))
		d = op.decisions.Load()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.next > 0 {
		if last := &d.ring[(d.next-1)%explained]; last.same(e) {
			last.Times++
			last.Time = e.Time
			return
		}
	}
	e.Times = 1
	d.ring[d.next%explained] = e
	d.next++
}

// same reports whether two decisions differ in nothing but their time.
func (d *Decision) same(e Decision) bool {
	return d.Outcome == e.Outcome && d.Reason == e.Reason && d.Class == e.Class && d.Attempts == e.Attempts
}

// told is the reason of a decision about the call, with what must be known of a call that was leaked.
func (c *call) told(reason string) string {
	if c.permit.leaked {
		reason += "; the breaker would have refused this call, and let it through because of Enforce"
	}
	return reason
}

// The reasons for which there is no further attempt. They are made only when one is wanted.
func (c *call) whyNot(ctx context.Context, v verdict) string {
	retry := c.retry(ctx)
	switch {
	case c.held:
		return "its permit was given back with this error"
	case v.repeated:
		return "another operation has retried already"
	case v.ended && c.caller != nil && c.caller.Err() == nil:
		return "the time limit of the call has passed"
	case v.ended:
		return "the caller's context has ended"
	case !c.set.table[v.class].Retry:
		return fmt.Sprintf("errors of class %v are not retried", v.class)
	case v.committed:
		return "the call was marked as one not to be repeated, as it is when a part of the answer is out"
	case retry.Disabled:
		return "retries are switched off"
	case c.permit.probe:
		return "a probe is a single attempt"
	case c.attempts >= retry.limit(v.class):
		return fmt.Sprintf("all %d attempts are used up", retry.limit(v.class))
	case c.spent(v):
		return "an error that is worth one retry came twice"
	case c.broke:
		return "the retry budget is used up"
	case c.stopped():
		return "the breaker does not let calls through any more"
	default:
		return fmt.Sprintf("the next wait fits neither into the budget, of which %v of %v are left, nor before the deadline",
			retry.DelayBudget-c.waited, retry.DelayBudget)
	}
}
