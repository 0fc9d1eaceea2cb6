package main

import "slices"

// A report is what the input held, everything in the order in which it first
// appeared there.
type report struct {
	machine []string // distinct lines that describe it and what ran on it, such as "goos: linux"
	groups  []*group
	goals   []goal // what is judged
}

// A group is a set of rows that may be compared: the same package, benchmark
// and number of processors.
type group struct {
	key  groupKey
	rows []*row
}

type groupKey struct {
	pkg, name string
	procs     int
}

// A row is one library in one group.
type row struct {
	library string
	metrics []*metric
}

// A metric is what all runs of a row measured in one unit.
type metric struct {
	unit    string
	samples []float64 // never empty, always finite
}

func (rep *report) describe(line string) {
	if !slices.Contains(rep.machine, line) {
		rep.machine = append(rep.machine, line)
	}
}

func (rep *report) group(key groupKey) *group {
	for _, g := range rep.groups {
		if g.key == key {
			return g
		}
	}
	g := &group{key: key}
	rep.groups = append(rep.groups, g)
	return g
}

// row returns the library's row, which it makes if need be.
func (g *group) row(library string) *row {
	if r := g.lookup(library); r != nil {
		return r
	}
	r := &row{library: library}
	g.rows = append(g.rows, r)
	return r
}

// lookup returns the library's row, or nil.
func (g *group) lookup(library string) *row {
	for _, r := range g.rows {
		if r.library == library {
			return r
		}
	}
	return nil
}

// metric returns what was measured in unit, or nil.
func (r *row) metric(unit string) *metric {
	for _, m := range r.metrics {
		if m.unit == unit {
			return m
		}
	}
	return nil
}

func (r *row) add(unit string, sample float64) {
	m := r.metric(unit)
	if m == nil {
		m = &metric{unit: unit}
		r.metrics = append(r.metrics, m)
	}
	m.samples = append(m.samples, sample)
}

// median returns the middle sample, or the mean of the middle two.
func (m *metric) median() float64 {
	sorted := slices.Sorted(slices.Values(m.samples))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	low, high := sorted[half-1], sorted[half]
	return min(max(low/2+high/2, low), high) // low+high may overflow, the halves may vanish
}
