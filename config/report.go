package config

import (
	"fmt"
	"slices"
	"strings"
)

// A Rule is the kind of rule that a finding is about.
type Rule string

// The kinds of rules, in the order in which a document meets them.
const (
	RuleSyntax Rule = "syntax" // the document is not JSON
	RuleLimit  Rule = "limit"  // it is too large, too deep, or holds too many things; see [DocumentLimits]
	RuleText   Rule = "text"   // it holds characters, patterns or keys that no configuration needs
	RuleShape  Rule = "shape"  // a field, its type or its range: what [Schema] says, too
	RuleLogic  Rule = "logic"  // two fields that do not go together
	RuleMerged Rule = "merged" // a field that does not go together with the preset's numbers
)

// A Finding is one thing about a document that its author should know.
type Finding struct {
	Path       string // dotted, with [n] for elements of arrays; "" is the whole document
	Message    string // what is wrong, a sentence that names the field
	Suggestion string // what would be right; may be empty
	Line       int    // where the document has several lines; 0 if unknown
	Rule       Rule   // what kind of rule it is about; may be empty
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
	Fields      int      // that the document gives, known or not
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

// refuse adds an error, warn a warning. What has been said of the same place is not said again.
func (r *Report) refuse(f Finding) { r.Errors = r.note(r.Errors, f) }
func (r *Report) warn(f Finding)   { r.Warnings = r.note(r.Warnings, f) }

// maxFindings bounds the errors, and the warnings, of a report: each character of a document may be a fault.
const maxFindings = 100

func (r *Report) note(known []Finding, f Finding) []Finding {
	if len(known) > maxFindings {
		return known
	}
	if len(known) == maxFindings {
		f = Finding{Message: fmt.Sprintf("There is more: only the first %d are listed", maxFindings), Rule: f.Rule}
	}
	r.suggest(f.Suggestion)
	if slices.ContainsFunc(known, func(k Finding) bool { return k.Path == f.Path && k.Message == f.Message }) {
		return known
	}
	return append(known, f)
}

// suggest adds what is not empty and not there yet.
func (r *Report) suggest(suggestion string) {
	if suggestion != "" && !slices.Contains(r.Suggestions, suggestion) {
		r.Suggestions = append(r.Suggestions, suggestion)
	}
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
