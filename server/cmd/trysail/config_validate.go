package main

import (
	"fmt"

	"github.com/trysail-go/trysail/config"
)

// validateCmd is the command "config validate".
type validateCmd struct {
	File      string   `arg:"" help:"The file, or - for the standard input."`
	Preset    string   `placeholder:"PRESET" help:"Check it together with this preset's numbers, too. Of a configuration file: as if RESILIENCE_PRESET named it."`
	Operation []string `placeholder:"NAME" help:"A name of your own that operation_overrides may hold. Can be given several times."`
	Strict    bool     `help:"Warnings make it invalid, too."`
	fileKind
	envFileFlag
	output
}

// Help is shown by "trysail config validate --help".
func (validateCmd) Help() string {
	return `A custom configuration is what RESILIENCE_CUSTOM_CONFIG takes: a JSON object such as
{"retry_attempts": 4, "default_strategy": "critical"}. A configuration file is a trysail.yaml: it is checked as serve does
at its start, with the defaults for what it does not say and without the variables that would go before it. The variables
and files that its secrets name must be there.

Exit code: 0 if it is valid, 3 if it is not, 1 if it cannot be read, 2 for a wrong command line.`
}

// verdict is the answer of "config validate".
type verdict struct {
	File        string    `json:"file"`
	Valid       bool      `json:"is_valid"`
	Errors      []finding `json:"errors"`
	Warnings    []finding `json:"warnings"`
	Suggestions []string  `json:"suggestions"`
}

// finding is one thing that is wrong with a document, or could be better.
type finding struct {
	Line       int    `json:"line,omitempty"`
	Column     int    `json:"column,omitempty"`
	Path       string `json:"path,omitempty"`
	Message    string `json:"message"`
	Suggestion string `json:"suggestion,omitempty"`
}

// Run checks the file.
func (c *validateCmd) Run(p *program) error {
	v, err := c.check(p)
	if err != nil {
		return err
	}
	if err := c.print(p, v, v.show); err != nil {
		return err
	}
	if !v.Valid {
		return answerNo{}
	}
	return nil
}

func (c *validateCmd) check(p *program) (*verdict, error) {
	options, err := c.options()
	if err != nil {
		return nil, usageError{err}
	}
	if c.of(c.File) == kindFile {
		return c.checkFile(p)
	}
	in, name, err := p.open(c.File)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	_, report, err := config.ValidateReader(in, options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c.verdict(name, findings(report.Errors), findings(report.Warnings), report.Suggestions), nil
}

func (c *validateCmd) verdict(name string, errs, warnings []finding, suggestions []string) *verdict {
	return &verdict{
		File:        name,
		Valid:       len(errs) == 0 && (!c.Strict || len(warnings) == 0),
		Errors:      append([]finding{}, errs...),
		Warnings:    append([]finding{}, warnings...),
		Suggestions: append([]string{}, suggestions...),
	}
}

// options says against what the file is checked.
func (c *validateCmd) options() (config.ValidateOptions, error) {
	options := config.ValidateOptions{Operations: append(startOperations(), c.Operation...)}
	if c.Preset == "" {
		return options, nil
	}
	base, err := config.Find(c.Preset)
	options.Base = &base
	return options, err
}

func findings(list []config.Finding) []finding {
	all := make([]finding, len(list))
	for i, f := range list {
		all[i] = finding{Line: f.Line, Path: f.Path, Message: f.Message, Suggestion: f.Suggestion}
	}
	return all
}

// show is the verdict for people.
func (v *verdict) show(s *page) {
	word := s.paint(green, "valid")
	if !v.Valid {
		word = s.paint(red, "invalid")
	}
	s.line("%s: %s, %s, %s", harmless(v.File), word, counted(len(v.Errors), "error"), counted(len(v.Warnings), "warning"))
	for _, f := range v.Errors {
		f.show(s, s.paint(red, "error"))
	}
	for _, f := range v.Warnings {
		f.show(s, s.paint(yellow, "warning"))
	}
	if len(v.Suggestions) > 0 {
		s.line("")
		s.line("What would help:")
	}
	for _, suggestion := range v.Suggestions {
		s.line("  %s", harmless(suggestion))
	}
}

// show is one line: where, how bad, what.
func (f finding) show(s *page, severity string) {
	where := ""
	switch {
	case f.Column > 0:
		where = fmt.Sprintf("line %d, column %d: ", f.Line, f.Column)
	case f.Line > 0:
		where = fmt.Sprintf("line %d: ", f.Line)
	}
	s.line("  %s%s: %s", where, severity, harmless(f.Message))
}

// counted is such as "1 error", "2 errors".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
