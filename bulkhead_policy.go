package trysail

import "time"

// A BulkheadPolicy bounds how many calls of an operation run at once, so that a
// slow dependency cannot take everything. Its zero value sets no bound.
type BulkheadPolicy struct {
	// MaxConcurrent is how many calls may run at once, each with its retries and their
	// waits: 1 to 100,000. Default 0: any number.
	MaxConcurrent int

	// Adaptive finds by itself how many calls the dependency takes at once, between
	// MinConcurrent and MaxConcurrent. It begins with 20. When a call is refused for the load or
	// passes Policy.Attempt or Policy.Total, the number falls to 0.7 of itself, at most once in the time that a call takes; with
	// as many successes as there are places, and half of them in use, it grows by one. A caller who has left, or
	// whose own deadline has passed, says nothing: without a limit of the policy's, calls that hang cut nothing.
	Adaptive bool

	// MinConcurrent is where Adaptive stops: 1 to MaxConcurrent. Default 1.
	MinConcurrent int

	// MaxQueue is how many further calls may wait for a place: up to 100,000. Default 0:
	// none waits, but is refused with [ErrBulkheadFull].
	MaxQueue int

	// MaxWait is how long a call may wait for a place: up to 1 h. Default 30 s. The
	// caller's own deadline may end the wait earlier.
	MaxWait time.Duration

	// Disabled sets no bound, whatever the fields above say.
	Disabled bool
}

const (
	maxPlaces           = 100_000
	defaultBulkheadWait = 30 * time.Second
)

// active reports whether there is a bound.
func (p *BulkheadPolicy) active() bool { return p.MaxConcurrent != 0 && !p.Disabled }

// fill takes the zero fields of p from base.
func (p *BulkheadPolicy) fill(base *BulkheadPolicy) {
	fill(&p.MaxConcurrent, base.MaxConcurrent)
	fill(&p.Adaptive, base.Adaptive)
	fill(&p.MinConcurrent, base.MinConcurrent)
	fill(&p.MaxQueue, base.MaxQueue)
	fill(&p.MaxWait, base.MaxWait)
	fill(&p.Disabled, base.Disabled)
}

// complete derives what no strategy states.
func (p *BulkheadPolicy) complete() {
	if p.MaxConcurrent != 0 {
		fill(&p.MaxWait, defaultBulkheadWait)
	}
	if p.Adaptive {
		fill(&p.MinConcurrent, 1)
	}
}

// check notes every bad field of a completed policy.
func (p *BulkheadPolicy) check(f *faults) {
	if p.MaxConcurrent == 0 {
		if p.MaxQueue != 0 || p.MaxWait != 0 {
			f.add("Bulkhead.MaxConcurrent", "0, want a number, because MaxQueue is %d and MaxWait is %v", p.MaxQueue, p.MaxWait)
		}
		if p.Adaptive || p.MinConcurrent != 0 {
			f.add("Bulkhead.MaxConcurrent", "0, want a number, because Adaptive is %t and MinConcurrent is %d", p.Adaptive, p.MinConcurrent)
		}
		return
	}
	f.count("Bulkhead.MaxConcurrent", p.MaxConcurrent, maxPlaces)
	switch {
	case p.Adaptive && (p.MinConcurrent < 1 || p.MinConcurrent > p.MaxConcurrent):
		f.add("Bulkhead.MinConcurrent", "%d, want 1 to MaxConcurrent, which is %d", p.MinConcurrent, p.MaxConcurrent)
	case !p.Adaptive && p.MinConcurrent != 0:
		f.add("Bulkhead.MinConcurrent", "%d, want Adaptive, without which it means nothing", p.MinConcurrent)
	}
	if p.MaxQueue < 0 || p.MaxQueue > maxPlaces {
		f.add("Bulkhead.MaxQueue", "%d, want 0 to %d", p.MaxQueue, maxPlaces)
	}
	f.span("Bulkhead.MaxWait", p.MaxWait)
}
