package trysail

import "time"

// A ThrottlePolicy drops a share of the calls when the dependency takes only some of
// them: gradually, where a breaker refuses all or none. Its zero value drops none.
//
// A dependency has taken a call that succeeded, and one that failed without counting as a
// failure, such as a bad request; what a caller gave up, or had no more time for, counts for nothing. When half of the calls
// are taken, a Factor of 2 drops none and sends twice what is taken; 1.1 drops 45 % and sends a
// tenth more than is taken. A dependency that takes less than 1/Factor of whatever is sent, as when that share of
// the calls fails for another reason, gets the least that MaxShare lets through: with 1.1 when one of ten calls fails.
//
// What is sent can grow by Factor from one window to the next. From the ceiling back to all
// calls it takes ln(1/(1-MaxShare))/ln(Factor) windows: with a ceiling of 0.9 three with a Factor of 2, 24 with 1.1, 47 with
// 1.05. With 1 it would be luck.
type ThrottlePolicy struct {
	// Factor is how many calls are made for each that the dependency takes: 1.05 to 100. Small
	// where a call that is not taken is dear. 2 is a good choice. Default 0: no throttle.
	Factor float64

	// Window is the time that is looked back on: 1 s to 1 h. Default 2 min.
	Window time.Duration

	// MinCalls is how many calls the window must hold before any is dropped: 1 to 10,000.
	// Default 10.
	MinCalls int

	// MaxShare is the largest share of the calls that is dropped, so that a recovery is
	// seen: more than 0, less than 1. Default 0.9.
	MaxShare float64

	// Disabled drops none, whatever the fields above say.
	Disabled bool
}

const (
	leastThrottleFactor     = 1.05 // Envoy's admission control, which wants 95 % of the calls to succeed
	mostThrottleFactor      = 100
	defaultThrottleWindow   = 2 * time.Minute
	defaultThrottleMinCalls = 10
	defaultThrottleMaxShare = 0.9
)

// active reports whether calls may be dropped.
func (p *ThrottlePolicy) active() bool { return p.Factor != 0 && !p.Disabled }

// fill takes the zero fields of p from base.
func (p *ThrottlePolicy) fill(base *ThrottlePolicy) {
	fill(&p.Factor, base.Factor)
	fill(&p.Window, base.Window)
	fill(&p.MinCalls, base.MinCalls)
	fill(&p.MaxShare, base.MaxShare)
	fill(&p.Disabled, base.Disabled)
}

// complete derives what no strategy states.
func (p *ThrottlePolicy) complete() {
	if p.Factor != 0 {
		fill(&p.Window, defaultThrottleWindow)
		fill(&p.MinCalls, defaultThrottleMinCalls)
		fill(&p.MaxShare, defaultThrottleMaxShare)
	}
}

// check notes every bad field of a completed policy.
func (p *ThrottlePolicy) check(f *faults) {
	if p.Factor == 0 {
		if p.Window != 0 || p.MinCalls != 0 || p.MaxShare != 0 {
			f.add("Throttle.Factor", "0, want a number, because Window is %v, MinCalls %d and MaxShare %v", p.Window, p.MinCalls, p.MaxShare)
		}
		return
	}
	if !(p.Factor >= leastThrottleFactor && p.Factor <= mostThrottleFactor) { // written so that NaN fails too
		f.add("Throttle.Factor", "%v, want %v to %v: with less nothing would end the dropping", p.Factor, leastThrottleFactor, mostThrottleFactor)
	}
	if p.Window < time.Second || p.Window > time.Hour {
		f.add("Throttle.Window", "%v, want 1s to 1h", p.Window)
	}
	f.count("Throttle.MinCalls", p.MinCalls, maxWindowCalls)
	if !(p.MaxShare > 0 && p.MaxShare < 1) {
		f.add("Throttle.MaxShare", "%v, want more than 0 and less than 1", p.MaxShare)
	}
}
