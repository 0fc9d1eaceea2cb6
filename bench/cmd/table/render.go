package main

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	baseline  = "trysail" // the library that the others are compared with
	timeUnit  = "ns/op"
	heapUnit  = "B/operation"
	openUnit  = "open-MiB"
	startUnit = "ready-ms"
	absent    = "-"
)

// writeText writes aligned columns for a terminal.
func writeText(out *bytes.Buffer, rep *report) {
	for _, line := range rep.machine {
		fmt.Fprintln(out, line)
	}
	for _, g := range rep.groups {
		fmt.Fprintf(out, "\n%s\n", rep.heading(g))
		writeAligned(out, g.cells())
	}
	if verdicts, _ := rep.verdicts(); len(verdicts) > 1 {
		fmt.Fprint(out, "\nGoals\n")
		writeAligned(out, verdicts)
	}
}

func writeAligned(out *bytes.Buffer, table [][]string) {
	widths := columnWidths(table)
	for _, line := range table {
		fmt.Fprintln(out, "  "+aligned(line, widths))
	}
}

// writeMarkdown writes a heading and a table for the goals and for each group.
func writeMarkdown(out *bytes.Buffer, rep *report) {
	for _, line := range rep.machine {
		fmt.Fprintf(out, "- %s\n", line)
	}
	section := func(heading string, table [][]string) {
		if out.Len() > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "### %s\n\n", heading)
		writePiped(out, table)
	}
	if verdicts, _ := rep.verdicts(); len(verdicts) > 1 {
		section("Goals", verdicts)
	}
	for _, g := range rep.groups {
		section(rep.heading(g), g.cells())
	}
}

func writePiped(out *bytes.Buffer, table [][]string) {
	for i, line := range table {
		for j := range line {
			line[j] = strings.ReplaceAll(line[j], "|", `\|`)
		}
		fmt.Fprintf(out, "| %s |\n", strings.Join(line, " | "))
		if i == 0 {
			fmt.Fprintf(out, "| --- |%s\n", strings.Repeat(" ---: |", len(line)-1))
		}
	}
}

// heading names a group. The package is in it only where there are several.
func (rep *report) heading(g *group) string {
	processors := "1 processor"
	if g.key.procs > 1 {
		processors = fmt.Sprintf("%d processors", g.key.procs)
	}
	s := cmp.Or(g.key.name, "Benchmark") + ", " + processors
	if slices.ContainsFunc(rep.groups, func(other *group) bool { return other.key.pkg != g.key.pkg }) {
		s += " (" + g.key.pkg + ")"
	}
	return s
}

// cells returns the group as a table, the heads of the columns first.
func (g *group) cells() [][]string {
	units := g.units()
	compared := comparedBy(units)
	head := []string{"library", "runs"}
	for _, unit := range units {
		head = append(head, unit)
		if unit == compared {
			head = append(head, "min-max")
		}
	}
	table := [][]string{append(head, "against "+baseline)}
	base := g.lookup(baseline)
	for _, r := range g.rows {
		line := []string{cmp.Or(r.library, absent), strconv.Itoa(r.runs())}
		for _, unit := range units {
			m := r.metric(unit)
			line = append(line, m.text())
			if unit == compared {
				line = append(line, m.spread())
			}
		}
		table = append(table, append(line, r.against(base, compared)))
	}
	return table
}

// comparedBy returns the unit in which the rows of a group are compared: time, or what there is in its place.
func comparedBy(units []string) string {
	for _, unit := range []string{timeUnit, heapUnit, openUnit, startUnit} {
		if slices.Contains(units, unit) {
			return unit
		}
	}
	return timeUnit
}

// units returns the units of all rows: those of every benchmark in their usual
// order, then the others in the order in which they appeared.
func (g *group) units() []string {
	var units []string
	for _, r := range g.rows {
		for _, m := range r.metrics {
			if !slices.Contains(units, m.unit) {
				units = append(units, m.unit)
			}
		}
	}
	usual := []string{timeUnit, "B/op", "allocs/op"}
	slices.SortStableFunc(units, func(a, b string) int { return rank(usual, a) - rank(usual, b) })
	return units
}

// rank returns the place of s in list, or the length of list.
func rank(list []string, s string) int {
	if i := slices.Index(list, s); i >= 0 {
		return i
	}
	return len(list)
}

func (r *row) runs() int {
	most := 0
	for _, m := range r.metrics {
		most = max(most, len(m.samples))
	}
	return most
}

// against compares the medians of r and base, which may be nil.
func (r *row) against(base *row, unit string) string {
	if base == nil || r.metric(unit) == nil || base.metric(unit) == nil {
		return absent
	}
	ours, theirs := base.metric(unit).median(), r.metric(unit).median()
	if ours <= 0 || theirs <= 0 {
		return absent
	}
	if r == base {
		return "1"
	}
	more, less := "x slower", "x faster"
	if unit == heapUnit || unit == openUnit {
		more, less = "x more", "x less"
	}
	times, word := theirs/ours, more
	if times < 1 {
		times, word = ours/theirs, less
	}
	if fixed(times) == "1.00" {
		return "same"
	}
	return fixed(times) + word
}

// text returns the median; m may be nil.
func (m *metric) text() string {
	if m == nil {
		return absent
	}
	if m.unit == timeUnit {
		return fixed(m.median())
	}
	return number(m.median())
}

// spread returns the least and the greatest sample; m may be nil.
func (m *metric) spread() string {
	if m == nil {
		return absent
	}
	return fixed(slices.Min(m.samples)) + "-" + fixed(slices.Max(m.samples))
}

// number writes whole numbers whole and others with about three digits.
func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return fixed(v)
}

func fixed(v float64) string {
	switch size := math.Abs(v); {
	case size >= 1e15 || size < 0.001 && size > 0:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case size >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case size >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case size >= 0.1 || size == 0:
		return strconv.FormatFloat(v, 'f', 2, 64)
	default:
		return strconv.FormatFloat(v, 'f', 4, 64)
	}
}

func columnWidths(table [][]string) []int {
	widths := make([]int, len(table[0]))
	for _, line := range table {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

// aligned sets the first cell to the left and the others to the right.
func aligned(line []string, widths []int) string {
	var b strings.Builder
	for i, cell := range line {
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if i == 0 {
			b.WriteString(cell + pad)
		} else {
			b.WriteString("  " + pad + cell)
		}
	}
	return b.String()
}
