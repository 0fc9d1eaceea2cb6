package config

import (
	"fmt"
	"strings"

	"github.com/trysail-go/trysail"
)

// A Loaded is the outcome of loading. It is not changed any more and may be read by several goroutines at once.
type Loaded struct {
	// Trysail is what an orchestrator is made of, or put under.
	Trysail trysail.Config

	// Preset is the one that everything else was put on. Its key is "legacy" where old variables and nothing else
	// say what is wanted.
	Preset Preset

	// Legacy reports whether old variables took effect; see [LegacyVariables].
	Legacy bool

	// LogLevel is how much the program should log.
	LogLevel LogLevel

	// ShowLoading reports whether Steps should be logged.
	ShowLoading bool

	// Custom holds all numbers of the specification's names that were put on the preset. Those of a file's policy
	// are not among them.
	Custom Custom

	// Refused is why RESILIENCE_CUSTOM_CONFIG has no effect: an [*InvalidError] that names every fault. Nil: it is
	// good, or not set. The preset's numbers apply, and the program should run and say so.
	Refused error

	// Companion is what goes with the engine: that of [Sources]. Nil: there is nothing, or nothing is known of it.
	Companion Companion

	Warnings []string // sentences for the operator, such as about a variable that has no effect
	Steps    []string // what was done, in order; each line has the word "resilience"
	Events   []Event  // what a monitor should record, in order

	base    layer   // the preset
	layers  []layer // what was put on it, the weakest first
	general []Value // the values that are no numbers of calls
	classes layer   // who said what classes lead to
	changed overlay // what the API had a say in
	frozen  *frozen // of another process: stands for the layers, which are gone
}

// Load reads the environment through lookup, which is usually [os.LookupEnv]. It is the short form of [Sources.Load]:
//
//	RESILIENCE_PRESET         simple (default), development, production, or auto: as the environment suggests
//	RESILIENCE_CUSTOM_CONFIG  a JSON object of the fields of [Fields]
//	RESILIENCE_ENABLED        true (default) or false: calls run plainly, once, with metrics only
//	LOG_LEVEL                 DEBUG, INFO (default), WARNING, ERROR or CRITICAL
//	SHOW_CONFIG_LOADING       true or false (default): log each step
//
// The variables of [LegacyVariables] count when neither of the first two is set. It reports every bad variable at
// once; a bad custom configuration alone is no error, see Loaded.Refused. After an error only Warnings, Steps
// and Events are of use.
func Load(lookup func(string) (string, bool)) (Loaded, error) {
	return Sources{Lookup: lookup}.Load()
}

// Environ reads variables by name.
type Environ func(string) (string, bool)

// Value returns the variable's value without surrounding space, or fallback when
// it is unset or empty.
func (e Environ) Value(name, fallback string) string {
	if v, ok := e(name); ok && strings.TrimSpace(v) != "" {
		return strings.TrimSpace(v)
	}
	return fallback
}

// Bool returns the variable as a truth value: true, 1, yes, on or false, 0, no,
// off in any case.
func (e Environ) Bool(name string, fallback bool) (bool, error) {
	v := e.Value(name, "")
	if v == "" {
		return fallback, nil
	}
	if truth, ok := parseBool(v); ok {
		return truth, nil
	}
	return false, fmt.Errorf("%s is %q, want true or false", name, short(v))
}

func parseBool(word string) (truth, ok bool) {
	switch strings.ToLower(word) {
	case "true", "1", "yes", "on":
		return true, true
	case "false", "0", "no", "off":
		return false, true
	default:
		return false, false
	}
}

// Kind says in a word what decided: reload (somebody, through the API), legacy, fallback (a custom configuration
// was refused), custom (numbers on top of a preset), or preset.
func (l *Loaded) Kind() string {
	switch {
	case l.frozen != nil:
		return l.frozen.kind
	case l.changed != overlay{}:
		return "reload"
	case l.Legacy:
		return "legacy"
	case l.Refused != nil:
		return "fallback"
	case len(l.layers) > 0:
		return "custom"
	default:
		return "preset"
	}
}
