package trysail

import (
	"cmp"
	"time"
)

// A Backoff is the formula of the waits between attempts.
type Backoff uint8

// The formulas.
const (
	// BackoffExponential waits clamp(Base·2^(n-1), MinDelay, MaxDelay) after the
	// n-th attempt, plus a random share of Jitter: the specification's formula.
	BackoffExponential Backoff = iota
	// BackoffNone repeats at once, unless the server asked for a wait.
	BackoffNone
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

	// Base is the first wait before it is clamped; it doubles with each
	// attempt. Strategies: 0.5 s to 2 s.
	Base time.Duration

	// MinDelay and MaxDelay clamp a wait, before jitter is added: up to 1 h.
	MinDelay, MaxDelay time.Duration

	// Jitter is the most that is added at random to a clamped wait, so that
	// callers which failed together do not come back together. Strategies: 2 s or 5 s.
	Jitter time.Duration

	// NoJitter adds nothing.
	NoJitter bool

	// Disabled makes exactly one attempt.
	Disabled bool
}

// or returns r with its zero fields taken from base.
func (r RetryPolicy) or(base RetryPolicy) RetryPolicy {
	r.Attempts = cmp.Or(r.Attempts, base.Attempts)
	r.DelayBudget = cmp.Or(r.DelayBudget, base.DelayBudget)
	r.Backoff = cmp.Or(r.Backoff, base.Backoff)
	r.Base = cmp.Or(r.Base, base.Base)
	r.MinDelay = cmp.Or(r.MinDelay, base.MinDelay)
	r.MaxDelay = cmp.Or(r.MaxDelay, base.MaxDelay)
	r.Jitter = cmp.Or(r.Jitter, base.Jitter)
	r.NoJitter = r.NoJitter || base.NoJitter
	r.Disabled = r.Disabled || base.Disabled
	return r
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
	if r.Backoff > BackoffNone {
		f.add("Retry.Backoff", "%d, want BackoffExponential or BackoffNone", r.Backoff)
	}
}
