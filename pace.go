package trysail

import "math"

// The rates that a limiter can keep, in units a second: from one unit in eleven
// days to one a nanosecond.
const (
	minRate = 1e-6
	maxRate = 1e9
)

// longestRefill bounds how long an empty bucket takes to fill, in seconds. It keeps every
// sum of instants within 63 bits.
const longestRefill = 10 * 365 * 24 * 60 * 60

// longestDebt is the longest debt that is kept, in nanoseconds: 73 years. Only a
// settlement can come near it.
const longestDebt = 1 << 61

// mostSlack is by how many nanoseconds, or by a thousandth if that is more, a burst may be larger, so that
// rounding costs none of its units.
const mostSlack = 10_000

// A pace turns units into the nanoseconds in which the rate brings them. An amount is
// rounded up to whole nanoseconds, once; from there on all is done in integers.
type pace struct {
	rate, burst float64
	unit        int64 // cost of one unit
	depth       int64 // cost of a whole burst
}

func newPace(rate, burst float64) pace {
	p := pace{rate: rate, burst: burst}
	p.unit = p.nanoseconds(1)
	p.depth = p.nanoseconds(burst)
	// A burst of 3 must hold three units also where each was rounded up: at 3 a second. At 700 million
	// a second the rounding is most of a unit, and such a burst would hold far more of larger amounts.
	p.depth += min(max(int64(burst)*p.unit-p.depth, 0), max(p.depth/1000, mostSlack))
	return p
}

// cost returns the nanoseconds of n units.
func (p *pace) cost(n float64) int64 {
	if n == 1 {
		return p.unit
	}
	return p.nanoseconds(n)
}

func (p *pace) nanoseconds(n float64) int64 {
	return int64(min(math.Ceil(n*1e9/p.rate), longestDebt))
}

// units returns what the rate brings in d nanoseconds, for people to read.
func (p *pace) units(d int64) float64 { return float64(d) * p.rate / 1e9 }

// fits reports whether n units can ever be had; what is not a number cannot.
func (p *pace) fits(n float64) bool { return n >= 0 && n <= p.burst }
