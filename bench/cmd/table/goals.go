package main

import (
	"cmp"
	"fmt"
)

// A goal is a bound on a figure, on the ratio of two, or on their difference.
type goal struct {
	what  string
	of    figure
	over  figure // of is divided by it; the zero figure: by nothing
	minus figure // it is taken from of; the zero figure: nothing is
	most  float64
}

// A figure is where a number stands: the median of a row in one unit.
type figure struct{ group, library, unit string }

// trysail returns where a figure of ours stands.
func trysail(group, unit string) figure { return figure{group, baseline, unit} }

// libraryGoals are those of section 5 of the design.
func libraryGoals() []goal {
	return []goal{
		{what: "a call that succeeds", of: trysail("Closed", timeUnit), most: 100},
		{what: "a call that succeeds: allocations", of: trysail("Closed", "allocs/op"), most: 0},
		{
			what: "a call that succeeds, against retry-go around gobreaker",
			of:   trysail("Closed", timeUnit), over: figure{"Closed", "retry-go+gobreaker", timeUnit}, most: 0.75,
		},
		{what: "a refusal by an open breaker", of: trysail("Open", timeUnit), most: 40},
		{what: "a refusal by an open breaker: allocations", of: trysail("Open", "allocs/op"), most: 0},
		{
			what: "a call with every policy on, against the same by hand",
			of:   trysail("Everything", timeUnit), over: figure{"Everything", "by-hand+gobreaker", timeUnit}, most: 0.9,
		},
		{what: "an idle operation", of: trysail("Memory", heapUnit), most: 1024},
		{what: "goroutines of 100,000 idle operations", of: trysail("Memory", "goroutines"), most: 0},
		{
			what: "a call while others run on all processors, against one alone",
			of:   trysail("Parallel", timeUnit), over: trysail("Closed", timeUnit), most: 1,
		},
		{what: "a preset by its key", of: trysail("Preset", timeUnit), most: 100},
		{what: "validation of the largest custom configuration: processor time", of: trysail("Validate", "cpu-us/op"), most: 50},
		{what: "loading from the environment with a custom configuration: processor time", of: trysail("LoadEnvironment", "cpu-us/op"), most: 200},
		{what: "a reload that changes 1,000 operations: processor time", of: trysail("Reload", "cpu-us/op"), most: 5000},
		{
			what: "a call while one reload follows the other, against one without",
			of:   trysail("CallDuringReload", timeUnit), over: figure{"CallDuringReload", "no-reload", timeUnit}, most: 2,
		},
		{what: "an event that is recorded: processor time", of: trysail("Record", "cpu-us/op"), most: 0.1},
		{what: "an export of 1,000,000 events: processor time", of: trysail("Export", "cpu-us/op"), most: 10_000_000},
		{what: "the health of 1,000 operations: processor time", of: trysail("Health", "cpu-us/op"), most: 100},
	}
}

// verdicts returns the goals that rep has the figures of as a table, the heads of the columns first,
// and an error that names the first figure that it does not have.
func (rep *report) verdicts() (table [][]string, missing error) {
	table = [][]string{{"goal", "wanted", "measured", "verdict"}}
	for _, g := range rep.goals {
		measured, err := g.measure(rep)
		if err != nil {
			missing = cmp.Or(missing, err)
			continue
		}
		verdict := "missed"
		if measured <= g.most {
			verdict = "met"
		}
		table = append(table, []string{g.what, "at most " + g.text(g.most), g.text(measured), verdict})
	}
	return table, missing
}

func (g goal) measure(rep *report) (float64, error) {
	value, err := rep.median(g.of)
	if err != nil {
		return 0, err
	}
	if g.over != (figure{}) {
		divisor, err := rep.median(g.over)
		if err == nil && divisor <= 0 {
			err = fmt.Errorf("%v is %v, want more than 0", g.over, divisor)
		}
		return value / divisor, err
	}
	if g.minus != (figure{}) {
		base, err := rep.median(g.minus)
		return value - base, err
	}
	return value, nil
}

// text writes a value of the goal with its unit.
func (g goal) text(v float64) string {
	if g.over != (figure{}) {
		return number(v) + "x"
	}
	return number(v) + " " + g.of.unit
}

// median returns a figure.
func (rep *report) median(f figure) (float64, error) {
	for _, grp := range rep.groups {
		if r := grp.lookup(f.library); grp.key.name == f.group && r != nil && r.metric(f.unit) != nil {
			return r.metric(f.unit).median(), nil
		}
	}
	return 0, fmt.Errorf("%v was not measured", f)
}

func (f figure) String() string {
	return fmt.Sprintf("Benchmark%s/%s in %s", f.group, f.library, f.unit)
}
