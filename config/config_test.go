package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, pair := range pairs {
			if key, value, _ := strings.Cut(pair, "="); key == name {
				return value, true
			}
		}
		return "", false
	}
}

func TestPresetNumbers(t *testing.T) {
	const s = time.Second
	for key, want := range map[string]trysail.Policy{
		"simple": {
			Retry:   trysail.RetryPolicy{Attempts: 3, DelayBudget: 60 * s, Base: s, MinDelay: 2 * s, MaxDelay: 10 * s, Jitter: 2 * s},
			Breaker: trysail.BreakerPolicy{FailureThreshold: 5, RecoveryTimeout: 60 * s, HalfOpenMaxCalls: 1, ProbeTimeout: 120 * s, Enforce: 1},
		},
		"development": {
			Retry:   trysail.RetryPolicy{Attempts: 2, DelayBudget: 40 * s, Base: s / 2, MinDelay: s, MaxDelay: 5 * s, Jitter: 2 * s},
			Breaker: trysail.BreakerPolicy{FailureThreshold: 3, RecoveryTimeout: 30 * s, HalfOpenMaxCalls: 1, ProbeTimeout: 120 * s, Enforce: 1},
		},
		"production": {
			Retry:   trysail.RetryPolicy{Attempts: 5, DelayBudget: 100 * s, Base: 3 * s / 2, MinDelay: 2 * s, MaxDelay: 30 * s, Jitter: 2 * s},
			Breaker: trysail.BreakerPolicy{FailureThreshold: 10, RecoveryTimeout: 120 * s, HalfOpenMaxCalls: 1, ProbeTimeout: 120 * s, Enforce: 1},
		},
	} {
		t.Run(key, func(t *testing.T) {
			orc := orchestrator(t, "RESILIENCE_PRESET="+key)
			if got := orc.Operation("unknown").Policy(); got != want {
				t.Errorf("policy = %+v\nwant     %+v", got, want)
			}
			if got := orc.Configuration().Preset; got != key {
				t.Errorf("Configuration().Preset = %q, want %q", got, key)
			}
		})
	}
}

func TestZeroConfigIsPresetSimple(t *testing.T) {
	zero, err := trysail.New(trysail.Config{})
	if err != nil {
		t.Fatal(err)
	}
	want := orchestrator(t).Operation("chat").Policy()
	if got := zero.Operation("chat").Policy(); got != want {
		t.Errorf("policy of the zero Config = %+v\nwant that of preset simple  %+v", got, want)
	}
}

func TestStrategyOfOperations(t *testing.T) {
	for name, tc := range map[string]struct {
		preset, operation string
		want              trysail.Strategy
	}{
		"simple leaves summarize alone":   {"simple", "summarize", trysail.Balanced},
		"development hurries sentiment":   {"development", "sentiment", trysail.Aggressive},
		"development balances qa":         {"development", "qa", trysail.Balanced},
		"production guards qa":            {"production", "qa", trysail.Critical},
		"the long name is the same":       {"production", "answer_question", trysail.Critical},
		"production hurries sentiment":    {"production", "sentiment", trysail.Aggressive},
		"production keeps summarize":      {"production", "summarize", trysail.Conservative},
		"production has a default":        {"production", "unknown", trysail.Conservative},
		"names are case-sensitive":        {"production", "QA", trysail.Conservative},
		"development's default is quick":  {"development", "anything", trysail.Aggressive},
		"production balances key points":  {"production", "extract_key_points", trysail.Balanced},
		"production balances questions":   {"production", "questions", trysail.Balanced},
		"simple has no override for qa":   {"simple", "qa", trysail.Balanced},
		"development has none for others": {"development", "questions", trysail.Aggressive},
	} {
		t.Run(name, func(t *testing.T) {
			op := orchestrator(t, "RESILIENCE_PRESET="+tc.preset).Operation(tc.operation)
			if got := op.Strategy(); got != tc.want {
				t.Errorf("strategy of %q under %q = %q, want %q", tc.operation, tc.preset, got, tc.want)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ set, want string }{
		"an unknown preset": {
			"RESILIENCE_PRESET=prod",
			"Invalid preset 'prod'. Available: ['simple', 'development', 'production']",
		},
		"another case": {
			"RESILIENCE_PRESET=Simple",
			"Invalid preset 'Simple'. Available: ['simple', 'development', 'production']",
		},
		"a word for a truth value": {"RESILIENCE_ENABLED=maybe", `RESILIENCE_ENABLED is "maybe", want true or false`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := config.Load(env(tc.set)); err == nil || err.Error() != tc.want {
				t.Errorf("Load(%s) = %v, want %s", tc.set, err, tc.want)
			}
		})
	}
}

func TestLoadTakes(t *testing.T) {
	for name, tc := range map[string]struct {
		set      string
		disabled bool
		warnings int
	}{
		"nothing":               {"", false, 0},
		"an empty preset":       {"RESILIENCE_PRESET=", false, 0},
		"space around a preset": {"RESILIENCE_PRESET= simple ", false, 0},
		"off":                   {"RESILIENCE_ENABLED=False", true, 0},
		"on":                    {"RESILIENCE_ENABLED=1", false, 0},
		"what has no effect":    {"RESILIENCE_CUSTOM_CONFIG={}", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := config.Load(env(tc.set))
			if err != nil {
				t.Fatal(err)
			}
			if got.Preset.Key != "simple" || got.Trysail.Disabled != tc.disabled || len(got.Warnings) != tc.warnings {
				t.Errorf("Load(%s) = preset %q, disabled %t, warnings %q; want simple, %t, %d of them",
					tc.set, got.Preset.Key, got.Trysail.Disabled, got.Warnings, tc.disabled, tc.warnings)
			}
		})
	}
}

func TestDetectEnvironment(t *testing.T) {
	for name, tc := range map[string]struct {
		set  []string
		want config.Environment
	}{
		"nothing":               {nil, config.Environment{}},
		"the first that fits":   {[]string{"NODE_ENV=dev", "ENVIRONMENT=prod"}, config.Environment{Name: "production", Source: "ENVIRONMENT=prod"}},
		"whole words only":      {[]string{"ENVIRONMENT=nonprod"}, config.Environment{}},
		"any case":              {[]string{"RAILS_ENV=Staging"}, config.Environment{Name: "staging", Source: "RAILS_ENV=Staging"}},
		"enforced auth":         {[]string{"ENFORCE_AUTH=yes", "ENVIRONMENT=dev"}, config.Environment{Name: "production", Source: "ENFORCE_AUTH=yes"}},
		"auth that is not":      {[]string{"ENFORCE_AUTH=no", "ENVIRONMENT=test"}, config.Environment{Name: "testing", Source: "ENVIRONMENT=test"}},
		"an odd word goes past": {[]string{"ENVIRONMENT=blue", "APP_ENV=live"}, config.Environment{Name: "production", Source: "APP_ENV=live"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := config.DetectEnvironment(env(tc.set...))
			if got != tc.want {
				t.Errorf("DetectEnvironment(%q) = %+v, want %+v", tc.set, got, tc.want)
			}
			if guarded := tc.want.Name == "production" || tc.want.Name == "staging"; got.Guarded() != guarded {
				t.Errorf("Guarded() of %+v = %t, want %t", got, got.Guarded(), guarded)
			}
		})
	}
}

func ExampleLoad() {
	loaded, err := config.Load(env("RESILIENCE_PRESET=production"))
	if err != nil {
		fmt.Println(err)
		return
	}
	orc, err := trysail.New(loaded.Trysail)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(orc.Operation("qa").Strategy(), orc.Operation("chat").Strategy())
	// Output: critical conservative
}

func ExampleFind() {
	_, err := config.Find("prod")
	fmt.Println(err)
	// Output: Invalid preset 'prod'. Available: ['simple', 'development', 'production']
}

func orchestrator(t *testing.T, set ...string) *trysail.Orchestrator {
	t.Helper()
	loaded, err := config.Load(env(set...))
	if err != nil {
		t.Fatal(err)
	}
	orc, err := trysail.New(loaded.Trysail)
	if err != nil {
		t.Fatal(err)
	}
	return orc
}
