package config

import (
	"fmt"
	"strings"
)

// A Finding is one thing about a document that its author should know.
type Finding struct {
	Path       string // dotted, with [n] for elements of arrays; "" is the whole document
	Message    string // what is wrong, a sentence that names the field
	Suggestion string // what would be right; may be empty
	Line       int    // where the document has lines; 0 if unknown
}

// String is the message, with the line in front where it is known.
func (f Finding) String() string {
	if f.Line > 0 {
		return fmt.Sprintf("line %d: %s", f.Line, f.Message)
	}
	return f.Message
}

// A Report is what a check of a document found: all of it at once.
type Report struct {
	Errors      []Finding
	Warnings    []Finding
	Suggestions []string // what to do about both, and what could be better; each once
	Size        int      // of the document as it came, in bytes
}

// Valid reports whether there were no errors.
func (r Report) Valid() bool { return len(r.Errors) == 0 }

// Err returns nil for a valid document, otherwise an error that names every fault, one a line.
func (r Report) Err() error {
	if r.Valid() {
		return nil
	}
	return &InvalidError{Report: r}
}

// An InvalidError is the error of a document that a check has refused.
type InvalidError struct{ Report Report }

// Error names every fault, one a line.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Report.Errors))
	for i, f := range e.Report.Errors {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}
