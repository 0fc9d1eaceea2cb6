package trysail

import (
	"sync"
	"time"
)

// A HedgePolicy begins another attempt beside one that takes long, and takes the answer that
// comes first: a remedy against rare slow answers, not against an overload. It takes effect on functions that
// are given to [Hedged]. Its zero value begins none.
//
// The remedy is that of Dean and Barroso, "The Tail at Scale", 2013: a second request after the
// 95th percentile makes at most 5 % more of them.
type HedgePolicy struct {
	// After is how long an attempt must take before another one begins: up to 1 h, less
	// than Policy.Attempt. With Percentile it is the shortest such time. Default 0.
	After time.Duration

	// Percentile takes that time from the newest attempts: as long as this share of them took
	// at most, and up to 4 % more; 0.5 to 0.999. One that a time limit cut off counts with the time that it had. Nothing is hedged before 20 were measured. Default 0: After alone.
	Percentile float64

	// Max is how many attempts may begin beside the first, each as long after the one
	// before: 1 to 5. Default 1.
	Max int

	// Disabled begins none, whatever the fields above say.
	Disabled bool
}

// active reports whether an attempt may have rivals.
func (p *HedgePolicy) active() bool { return (p.After != 0 || p.Percentile != 0) && !p.Disabled }

// fill takes the zero fields of p from base.
func (p *HedgePolicy) fill(base *HedgePolicy) {
	fill(&p.After, base.After)
	fill(&p.Percentile, base.Percentile)
	fill(&p.Max, base.Max)
	fill(&p.Disabled, base.Disabled)
}

// complete derives what no strategy states.
func (p *HedgePolicy) complete() {
	if p.After != 0 || p.Percentile != 0 {
		fill(&p.Max, 1)
	}
}

// check notes every bad field of a completed policy whose attempts are limited by attempt.
func (p *HedgePolicy) check(f *faults, attempt time.Duration) {
	f.wait("Hedge.After", p.After)
	if attempt > 0 && p.After >= attempt {
		f.add("Hedge.After", "%v, want less than Attempt, which is %v: no other attempt would ever begin", p.After, attempt)
	}
	if p.Percentile != 0 && !(p.Percentile >= 0.5 && p.Percentile <= 0.999) { // written so that NaN fails too
		f.add("Hedge.Percentile", "%v, want 0.5 to 0.999, or 0 for After alone", p.Percentile)
	}
	switch {
	case p.After == 0 && p.Percentile == 0 && p.Max != 0:
		f.add("Hedge.Max", "%d, want After or Percentile, without which it means nothing", p.Max)
	case p.After != 0 || p.Percentile != 0:
		f.count("Hedge.Max", p.Max, 5)
	}
}

// hedging is what an operation knows about how long its attempts take. It forgets: of the
// newest attempts it holds 500 to 1000, and none that is older than twenty minutes.
type hedging struct {
	purse *RetryBudget // of an operation without a budget

	mu              sync.Mutex // guards what follows
	current, before *histogram
	held            int   // in current
	since           int64 // when current began
	known           time.Duration
	due             int // measurements until known is taken anew
	measured        int
	clock           clock
}

const (
	hedgeTurn      = 500
	hedgeTurnTime  = int64(10 * time.Minute)
	leastMeasured  = 20
	hedgeRefreshes = 16 // how often the percentile is taken anew within a turn
)

func newHedging(c clock) *hedging {
	purse, _ := NewRetryBudget(RetryBudgetConfig{}) // the defaults are good
	return &hedging{purse: purse, clock: c, current: &histogram{}, before: &histogram{}, since: c.now()}
}

// delay returns how long an attempt must take before another one begins, if that is known.
func (h *hedging) delay(p *HedgePolicy) (time.Duration, bool) {
	if p.Percentile == 0 {
		return p.After, true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.turn(h.clock.now())
	if h.measured < leastMeasured {
		return 0, false
	}
	if h.due <= 0 {
		_, middle := summarize(p.Percentile, h.current, h.before)
		h.known = middle + middle/32 // over the bucket: where all take the same time, none is late
		h.due = min(h.measured, hedgeTurn) / hedgeRefreshes
	}
	return max(h.known, p.After), true
}

// learn takes how long it was until the first attempt of a race ended, or was ended because its answer was not needed
// any more or a time limit had passed. Leaving those out would leave out just those that are slow.
func (h *hedging) learn(p *HedgePolicy, took time.Duration) {
	if p.Percentile == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.turn(h.clock.now())
	h.current.add(took)
	h.held++
	h.measured++
	h.due--
}

// refresh has the percentile taken anew, which may be another one now.
func (h *hedging) refresh() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.due = 0
}

// turn puts away what is old.
func (h *hedging) turn(now int64) {
	if h.held < hedgeTurn && now-h.since < hedgeTurnTime {
		return
	}
	if now-h.since >= 2*hedgeTurnTime { // nobody has called for long
		h.current, h.held = &histogram{}, 0
	}
	h.before, h.measured = h.current, h.held
	h.current, h.held = &histogram{}, 0
	h.since, h.due = now, 0
}
