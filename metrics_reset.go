package trysail

import "sync/atomic"

// ResetMetrics has the operation's counters and times begin anew, those of its keys included: everything that
// [Operation.Metrics] returns. The breaker keeps its state, its windows and its failures in a row; what limiter, bulkhead and
// retry budgets have counted stays, too. A call that ends in the same moment may be counted in part. It takes some
// microseconds, and no call waits for it.
func (op *Operation) ResetMetrics() {
	if op == nil || op.common == nil {
		return // it counts nothing
	}
	op.counters.reset()
	if b := op.settings.Load().breaker; b != nil {
		b.forgetTransitions()
	}
	for _, key := range op.Keys() {
		key.ResetMetrics()
	}
}

// reset sets everything to zero where it is: calls that are under way hold pointers to it.
func (c *counters) reset() {
	for _, h := range c.successes() {
		h.reset()
	}
	c.lastSuccess.Store(0)
	c.rejected.Store(0)
	if m := c.mishaps.Load(); m != nil {
		m.reset()
	}
}

func (s *mishaps) reset() {
	// What is a part of something else goes before it, so that it is never more.
	for _, n := range []*atomic.Uint64{
		&s.canceled, &s.panics, &s.fallbacks, &s.hedgeWins, &s.leaked, &s.hedges, &s.retries,
		&s.denied, &s.misuses, &s.throttled, &s.limited, &s.full, &s.unstarted,
	} {
		n.Store(0)
	}
	s.failed.reset()
	s.lastFailure.Store(0)
}

func (h *histogram) reset() {
	for o := range h.octaves {
		if cells := h.octaves[o].Load(); cells != nil {
			for i := range cells {
				cells[i].Store(0)
			}
		}
	}
}

// forgetTransitions begins to count transitions anew.
func (b *Breaker) forgetTransitions() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.opens, b.halfOpens, b.closes = 0, 0, 0
}
