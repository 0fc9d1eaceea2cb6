package configfile

import (
	"maps"
	"reflect" //nolint:depguard // ADR 13: one decoder for the types of all packages
	"slices"
	"strings"
	"sync"
	"weak"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// says holds the keys of the library: those of [config.Document], and what those need.
type says struct {
	Preset            string
	Template          string
	Enabled           *bool
	LogLevel          string
	ShowConfigLoading *bool
	ObserveCalls      bool
	Custom            config.Custom
	Policy            trysail.Policy
	Operations        map[string]trysail.OperationConfig
	Classes           map[trysail.Class]trysail.Consequence
	RetryBudgets      map[string]trysail.RetryBudgetConfig
	LiteralSecrets    bool
}

// A Loader makes documents of files. It remembers the retry budgets that are in use, so that a reload which does
// not change a budget's numbers does not refill it either. The zero Loader is ready to use, and safe for concurrent use.
type Loader struct {
	// Operations are names that custom.operation_overrides may hold beside those of the specification and those that
	// the file has under operations: usually what the program registers.
	Operations []string

	// Presets and Templates find what the file names. Default: [config.Find] and [config.TemplateByName].
	Presets   func(key string) (config.Preset, error)
	Templates func(name string) (config.Template, error)

	mu      sync.Mutex // guards what follows
	budgets map[namedBudget]weak.Pointer[trysail.RetryBudget]
}

type namedBudget struct {
	name   string
	config trysail.RetryBudgetConfig
}

// Load returns what the file says to the library, and sets the sections of other packages: by their names, each a pointer to
// a struct as [Section.Decode] takes it. All faults of all of them are in one [*Error]. After an error the sections may be
// set in part.
//
// The document is checked by itself: kinds, words, and the fields of custom. Whether its policies go together with the preset
// that comes to apply is for [trysail.New] to say; [File.Locate] finds the lines of that.
func (l *Loader) Load(f *File, sections map[string]any) (*config.Document, error) {
	claimed := []string{"retry_budgets"} // decoded before those that name them
	var faults []Fault
	for _, name := range slices.Sorted(maps.Keys(sections)) { // a message names them, in the same order each time
		claimed = append(claimed, name)
		faults = append(faults, faultsOf(f.Section(name).Decode(sections[name]))...)
	}
	var s says
	d := f.decoder()
	d.budgets = l.retryBudgets(d)
	d.structure(f.root, reflect.ValueOf(&s).Elem(), "", claimed)
	faults = append(faults, d.faults...)
	for _, fault := range l.check(f, &s) {
		known := func(other Fault) bool { return other.Path == fault.Path }
		if !slices.ContainsFunc(d.faults, known) { // a value that could not be read is no value out of range as well
			faults = append(faults, fault)
		}
	}
	if len(faults) > 0 {
		return nil, newError(f.name, faults)
	}
	return &config.Document{
		Name: f.name, Hash: f.hash, Line: f.Line,
		Preset: s.Preset, Template: s.Template, Enabled: s.Enabled,
		LogLevel: s.LogLevel, ShowConfigLoading: s.ShowConfigLoading, ObserveCalls: s.ObserveCalls,
		Custom: s.Custom, Policy: s.Policy, Operations: s.Operations, Classes: s.Classes,
	}, nil
}

// check looks at what has a good kind, but may mean nothing.
func (l *Loader) check(f *File, s *says) []Fault {
	var faults []Fault
	if level := strings.ToUpper(strings.TrimSpace(s.LogLevel)); s.LogLevel != "" && !slices.Contains(logLevels(), level) {
		faults = append(faults, f.faultAt("log_level", "found the text "+short(s.LogLevel)+", want "+oneOf(logLevels())))
	}
	faults = append(faults, l.checkNames(f, s)...)
	known := slices.Clone(l.Operations)
	for name := range s.Operations {
		known = append(known, name)
	}
	report := s.Custom.Check(config.ValidateOptions{Operations: known, AllowEmpty: true})
	for _, finding := range report.Errors {
		message := finding.Message
		if finding.Suggestion != "" {
			message += "; " + finding.Suggestion
		}
		path := "custom"
		if finding.Path != "" {
			path += "." + finding.Path
		}
		faults = append(faults, f.faultAt(path, message))
	}
	return faults
}

// checkNames looks for the preset and the template that the file names.
func (l *Loader) checkNames(f *File, s *says) (faults []Fault) {
	findPreset, findTemplate := l.Presets, l.Templates
	if findPreset == nil {
		findPreset = config.Find
	}
	if findTemplate == nil {
		findTemplate = config.TemplateByName
	}
	if s.Preset != "" && s.Preset != "auto" {
		if _, err := findPreset(s.Preset); err != nil {
			faults = append(faults, f.faultAt("preset", err.Error()))
		}
	}
	if s.Template != "" {
		if _, err := findTemplate(s.Template); err != nil {
			faults = append(faults, f.faultAt("template", err.Error()))
		}
	}
	return faults
}

func logLevels() []string { return []string{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"} }

// retryBudgets returns the budgets of the file by their names. A bad one is a fault, and there nevertheless,
// so that policies which name it are not blamed for it.
func (l *Loader) retryBudgets(d *decoder) map[string]*trysail.RetryBudget {
	e, ok := d.file.root.at("retry_budgets")
	if !ok {
		return nil
	}
	var configs map[string]trysail.RetryBudgetConfig
	d.decode(e.value, reflect.ValueOf(&configs).Elem(), "retry_budgets")
	budgets := make(map[string]*trysail.RetryBudget, len(configs))
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, config := range configs {
		budget, err := l.budget(name, config)
		for _, line := range linesOf(err) {
			d.faults = append(d.faults, d.file.located(strings.TrimPrefix(line, "retry budget: "), "RetryBudgetConfig", join("retry_budgets", name)))
		}
		budgets[name] = budget
	}
	for known, pointer := range l.budgets {
		if pointer.Value() == nil { // nothing uses it any more
			delete(l.budgets, known)
		}
	}
	return budgets
}

// budget returns the account that is in use under that name with those numbers, or a new one. l.mu is held.
func (l *Loader) budget(name string, config trysail.RetryBudgetConfig) (*trysail.RetryBudget, error) {
	known := namedBudget{name, config}
	if budget := l.budgets[known].Value(); budget != nil {
		return budget, nil
	}
	budget, err := trysail.NewRetryBudget(config)
	if err != nil {
		return nil, err
	}
	if l.budgets == nil {
		l.budgets = map[namedBudget]weak.Pointer[trysail.RetryBudget]{}
	}
	l.budgets[known] = weak.Make(budget)
	return budget, nil
}
