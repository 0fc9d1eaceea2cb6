package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// copyOf returns a copy of a file in testdata, in a folder of its own.
func copyOf(t *testing.T, name string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(read(t, name)), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestPageIsGolden(t *testing.T) {
	page := copyOf(t, "page.md")
	var out bytes.Buffer
	if err := run([]string{"-page", page}, strings.NewReader(read(t, "whole.txt")), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "page.md.golden", first)
	golden(t, "whole.text.golden", out.Bytes())

	if err := run([]string{"-page", page}, strings.NewReader(read(t, "whole.txt")), io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	if second, _ := os.ReadFile(page); !bytes.Equal(first, second) {
		t.Errorf("written again, the page became:\n%s", second)
	}
}

func TestPageStaysWhole(t *testing.T) {
	whole, page := read(t, "whole.txt"), read(t, "page.md")
	last := whole[strings.LastIndex(whole, "BenchmarkGateway128/reverse-proxy"):]
	for name, tc := range map[string]struct {
		input, page string
		want        string // part of the error
	}{
		"failed run":          {whole + "FAIL\n", page, "the run failed"},
		"interrupted run":     {strings.TrimSuffix(whole, last), page, "Benchmark" + `Gateway128/reverse-proxy has 1 runs, want 2`},
		"benchmark left out":  {without(whole, "BenchmarkEverything/by-hand"), page, "BenchmarkEverything/by-hand+gobreaker in ns/op was not measured"},
		"unit left out":       {strings.ReplaceAll(whole, "goroutines", "threads"), page, "BenchmarkMemory/trysail in goroutines was not measured"},
		"nothing to compare":  {strings.ReplaceAll(whole, "600 ns/op", "0 ns/op"), page, "BenchmarkEverything/by-hand+gobreaker in ns/op is 0, want more than 0"},
		"no markers":          {whole, "# Figures\n", "once each"},
		"no end":              {whole, "<!-- measured -->\n", "once each"},
		"two begins":          {whole, page + page, "once each"},
		"end before begin":    {whole, "<!-- /measured -->\n<!-- measured -->\n", "stands before"},
		"marker within a row": {whole, strings.ReplaceAll(page, "<!-- /measured -->\n", "<!-- /measured --> x\n"), "once each"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "page.md")
			if err := os.WriteFile(file, []byte(tc.page), 0o644); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			err := run([]string{"-page", file}, strings.NewReader(tc.input), &out, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("run = %v, want an error with %q", err, tc.want)
			}
			if got, _ := os.ReadFile(file); string(got) != tc.page || out.Len() > 0 {
				t.Errorf("the page became %q and the output %q, want the one unchanged and the other empty", got, out.String())
			}
			if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 1 {
				t.Errorf("%d files are left, want the page only", len(left))
			}
		})
	}
}

// without returns text without the lines that begin with start.
func without(text, start string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, start) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// TestVerdictsFollowTheFigures moves each figure of a goal over its bound.
func TestVerdictsFollowTheFigures(t *testing.T) {
	for _, g := range append(libraryGoals(), gatewayGoals()...) {
		t.Run(g.what, func(t *testing.T) {
			for value, want := range map[float64]string{g.most: "met", g.most + 0.01: "missed"} {
				rep := &report{goals: []goal{g}}
				add := func(f figure, v float64) { rep.group(groupKey{name: f.group}).row(f.library).add(f.unit, v) }
				switch {
				case g.over != (figure{}):
					add(g.of, value*8)
					add(g.over, 8)
				case g.minus != (figure{}):
					add(g.of, value+8)
					add(g.minus, 8)
				default:
					add(g.of, value)
				}
				table, _ := rep.verdicts()
				found := ""
				for _, line := range table {
					if line[0] == g.what {
						found = line[3]
					}
				}
				if found != want {
					t.Errorf("at %v: %q, want %q; the table is %v", value, found, want, table)
				}
			}
		})
	}
}
