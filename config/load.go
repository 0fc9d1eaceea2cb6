package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/trysail-go/trysail"
)

// A Loaded is the outcome of loading.
type Loaded struct {
	Trysail  trysail.Config
	Preset   Preset
	Warnings []string // sentences for the operator, such as about a variable that has no effect
}

// Load reads the environment through lookup, which is usually [os.LookupEnv]:
//
//	RESILIENCE_PRESET   simple (default), development or production
//	RESILIENCE_ENABLED  true (default) or false: calls run plainly, once, with metrics only
//
// It reports every bad variable at once.
func Load(lookup func(string) (string, bool)) (Loaded, error) {
	env := Environ(lookup)
	preset, badPreset := Find(env.Value("RESILIENCE_PRESET", "simple"))
	enabled, badEnabled := env.Bool("RESILIENCE_ENABLED", true)
	if err := errors.Join(badPreset, badEnabled); err != nil {
		return Loaded{}, err
	}
	loaded := Loaded{Trysail: preset.Config(), Preset: preset}
	loaded.Trysail.Disabled = !enabled
	if env.Value("RESILIENCE_CUSTOM_CONFIG", "") != "" {
		loaded.Warnings = append(loaded.Warnings,
			"RESILIENCE_CUSTOM_CONFIG is set, but this version does not read it: the preset's numbers apply")
	}
	return loaded, nil
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
	switch v := strings.ToLower(e.Value(name, "")); v {
	case "":
		return fallback, nil
	case "true", "1", "yes", "on":
		return true, nil
	case "false", "0", "no", "off":
		return false, nil
	default:
		return false, fmt.Errorf("%s is %q, want true or false", name, v)
	}
}
