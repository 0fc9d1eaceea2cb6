package trysail

import "time"

// A BreakerPolicy says when a breaker opens and how it closes again.
//
// One rule is always on: FailureThreshold failed calls in a row. FailureRate and
// SlowRate add rules over a window of calls; any rule that is met opens the breaker.
type BreakerPolicy struct {
	// FailureThreshold opens the breaker after this many failed calls in a row:
	// 1 to 100. A call counts once, after its retries. Strategies: 3 to 10.
	FailureThreshold int

	// RecoveryTimeout is how long an open breaker refuses calls before it lets
	// probes through: up to 1 h. Strategies: 30 s to 300 s.
	RecoveryTimeout time.Duration

	// HalfOpenMaxCalls is how many probes may run at once while half-open: 1 to
	// 10. Default 1. Without rate rules the first outcome decides. With them this many
	// outcomes are judged together, by the same share that opens the breaker; 3 is
	// a good number.
	HalfOpenMaxCalls int

	// ProbeTimeout is how long a probe may take before its place is taken from
	// it and it counts as failed: up to 1 h. It must be longer than the slowest good
	// call, and than the longest good stream. Default: the longest of 2 min, RecoveryTimeout, and 10 s
	// more than Policy.Attempt.
	ProbeTimeout time.Duration

	// FailureRate opens the breaker when this share of the window's calls failed:
	// more than 0, at most 1. It is looked at when a call ends, with SlowRate also when one begins. That may
	// well be a success, after those of earlier have left the window. Default 0: no such rule.
	FailureRate float64

	// SlowRate opens the breaker when this share of the window's calls took longer
	// than SlowCall: more than 0, at most 1. Calls under way that are over SlowCall already
	// count as slow now, at most a sixteenth of it late. Default 0: no such rule.
	SlowRate float64

	// SlowFails makes FailureRate one of calls that failed or were slow, each counted once: where a third of
	// the calls fails and another third is slow, neither share alone tells how bad it is. It needs FailureRate and SlowCall.
	SlowFails bool

	// SlowCall is the time over which a call is slow: up to 1 h. It is needed with
	// SlowRate and SlowFails and has no meaning without. A call whose caller leaves after it is slow, too, but
	// no failure: FailureRate without SlowFails is a share of the others, and FailureThreshold does not see it.
	SlowCall time.Duration

	// Window is the time over which calls are judged: 1 s to 1 h. Default 2 min,
	// which opens within seconds at two calls a second, and within two minutes at six a minute.
	Window time.Duration

	// WindowCalls, if set, judges the newest calls in place of those of a time: 1 to 10,000.
	WindowCalls int

	// MinCalls is how many calls the window must hold before a rate counts, so
	// that one unlucky call after a quiet night opens nothing: 1 to 10,000, at most
	// WindowCalls. Default 10, or WindowCalls if that is less.
	MinCalls int

	// RatesOnly switches the rule of failed calls in a row off. It needs a rate rule.
	RatesOnly bool

	// MaxRecovery lets the open time double each time the breaker opens again without having
	// been well for RecoveryTimeout in between, up to this: at least RecoveryTimeout, up to 24 h.
	// Default 0: the open time does not grow.
	MaxRecovery time.Duration

	// RecoveryJitter spreads the open time by up to this share of it in both
	// directions, so that breakers that opened together do not probe together: 0 to 0.5. Default 0.
	RecoveryJitter float64

	// HonorRetryAfter keeps the breaker open for as long as the server asked with the
	// failure that opened it, if that is longer than the open time: at most MaxRecovery
	// or 1 h, whichever is longer.
	HonorRetryAfter bool

	// RampUp is the time over which a breaker that has closed lets more and more
	// calls through, from a tenth to all: up to 1 h. Default 0: all at once.
	RampUp time.Duration

	// Enforce is which share of the calls that its rules tell the breaker to refuse it does refuse, as chance
	// will have it, so that a breaker can be tried on a part of the traffic: more than 0, at most 1. Default
	// 1: all. The others are let through and counted in [OperationMetrics].Leaked. They are ordinary calls, except
	// that their outcome moves the breaker nowhere: it is in the state in which it would be if it had refused
	// them. They are no probes, and make one attempt as long as the breaker is not closed. [Breaker.ForceOpen]
	// refuses every call nevertheless. To refuse none, and to see what the rules would do, use [Breaker.MetricsOnly].
	Enforce float64

	// Disabled gives the operation no breaker.
	Disabled bool
}

const (
	leastProbeTimeout = 2 * time.Minute
	defaultWindow     = 2 * time.Minute
	defaultMinCalls   = 10
	maxWindowCalls    = 10_000
)

// rated reports whether there is a rule over a window.
func (b *BreakerPolicy) rated() bool { return b.FailureRate > 0 || b.SlowRate > 0 }

// timed reports whether there is a rule about slow calls.
func (b *BreakerPolicy) timed() bool { return b.SlowRate > 0 || b.SlowFails }

// defaultProbeTimeout is how long a probe may take that has no limit of its own.
func (b *BreakerPolicy) defaultProbeTimeout() time.Duration {
	return max(leastProbeTimeout, b.RecoveryTimeout)
}

// fill takes the zero fields of b from base.
func (b *BreakerPolicy) fill(base *BreakerPolicy) {
	fill(&b.FailureThreshold, base.FailureThreshold)
	fill(&b.RecoveryTimeout, base.RecoveryTimeout)
	fill(&b.HalfOpenMaxCalls, base.HalfOpenMaxCalls)
	fill(&b.ProbeTimeout, base.ProbeTimeout)
	fill(&b.FailureRate, base.FailureRate)
	fill(&b.SlowRate, base.SlowRate)
	fill(&b.SlowFails, base.SlowFails)
	fill(&b.SlowCall, base.SlowCall)
	fill(&b.Window, base.Window)
	fill(&b.WindowCalls, base.WindowCalls)
	fill(&b.MinCalls, base.MinCalls)
	fill(&b.RatesOnly, base.RatesOnly)
	fill(&b.MaxRecovery, base.MaxRecovery)
	fill(&b.RecoveryJitter, base.RecoveryJitter)
	fill(&b.HonorRetryAfter, base.HonorRetryAfter)
	fill(&b.RampUp, base.RampUp)
	fill(&b.Enforce, base.Enforce)
	fill(&b.Disabled, base.Disabled)
}

// complete derives what no strategy states.
func (b *BreakerPolicy) complete() {
	fill(&b.Enforce, 1)
	if b.rated() {
		fill(&b.Window, defaultWindow)
		if b.MinCalls == 0 {
			b.MinCalls = defaultMinCalls
			if b.WindowCalls > 0 {
				b.MinCalls = min(b.MinCalls, b.WindowCalls)
			}
		}
	}
}

// check notes every bad field of a completed policy.
func (b *BreakerPolicy) check(f *faults) {
	f.count("Breaker.FailureThreshold", b.FailureThreshold, 100)
	f.span("Breaker.RecoveryTimeout", b.RecoveryTimeout)
	f.count("Breaker.HalfOpenMaxCalls", b.HalfOpenMaxCalls, maxProbes)
	f.span("Breaker.ProbeTimeout", b.ProbeTimeout)
	b.checkRates(f)
	if b.MaxRecovery != 0 && (b.MaxRecovery < max(b.RecoveryTimeout, 0) || b.MaxRecovery > 24*time.Hour) {
		f.add("Breaker.MaxRecovery", "%v, want at least RecoveryTimeout, which is %v, and at most 24h, or 0s for no growth",
			b.MaxRecovery, b.RecoveryTimeout)
	}
	if !(b.RecoveryJitter >= 0 && b.RecoveryJitter <= 0.5) { // written so that NaN fails too
		f.add("Breaker.RecoveryJitter", "%v, want 0 to 0.5", b.RecoveryJitter)
	}
	if b.RampUp < 0 || b.RampUp > time.Hour {
		f.add("Breaker.RampUp", "%v, want 0s to 1h", b.RampUp)
	}
	if !(b.Enforce > 0 && b.Enforce <= 1) { // written so that NaN fails too
		f.add("Breaker.Enforce", "%v, want more than 0 and at most 1, or 0 for 1; it is Breaker.MetricsOnly that refuses nothing", b.Enforce)
	}
}

// checkRates notes what is wrong with the rules over a window.
func (b *BreakerPolicy) checkRates(f *faults) {
	f.share("Breaker.FailureRate", b.FailureRate)
	f.share("Breaker.SlowRate", b.SlowRate)
	if b.RatesOnly && !b.rated() {
		f.add("Breaker.RatesOnly", "true without a rate, so that nothing could open the breaker; want FailureRate or SlowRate, too")
	}
	if b.SlowFails && !(b.FailureRate > 0) {
		f.add("Breaker.SlowFails", "true without FailureRate, in which slow calls would count; want that, too, or SlowRate in place of both")
	}
	if !b.rated() {
		b.checkUnrated(f)
		return
	}
	if b.timed() || b.SlowCall < 0 {
		f.span("Breaker.SlowCall", b.SlowCall)
	}
	if b.Window < time.Second || b.Window > time.Hour {
		f.add("Breaker.Window", "%v, want 1s to 1h", b.Window)
	}
	if b.WindowCalls < 0 || b.WindowCalls > maxWindowCalls {
		f.add("Breaker.WindowCalls", "%d, want 0 to %d", b.WindowCalls, maxWindowCalls)
	}
	f.count("Breaker.MinCalls", b.MinCalls, maxWindowCalls)
	if b.WindowCalls > 0 && b.MinCalls > b.WindowCalls {
		f.add("Breaker.MinCalls", "%d, which a window of %d calls can never hold; want at most that", b.MinCalls, b.WindowCalls)
	}
}

// checkUnrated notes what is wrong with numbers that mean nothing as long as there is no rate.
func (b *BreakerPolicy) checkUnrated(f *faults) {
	if b.SlowCall < 0 {
		f.add("Breaker.SlowCall", "%v, want 0s or more, and SlowRate or SlowFails with it", b.SlowCall)
	}
	if b.Window < 0 {
		f.add("Breaker.Window", "%v, want 0s or more, and a rate with it", b.Window)
	}
	if b.WindowCalls < 0 {
		f.add("Breaker.WindowCalls", "%d, want 0 or more, and a rate with it", b.WindowCalls)
	}
	if b.MinCalls < 0 {
		f.add("Breaker.MinCalls", "%d, want 0 or more, and a rate with it", b.MinCalls)
	}
}
