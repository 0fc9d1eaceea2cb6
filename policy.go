package trysail

import (
	"cmp"
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
func (p Policy) Over(base Policy) Policy { return p.or(base) }

// or returns p with its zero fields taken from base.
func (p Policy) or(base Policy) Policy {
	return Policy{
		Total:    cmp.Or(p.Total, base.Total),
		Attempt:  cmp.Or(p.Attempt, base.Attempt),
		Throttle: p.Throttle.or(base.Throttle),
		Limiter:  p.Limiter.or(base.Limiter),
		Bulkhead: p.Bulkhead.or(base.Bulkhead),
		Breaker:  p.Breaker.or(base.Breaker),
		Retry:    p.Retry.or(base.Retry),
		Hedge:    p.Hedge.or(base.Hedge),
	}
}

// complete fills in what no strategy states.
func (p Policy) complete() Policy {
	if p.Breaker.ProbeTimeout == 0 {
		// Never less than without a limit: a probe may be a stream, of which Attempt bounds the begin.
		p.Breaker.ProbeTimeout = min(max(p.Attempt+probeGrace, p.Breaker.defaultProbeTimeout()), time.Hour)
	}
	p.Throttle, p.Limiter, p.Bulkhead = p.Throttle.complete(), p.Limiter.complete(), p.Bulkhead.complete()
	p.Breaker, p.Hedge = p.Breaker.complete(), p.Hedge.complete()
	return p
}

// check names every bad field of a completed policy; where says whose it is.
func (p Policy) check(where string) error {
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
