package trysail

import "sync/atomic"

// ResetMetrics has the operation's counters and times begin anew, those of its keys included: everything that
// [Operation.Metrics] returns. The breaker keeps its state, its windows and its failures in a row; what limiter, bulkhead and
// retry budgets have counted stays, too. A call that ends in the same moment may be counted in part. It takes some
// microseconds, and no call waits for it.
//
// It returns what it has ended: the operation's own counters, without those of its keys. Of several resets at once each count is in the
// answer of one.
func (op *Operation) ResetMetrics() (was OperationMetrics) {
	if op == nil || op.common == nil {
		return was // it counts nothing
	}
	old := new(counters)
	op.counters.moveTo(old)
	was = old.snapshot(op.clock)
	was.Operation = op.name
	if b := op.settings.Load().breaker; b != nil {
		was.Opens, was.HalfOpens, was.Closes = b.forgetTransitions()
	}
	for _, key := range op.Keys() {
		key.ResetMetrics()
	}
	return was
}

// moveTo adds everything to old, which nobody else has, and sets it to zero where it is: calls that are under way hold pointers to it.
func (c *counters) moveTo(old *counters) {
	for _, h := range c.successes(nil) {
		h.moveTo(&old.succeeded)
	}
	old.lastSuccess.Store(c.lastSuccess.Swap(0))
	old.rejected.Store(c.rejected.Swap(0))
	if m := c.mishaps.Load(); m != nil {
		m.moveTo(old.rare())
	}
}

func (s *mishaps) moveTo(old *mishaps) {
	to := old.single()
	for i, n := range s.single() {
		to[i].Store(n.Swap(0))
	}
	s.failed.moveTo(&old.failed)
	old.lastFailure.Store(s.lastFailure.Swap(0))
}

// single returns the counters that are no histograms. What is a part of something else goes before it, so that it is never more.
func (s *mishaps) single() []*atomic.Uint64 {
	return []*atomic.Uint64{
		&s.canceled, &s.panics, &s.fallbacks, &s.hedgeWins, &s.leaked, &s.hedges, &s.retries,
		&s.denied, &s.misuses, &s.throttled, &s.limited, &s.full, &s.unstarted,
	}
}

func (h *histogram) moveTo(old *histogram) {
	for o := range h.octaves {
		cells := h.octaves[o].Load()
		if cells == nil {
			continue
		}
		to := old.octaves[o].Load()
		if to == nil {
			to = old.grow(o)
		}
		for i := range cells {
			to[i].Add(cells[i].Swap(0))
		}
	}
}

// forgetTransitions begins to count transitions anew, and returns how many there were.
func (b *Breaker) forgetTransitions() (opens, halfOpens, closes uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	opens, halfOpens, closes = b.opens, b.halfOpens, b.closes
	b.opens, b.halfOpens, b.closes = 0, 0, 0
	return opens, halfOpens, closes
}
