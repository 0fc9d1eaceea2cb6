package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/trysail-go/trysail/config"
)

// validateCmd is the command "config validate".
type validateCmd struct {
	File   string `arg:"" help:"The file, or - for the standard input."`
	Preset string `default:"" placeholder:"PRESET" help:"Check it together with this preset's numbers, too."`
	Strict bool   `help:"Warnings make it invalid, too."`
	output
}

// Help is shown by "trysail config validate --help".
func (validateCmd) Help() string {
	return `The file holds a custom configuration as RESILIENCE_CUSTOM_CONFIG takes it: a JSON object such as
{"retry_attempts": 4, "default_strategy": "critical"}.

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
	in, name, err := p.open(c.File)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	_, report, err := config.ValidateReader(in, options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &verdict{
		File:        name,
		Valid:       report.Valid() && (!c.Strict || len(report.Warnings) == 0),
		Errors:      findings(report.Errors),
		Warnings:    findings(report.Warnings),
		Suggestions: append([]string{}, report.Suggestions...),
	}, nil
}

// options says against what the file is checked.
func (c *validateCmd) options() (config.ValidateOptions, error) {
	if c.Preset == "" {
		return config.ValidateOptions{}, nil
	}
	base, err := config.Find(c.Preset)
	return config.ValidateOptions{Base: &base}, err
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
	if f.Line > 0 {
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

// open opens the file of that name, or the standard input for -.
func (p *program) open(name string) (io.ReadCloser, string, error) {
	if name == "-" {
		return io.NopCloser(p.stdin), "standard input", nil
	}
	info, err := os.Stat(name)
	if err == nil && info.IsDir() {
		err = &os.PathError{Op: "read", Path: name, Err: errors.New("it is a directory, want a file")}
	}
	if err != nil {
		return nil, name, err //nolint:wrapcheck // it names the file
	}
	f, err := os.Open(name)
	return f, name, err //nolint:wrapcheck // it names the file
}
