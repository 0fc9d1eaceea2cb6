package trysail

import "time"

// A sparse is a policy of which most is zero, such as the one that a configuration gives to an operation: of 60 fields it sets a
// few. Parts that are zero are left out. It is never changed, so parts may be shared.
type sparse struct {
	total, attempt time.Duration

	throttle *ThrottlePolicy
	limiter  *LimiterPolicy
	bulkhead *BulkheadPolicy
	breaker  *BreakerPolicy
	retry    *RetryPolicy
	hedge    *HedgePolicy
}

// sparsely returns p as a sparse, which shares with another one the parts that are the same: operations that follow each other in a
// configuration mostly set the same things.
func sparsely(p *Policy, other *sparse) sparse {
	return sparse{
		total: p.Total, attempt: p.Attempt,
		throttle: partOf(&p.Throttle, other.throttle), limiter: partOf(&p.Limiter, other.limiter),
		bulkhead: partOf(&p.Bulkhead, other.bulkhead), breaker: partOf(&p.Breaker, other.breaker),
		retry: partOf(&p.Retry, other.retry), hedge: partOf(&p.Hedge, other.hedge),
	}
}

func partOf[T comparable](part, other *T) *T {
	var zero T
	if *part == zero {
		return nil
	}
	if other != nil && *other == *part {
		return other
	}
	own := *part
	return &own
}

// whole returns the policy.
func (s *sparse) whole() Policy {
	return Policy{
		Total: s.total, Attempt: s.attempt,
		Throttle: wholeOf(s.throttle), Limiter: wholeOf(s.limiter), Bulkhead: wholeOf(s.bulkhead),
		Breaker: wholeOf(s.breaker), Retry: wholeOf(s.retry), Hedge: wholeOf(s.hedge),
	}
}

func wholeOf[T any](part *T) (whole T) {
	if part != nil {
		whole = *part
	}
	return whole
}

// is reports whether s says what p does.
func (s *sparse) is(p *Policy) bool {
	return s.total == p.Total && s.attempt == p.Attempt &&
		isPart(s.retry, &p.Retry) && isPart(s.breaker, &p.Breaker) && isPart(s.throttle, &p.Throttle) &&
		isPart(s.limiter, &p.Limiter) && isPart(s.bulkhead, &p.Bulkhead) && isPart(s.hedge, &p.Hedge)
}

func isPart[T comparable](part, of *T) bool {
	if part == nil {
		var zero T
		return *of == zero
	}
	return *part == *of
}
