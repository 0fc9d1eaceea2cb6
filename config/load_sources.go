package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Sources are the places that a configuration comes from. What is said in one place goes before what is said in
// a weaker one, value by value; from the weakest:
//
//   - the preset simple
//   - File, its parts in this order: preset, template, custom numbers, policy and operations
//   - the old variables of [LegacyVariables], when nobody names a preset or a custom configuration below
//   - the variables of EnvFile
//   - the variables of Lookup
//   - Flags
//
// The zero Sources say nothing and load the preset simple.
type Sources struct {
	// Lookup reads the environment. It is usually [os.LookupEnv]. Nil: there is none. A variable that is set goes
	// before the one of EnvFile also when it is empty.
	Lookup func(name string) (value string, set bool)

	// EnvFile is an .env file; see [ReadEnvFile]. Nil: there is none.
	EnvFile *EnvFile

	// File is what a configuration file says. Nil: there is none.
	File *Document

	// Flags are what the program was told explicitly.
	Flags Flags

	// Presets finds a preset by its key. Default [Find].
	Presets func(key string) (Preset, error)

	// Templates finds a template by its name. Default [TemplateByName].
	Templates func(name string) (Template, error)

	// Detect says which preset fits where the program runs, and why, for who asks for the preset "auto". An empty preset
	// stands for "cannot say", which gives simple. Default: what [DetectEnvironment] finds in the variables.
	Detect func(variables Environ) (preset, reason string)

	// Operations are names that operation_overrides may hold beside those of the specification, of the preset and of the
	// file: usually those that the program registers.
	Operations []string

	// Companion is what a [Reloader] is to change together with the engine. Load hands it on. Nil: there is nothing.
	Companion Companion
}

// Flags are what a program was told explicitly. Zero fields say nothing.
type Flags struct {
	Preset      string // also "auto"
	Custom      Custom // must be good: see [Custom.Check]
	Enabled     *bool
	LogLevel    string
	ShowLoading *bool
}

// Load puts the sources together. It reports every fault at once: a preset that does not exist, a truth value or log
// level that is none. A bad RESILIENCE_CUSTOM_CONFIG is no error: see Loaded.Refused. After an error only Warnings,
// Steps and Events of the result are of use. It changes nothing and is safe for concurrent use if the functions are.
func (s Sources) Load() (Loaded, error) { return s.load(overlay{}, false) }

// Variable reads a variable as Load does: the environment goes before EnvFile. It is an [Environ].
func (s Sources) Variable(name string) (value string, set bool) {
	if s.Lookup != nil {
		if v, ok := s.Lookup(name); ok {
			return v, true
		}
	}
	return s.EnvFile.Value(name)
}

// load is Load with what somebody said through the API on top. If strict, a bad custom configuration is an error.
func (s Sources) load(said overlay, strict bool) (Loaded, error) {
	began := time.Now()
	l := &loading{Sources: s, said: said, strict: strict}
	l.env = s.Variable
	l.out.changed, l.out.Companion = said, s.Companion
	l.general()
	if l.preset() {
		l.file()
		l.numbers()
	}
	if err := errors.Join(l.errs...); err != nil {
		l.step("failed")
		return l.out, err
	}
	l.step("loaded, preset %s", l.out.Preset.Key)
	l.out.Events = append(l.out.Events, Event{Kind: EventLoad, Operation: "load_config", Preset: l.out.Preset.Key, Took: time.Since(began)})
	return l.out, nil
}

// A loading is a configuration that is being put together.
type loading struct {
	Sources
	env    Environ
	said   overlay
	strict bool
	out    Loaded
	errs   []error
}

// variable is the origin of a variable's value.
func (l *loading) variable(name string) Origin { return Origin{FromVariable, l.place(name)} }

// place is a variable's name, with its line if it is from the .env file.
func (l *loading) place(name string) string {
	if l.Lookup != nil {
		if _, ok := l.Lookup(name); ok {
			return name
		}
	}
	if line := l.EnvFile.Line(name); line > 0 {
		return fmt.Sprintf("%s (%s:%d)", name, l.EnvFile.Name, line)
	}
	return name
}

// given reports whether a variable holds anything.
func (l *loading) given(name string) bool { return l.env.Value(name, "") != "" }

// general settles the values that are no numbers of calls.
func (l *loading) general() {
	if l.EnvFile != nil {
		l.step("read %s, %d variables", l.EnvFile.Name, len(l.EnvFile.names))
		l.out.Warnings = append(l.out.Warnings, l.EnvFile.Warnings...)
	}
	file := cmp.Or(l.File, &Document{})
	enabled := l.truth("enabled", truths{l.Flags.Enabled, "RESILIENCE_ENABLED", file.Enabled, true})
	l.out.Trysail.Disabled = !enabled
	l.out.ShowLoading = l.truth("show_config_loading",
		truths{l.Flags.ShowLoading, "SHOW_CONFIG_LOADING", file.ShowConfigLoading, false})
	l.logLevel(file)
	for _, name := range []string{"RESILIENCE_METRICS_ENABLED", "RESILIENCE_HEALTH_CHECK_ENABLED"} {
		if on, err := l.env.Bool(name, true); err != nil || !on {
			l.warn("%s has no effect: metrics and health are always there", l.place(name))
		}
	}
}

// truths is what may settle a truth value.
type truths struct {
	flag     *bool
	variable string
	file     *bool
	fallback bool
}

func (l *loading) truth(name string, t truths) bool {
	value, origin := t.fallback, Origin{FromDefault, ""}
	variable, err := l.env.Bool(t.variable, t.fallback)
	switch {
	case t.flag != nil:
		value, origin = *t.flag, Origin{FromFlag, name}
	case err != nil:
		l.errs = append(l.errs, err)
		l.failure("load_config", err)
	case l.given(t.variable):
		value, origin = variable, l.variable(t.variable)
	case t.file != nil:
		value, origin = *t.file, l.File.Origin(name)
	}
	l.out.general = append(l.out.general, Value{Name: name, Value: fmt.Sprint(value), Origin: origin})
	return value
}

func (l *loading) logLevel(file *Document) {
	word, origin := l.Flags.LogLevel, Origin{FromFlag, "log_level"}
	if word == "" {
		word, origin = l.env.Value("LOG_LEVEL", ""), l.variable("LOG_LEVEL")
	}
	if word == "" && file.LogLevel != "" {
		word, origin = file.LogLevel, file.Origin("log_level")
	}
	if word == "" {
		origin = Origin{FromDefault, ""}
	}
	level, err := ParseLogLevel(word)
	if err != nil {
		err = fmt.Errorf("%w (%v)", err, origin)
		l.errs = append(l.errs, err)
		l.failure("load_config", err)
	}
	l.out.LogLevel = level
	l.out.general = append(l.out.general, Value{Name: "log_level", Value: string(level), Origin: origin})
}

// known returns the operations that a custom configuration may name.
func (l *loading) known() []string {
	names := slices.Clone(l.Operations)
	for name := range l.out.Preset.OperationOverrides {
		names = append(names, name)
	}
	if l.File != nil {
		for name := range l.File.Operations {
			names = append(names, name)
		}
	}
	return names
}
