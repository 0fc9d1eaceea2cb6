package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestSplitProcs(t *testing.T) {
	for name, tc := range map[string]struct {
		in    string
		name  string
		procs int
	}{
		"none":                    {"Open/failsafe-go", "Open/failsafe-go", 1},
		"two":                     {"Open/failsafe-go-2", "Open/failsafe-go", 2},
		"last number only":        {"Open/x-1-16", "Open/x-1", 16},
		"digits within a word":    {"Open/retry-5a", "Open/retry-5a", 1},
		"dash at the end":         {"Open/x-", "Open/x-", 1},
		"nothing else":            {"-8", "", 8},
		"zero":                    {"Open/x-0", "Open/x-0", 1},
		"signed":                  {"Open/x-+3", "Open/x-+3", 1},
		"more than any machine's": {"Open/x-99999999999", "Open/x-99999999999", 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got, procs := splitProcs(tc.in); got != tc.name || procs != tc.procs {
				t.Errorf("splitProcs(%q) = %q, %d, want %q, %d", tc.in, got, procs, tc.name, tc.procs)
			}
		})
	}
}

func TestMedian(t *testing.T) {
	for name, tc := range map[string]struct {
		samples []float64
		want    float64
	}{
		"one":          {[]float64{7}, 7},
		"odd":          {[]float64{9, 1, 5}, 5},
		"even":         {[]float64{9, 1, 5, 6}, 5.5},
		"no overflow":  {[]float64{1e308, 1.5e308}, 1.25e308},
		"no underflow": {[]float64{5e-324, 5e-324}, 5e-324},
		"one far away": {[]float64{1, 1, 1, 1, 1e9}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			m := metric{samples: slices.Clone(tc.samples)}
			if got := m.median(); got != tc.want {
				t.Errorf("median of %v = %v, want %v", tc.samples, got, tc.want)
			}
			if !slices.Equal(m.samples, tc.samples) {
				t.Errorf("samples became %v, want %v", m.samples, tc.samples)
			}
		})
	}
}

// FuzzParse checks that what was read can be written as go test writes it and
// read again, and that any report can be shown.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"typical.txt", "odd.txt"} {
		seed, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(seed))
	}
	f.Add("BenchmarkX/y-2 \t--- FAIL: BenchmarkX/y-2")
	f.Add("BenchmarkX-2 1 5e-324 ns/op\nBenchmarkX-2 1 -1e308 ns/op")
	f.Fuzz(func(t *testing.T, input string) {
		rep, err := parse(strings.NewReader(input))
		if err != nil {
			return
		}
		checkShown(t, rep)
		again, err := parse(strings.NewReader(printed(rep)))
		if err != nil {
			t.Fatalf("parse(%q) = %v", printed(rep), err)
		}
		if first, second := printed(rep), printed(again); first != second {
			t.Errorf("read %q and then %q", first, second)
		}
	})
}

// printed writes rep as go test would, a line for each sample.
func printed(rep *report) string {
	var b strings.Builder
	for _, g := range rep.groups {
		fmt.Fprintf(&b, "pkg: %s\n", g.key.pkg)
		for _, r := range g.rows {
			name := "Benchmark" + g.key.name
			if r.library != "" {
				name += "/" + r.library
			}
			for _, m := range r.metrics {
				for _, sample := range m.samples {
					value := strconv.FormatFloat(sample, 'g', -1, 64)
					fmt.Fprintf(&b, "%s-%d 1 %s %s\n", name, g.key.procs, value, m.unit)
				}
			}
		}
	}
	return b.String()
}

// checkShown checks what a reader of the tables relies on.
func checkShown(t *testing.T, rep *report) {
	t.Helper()
	for _, g := range rep.groups {
		cells := g.cells()
		if len(cells) != len(g.rows)+1 {
			t.Errorf("%d lines for %d rows", len(cells), len(g.rows))
		}
		for _, line := range cells {
			if len(line) != len(cells[0]) || slices.Contains(line, "") {
				t.Errorf("line %q does not fit under %q", line, cells[0])
			}
		}
		for _, r := range g.rows {
			for _, m := range r.metrics {
				if mid := m.median(); mid < slices.Min(m.samples) || mid > slices.Max(m.samples) {
					t.Errorf("median of %v is %v", m.samples, mid)
				}
			}
		}
	}
	var text, markdown bytes.Buffer
	writeText(&text, rep)
	writeMarkdown(&markdown, rep)
	if text.Len() == 0 || markdown.Len() == 0 {
		t.Error("nothing was written")
	}
}
