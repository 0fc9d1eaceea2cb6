package config_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// basicCustom and advancedCustom are the specification's examples, word for word.
const (
	basicCustom = `{
  "retry_attempts": 4,
  "circuit_breaker_threshold": 8,
  "recovery_timeout": 90,
  "default_strategy": "balanced"
}`
	advancedCustom = `{
  "retry_attempts": 4,
  "circuit_breaker_threshold": 8,
  "recovery_timeout": 90,
  "default_strategy": "conservative",
  "operation_overrides": {
    "qa": "critical",
    "sentiment": "aggressive",
    "summarize": "balanced"
  },
  "exponential_multiplier": 1.5,
  "exponential_min": 2.0,
  "exponential_max": 30.0,
  "jitter_enabled": true,
  "jitter_max": 3.0
}`
)

// load loads what must be good, and an orchestrator of it.
func load(t *testing.T, s config.Sources) (config.Loaded, *trysail.Orchestrator) {
	t.Helper()
	loaded, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	orc, err := trysail.New(loaded.Trysail)
	if err != nil {
		t.Fatal(err)
	}
	return loaded, orc
}

// numbers is the part of a policy that the specification's fields name.
func numbers(p trysail.Policy) string {
	r, b := p.Retry, p.Breaker
	return fmt.Sprintf("%d in %v, %v %v-%v +%v, breaker %d %v", r.Attempts, r.DelayBudget, r.Base, r.MinDelay, r.MaxDelay, r.Jitter,
		b.FailureThreshold, b.RecoveryTimeout)
}

func TestCustomConfiguration(t *testing.T) {
	for name, tc := range map[string]struct {
		set  []string
		want string
	}{
		"the basic example":   {[]string{"RESILIENCE_CUSTOM_CONFIG=" + basicCustom}, "4 in 1m0s, 1s 2s-10s +2s, breaker 8 1m30s"},
		"the advanced one":    {[]string{"RESILIENCE_CUSTOM_CONFIG=" + advancedCustom}, "4 in 1m0s, 1.5s 2s-30s +3s, breaker 8 1m30s"},
		"on top of a preset":  {[]string{"RESILIENCE_PRESET=production", `RESILIENCE_CUSTOM_CONFIG={"retry_attempts": 2}`}, "2 in 1m40s, 1.5s 2s-30s +2s, breaker 10 2m0s"},
		"each number by name": {[]string{`RESILIENCE_CUSTOM_CONFIG={"max_delay_seconds": 77, "timeout_seconds": 9}`}, "3 in 1m17s, 1s 2s-10s +2s, breaker 5 1m0s"},
		"no jitter":           {[]string{`RESILIENCE_CUSTOM_CONFIG={"jitter_enabled": false}`}, "3 in 1m0s, 1s 2s-10s +2s, breaker 5 1m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			loaded, orc := load(t, config.Sources{Lookup: env(tc.set...)})
			policy := orc.Operation("other").Policy()
			if got := numbers(policy); got != tc.want || loaded.Refused != nil || loaded.Kind() != "custom" {
				t.Errorf("%s: %s, refused %v; want %s", loaded.Kind(), got, loaded.Refused, tc.want)
			}
			if jitter := name != "no jitter"; policy.Retry.NoJitter == jitter {
				t.Errorf("NoJitter = %t, want %t", policy.Retry.NoJitter, !jitter)
			}
		})
	}
}

func TestCustomOverridesStrategies(t *testing.T) {
	_, orc := load(t, config.Sources{Lookup: env("RESILIENCE_PRESET=production", "RESILIENCE_CUSTOM_CONFIG="+advancedCustom)})
	for operation, want := range map[string]trysail.Strategy{
		"qa": trysail.Critical, "answer_question": trysail.Critical, "sentiment": trysail.Aggressive, "summarize": trysail.Balanced,
		"summarize_text": trysail.Balanced, "key_points": trysail.Balanced, "other": trysail.Conservative,
	} {
		if got := orc.Operation(operation).Strategy(); got != want {
			t.Errorf("strategy of %s = %s, want %s", operation, got, want)
		}
	}
	// The default strategy has the custom numbers, another one its own table's.
	if got, want := orc.Operation("other").Policy().Retry.Attempts, 4; got != want {
		t.Errorf("an operation of the default strategy makes %d attempts, want %d", got, want)
	}
	if got, want := orc.Operation("qa").Policy().Retry.Attempts, 7; got != want {
		t.Errorf("a critical operation makes %d attempts, want %d", got, want)
	}
}

// Whatever is wrong with the custom configuration: the preset stays, whole, and an event is recorded.
func TestBadCustomConfiguration(t *testing.T) {
	for name, tc := range map[string]struct{ document, want string }{
		"a trailing comma":        {`{"retry_attempts": 3,}`, "Invalid JSON"},
		"a missing colon":         {`{"retry_attempts" 3}`, "Invalid JSON"},
		"an unquoted key":         {`{retry_attempts: 3}`, "Invalid JSON"},
		"a number as a string":    {`{"retry_attempts": "3"}`, "retry_attempts must be"},
		"garbage":                 {`not json at all`, "Invalid JSON"},
		"a list":                  {`[1]`, "Configuration must be a JSON object"},
		"one good, one bad field": {`{"retry_attempts": 4, "circuit_breaker_threshold": 99}`, "circuit_breaker_threshold must be between 1 and 20"},
		"out of range":            {`{"retry_attempts": 15}`, "retry_attempts must be between 1 and 10"},
		"an unknown operation":    {`{"operation_overrides": {"invalid_operation": "critical"}}`, "Invalid operation 'invalid_operation'"},
		"against the preset":      {`{"exponential_min": 9}`, "exponential_min must be less than exponential_max"},
		"a forbidden pattern":     {`{"retry_attempts": 3, "x": "<script"}`, "forbidden pattern"},
	} {
		t.Run(name, func(t *testing.T) {
			loaded, orc := load(t, config.Sources{Lookup: env("RESILIENCE_PRESET=development", "RESILIENCE_CUSTOM_CONFIG="+tc.document)})
			want := "2 in 40s, 500ms 1s-5s +2s, breaker 3 30s"
			if got := numbers(orc.Operation("other").Policy()); got != want {
				t.Errorf("numbers: %s, want those of the preset: %s", got, want)
			}
			var invalid *config.InvalidError
			if !errors.As(loaded.Refused, &invalid) || !strings.Contains(loaded.Refused.Error(), tc.want) {
				t.Errorf("Refused = %v, want an InvalidError with %q", loaded.Refused, tc.want)
			}
			if loaded.Kind() != "fallback" {
				t.Errorf("Kind() = %s, want fallback", loaded.Kind())
			}
			i := slices.IndexFunc(loaded.Events, func(e config.Event) bool {
				return e.Kind == config.EventError && e.Operation == "parse_custom_config" && e.Preset == "development"
			})
			if i < 0 || !strings.Contains(loaded.Events[i].Error, tc.want) {
				t.Errorf("events %+v, want a config_error of parse_custom_config with %q", loaded.Events, tc.want)
			}
		})
	}
}

func TestEventsOfLoading(t *testing.T) {
	for name, tc := range map[string]struct {
		set  []string
		want []string
	}{
		"a preset": {
			[]string{"RESILIENCE_PRESET=production"},
			[]string{"preset_usage load_preset production map[config_type:preset]", "config_load load_config production map[]"},
		},
		"a custom one": {
			[]string{`RESILIENCE_CUSTOM_CONFIG={"retry_attempts": 4, "jitter_max": 1}`},
			[]string{
				"preset_usage load_preset simple map[config_type:preset]",
				"preset_usage apply_custom_config simple map[config_type:custom custom_keys:retry_attempts, jitter_max]",
				"config_load load_config simple map[]",
			},
		},
		"a bad custom one": {
			[]string{`RESILIENCE_CUSTOM_CONFIG=oops`},
			[]string{
				"preset_usage load_preset simple map[config_type:preset]", "config_error parse_custom_config simple",
				"preset_usage ignore_custom_config simple map[config_type:preset]", "config_load load_config simple map[]",
			},
		},
		"old variables": {
			[]string{"RETRY_MAX_ATTEMPTS=4"},
			[]string{"preset_usage load_legacy_config legacy map[config_type:legacy]", "config_load load_config legacy map[]"},
		},
		"nothing found": {
			[]string{"RESILIENCE_PRESET=auto"},
			[]string{
				"preset_usage fallback_preset simple map[original_preset:auto]",
				"preset_usage load_preset simple map[config_type:preset]", "config_load load_config simple map[]",
			},
		},
		"a bad preset": {[]string{"RESILIENCE_PRESET=prod"}, []string{"config_error load_preset "}},
	} {
		t.Run(name, func(t *testing.T) {
			loaded, _ := config.Load(env(tc.set...))
			var got []string
			for _, e := range loaded.Events {
				line := fmt.Sprintf("%s %s %s", e.Kind, e.Operation, e.Preset)
				if e.Kind != config.EventError {
					line += fmt.Sprintf(" %v", e.Metadata)
				}
				got = append(got, line)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("events:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

// The rows of the table of variables that are no presets.
func TestVariables(t *testing.T) {
	for name, tc := range map[string]struct {
		set  string
		want string // of the values of Effective
	}{
		"the level's default":      {"", "log_level INFO default"},
		"a level in another case":  {"LOG_LEVEL=debug", "log_level DEBUG variable LOG_LEVEL"},
		"warning":                  {"LOG_LEVEL=Warning", "log_level WARNING variable LOG_LEVEL"},
		"error":                    {"LOG_LEVEL=ERROR", "log_level ERROR variable LOG_LEVEL"},
		"critical":                 {"LOG_LEVEL=critical", "log_level CRITICAL variable LOG_LEVEL"},
		"no show":                  {"", "show_config_loading false default"},
		"a show":                   {"SHOW_CONFIG_LOADING=true", "show_config_loading true variable SHOW_CONFIG_LOADING"},
		"on":                       {"", "enabled true default"},
		"off":                      {"RESILIENCE_ENABLED=no", "enabled false variable RESILIENCE_ENABLED"},
		"the preset's default":     {"", "preset simple default"},
		"the preset":               {"RESILIENCE_PRESET=development", "preset development variable RESILIENCE_PRESET"},
		"nobody can switch it off": {"RESILIENCE_METRICS_ENABLED=false", "enabled true default"},
	} {
		t.Run(name, func(t *testing.T) {
			loaded, _ := load(t, config.Sources{Lookup: env(tc.set)})
			if got := listed(&loaded); !slices.Contains(got, tc.want) {
				t.Errorf("Effective() =\n%s\nwant %s in it", strings.Join(got, "\n"), tc.want)
			}
			warned := strings.HasPrefix(tc.set, "RESILIENCE_METRICS")
			if (len(loaded.Warnings) == 1) != warned {
				t.Errorf("warnings %q", loaded.Warnings)
			}
		})
	}
}

func listed(l *config.Loaded) []string {
	var lines []string
	for _, v := range l.Effective() {
		lines = append(lines, fmt.Sprintf("%s %s %v", v.Name, v.Value, v.Origin))
	}
	return lines
}

func TestLoadNamesEveryFault(t *testing.T) {
	loaded, err := config.Load(env("RESILIENCE_PRESET=prod", "RESILIENCE_ENABLED=perhaps", "LOG_LEVEL=loud", "SHOW_CONFIG_LOADING=2"))
	for _, want := range []string{
		"Invalid preset 'prod'. Available: ['simple', 'development', 'production']",
		`RESILIENCE_ENABLED is "perhaps", want true or false`,
		`log level is "loud", want DEBUG, INFO, WARNING, ERROR or CRITICAL (variable LOG_LEVEL)`,
		`SHOW_CONFIG_LOADING is "2", want true or false`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Load() = %v, want %q in it", err, want)
		}
	}
	if len(loaded.Events) != 4 {
		t.Errorf("events %+v, want one for each fault", loaded.Events)
	}
}

// The specification has operators look for the word in the log.
func TestStepsOfLoading(t *testing.T) {
	file, err := config.ParseEnvFile(".env", []byte("RESILIENCE_PRESET=production\nSHOW_CONFIG_LOADING=true\nAPI_KEY=secret\n"))
	if err != nil {
		t.Fatal(err)
	}
	loaded, _ := load(t, config.Sources{Lookup: env(`RESILIENCE_CUSTOM_CONFIG={"retry_attempts": 4}`), EnvFile: file})
	want := []string{
		"resilience configuration: read .env, 3 variables",
		"resilience configuration: preset production (variable RESILIENCE_PRESET (.env:1))",
		"resilience configuration: custom numbers: retry_attempts",
		"resilience configuration: loaded, preset production",
	}
	if !loaded.ShowLoading || !slices.Equal(loaded.Steps, want) {
		t.Errorf("show %t, steps:\n%s\nwant:\n%s", loaded.ShowLoading, strings.Join(loaded.Steps, "\n"), strings.Join(want, "\n"))
	}
}

func TestDetectedPreset(t *testing.T) {
	for name, tc := range map[string]struct {
		set    []string
		detect func(config.Environ) (string, string)
		want   string
	}{
		"development": {[]string{"ENVIRONMENT=dev"}, nil, "preset development variable RESILIENCE_PRESET=auto: ENVIRONMENT=dev"},
		"staging":     {[]string{"APP_ENV=staging"}, nil, "preset production variable RESILIENCE_PRESET=auto: APP_ENV=staging"},
		"nothing":     {nil, nil, "preset simple variable RESILIENCE_PRESET, which found nothing"},
		"other rules": {
			nil, func(config.Environ) (string, string) { return "production", "the moon is full" },
			"preset production variable RESILIENCE_PRESET=auto: the moon is full",
		},
	} {
		t.Run(name, func(t *testing.T) {
			loaded, _ := load(t, config.Sources{Lookup: env(append(tc.set, "RESILIENCE_PRESET=auto")...), Detect: tc.detect})
			if got := listed(&loaded)[0]; got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
	if loaded, _ := load(t, config.Sources{Lookup: env("ENVIRONMENT=production")}); loaded.Preset.Key != "simple" {
		t.Errorf("preset %s without being asked to detect one, want simple", loaded.Preset.Key)
	}
}

func TestPresetsOfOnesOwn(t *testing.T) {
	own := config.Preset{
		Key: "high_throughput", Name: "HighThroughput", RetryAttempts: 2, CircuitBreakerThreshold: 20, RecoveryTimeout: 30 * time.Second,
		DefaultStrategy:    trysail.Aggressive,
		OperationOverrides: map[string]trysail.Strategy{"batch_processing": trysail.Balanced},
	}
	find := func(key string) (config.Preset, error) {
		if key == own.Key {
			return own, nil
		}
		return config.Find(key)
	}
	loaded, orc := load(t, config.Sources{Presets: find, Lookup: env(
		"RESILIENCE_PRESET=high_throughput", `RESILIENCE_CUSTOM_CONFIG={"operation_overrides": {"batch_processing": "critical"}}`)})
	if loaded.Refused != nil || orc.Operation("batch_processing").Strategy() != trysail.Critical {
		t.Errorf("strategy %s, refused %v; want critical", orc.Operation("batch_processing").Strategy(), loaded.Refused)
	}
}

func ExampleLoaded_Effective() {
	loaded, err := config.Load(env("RESILIENCE_PRESET=production", `RESILIENCE_CUSTOM_CONFIG={"retry_attempts": 4}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range loaded.Effective()[:5] {
		fmt.Printf("%s = %s (%v)\n", v.Name, v.Value, v.Origin)
	}
	// Output:
	// preset = production (variable RESILIENCE_PRESET)
	// enabled = true (default)
	// show_config_loading = false (default)
	// log_level = INFO (default)
	// retry_attempts = 4 (variable RESILIENCE_CUSTOM_CONFIG)
}
