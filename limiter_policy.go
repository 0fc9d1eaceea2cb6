package trysail

import "time"

// A LimiterPolicy bounds how many calls an operation makes in a time, retries not
// counted. Its zero value sets no limit.
type LimiterPolicy struct {
	// Rate is how many calls may begin in a second, in the long run: 1e-6 to 1e9.
	// Default 0: no limit.
	Rate float64

	// Burst is how many calls may begin at once after a silence: 1 to what Rate brings in
	// ten years. Default: what Rate brings in a second, at least 1.
	Burst float64

	// MaxWait is how long a call may wait for its turn: up to 1 h. Default 0: it does not
	// wait, but is refused with [ErrLimited].
	MaxWait time.Duration

	// Disabled sets no limit, whatever the fields above say.
	Disabled bool
}

// active reports whether there is a limit.
func (p *LimiterPolicy) active() bool { return p.Rate != 0 && !p.Disabled }

// fill takes the zero fields of p from base.
func (p *LimiterPolicy) fill(base *LimiterPolicy) {
	fill(&p.Rate, base.Rate)
	fill(&p.Burst, base.Burst)
	fill(&p.MaxWait, base.MaxWait)
	fill(&p.Disabled, base.Disabled)
}

// complete derives what no strategy states.
func (p *LimiterPolicy) complete() {
	if p.Rate != 0 {
		fill(&p.Burst, defaultBurst(p.Rate))
	}
}

// check notes every bad field of a completed policy.
func (p *LimiterPolicy) check(f *faults) {
	if p.Rate == 0 {
		if p.Burst != 0 || p.MaxWait != 0 {
			f.add("Limiter.Rate", "0, want a rate, because Burst is %v and MaxWait is %v", p.Burst, p.MaxWait)
		}
		return
	}
	f.pace("Limiter.", p.Rate, p.Burst)
	if p.Burst > 0 && p.Burst < 1 {
		f.add("Limiter.Burst", "%v, want at least 1, which is a call", p.Burst)
	}
	f.wait("Limiter.MaxWait", p.MaxWait)
}

// defaultBurst is what the rate brings in a second, at least one unit. Of no number it
// is 1, so that one fault is named once.
func defaultBurst(rate float64) float64 {
	if rate > 1 {
		return min(rate, maxRate)
	}
	return 1
}

// pace wants a rate and a burst that a limiter can keep.
func (f *faults) pace(prefix string, rate, burst float64) {
	good := rate >= minRate && rate <= maxRate
	if !good {
		f.add(prefix+"Rate", "%v, want %v to %v a second", rate, minRate, maxRate)
	}
	switch {
	case !(burst > 0):
		f.add(prefix+"Burst", "%v, want more than 0", burst)
	case good && burst/rate > longestRefill:
		f.add(prefix+"Burst", "%v, want at most %v, which the rate brings in ten years", burst, rate*longestRefill)
	}
}

// wait wants a time that may be 0, for not at all.
func (f *faults) wait(field string, d time.Duration) {
	if d < 0 || d > time.Hour {
		f.add(field, "%v, want 0s to 1h", d)
	}
}
