package trysail

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// A Policy is what an operation does about failures.
//
// Its zero fields take the numbers of the operation's strategy, so that a
// policy need only say what differs.
type Policy struct {
	Retry   RetryPolicy
	Breaker BreakerPolicy
}

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

// A BreakerPolicy says when a breaker opens and how it closes again.
type BreakerPolicy struct {
	// FailureThreshold opens the breaker after this many failed calls in a row:
	// 1 to 100. A call counts once, after its retries. Strategies: 3 to 10.
	FailureThreshold int

	// RecoveryTimeout is how long an open breaker refuses calls before it lets
	// probes through: up to 1 h. Strategies: 30 s to 300 s.
	RecoveryTimeout time.Duration

	// HalfOpenMaxCalls is how many probes may run at once while half-open: 1 to
	// 10. Default 1.
	HalfOpenMaxCalls int

	// ProbeTimeout is how long a probe may take before its place is taken from
	// it and it counts as failed: up to 1 h. It must be longer than the slowest good
	// call. Default 2 min, or RecoveryTimeout if that is longer.
	ProbeTimeout time.Duration

	// Disabled gives the operation no breaker.
	Disabled bool
}

const defaultProbeTimeout = 2 * time.Minute

// or returns p with its zero fields taken from base.
func (p Policy) or(base Policy) Policy {
	r, b := &p.Retry, &p.Breaker
	r.Attempts = cmp.Or(r.Attempts, base.Retry.Attempts)
	r.DelayBudget = cmp.Or(r.DelayBudget, base.Retry.DelayBudget)
	r.Backoff = cmp.Or(r.Backoff, base.Retry.Backoff)
	r.Base = cmp.Or(r.Base, base.Retry.Base)
	r.MinDelay = cmp.Or(r.MinDelay, base.Retry.MinDelay)
	r.MaxDelay = cmp.Or(r.MaxDelay, base.Retry.MaxDelay)
	r.Jitter = cmp.Or(r.Jitter, base.Retry.Jitter)
	r.NoJitter = r.NoJitter || base.Retry.NoJitter
	r.Disabled = r.Disabled || base.Retry.Disabled
	b.FailureThreshold = cmp.Or(b.FailureThreshold, base.Breaker.FailureThreshold)
	b.RecoveryTimeout = cmp.Or(b.RecoveryTimeout, base.Breaker.RecoveryTimeout)
	b.HalfOpenMaxCalls = cmp.Or(b.HalfOpenMaxCalls, base.Breaker.HalfOpenMaxCalls)
	b.ProbeTimeout = cmp.Or(b.ProbeTimeout, base.Breaker.ProbeTimeout)
	b.Disabled = b.Disabled || base.Breaker.Disabled
	return p
}

// complete fills in what no strategy states.
func (p Policy) complete() Policy {
	p.Breaker.ProbeTimeout = cmp.Or(p.Breaker.ProbeTimeout, max(defaultProbeTimeout, p.Breaker.RecoveryTimeout))
	return p
}

// check names every bad field of a completed policy; where says whose it is.
func (p Policy) check(where string) error {
	var errs []error
	count := func(field string, n, most int) {
		if n < 1 || n > most {
			errs = append(errs, fmt.Errorf("%s.%s is %d, want 1 to %d", where, field, n, most))
		}
	}
	span := func(field string, d time.Duration) {
		if d <= 0 || d > time.Hour {
			errs = append(errs, fmt.Errorf("%s.%s is %v, want more than 0s and at most 1h", where, field, d))
		}
	}
	count("Retry.Attempts", p.Retry.Attempts, 20)
	span("Retry.DelayBudget", p.Retry.DelayBudget)
	span("Retry.Base", p.Retry.Base)
	span("Retry.MinDelay", p.Retry.MinDelay)
	span("Retry.MaxDelay", p.Retry.MaxDelay)
	span("Retry.Jitter", p.Retry.Jitter)
	if p.Retry.MinDelay > p.Retry.MaxDelay {
		errs = append(errs, fmt.Errorf("%s.Retry.MinDelay is %v, want at most MaxDelay, which is %v",
			where, p.Retry.MinDelay, p.Retry.MaxDelay))
	}
	if p.Retry.Backoff > BackoffNone {
		errs = append(errs, fmt.Errorf("%s.Retry.Backoff is %d, want BackoffExponential or BackoffNone", where, p.Retry.Backoff))
	}
	count("Breaker.FailureThreshold", p.Breaker.FailureThreshold, 100)
	span("Breaker.RecoveryTimeout", p.Breaker.RecoveryTimeout)
	count("Breaker.HalfOpenMaxCalls", p.Breaker.HalfOpenMaxCalls, maxProbes)
	span("Breaker.ProbeTimeout", p.Breaker.ProbeTimeout)
	return errors.Join(errs...)
}
