package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var errNoBenchmarks = errors.New(`no benchmark in the input, want the output of "go test -bench"`)

// A lineError reports a line of the input that does not allow a table.
type lineError struct {
	line int // from 1
	what string
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.what) }

// parse reads the output of one or more runs of go test. It refuses the whole
// input when a run failed or a result is damaged, because a table of what is
// left would look complete.
func parse(r io.Reader) (*report, error) {
	input, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read the benchmarks: %w", err)
	}
	lines := strings.Split(string(input), "\n")
	rep, pkg := &report{goals: libraryGoals()}, ""
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if failed(line) {
			return nil, &lineError{i + 1, "the run failed:\n" + excerpt(lines[i:])}
		}
		switch label, value, _ := strings.Cut(line, ": "); label {
		case "pkg":
			pkg = strings.TrimSpace(value)
		case "date", "commit", "go", "processors", "load", "libraries", "goos", "goarch", "cpu":
			rep.describe(line)
		default:
			if err := rep.addLine(pkg, line); err != nil {
				return nil, &lineError{i + 1, fmt.Sprintf("%v: %q", err, line)}
			}
		}
	}
	if len(rep.groups) == 0 {
		return nil, errNoBenchmarks
	}
	return rep, nil
}

// failed reports whether a line says that a run failed. The testing package has
// by then written the benchmark's name, so the words may stand behind it.
func failed(line string) bool {
	if word, rest, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " "); word == "FAIL" {
		return true
	} else if isName(word) {
		line = strings.TrimSpace(rest)
	}
	for _, start := range []string{"--- FAIL:", "panic:", "fatal error:"} {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return false
}

// excerpt returns the beginning of lines, where the reason of a failure is: the
// user has not seen the output that was piped here.
func excerpt(lines []string) string {
	const most = 12
	if len(lines) > most {
		lines = lines[:most]
	}
	return strings.TrimRight(strings.Join(lines, "\n"), " \t\r\n")
}

// addLine takes a line if it is a result; other lines are no error.
// The form is that of golang.org/design/14313-benchmark-format.
func (rep *report) addLine(pkg, line string) error {
	fields := strings.Fields(line)
	if len(fields) < 2 || !isName(fields[0]) { // with -v a name stands alone before its result
		return nil
	}
	if len(fields) < 4 || len(fields)%2 != 0 {
		return errors.New("damaged result, want a name, a count and pairs of value and unit")
	}
	if n, err := strconv.Atoi(fields[1]); err != nil || n < 1 {
		return fmt.Errorf("count is %s, want a number of at least 1", fields[1])
	}
	values, err := readPairs(fields[2:])
	if err != nil {
		return err
	}
	name, procs := splitProcs(strings.TrimPrefix(fields[0], "Benchmark"))
	name, library, _ := strings.Cut(name, "/")
	r := rep.group(groupKey{pkg, name, procs}).row(library)
	for _, v := range values {
		r.add(v.unit, v.samples[0])
	}
	return nil
}

// isName reports whether word names a benchmark; "Benchmarks" does not.
func isName(word string) bool {
	rest, ok := strings.CutPrefix(word, "Benchmark")
	first, _ := utf8.DecodeRuneInString(rest)
	return ok && rest != "" && !unicode.IsLower(first)
}

// splitProcs splits off the number of processors, which go test leaves out when
// it is 1.
func splitProcs(name string) (string, int) {
	i := strings.LastIndexByte(name, '-')
	if i < 0 {
		return name, 1
	}
	procs, err := strconv.ParseUint(name[i+1:], 10, 31)
	if err != nil || procs == 0 {
		return name, 1
	}
	return name[:i], int(procs)
}

// readPairs reads the values of one run.
func readPairs(fields []string) ([]*metric, error) {
	var read row
	for pair := range slices.Chunk(fields, 2) {
		value, err := strconv.ParseFloat(pair[0], 64)
		if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
			return nil, fmt.Errorf("value is %s, want a finite number", pair[0])
		}
		if read.metric(pair[1]) != nil {
			return nil, fmt.Errorf("unit %s appears twice", pair[1])
		}
		read.add(pair[1], value)
	}
	return read.metrics, nil
}
