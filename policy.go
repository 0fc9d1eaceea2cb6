package trysail

import (
	"errors"
	"time"
)

// A Policy is what an operation does about failures.
//
// Its zero fields take the numbers of the operation's strategy, so that a
// policy need only say what differs.
type Policy struct {
	// Total bounds a call with all its attempts and waits: up to 24 h. Default 0: no
	// limit but the caller's.
	Total time.Duration

	// Attempt bounds each attempt: up to 1 h, at most Total. Default 0: no limit.
	Attempt time.Duration

	Throttle ThrottlePolicy
	Limiter  LimiterPolicy
	Bulkhead BulkheadPolicy
	Breaker  BreakerPolicy
	Retry    RetryPolicy
	Hedge    HedgePolicy
}

// probeGrace is how much longer than an attempt a probe may take.
const probeGrace = 10 * time.Second

// Over returns p with its zero fields taken from base. What base switches off stays off.
func (p Policy) Over(base Policy) Policy {
	p.fill(&base)
	return p
}

// fill takes the zero fields of p from base.
func (p *Policy) fill(base *Policy) {
	fill(&p.Total, base.Total)
	fill(&p.Attempt, base.Attempt)
	p.Throttle.fill(&base.Throttle)
	p.Limiter.fill(&base.Limiter)
	p.Bulkhead.fill(&base.Bulkhead)
	p.Breaker.fill(&base.Breaker)
	p.Retry.fill(&base.Retry)
	p.Hedge.fill(&base.Hedge)
}

// fill sets a field that is zero. It works in place, and so does all that fills and completes: a policy is large, and a reload has a
// thousand of them.
func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// complete fills in what no strategy states.
func (p *Policy) complete() {
	if p.Breaker.ProbeTimeout == 0 {
		// Never less than without a limit: a probe may be a stream, of which Attempt bounds the begin.
		p.Breaker.ProbeTimeout = min(max(p.Attempt+probeGrace, p.Breaker.defaultProbeTimeout()), time.Hour)
	}
	p.Throttle.complete()
	p.Limiter.complete()
	p.Bulkhead.complete()
	p.Breaker.complete()
	p.Hedge.complete()
}

// completed returns p with what no strategy states.
func (p Policy) completed() *Policy {
	p.complete()
	return &p
}

// check names every bad field of a completed policy; where says whose it is.
func (p *Policy) check(where string) error {
	f := faults{where: where}
	if p.Total < 0 || p.Total > 24*time.Hour {
		f.add("Total", "%v, want 0s, which is no limit, to 24h", p.Total)
	}
	if p.Attempt < 0 || p.Attempt > time.Hour {
		f.add("Attempt", "%v, want 0s, which is no limit, to 1h", p.Attempt)
	}
	if p.Total > 0 && p.Attempt > p.Total {
		f.add("Attempt", "%v, want at most Total, which is %v", p.Attempt, p.Total)
	}
	if p.Attempt > 0 && p.Attempt <= time.Hour && p.Breaker.ProbeTimeout < p.Attempt {
		f.add("Breaker.ProbeTimeout", "%v, want at least Attempt, which is %v: a probe would be given up while it runs",
			p.Breaker.ProbeTimeout, p.Attempt)
	}
	p.Throttle.check(&f)
	p.Limiter.check(&f)
	p.Bulkhead.check(&f)
	p.Retry.check(&f)
	p.Breaker.check(&f)
	p.Hedge.check(&f, p.Attempt)
	return errors.Join(f.errs...)
}
