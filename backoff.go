package trysail

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// A Backoff is the formula of the waits between attempts.
//
// In what follows n is the number of the attempt that failed, from 1, and U(a, b) a
// random time between a and b. All formulas but BackoffExponential are random in
// themselves and never exceed MaxDelay; MinDelay, Jitter and NoJitter do not touch
// them. A rate limit without a hint of the server doubles the wait of
// BackoffExponential and the Base of the others.
type Backoff uint8

// The formulas.
const (
	// BackoffExponential waits clamp(Base·2^(n-1), MinDelay, MaxDelay), plus a
	// random share of Jitter: the specification's formula.
	BackoffExponential Backoff = iota

	// BackoffNone repeats at once, unless the server asked for a wait.
	BackoffNone

	// BackoffFullJitter waits U(0, min(MaxDelay, Base·2^(n-1))). It spreads callers
	// well and may repeat almost at once.
	BackoffFullJitter

	// BackoffEqualJitter waits c/2 + U(0, c/2), with c = min(MaxDelay, Base·2^(n-1)).
	// It never repeats at once and spreads callers least.
	BackoffEqualJitter

	// BackoffDecorrelated waits min(MaxDelay, U(Base, 3·the wait before)), the first
	// time U(Base, 3·Base). It spreads callers best and now and then waits very long:
	// choose MaxDelay with care.
	BackoffDecorrelated

	// BackoffPollyV2 waits (v(t) - v(the t before))·Base/1.4, with t = n-1 + U(0, 1)
	// and v(t) = 2^t·tanh(√(4t)). It spreads callers without a gap between one
	// attempt's waits and the next one's; about half of the waits are below Base·2^(n-1).
	BackoffPollyV2

	backoffs // how many there are
)

// String returns the formula's name, such as "full_jitter".
func (b Backoff) String() string {
	names := [backoffs]string{"exponential", "none", "full_jitter", "equal_jitter", "decorrelated", "polly_v2"}
	if b < backoffs {
		return names[b]
	}
	return fmt.Sprintf("Backoff(%d)", uint8(b))
}

// A pacer spaces the attempts of one call. It holds what the formula remembers
// from wait to wait. Its zero value is ready; it is part of the call, on the
// caller's stack.
type pacer struct {
	before float64 // of BackoffDecorrelated: the wait before, in ns; of BackoffPollyV2: v(the t before)
}

// computed is the formula without the server's hint. A rate limit without a
// hint waits longer (the specification's "extended backoff").
func (p *pacer) computed(r *RetryPolicy, attempt int, v verdict) time.Duration {
	base := r.base(v.class)
	extended := v.class == ClassRateLimited && v.after == 0
	if r.Backoff == BackoffExponential {
		return r.exponential(base, attempt, extended)
	}
	if extended {
		base *= 2 // doubling the wait instead would pile up callers at MaxDelay
	}
	most := doubled(base, attempt-1, r.MaxDelay)
	switch r.Backoff {
	case BackoffFullJitter:
		return uniform(most)
	case BackoffEqualJitter:
		return most - uniform(most/2)
	case BackoffDecorrelated:
		return p.decorrelated(base, r.MaxDelay)
	case BackoffPollyV2:
		return p.pollyV2(base, attempt, r.MaxDelay)
	default:
		return 0
	}
}

// exponential clamps first: clamped last, most late waits would be equal.
func (r *RetryPolicy) exponential(base time.Duration, attempt int, extended bool) time.Duration {
	d := min(max(doubled(base, attempt-1, r.MaxDelay), r.MinDelay), r.MaxDelay)
	if extended {
		d = min(2*d, r.MaxDelay)
	}
	return d + r.spread(r.Jitter)
}

// decorrelated is "decorrelated jitter" of M. Brooker, "Exponential Backoff And
// Jitter", AWS Architecture Blog, 2015-03-04, which also names full and equal jitter.
// gRPC retries by full jitter (proposal A6).
func (p *pacer) decorrelated(base, limit time.Duration) time.Duration {
	before := max(base, time.Duration(p.before))
	d := min(limit, base+uniform(3*before-base))
	p.before = float64(d)
	return d
}

// pollyV2 is DecorrelatedJitterBackoffV2 of Polly 8 (Polly.Core, RetryHelper.cs),
// by G. Polevoy: https://github.com/App-vNext/Polly/issues/530#issuecomment-526555979.
// 1.4 brings the medians near Base·2^(n-1). From t = 1024 on, v is infinite.
func (p *pacer) pollyV2(base time.Duration, attempt int, limit time.Duration) time.Duration {
	t := float64(attempt-1) + rand.Float64()
	v := math.Exp2(t) * math.Tanh(math.Sqrt(4*t))
	d := (v - p.before) / 1.4 * float64(base)
	p.before = v
	if d < float64(limit) { // not so for infinity, and for infinity less infinity
		return time.Duration(max(d, 0))
	}
	return limit
}

// uniform returns a random time from 0 to most, both included.
func uniform(most time.Duration) time.Duration { return rand.N(most + 1) }

// doubled returns base·2^times, at most limit. Compared this way round nothing
// overflows, however many times.
func doubled(base time.Duration, times int, limit time.Duration) time.Duration {
	if base > limit>>times {
		return limit
	}
	return base << times
}
