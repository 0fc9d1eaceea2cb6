package trysail

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// A RetryPolicy says how often and how soon a failed attempt is repeated.
type RetryPolicy struct {
	// Attempts is how many times the function is run at most, the first time
	// included: 1 to 20. Strategies: 2 to 7.
	Attempts int

	// DelayBudget bounds the sum of all waits of one call: up to 1 h. A wait
	// that does not fit into what is left is not begun. Strategies: 10 s to 300 s.
	DelayBudget time.Duration

	// Backoff is the formula of the waits. Default BackoffExponential.
	Backoff Backoff

	// Base is the first wait before it is clamped or spread; it doubles with each
	// attempt: up to 1 h. Strategies: 0.5 s to 2 s.
	Base time.Duration

	// MinDelay and MaxDelay clamp a wait of BackoffExponential, before jitter is
	// added; the other formulas know MaxDelay only, which they never exceed. Up to 1 h.
	MinDelay, MaxDelay time.Duration

	// Jitter is the most that is added at random to a clamped wait of
	// BackoffExponential, so that callers which failed together do not come back
	// together: up to 1 h. Strategies: 2 s or 5 s.
	Jitter time.Duration

	// NoJitter adds nothing: no Jitter, and nothing to a wait that the server asked for.
	NoJitter bool

	// Classes holds what differs for single classes of failure.
	Classes ClassRetries

	// Budget bounds the retries of all operations that share it. Nil: no bound.
	Budget *RetryBudget

	// Cost is what an attempt is estimated to cost, in the unit of Budget: up to
	// 10^12. 0: unknown, and Budget counts attempts only.
	Cost Cost

	// Disabled makes exactly one attempt.
	Disabled bool
}

// ClassRetries says for which classes of failure the numbers of a [RetryPolicy]
// are others. It is indexed by class:
//
//	Classes: trysail.ClassRetries{
//		trysail.ClassOverloaded: {Attempts: 2, Base: time.Second},
//	}
//
// A row has no effect on a class that is not retried at all; see [Consequence]. Without a row,
// ClassBadAnswer gets two attempts at most: a model that answers badly twice will do so again.
type ClassRetries [classes]ClassRetry

// A ClassRetry is what differs for one class. Zero fields take the policy's own.
type ClassRetry struct {
	// Attempts replaces RetryPolicy.Attempts when the newest attempt failed with this
	// class: 1 to 20. All attempts of the call count, whatever ended them.
	Attempts int

	// Base replaces RetryPolicy.Base: up to 1 h. With BackoffExponential, MinDelay
	// still applies.
	Base time.Duration
}

// String lists the rows that are set, such as "overloaded: 2 attempts, base 1s".
// It is empty when there are none.
func (c ClassRetries) String() string {
	var rows []string
	for class, row := range c {
		var parts []string
		if row.Attempts != 0 {
			parts = append(parts, fmt.Sprintf("%d attempts", row.Attempts))
		}
		if row.Base != 0 {
			parts = append(parts, fmt.Sprintf("base %v", row.Base))
		}
		if len(parts) > 0 {
			rows = append(rows, fmt.Sprintf("%v: %s", Class(class), strings.Join(parts, ", ")))
		}
	}
	return strings.Join(rows, "; ")
}

// limit returns how many attempts a call may make whose newest one failed with class.
func (r *RetryPolicy) limit(class Class) int {
	if own := r.Classes[class].Attempts; own != 0 || class != ClassBadAnswer {
		return cmp.Or(own, r.Attempts)
	}
	return min(r.Attempts, 2)
}

// base returns the first wait after a failure of class.
func (r *RetryPolicy) base(class Class) time.Duration { return cmp.Or(r.Classes[class].Base, r.Base) }

// fill takes the zero fields of r from base.
func (r *RetryPolicy) fill(base *RetryPolicy) {
	fill(&r.Attempts, base.Attempts)
	fill(&r.DelayBudget, base.DelayBudget)
	fill(&r.Backoff, base.Backoff)
	fill(&r.Base, base.Base)
	fill(&r.MinDelay, base.MinDelay)
	fill(&r.MaxDelay, base.MaxDelay)
	fill(&r.Jitter, base.Jitter)
	fill(&r.NoJitter, base.NoJitter)
	r.Classes.fill(&base.Classes)
	fill(&r.Budget, base.Budget)
	fill(&r.Cost, base.Cost)
	fill(&r.Disabled, base.Disabled)
}

func (c *ClassRetries) fill(base *ClassRetries) {
	for class := range base {
		fill(&c[class].Attempts, base[class].Attempts)
		fill(&c[class].Base, base[class].Base)
	}
}

// check notes every bad field.
func (r *RetryPolicy) check(f *faults) {
	f.count("Retry.Attempts", r.Attempts, 20)
	f.span("Retry.DelayBudget", r.DelayBudget)
	f.span("Retry.Base", r.Base)
	f.span("Retry.MinDelay", r.MinDelay)
	f.span("Retry.MaxDelay", r.MaxDelay)
	f.span("Retry.Jitter", r.Jitter)
	if r.MinDelay > r.MaxDelay {
		f.add("Retry.MinDelay", "%v, want at most MaxDelay, which is %v", r.MinDelay, r.MaxDelay)
	}
	if r.Backoff >= backoffs {
		f.add("Retry.Backoff", "%d, want one of the %d formulas, BackoffExponential to BackoffPollyV2", r.Backoff, backoffs)
	}
	r.Classes.check(f)
	f.cost("Retry.Cost", r.Cost)
}

func (c *ClassRetries) check(f *faults) {
	for class, row := range c {
		if row == (ClassRetry{}) {
			continue
		}
		field := fmt.Sprintf("Retry.Classes[%v]", Class(class))
		if row.Attempts != 0 {
			f.count(field+".Attempts", row.Attempts, 20)
		}
		if row.Base != 0 {
			f.span(field+".Base", row.Base)
		}
	}
	if c[ClassCanceled] != (ClassRetry{}) {
		f.add("Retry.Classes[canceled]", "set, want no row: the caller has gone")
	}
}
