package config_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// The table of old variables: what each maps to, its default while another one is set, and one value that it takes.
func TestLegacyVariables(t *testing.T) {
	for name, tc := range map[string]struct{ effective, fallback, value, set string }{
		"RETRY_MAX_ATTEMPTS":                {"retry_attempts", "3", "4", "4"},
		"CIRCUIT_BREAKER_FAILURE_THRESHOLD": {"circuit_breaker_threshold", "5", "8", "8"},
		"CIRCUIT_BREAKER_RECOVERY_TIMEOUT":  {"recovery_timeout", "60", "90", "90"},
		"DEFAULT_RESILIENCE_STRATEGY":       {"default_strategy", "balanced", "critical", "critical"},
		"SUMMARIZE_RESILIENCE_STRATEGY":     {"operations.summarize.strategy", "balanced", "critical", "critical"},
		"SENTIMENT_RESILIENCE_STRATEGY":     {"operations.sentiment.strategy", "aggressive", "balanced", "balanced"},
		"QA_RESILIENCE_STRATEGY":            {"operations.qa.strategy", "conservative", "Critical", "critical"},
		"KEY_POINTS_RESILIENCE_STRATEGY":    {"operations.key_points.strategy", "balanced", "aggressive", "aggressive"},
		"QUESTIONS_RESILIENCE_STRATEGY":     {"operations.questions.strategy", "balanced", "aggressive", "aggressive"},
		"RETRY_MAX_DELAY":                   {"max_delay_seconds", "30", "45", "45"},
		"RETRY_EXPONENTIAL_MULTIPLIER":      {"exponential_multiplier", "1", "1.5", "1.5"},
		"RETRY_EXPONENTIAL_MIN":             {"exponential_min", "2", "0.25", "0.25"},
		"RETRY_EXPONENTIAL_MAX":             {"exponential_max", "10", "30", "30"},
		"RETRY_JITTER_ENABLED":              {"jitter_enabled", "true", "false", "false"},
		"RETRY_JITTER_MAX":                  {"jitter_max", "2", "3.5", "3.5"},
		"CIRCUIT_BREAKER_ENABLED":           {"policy.breaker.disabled", "", "0", "true"},
		"RETRY_ENABLED":                     {"policy.retry.disabled", "", "False", "true"},
	} {
		t.Run(name, func(t *testing.T) {
			other := "RETRY_MAX_ATTEMPTS=3"
			if name == "RETRY_MAX_ATTEMPTS" {
				other = "RETRY_MAX_DELAY=30"
			}
			loaded, orc := load(t, config.Sources{Lookup: env(other)})
			if got := value(&loaded, tc.effective); got.Value != tc.fallback {
				t.Errorf("unset: %s = %+v, want %s", tc.effective, got, tc.fallback)
			}
			if !loaded.Legacy || orc.Configuration().Preset != "legacy" || loaded.Kind() != "legacy" {
				t.Errorf("Legacy = %t, preset %s; want the legacy one", loaded.Legacy, orc.Configuration().Preset)
			}
			loaded, _ = load(t, config.Sources{Lookup: env(name + "=" + tc.value)})
			want := config.Value{Name: tc.effective, Value: tc.set, Origin: config.Origin{Source: config.FromLegacy, Detail: name}}
			if got := value(&loaded, tc.effective); got != want {
				t.Errorf("%s=%s: %+v, want %+v", name, tc.value, got, want)
			}
		})
	}
	if got := len(config.LegacyVariables()); got != 17 {
		t.Errorf("%d old variables, want 17", got)
	}
}

func value(l *config.Loaded, name string) config.Value {
	for _, v := range l.Effective() {
		if v.Name == name {
			return v
		}
	}
	return config.Value{Name: name}
}

// What is no good value gives the default and a warning; nothing stops the program.
func TestLegacyValuesThatAreNone(t *testing.T) {
	for name, tc := range map[string]struct{ set, effective, want, warning string }{
		"a word for a number":       {"RETRY_MAX_ATTEMPTS=many", "retry_attempts", "3", "RETRY_MAX_ATTEMPTS is 'many', want a whole number greater than 0: the default 3 applies"},
		"a fraction for a whole":    {"RETRY_MAX_ATTEMPTS=3.5", "retry_attempts", "3", "want a whole number"},
		"zero":                      {"CIRCUIT_BREAKER_FAILURE_THRESHOLD=0", "circuit_breaker_threshold", "5", "greater than 0"},
		"negative":                  {"RETRY_JITTER_MAX=-1", "jitter_max", "2", "RETRY_JITTER_MAX is '-1', want a number greater than 0: the default 2.0 applies"},
		"no number":                 {"RETRY_JITTER_MAX=NaN", "jitter_max", "2", "want a number"},
		"infinity":                  {"RETRY_JITTER_MAX=inf", "jitter_max", "2", "want a number"},
		"empty":                     {"RETRY_MAX_ATTEMPTS=", "retry_attempts", "3", "RETRY_MAX_ATTEMPTS is '', want a whole number"},
		"an unknown strategy":       {"QA_RESILIENCE_STRATEGY=brave", "operations.qa.strategy", "conservative", "want one of [aggressive balanced conservative critical]: the default conservative applies"},
		"no truth value":            {"RETRY_JITTER_ENABLED=perhaps", "jitter_enabled", "true", "want true or false: the default true applies"},
		"space around it":           {"RETRY_MAX_ATTEMPTS= 4 ", "retry_attempts", "4", ""},
		"huge, as it is":            {"CIRCUIT_BREAKER_FAILURE_THRESHOLD=100", "circuit_breaker_threshold", "100", ""},
		"one second":                {"CIRCUIT_BREAKER_RECOVERY_TIMEOUT=1", "recovery_timeout", "1", ""},
		"more than the engine's":    {"RETRY_MAX_ATTEMPTS=100", "retry_attempts", "20", "RETRY_MAX_ATTEMPTS is 100, which is more than the engine takes: 20 applies"},
		"a threshold beyond":        {"CIRCUIT_BREAKER_FAILURE_THRESHOLD=1000", "circuit_breaker_threshold", "100", "more than the engine takes: 100 applies"},
		"a time beyond":             {"RETRY_MAX_DELAY=99999", "max_delay_seconds", "3600", "more than the engine takes: 3600 applies"},
		"bounds that do not fit":    {"RETRY_EXPONENTIAL_MIN=20", "exponential_min", "2", "come to 20 and 10, want the first to be at most the second: 2 and 10 apply"},
		"an escape in the terminal": {"RETRY_MAX_ATTEMPTS=\x1b[2J", "retry_attempts", "3", `RETRY_MAX_ATTEMPTS is '\u001b[2J', want`},
	} {
		t.Run(name, func(t *testing.T) {
			loaded, _ := load(t, config.Sources{Lookup: env(tc.set)})
			if got := value(&loaded, tc.effective); got.Value != tc.want {
				t.Errorf("%s: %+v, want %s", tc.set, got, tc.want)
			}
			warnings := loaded.Warnings[1:] // the first says that old variables are in use
			if (tc.warning == "") != (len(warnings) == 0) || !strings.Contains(strings.Join(warnings, "\n"), tc.warning) {
				t.Errorf("warnings %q, want %q", warnings, tc.warning)
			}
		})
	}
}

// Who asks for something in the new way is told of each old variable that does not count.
func TestLegacyVariablesThatDoNotCount(t *testing.T) {
	for name, tc := range map[string]struct {
		sources config.Sources
		because string
	}{
		"a preset":               {config.Sources{Lookup: env("RETRY_MAX_ATTEMPTS=9", "RETRY_MAX_DELAY=9", "RESILIENCE_PRESET=simple")}, "RESILIENCE_PRESET"},
		"a custom configuration": {config.Sources{Lookup: env("RETRY_MAX_ATTEMPTS=9", "RETRY_MAX_DELAY=9", `RESILIENCE_CUSTOM_CONFIG={"exponential_min": 2}`)}, "RESILIENCE_CUSTOM_CONFIG"},
		"a flag":                 {config.Sources{Lookup: env("RETRY_MAX_ATTEMPTS=9", "RETRY_MAX_DELAY=9"), Flags: config.Flags{Preset: "simple"}}, "a flag"},
	} {
		t.Run(name, func(t *testing.T) {
			loaded, _ := load(t, tc.sources)
			want := []string{
				"RETRY_MAX_ATTEMPTS is set but has no effect: " + tc.because + " goes before it",
				"RETRY_MAX_DELAY is set but has no effect: " + tc.because + " goes before it",
			}
			if !slices.Equal(loaded.Warnings, want) || loaded.Legacy || loaded.Trysail.Default.Retry.Attempts != 3 {
				t.Errorf("warnings %q, legacy %t, %d attempts; want %q, false, 3",
					loaded.Warnings, loaded.Legacy, loaded.Trysail.Default.Retry.Attempts, want)
			}
		})
	}
}

func TestMasterToggleAloneIsNotLegacy(t *testing.T) {
	if loaded, _ := load(t, config.Sources{Lookup: env("RESILIENCE_ENABLED=true")}); loaded.Legacy {
		t.Error("RESILIENCE_ENABLED alone switches the old variables on")
	}
}

// The switches hold for operations of every strategy, not only for those that follow the default one.
func TestLegacySwitches(t *testing.T) {
	_, orc := load(t, config.Sources{Lookup: env("RETRY_ENABLED=false", "CIRCUIT_BREAKER_ENABLED=no"), Operations: []string{"own"}})
	if _, err := orc.Register("own", trysail.OperationConfig{Strategy: trysail.Critical}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"other", "qa", "answer_question", "own"} {
		if p := orc.Operation(name).Policy(); !p.Retry.Disabled || !p.Breaker.Disabled {
			t.Errorf("%s has retries (%t) or a breaker (%t)", name, !p.Retry.Disabled, !p.Breaker.Disabled)
		}
	}
}

// Old variables lie on what a file says, and the waits are checked on top of it.
func TestLegacyOnTopOfFile(t *testing.T) {
	file := &config.Document{Name: "t.yaml", Policy: trysail.Policy{Retry: trysail.RetryPolicy{MaxDelay: 25 * time.Second}}}
	loaded, _ := load(t, config.Sources{File: file, Lookup: env("RETRY_EXPONENTIAL_MIN=20")})
	if got := loaded.Trysail.Default.Retry; got.MinDelay != 20*time.Second || got.MaxDelay != 25*time.Second {
		t.Errorf("waits of %v to %v, want 20s of the variable to 25s of the file", got.MinDelay, got.MaxDelay)
	}
}

func FuzzLegacy(f *testing.F) {
	f.Add("RETRY_MAX_ATTEMPTS", "3", "RETRY_EXPONENTIAL_MIN", "1e300")
	f.Add("QA_RESILIENCE_STRATEGY", "critical", "RETRY_ENABLED", "off")
	f.Fuzz(func(t *testing.T, name, value, other, with string) {
		loaded, err := config.Load(func(n string) (string, bool) {
			switch n {
			case name:
				return value, true
			case other:
				return with, true
			default:
				return "", false
			}
		})
		if err != nil {
			return
		}
		if _, err := trysail.New(loaded.Trysail); err != nil {
			t.Errorf("%s=%q %s=%q: %v", name, value, other, with, err)
		}
	})
}
