package gateway

import (
	"cmp"
	"time"
)

// A Hedge has a call sent to another target of the route, too, when the one at hand takes long: the first that has something to pass on is the
// answer, and the other is called off. It is a remedy against rare slow answers, not against an overload: each takes one from the operation's retry
// budget, and a call has one at most. The zero value has none made.
//
// The remedy is that of Dean and Barroso, "The Tail at Scale", 2013: a second request after the 95th percentile makes at most 5 % more of them.
type Hedge struct {
	// After is how long a target may take until its first token, or until a plain answer is complete, before the other is asked: 1 ms to 10 min.
	// With Percentile it is the shortest such time, by default 10 ms.
	After time.Duration

	// Percentile takes that time from what the target has needed for the same model, streams and plain answers apart: as long as this share of the newest
	// 500 took at most, of the last 20 minutes. 0.5 to 0.999. Default 0: After alone.
	Percentile float64

	// Samples is how many must have been measured before Percentile counts; no call is hedged until then. 1 to 500, default 20.
	Samples int

	// SameTarget asks the same target once more where the route has no other one.
	SameTarget bool
}

// active reports whether there are hedges.
func (h *Hedge) active() bool { return h.After != 0 || h.Percentile != 0 }

// withDefaults fills in what is not said.
func (h Hedge) withDefaults() Hedge {
	if h.Percentile != 0 {
		h.After = cmp.Or(h.After, 10*time.Millisecond)
		h.Samples = cmp.Or(h.Samples, 20)
	}
	return h
}

// hedge checks when a route hedges, and makes it ready.
func (c *compiler) hedge(r *route) {
	h := r.Hedge
	if !h.active() {
		if h != (Hedge{}) {
			c.bad(r.where, "Hedge has neither After nor Percentile, without which the rest of it means nothing")
		}
		return
	}
	if h.After != 0 && (h.After < time.Millisecond || h.After > 10*time.Minute) {
		c.bad(r.where, "Hedge.After is %v, want 1ms to 10m0s", h.After)
	}
	if r.Timeout > 0 && h.After >= r.Timeout {
		c.bad(r.where, "Hedge.After is %v, want less than Timeout, which is %v: no hedge would ever begin", h.After, r.Timeout)
	}
	if h.Percentile != 0 && !(h.Percentile >= 0.5 && h.Percentile <= 0.999) { // written so that NaN fails too
		c.bad(r.where, "Hedge.Percentile is %v, want 0.5 to 0.999, or 0 for After alone", h.Percentile)
	}
	switch {
	case h.Samples != 0 && h.Percentile == 0:
		c.bad(r.where, "Hedge.Samples is %d without Percentile, for which they are counted", h.Samples)
	case h.Samples < 0 || h.Samples > paceSize:
		c.bad(r.where, "Hedge.Samples is %d, want 1 to %d, or 0 for 20", h.Samples, paceSize)
	}
	if len(r.places) == 1 && !h.SameTarget {
		c.bad(r.where, "Hedge needs a second target, or SameTarget, to ask the only one twice")
	}
	r.Hedge = h.withDefaults()
}
