package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// trysailFile is what a file says in these tests.
func trysailFile() *config.Document {
	lines := map[string]int{
		"preset": 1, "template": 2, "custom.retry_attempts": 4, "custom.operation_overrides.qa": 5, "policy.hedge.after": 8,
		"operations.qa.policy.attempt": 11, "operations.sentiment.strategy": 13, "classes.permanent": 15, "policy.breaker.recovery_timeout": 9,
	}
	return &config.Document{
		Name: "trysail.yaml", Preset: "production", Template: "patient",
		Custom: config.Custom{RetryAttempts: new(6), OperationOverrides: map[string]trysail.Strategy{"qa": trysail.Balanced}},
		Policy: trysail.Policy{Hedge: trysail.HedgePolicy{After: time.Second}, Breaker: trysail.BreakerPolicy{RecoveryTimeout: 7 * time.Second}},
		Operations: map[string]trysail.OperationConfig{
			"qa":        {Policy: trysail.Policy{Attempt: 20 * time.Second}},
			"sentiment": {Strategy: trysail.Critical},
		},
		Classes: map[trysail.Class]trysail.Consequence{trysail.ClassPermanent: {Count: true}},
		Line:    func(path string) int { return lines[path] },
	}
}

func patient(name string) (config.Template, error) {
	if name != "patient" {
		return config.TemplateByName(name)
	}
	return config.Template{Key: name, Custom: config.Custom{RecoveryTimeout: new(200), MaxDelaySeconds: new(300)}}, nil
}

// Each source goes before the ones that stand before it in the table, value by value.
func TestPrecedence(t *testing.T) {
	const legacyAttempts = "RETRY_MAX_ATTEMPTS=9"
	const custom = `RESILIENCE_CUSTOM_CONFIG={"retry_attempts": 4}`
	file := trysailFile()
	for name, tc := range map[string]struct {
		sources config.Sources
		want    []string // lines of Effective
	}{
		"nothing": {config.Sources{}, []string{"preset simple default", "retry_attempts 3 preset simple"}},
		"a file": {config.Sources{File: file}, []string{
			"preset production file trysail.yaml:1", "template patient file trysail.yaml:2", "retry_attempts 6 file trysail.yaml:4",
			"circuit_breaker_threshold 10 preset production", "recovery_timeout 7 file trysail.yaml:9", "max_delay_seconds 300 template patient",
			"timeout_seconds none default", "policy.hedge.after 1s file trysail.yaml:8", "policy.breaker.probe_timeout 2m0s default",
			"operations.qa.strategy balanced file trysail.yaml:5", "operations.qa.policy.attempt 20s file trysail.yaml:11",
			"operations.sentiment.strategy critical file trysail.yaml:13", "operations.summarize.strategy conservative preset production",
			"classes.permanent retry false, count true, fallback false file trysail.yaml:15",
		}},
		"old variables before a file": {config.Sources{File: file, Lookup: env(legacyAttempts, "QA_RESILIENCE_STRATEGY=critical")}, []string{
			"preset production file trysail.yaml:1", "retry_attempts 9 legacy RETRY_MAX_ATTEMPTS", "recovery_timeout 7 file trysail.yaml:9",
			"operations.qa.strategy critical legacy QA_RESILIENCE_STRATEGY", "operations.sentiment.strategy critical file trysail.yaml:13",
		}},
		"a preset before a file's": {config.Sources{File: file, Lookup: env("RESILIENCE_PRESET=development")}, []string{
			"preset development variable RESILIENCE_PRESET", "retry_attempts 6 file trysail.yaml:4",
			"circuit_breaker_threshold 3 preset development",
		}},
		"custom numbers before a file's": {config.Sources{File: file, Lookup: env(custom)}, []string{
			"preset production file trysail.yaml:1", "retry_attempts 4 variable RESILIENCE_CUSTOM_CONFIG", "recovery_timeout 7 file trysail.yaml:9",
		}},
		"and before a file's policy": {config.Sources{File: file, Lookup: env(`RESILIENCE_CUSTOM_CONFIG={"recovery_timeout": 33}`)}, []string{
			"recovery_timeout 33 variable RESILIENCE_CUSTOM_CONFIG",
		}},
		"and a file's operations": {config.Sources{File: file, Lookup: env(`RESILIENCE_CUSTOM_CONFIG={"operation_overrides": {"analyze_sentiment": "balanced"}}`)}, []string{
			"operations.sentiment.strategy balanced variable RESILIENCE_CUSTOM_CONFIG",
		}},
		"custom numbers before old variables": {config.Sources{Lookup: env(custom, legacyAttempts)}, []string{
			"preset simple default", "retry_attempts 4 variable RESILIENCE_CUSTOM_CONFIG",
		}},
		"variables before an .env file": {config.Sources{Lookup: env("RESILIENCE_PRESET=development"), EnvFile: envFile(t, "RESILIENCE_PRESET=production\n"+custom)}, []string{
			"preset development variable RESILIENCE_PRESET", "retry_attempts 4 variable RESILIENCE_CUSTOM_CONFIG (.env:2)",
		}},
		"an empty variable before an .env file": {config.Sources{Lookup: env("RESILIENCE_PRESET="), EnvFile: envFile(t, "RESILIENCE_PRESET=production")}, []string{
			"preset simple default",
		}},
		"flags before all": {config.Sources{
			File: file, Lookup: env("RESILIENCE_PRESET=development", custom, "LOG_LEVEL=error", "RESILIENCE_ENABLED=true"),
			Flags: config.Flags{Preset: "simple", Custom: config.Custom{RetryAttempts: new(1)}, LogLevel: "debug", Enabled: new(false), ShowLoading: new(true)},
		}, []string{
			"preset simple flag preset", "retry_attempts 1 flag custom", "log_level DEBUG flag log_level", "enabled false flag enabled",
			"show_config_loading true flag show_config_loading",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.sources.Templates = patient
			loaded, _ := load(t, tc.sources)
			got := listed(&loaded)
			for _, want := range tc.want {
				if !slices.Contains(got, want) {
					t.Errorf("Effective() =\n%s\nwant %s in it", strings.Join(got, "\n"), want)
				}
			}
		})
	}
}

func envFile(t *testing.T, content string) *config.EnvFile {
	t.Helper()
	file, err := config.ParseEnvFile(".env", []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// What a file says of an operation holds under both of its names.
func TestFileNamesOperationsByEitherName(t *testing.T) {
	_, orc := load(t, config.Sources{File: trysailFile(), Templates: patient})
	if got := orc.Operation("answer_question"); got.Policy().Attempt != 20*time.Second || got.Strategy() != trysail.Balanced {
		t.Errorf("answer_question: strategy %s, attempt %v; want balanced, 20s", got.Strategy(), got.Policy().Attempt)
	}
	if got := orc.Operation("analyze_sentiment").Strategy(); got != trysail.Critical {
		t.Errorf("analyze_sentiment: strategy %s, want critical", got)
	}
}

// A file that gives the two names different things gets what it says, each time.
func TestFileNamesOperationByBothNames(t *testing.T) {
	file := &config.Document{Name: "t.yaml", Operations: map[string]trysail.OperationConfig{
		"qa": {Strategy: trysail.Critical}, "answer_question": {Strategy: trysail.Aggressive},
	}}
	for range 20 {
		loaded, _ := load(t, config.Sources{File: file})
		for _, want := range []string{"operations.qa.strategy critical file t.yaml", "operations.answer_question.strategy aggressive file t.yaml"} {
			if got := listed(&loaded); !slices.Contains(got, want) {
				t.Fatalf("Effective() =\n%s\nwant %s in it", strings.Join(got, "\n"), want)
			}
		}
	}
}

func TestFileWithUnknownNames(t *testing.T) {
	for name, tc := range map[string]struct {
		file *config.Document
		want string
	}{
		"a preset":   {&config.Document{Name: "t.yaml", Preset: "prod"}, "Invalid preset 'prod'"},
		"a template": {&config.Document{Name: "t.yaml", Template: "brave"}, "Unknown template: brave. Available: ['fast_development', 'robust_production', 'low_latency', 'high_throughput', 'maximum_reliability'] (file t.yaml)"},
		"a level":    {&config.Document{Name: "t.yaml", LogLevel: "loud"}, `log level is "loud", want DEBUG, INFO, WARNING, ERROR or CRITICAL (file t.yaml)`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := (config.Sources{File: tc.file, Templates: patient}).Load(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Load() = %v, want %q in it", err, tc.want)
			}
		})
	}
}

// A custom configuration that does not fit what the file says is refused, and does not stop the program. One that fits
// the file but not the preset alone is good.
func TestCustomOnTopOfFile(t *testing.T) {
	file := &config.Document{Name: "t.yaml", Policy: trysail.Policy{
		Retry: trysail.RetryPolicy{MaxDelay: 20 * time.Second}, Total: 40 * time.Second,
	}}
	for name, tc := range map[string]struct{ document, want string }{
		"fits":       {`{"exponential_min": 10}`, ""},
		"does not":   {`{"timeout_seconds": 60}`, "Configuration does not go together with that of t.yaml: Default.Attempt is 1m0s, want at most Total, which is 40s"},
		"is invalid": {`{"timeout_seconds": 0}`, "timeout_seconds must be between 1 and 600"},
	} {
		t.Run(name, func(t *testing.T) {
			loaded, _ := load(t, config.Sources{File: file, Lookup: env("RESILIENCE_CUSTOM_CONFIG=" + tc.document)})
			if got := fmt.Sprint(loaded.Refused); !strings.Contains(got, tc.want) || (tc.want == "") != (loaded.Refused == nil) {
				t.Errorf("Refused = %v, want %q in it", got, tc.want)
			}
		})
	}
}

// Every field of a policy has a row: what %+v shows of one is what Effective knows.
func TestEffectiveKnowsEveryFieldOfAPolicy(t *testing.T) {
	full := trysail.Policy{
		Total: time.Hour, Attempt: time.Minute,
		Throttle: trysail.ThrottlePolicy{Factor: 2, Window: time.Minute, MinCalls: 5, MaxShare: 0.5, Disabled: true},
		Limiter:  trysail.LimiterPolicy{Rate: 1, Burst: 2, MaxWait: 1, Disabled: true},
		Bulkhead: trysail.BulkheadPolicy{MaxConcurrent: 9, MinConcurrent: 2, Adaptive: true, MaxQueue: 3, MaxWait: 4, Disabled: true},
		Breaker: trysail.BreakerPolicy{
			FailureThreshold: 9, RecoveryTimeout: time.Second, HalfOpenMaxCalls: 2, ProbeTimeout: time.Hour, FailureRate: 0.5, SlowRate: 0.5, SlowFails: true,
			SlowCall: 1, Window: time.Minute, WindowCalls: 99, MinCalls: 9, RatesOnly: true, MaxRecovery: time.Hour, RecoveryJitter: 0.1,
			HonorRetryAfter: true, RampUp: 1, Enforce: 0.5, Disabled: true,
		},
		Retry: trysail.RetryPolicy{
			Attempts: 9, DelayBudget: 1, Backoff: trysail.BackoffFullJitter, Base: 1, MinDelay: 1, MaxDelay: 2, Jitter: 1, NoJitter: true,
			Classes: trysail.ClassRetries{trysail.ClassOverloaded: {Attempts: 2}}, Cost: 3, Disabled: true,
			Budget: budget(t),
		},
		Hedge: trysail.HedgePolicy{After: 1, Percentile: 0.9, Max: 2, Disabled: true},
	}
	shown := fmt.Sprintf("%+v", full)
	for _, zero := range []string{":0 ", ":0s", ":false", ":}", "<nil>"} {
		if strings.Contains(shown, zero) {
			t.Fatalf("the policy of this test lacks a field (%s): %s", zero, shown)
		}
	}
	want := strings.Count(strings.NewReplacer(full.Retry.Classes.String(), "", full.Retry.Budget.String(), "").Replace(shown), ":") - 6 // the six sections
	loaded, err := config.Sources{File: &config.Document{Name: "t.yaml", Policy: full}}.Load()
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, v := range loaded.Effective() {
		if v.Origin.Source == config.FromFile {
			got++
		}
	}
	if got != want {
		t.Errorf("%d values are from the file, want the %d fields of\n%s\n%s", got, want, shown, strings.Join(listed(&loaded), "\n"))
	}
}

func budget(t *testing.T) *trysail.RetryBudget {
	t.Helper()
	b, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func BenchmarkLoadCustom(b *testing.B) {
	lookup := env("RESILIENCE_PRESET=production", "RESILIENCE_CUSTOM_CONFIG="+advancedCustom)
	b.ReportAllocs()
	for b.Loop() {
		if loaded, err := config.Load(lookup); err != nil || loaded.Refused != nil {
			b.Fatal(err, loaded.Refused)
		}
	}
}
