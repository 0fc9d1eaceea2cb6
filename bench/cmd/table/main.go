// Table turns the output of "go test -bench" into a table for people: for each
// group of benchmarks the libraries beside each other, with the median and the
// spread of all runs, and how each compares with trysail.
//
//	go test -run '^$' -bench . -count 6 . | go run ./cmd/table -format markdown -o results.md
//
// A benchmark's name is taken as Benchmark, group, slash, library. The tool
// fails, and writes nothing, when the input holds no benchmark or a failed run.
// Lines such as "commit: 1a2b3c" that say where the figures come from are shown with them.
//
// With -page it also puts the tables and the verdicts on the goals between the lines "<!-- measured -->"
// and "<!-- /measured -->" of a page in markdown. That wants every goal's figures, and as many runs of each row. -goals says whose goals.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

// run is the whole program.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("table", flag.ContinueOnError)
	flags.SetOutput(stderr)
	format := flags.String("format", "text", "form of the table: text or markdown")
	file := flags.String("o", "", "write to this `file` instead of the standard output")
	set := flags.String("goals", "library", "what is judged: library or gateway")
	page := flags.String("page", "", "put the tables in markdown into this `file`, too, between its markers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unwanted argument %q: the benchmarks come on the standard input", flags.Arg(0))
	}
	render, ok := map[string]func(*bytes.Buffer, *report){"text": writeText, "markdown": writeMarkdown}[*format]
	if !ok {
		return fmt.Errorf("-format is %q, want text or markdown", *format)
	}
	goals, ok := map[string]func() []goal{"library": libraryGoals, "gateway": gatewayGoals}[*set]
	if !ok {
		return fmt.Errorf("-goals is %q, want library or gateway", *set)
	}

	rep, err := parse(stdin)
	if err != nil {
		return err
	}
	rep.goals = goals()
	if *page != "" {
		if err := updatePage(*page, rep); err != nil {
			return err
		}
	}
	var out bytes.Buffer
	render(&out, rep)
	if *file != "" {
		return replaceFile(*file, out.Bytes())
	}
	_, err = out.WriteTo(stdout)
	return err
}
