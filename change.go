package trysail

import (
	"fmt"
	"strconv"
	"time"
)

// compare adds what differs between two settings and reports whether anything does.
func (c *Change) compare(operation string, was, is setting) bool {
	if was.strategy == is.strategy && *was.policy == *is.policy {
		return false
	}
	d := differences{change: c, operation: operation}
	differ(d, "Strategy", was.strategy, is.strategy)
	differ(d, "Total", was.policy.Total, is.policy.Total)
	differ(d, "Attempt", was.policy.Attempt, is.policy.Attempt)
	was.policy.Throttle.differ(&is.policy.Throttle, d)
	was.policy.Limiter.differ(&is.policy.Limiter, d)
	was.policy.Bulkhead.differ(&is.policy.Bulkhead, d)
	was.policy.Retry.differ(&is.policy.Retry, d)
	was.policy.Breaker.differ(&is.policy.Breaker, d)
	was.policy.Hedge.differ(&is.policy.Hedge, d)
	return true
}

// differences collects the changes of one operation.
type differences struct {
	change    *Change
	operation string
}

// differ adds a field whose values differ. Only then are they turned into text: a reload compares the 60 fields of a
// thousand operations.
func differ[T comparable](d differences, name string, was, is T) {
	if was != is {
		d.add(name, textOf(was), textOf(is))
	}
}

// textOf is fmt.Sprint, faster for what most fields are.
func textOf[T any](v T) string {
	switch v := any(v).(type) {
	case int:
		return strconv.Itoa(v)
	case time.Duration:
		return v.String()
	case Strategy:
		return string(v)
	default:
		return fmt.Sprint(v)
	}
}

func (d differences) add(name, was, is string) {
	d.change.Fields = append(d.change.Fields, FieldChange{d.operation, name, was, is})
}

func (p *ThrottlePolicy) differ(is *ThrottlePolicy, d differences) {
	differ(d, "Throttle.Factor", p.Factor, is.Factor)
	differ(d, "Throttle.Window", p.Window, is.Window)
	differ(d, "Throttle.MinCalls", p.MinCalls, is.MinCalls)
	differ(d, "Throttle.MaxShare", p.MaxShare, is.MaxShare)
	differ(d, "Throttle.Disabled", p.Disabled, is.Disabled)
}

func (p *LimiterPolicy) differ(is *LimiterPolicy, d differences) {
	differ(d, "Limiter.Rate", p.Rate, is.Rate)
	differ(d, "Limiter.Burst", p.Burst, is.Burst)
	differ(d, "Limiter.MaxWait", p.MaxWait, is.MaxWait)
	differ(d, "Limiter.Disabled", p.Disabled, is.Disabled)
}

func (p *BulkheadPolicy) differ(is *BulkheadPolicy, d differences) {
	differ(d, "Bulkhead.MaxConcurrent", p.MaxConcurrent, is.MaxConcurrent)
	differ(d, "Bulkhead.MinConcurrent", p.MinConcurrent, is.MinConcurrent)
	differ(d, "Bulkhead.Adaptive", p.Adaptive, is.Adaptive)
	differ(d, "Bulkhead.MaxQueue", p.MaxQueue, is.MaxQueue)
	differ(d, "Bulkhead.MaxWait", p.MaxWait, is.MaxWait)
	differ(d, "Bulkhead.Disabled", p.Disabled, is.Disabled)
}

func (r *RetryPolicy) differ(is *RetryPolicy, d differences) {
	differ(d, "Retry.Attempts", r.Attempts, is.Attempts)
	differ(d, "Retry.DelayBudget", r.DelayBudget, is.DelayBudget)
	differ(d, "Retry.Backoff", r.Backoff, is.Backoff)
	differ(d, "Retry.Base", r.Base, is.Base)
	differ(d, "Retry.MinDelay", r.MinDelay, is.MinDelay)
	differ(d, "Retry.MaxDelay", r.MaxDelay, is.MaxDelay)
	differ(d, "Retry.Jitter", r.Jitter, is.Jitter)
	differ(d, "Retry.NoJitter", r.NoJitter, is.NoJitter)
	for class, row := range r.Classes {
		if next := is.Classes[class]; row != next {
			name := fmt.Sprintf("Retry.Classes[%v]", Class(class))
			differ(d, name+".Attempts", row.Attempts, next.Attempts)
			differ(d, name+".Base", row.Base, next.Base)
		}
	}
	r.differInBudget(is, d)
	differ(d, "Retry.Cost", r.Cost, is.Cost)
	differ(d, "Retry.Disabled", r.Disabled, is.Disabled)
}

func (b *BreakerPolicy) differ(is *BreakerPolicy, d differences) {
	differ(d, "Breaker.FailureThreshold", b.FailureThreshold, is.FailureThreshold)
	differ(d, "Breaker.RecoveryTimeout", b.RecoveryTimeout, is.RecoveryTimeout)
	differ(d, "Breaker.HalfOpenMaxCalls", b.HalfOpenMaxCalls, is.HalfOpenMaxCalls)
	differ(d, "Breaker.ProbeTimeout", b.ProbeTimeout, is.ProbeTimeout)
	differ(d, "Breaker.FailureRate", b.FailureRate, is.FailureRate)
	differ(d, "Breaker.SlowRate", b.SlowRate, is.SlowRate)
	differ(d, "Breaker.SlowFails", b.SlowFails, is.SlowFails)
	differ(d, "Breaker.SlowCall", b.SlowCall, is.SlowCall)
	differ(d, "Breaker.Window", b.Window, is.Window)
	differ(d, "Breaker.WindowCalls", b.WindowCalls, is.WindowCalls)
	differ(d, "Breaker.MinCalls", b.MinCalls, is.MinCalls)
	differ(d, "Breaker.RatesOnly", b.RatesOnly, is.RatesOnly)
	differ(d, "Breaker.MaxRecovery", b.MaxRecovery, is.MaxRecovery)
	differ(d, "Breaker.RecoveryJitter", b.RecoveryJitter, is.RecoveryJitter)
	differ(d, "Breaker.HonorRetryAfter", b.HonorRetryAfter, is.HonorRetryAfter)
	differ(d, "Breaker.RampUp", b.RampUp, is.RampUp)
	differ(d, "Breaker.Enforce", b.Enforce, is.Enforce)
	differ(d, "Breaker.Disabled", b.Disabled, is.Disabled)
}

func (p *HedgePolicy) differ(is *HedgePolicy, d differences) {
	differ(d, "Hedge.After", p.After, is.After)
	differ(d, "Hedge.Percentile", p.Percentile, is.Percentile)
	differ(d, "Hedge.Max", p.Max, is.Max)
	differ(d, "Hedge.Disabled", p.Disabled, is.Disabled)
}

// differInBudget notes another budget, also one with the same numbers: what the old one knew is lost.
func (r *RetryPolicy) differInBudget(is *RetryPolicy, d differences) {
	if r.Budget == is.Budget {
		return
	}
	was, now := fmt.Sprint(r.Budget), fmt.Sprint(is.Budget)
	if was == now {
		was, now = "the same numbers", "a new account"
	}
	d.add("Retry.Budget", was, now)
}
