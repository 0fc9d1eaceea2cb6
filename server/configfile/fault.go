package configfile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trysail-go/trysail/config"
)

// A Fault is one thing that is wrong with a file.
type Fault struct {
	Line, Column int    // from 1; 0 where the place is not known
	Path         string // such as "operations.qa.policy.retry.attempts"; "" is the whole file
	Message      string // what was found and what would be right; it never holds a secret
}

// String is such as "12:5: policy.retry.attempts: found a text "five", want a whole number".
func (f Fault) String() string {
	var b strings.Builder
	switch {
	case f.Column > 0:
		fmt.Fprintf(&b, "%d:%d: ", f.Line, f.Column)
	case f.Line > 0:
		fmt.Fprintf(&b, "%d: ", f.Line)
	}
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Message)
	return b.String()
}

// An Error reports everything that is wrong with a file.
type Error struct {
	Name   string  // of the file
	Faults []Fault // in the order of the lines, at least one
}

// Error has a line per fault, each in the form that editors can jump to: name:line:column.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		between := ": "
		if f.Line > 0 {
			between = ":"
		}
		lines[i] = e.Name + between + f.String()
	}
	return strings.Join(lines, "\n")
}

// Report returns the faults as the findings of package config.
func (e *Error) Report() config.Report {
	var r config.Report
	for _, f := range e.Faults {
		message := f.Message
		if f.Path != "" {
			message = f.Path + ": " + message
		}
		r.Errors = append(r.Errors, config.Finding{Path: f.Path, Message: message, Line: f.Line})
	}
	return r
}

// maxFaults bounds what a hostile file can make us say.
const maxFaults = 100

// newError returns nil without faults, so that its caller need not look.
func newError(name string, faults []Fault) error {
	if len(faults) == 0 {
		return nil
	}
	faults = slices.Clone(faults)
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	faults = slices.Compact(faults)
	if more := len(faults) - maxFaults; more > 0 {
		faults = append(faults[:maxFaults:maxFaults], Fault{Message: fmt.Sprintf("and %d more faults", more)})
	}
	return &Error{Name: name, Faults: faults}
}

// faultsOf returns the faults of an error of this package.
func faultsOf(err error) []Fault {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Faults
	}
	return nil
}
