package trysail

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A comparison is a Change in the making.
type comparison struct {
	change Change
	texts  texts
}

func (c *comparison) add(operation, name, was, is string) {
	c.change.Fields = append(c.change.Fields, FieldChange{operation, name, was, is})
}

// operations adds what the plans change.
func (c *comparison) operations(plans []plan) {
	left := 0
	for i := range plans {
		if plans[i].changed {
			left++
		}
	}
	if left == 0 {
		return
	}
	c.change.Operations = make([]string, 0, left)
	for i := range plans {
		p := &plans[i]
		if !p.changed {
			continue
		}
		before := len(c.change.Fields)
		c.compare(p.op.name, setting{p.old.strategy, p.old.policy}, p.setting)
		c.change.Operations = append(c.change.Operations, p.op.name)
		if len(c.change.Operations) == 1 { // of the others mostly the same differs, and at times one more
			c.change.Fields = slices.Grow(c.change.Fields, (left-1)*min(len(c.change.Fields)-before+1, 4))
		}
	}
}

// compare adds what differs between two settings.
func (c *comparison) compare(operation string, was, is setting) {
	d := differences{c, operation}
	differ(d, "Strategy", was.strategy, is.strategy)
	a, b := was.policy, is.policy
	if a == b {
		return
	}
	differ(d, "Total", a.Total, b.Total)
	differ(d, "Attempt", a.Attempt, b.Attempt)
	// Mostly one of the parts differs, and one look at a whole part is cheaper than one at each of its fields.
	if a.Throttle != b.Throttle {
		a.Throttle.differ(&b.Throttle, d)
	}
	if a.Limiter != b.Limiter {
		a.Limiter.differ(&b.Limiter, d)
	}
	if a.Bulkhead != b.Bulkhead {
		a.Bulkhead.differ(&b.Bulkhead, d)
	}
	if a.Retry != b.Retry {
		a.Retry.differ(&b.Retry, d)
	}
	if a.Breaker != b.Breaker {
		a.Breaker.differ(&b.Breaker, d)
	}
	if a.Hedge != b.Hedge {
		a.Hedge.differ(&b.Hedge, d)
	}
}

// differences collects the changes of one operation.
type differences struct {
	*comparison
	operation string
}

// differ adds a field whose values differ. Only then are they turned into text: a reload compares the 60 fields of a
// thousand operations.
func differ[T comparable](d differences, name string, was, is T) {
	if was != is {
		d.add(d.operation, name, textOf(&d.texts, was), textOf(&d.texts, is))
	}
}

// textOf is fmt.Sprint, faster for what most fields are. It looks at v through a pointer, because a value in an interface would be in
// memory of its own.
func textOf[T any](t *texts, v T) string {
	switch v := any(&v).(type) {
	case *int:
		return strconv.Itoa(*v)
	case *bool:
		return strconv.FormatBool(*v)
	case *time.Duration:
		return t.keep(v.String())
	case *Strategy:
		return string(*v)
	}
	return fmt.Sprint(v)
}

// texts keeps many short texts in few pieces of memory. They are kept together and go together.
type texts struct{ piece strings.Builder }

const (
	leastPiece = 32 // what the texts of a change of one field take
	mostPiece  = 4096
)

// keep returns a copy of s, which need not be in memory of its own.
func (t *texts) keep(s string) string {
	if size := t.piece.Cap(); size-t.piece.Len() < len(s) {
		t.piece = strings.Builder{}
		t.piece.Grow(max(len(s), min(2*size, mostPiece), leastPiece))
	}
	begin := t.piece.Len()
	t.piece.WriteString(s)
	return t.piece.String()[begin:]
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
	d.add(d.operation, "Retry.Budget", was, now)
}
