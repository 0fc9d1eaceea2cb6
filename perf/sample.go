package perf

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// milliseconds returns d as a number of milliseconds.
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// statistics are what a list of times comes to, all in the unit of the list. They are zero for an empty one.
type statistics struct {
	sum, mean, min, max, deviation float64
	sorted                         []float64
}

// summarize sorts times and says what they come to. The deviation is the sample's (n-1), and 0 for a single time.
func summarize(times []float64) statistics {
	if len(times) == 0 {
		return statistics{}
	}
	slices.Sort(times)
	s := statistics{min: times[0], max: times[len(times)-1], sorted: times}
	for _, t := range times {
		s.sum += t
	}
	// Rounding must not bring the mean out of the range of what it is the mean of.
	s.mean = min(max(s.sum/float64(len(times)), s.min), s.max)
	if len(times) > 1 {
		squares := 0.0
		for _, t := range times {
			squares += (t - s.mean) * (t - s.mean)
		}
		s.deviation = math.Sqrt(squares / float64(len(times)-1))
	}
	return s
}

// percentile returns the nearest rank: of n times in rising order number ⌈p/100·n⌉. In whole numbers, because 0.95·20
// is a little more than 19 in floating point.
func (s statistics) percentile(p int) float64 {
	if len(s.sorted) == 0 {
		return 0
	}
	return s.sorted[max((len(s.sorted)*p+99)/100, 1)-1]
}

// mean returns the mean of list, which must not be empty.
func mean(list []float64) float64 {
	sum := 0.0
	for _, v := range list {
		sum += v
	}
	return sum / float64(len(list))
}

// maxChange keeps a change from next to nothing from becoming infinite, which JSON cannot say.
const maxChange = 1e12 // percent

// percentChange returns by how many percent now differs from was. From nothing to something is 100 %.
func percentChange(was, now float64) float64 {
	if was == 0 {
		return float64(cmp.Compare(now, 0)) * 100
	}
	return min((now-was)/was*100, maxChange)
}
