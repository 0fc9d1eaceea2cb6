package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// A page is text for people, with colours on a terminal.
type page struct {
	text    bytes.Buffer
	colours bool
}

// newPage decides about colours: only on a terminal, and not where NO_COLOR is set (no-color.org) or the
// terminal has none.
func newPage(p *program) *page {
	noColour, _ := p.lookup("NO_COLOR")
	terminal, _ := p.lookup("TERM")
	return &page{colours: isTerminal(p.stdout) && noColour == "" && terminal != "dumb"}
}

// A colour is one of a terminal.
type colour int

const (
	bold   colour = 1
	red    colour = 31
	green  colour = 32
	yellow colour = 33
)

// paint returns text in a colour where there are colours.
func (s *page) paint(c colour, text string) string {
	if !s.colours {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", c, text)
}

// line adds a line.
func (s *page) line(format string, args ...any) { fmt.Fprintf(&s.text, format+"\n", args...) }

// table adds rows under a heading, in columns. Cells hold no line breaks and no control characters: what a
// document or a server says must not steer the terminal.
func (s *page) table(heading []string, rows [][]string) { s.colouredTable(heading, rows, nil) }

// colouredTable is table with a colour for each row; 0 is none.
func (s *page) colouredTable(heading []string, rows [][]string, colours []colour) {
	var text bytes.Buffer
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{heading}, rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = harmless(cell)
		}
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) // into memory
	}
	_ = w.Flush() // into memory
	head, body, _ := strings.Cut(text.String(), "\n")
	s.line("%s", s.paint(bold, strings.TrimRight(head, " ")))
	row := 0
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, " \n")
		if row < len(colours) && colours[row] != 0 {
			line = s.paint(colours[row], line)
		}
		s.line("%s", line)
		row++
	}
}

// moment is an instant as tables have it: UTC, to the second.
func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// brief is a duration to the second, without zeros at its end: 10m, not 10m0s.
func brief(d time.Duration) string {
	text := max(d.Round(time.Second), 0).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func count(n uint64) string { return strconv.FormatUint(n, 10) }

func times(n uint64) string {
	switch n {
	case 0:
		return "never"
	case 1:
		return "once"
	default:
		return count(n) + " times"
	}
}

func (s *page) bytes() []byte { return s.text.Bytes() }

// harmless replaces what a terminal could take for a command.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\ufffd'
		}
		return r
	}, text)
}

// harmlessLines is harmless for text of several lines.
func harmlessLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = harmless(line)
	}
	return strings.Join(lines, "\n")
}

// isTerminal reports whether w is a terminal.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
