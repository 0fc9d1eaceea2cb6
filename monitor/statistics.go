package monitor

import (
	"maps"
	"math"
	"slices"
	"time"
)

// Statistics say how configurations were used in a window. They are about what recorders recorded, not about what
// the engine reported.
type Statistics struct {
	Loads       int // that succeeded
	Errors      int
	PresetUsage map[string]int // by preset; those that were not used are not in it

	// MostUsed and LeastUsed are presets of PresetUsage, the first by name if several were used as often, or "none".
	MostUsed, LeastUsed string

	ErrorRate   float64       // errors per load, at most 1; with errors but no load 1
	AverageLoad time.Duration // of the loads; 0 if there was none

	// CustomRate and LegacyRate are the shares of the events, of whatever kind, whose metadata has the
	// config_type "custom" or "legacy". 0 if there was no event.
	CustomRate, LegacyRate float64

	// ActiveAlerts are those of the last 24 hours, whatever the window, oldest first.
	ActiveAlerts []Alert
}

// Statistics returns what happened in the window that ends now. What is as old as the window is not in it. A window
// that is not positive holds everything.
func (c *Collector) Statistics(window time.Duration) Statistics {
	s := Statistics{PresetUsage: map[string]int{}}
	var events, custom, legacy int
	var took float64
	now := c.lock()
	c.groups[configuration].since(edgeOf(now, window), func(e *entry) {
		events++
		switch e.origin {
		case originCustom:
			custom++
		case originLegacy:
			legacy++
		default: // counts in events only
		}
		switch e.kind {
		case ConfigLoad:
			s.Loads++
			took += e.value
		case ConfigError:
			s.Errors++
		case PresetUsage:
			s.PresetUsage[e.preset]++
		default: // counts in events only
		}
	})
	s.ActiveAlerts = c.alerts.since(edgeOf(now, activeFor), 0)
	c.mu.Unlock()

	s.MostUsed, s.LeastUsed = extremes(s.PresetUsage)
	s.ErrorRate = errorShare(s.Errors, s.Loads)
	s.AverageLoad = durationOf(took / float64(max(s.Loads, 1)))
	s.CustomRate = float64(custom) / float64(max(events, 1))
	s.LegacyRate = float64(legacy) / float64(max(events, 1))
	return s
}

// extremes returns the keys of the greatest and of the smallest number.
func extremes(usage map[string]int) (most, least string) {
	most, least = "none", "none"
	for _, preset := range slices.Sorted(maps.Keys(usage)) {
		if most == "none" || usage[preset] > usage[most] {
			most = preset
		}
		if least == "none" || usage[preset] < usage[least] {
			least = preset
		}
	}
	return most, least
}

// Performance says how long loads took in a window. Everything is 0 if there was none.
type Performance struct {
	Average, Min, Max time.Duration
	P95               time.Duration // the nearest rank: of n loads in rising order the one with the number 0.95 n, rounded up
	Samples           int           // loads
	Errors            int           // whether or not there were loads
	Presets           map[string]PresetPerformance
}

// PresetPerformance says how long the loads of one preset took. There was at least one.
type PresetPerformance struct {
	Average, Min, Max time.Duration
	Samples           int
}

// Performance returns how long the loads of the window took that ends now. The window is that of [Collector.Statistics].
func (c *Collector) Performance(window time.Duration) Performance {
	p := Performance{Presets: map[string]PresetPerformance{}}
	byPreset := map[string][]float64{}
	now := c.lock()
	c.groups[configuration].since(edgeOf(now, window), func(e *entry) {
		switch e.kind {
		case ConfigLoad:
			byPreset[e.preset] = append(byPreset[e.preset], e.value)
		case ConfigError:
			p.Errors++
		default: // says nothing about loads
		}
	})
	c.mu.Unlock() // sorting is not for recorders to wait for

	var all []float64
	for _, preset := range slices.Sorted(maps.Keys(byPreset)) {
		s := summarize(byPreset[preset])
		p.Presets[preset] = s
		all = append(all, byPreset[preset]...)
	}
	if len(all) > 0 {
		s := summarize(all) // sorts
		p.Average, p.Min, p.Max, p.Samples = s.Average, s.Min, s.Max, s.Samples
		p.P95 = durationOf(all[nearestRank(95, len(all))])
	}
	return p
}

// summarize sorts the times of at least one load, in milliseconds.
func summarize(loads []float64) PresetPerformance {
	slices.Sort(loads)
	sum := 0.0
	for _, ms := range loads {
		sum += ms
	}
	n := len(loads)
	return PresetPerformance{Average: durationOf(sum / float64(n)), Min: durationOf(loads[0]), Max: durationOf(loads[n-1]), Samples: n}
}

// nearestRank returns the index of a percentile in n sorted samples: ceil(p/100 n) - 1.
func nearestRank(percent, n int) int { return (percent*n+99)/100 - 1 }

// durationOf is the inverse of milliseconds.
func durationOf(ms float64) time.Duration {
	return time.Duration(math.Round(ms * float64(time.Millisecond)))
}
