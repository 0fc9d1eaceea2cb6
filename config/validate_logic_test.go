package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

const (
	noBackoff = "Consider adding exponential backoff configuration"
	noJitter  = "Add jitter_enabled: true for better load distribution"
	low       = "Very low circuit breaker threshold may cause frequent circuit opening"
	high      = "High retry attempts may increase latency significantly"
)

func TestFieldsThatDoNotGoTogether(t *testing.T) {
	for document, tc := range map[string]struct{ errors, warnings, suggestions []string }{
		`{"exponential_min": 5, "exponential_max": 5}`: {
			errors: []string{"exponential_min must be less than exponential_max"}, suggestions: []string{"Try setting exponential_min to 2.5 and exponential_max to 10.0"},
		},
		`{"exponential_min": 7.5, "exponential_max": 7}`: {
			errors: []string{"exponential_min must be less than exponential_max"}, suggestions: []string{"Try setting exponential_min to 3.5 and exponential_max to 14.0"},
		},
		`{"exponential_min": 4.9, "exponential_max": 5}`: {suggestions: []string{noJitter}},
		`{"exponential_min": 9.9}`:                       {suggestions: []string{noJitter}},
		`{"max_delay_seconds": 19, "retry_attempts": 10, "exponential_max": 10, "jitter_enabled": true}`: {
			warnings: []string{
				"max_delay_seconds (19s) may be too short for 10 retry attempts: the estimated minimum is 20s", high,
			},
			suggestions: []string{"Raise max_delay_seconds to at least 20", "Consider the production preset, which makes 5 attempts"},
		},
		`{"max_delay_seconds": 14, "retry_attempts": 7, "exponential_min": 1, "jitter_enabled": true}`:               {},
		`{"retry_attempts": 7, "circuit_breaker_threshold": 3, "exponential_multiplier": 1, "jitter_enabled": true}`: {},
		`{"circuit_breaker_threshold": 2, "exponential_multiplier": 1, "jitter_enabled": true}`: {
			warnings: []string{low}, suggestions: []string{"Consider a circuit_breaker_threshold of 3 or more"},
		},
		`{"retry_attempts": 8, "exponential_multiplier": 1, "jitter_enabled": true}`: {
			warnings: []string{high}, suggestions: []string{"Consider the production preset, which makes 5 attempts"},
		},
		`{"jitter_enabled": true}`:  {warnings: []string{noBackoff}},
		`{"jitter_enabled": false}`: {warnings: []string{noBackoff}, suggestions: []string{noJitter}},
		`{"jitter_enabled": false, "jitter_max": 1, "exponential_max": 10}`: {
			warnings:    []string{"jitter_max has no effect while jitter_enabled is false"},
			suggestions: []string{"Remove jitter_max, or set jitter_enabled: true", noJitter},
		},
		`{"operation_overrides": {"qa": "critical", "answer_question": "critical"}, "exponential_max": 10, "jitter_enabled": true}`: {},
		`{"operation_overrides": {"qa": "critical", "answer_question": "balanced"}}`: {
			errors:      []string{"'qa' and 'answer_question' in operation_overrides are one operation, but have the strategies critical and balanced"},
			suggestions: []string{"Name each operation once in operation_overrides"},
		},
		// More attempts than the threshold are no fault: the breaker counts calls.
		`{"retry_attempts": 6, "circuit_breaker_threshold": 3, "exponential_max": 10, "jitter_enabled": true}`: {},
		// A bad field does not hide what is wrong with the others.
		`{"retry_attempts": 11, "circuit_breaker_threshold": 1}`: {
			errors:   []string{"Field 'retry_attempts' value 11 above maximum 10: retry_attempts must be between 1 and 10"},
			warnings: []string{low},
			suggestions: []string{
				"Try retry_attempts: 3 (a whole number without quotes, valid range 1 to 10)", "Consider a circuit_breaker_threshold of 3 or more",
			},
		},
	} {
		for _, strict := range []bool{false, true} {
			_, report := config.Validate([]byte(document), config.ValidateOptions{Strict: strict})
			wantList(t, "errors", document, messages(report.Errors), append([]string{}, tc.errors...))
			wantList(t, "warnings", document, messages(report.Warnings), append([]string{}, tc.warnings...))
			wantList(t, "suggestions", document, report.Suggestions, append([]string(nil), tc.suggestions...))
		}
	}
}

// A document that is good by itself may not go together with the numbers of the preset below it.
func TestMergedWithThePreset(t *testing.T) {
	for name, tc := range map[string]struct{ preset, document, errors, warnings string }{
		"the shortest wait over the longest": {
			"development", `{"exponential_min": 9}`,
			"exponential_min must be less than exponential_max: with preset 'development' they are 9 and 5", "",
		},
		"as long as the longest": {
			"development", `{"exponential_min": 5}`,
			"exponential_min must be less than exponential_max: with preset 'development' they are 5 and 5", "",
		},
		"just shorter":                       {"development", `{"exponential_min": 4.9}`, "", ""},
		"far below production's":             {"production", `{"exponential_min": 9}`, "", ""},
		"as long as simple's":                {"simple", `{"exponential_min": 10}`, "exponential_min must be less than exponential_max: with preset 'simple' they are 10 and 10", ""},
		"the longest above the shortest":     {"simple", `{"exponential_max": 5}`, "", ""},
		"both given, the preset's no matter": {"development", `{"exponential_min": 9, "exponential_max": 50}`, "", ""},
		"a budget too short for the preset": {
			"production", `{"max_delay_seconds": 9, "exponential_max": 10}`, "",
			"max_delay_seconds (9s) may be too short for 5 retry attempts on top of preset 'production': the estimated minimum is 10s",
		},
		"a budget that is enough":    {"development", `{"max_delay_seconds": 5, "exponential_max": 10}`, "", ""},
		"attempts within the budget": {"development", `{"retry_attempts": 7, "exponential_max": 10}`, "", ""},
		"a bad field is not replaced by the preset's": {
			"development", `{"exponential_min": 9, "exponential_max": 500, "retry_attempts": 99, "max_delay_seconds": 5}`,
			"Field 'exponential_max' value 500 above maximum 120.0: exponential_max must be between 5.0 and 120.0\n" +
				"Field 'retry_attempts' value 99 above maximum 10: retry_attempts must be between 1 and 10", "",
		},
		"a bad field alone": {
			"development", `{"exponential_min": 90}`,
			"Field 'exponential_min' value 90 above maximum 10.0: exponential_min must be between 0.5 and 10.0", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			preset, err := config.Find(tc.preset)
			if err != nil {
				t.Fatal(err)
			}
			custom, report := config.Validate([]byte(tc.document), config.ValidateOptions{Base: &preset})
			if got := strings.Join(messages(report.Errors), "\n"); got != tc.errors {
				t.Errorf("errors of %s on %s = %q, want %q", tc.document, tc.preset, got, tc.errors)
			}
			if got := strings.Join(messages(report.Warnings), "\n"); got != tc.warnings {
				t.Errorf("warnings of %s on %s = %q, want %q", tc.document, tc.preset, got, tc.warnings)
			}
			if !report.Valid() {
				return
			}
			if _, err := trysail.New(preset.With(custom)); err != nil {
				t.Errorf("trysail.New refuses what was found valid: %v", err)
			}
		})
	}
	tight := config.Preset{Key: "tight", RetryAttempts: 1, DefaultStrategy: trysail.Balanced}
	_, report := config.Validate([]byte(`{"retry_attempts": 11}`), config.ValidateOptions{Base: &tight})
	wantList(t, "errors", "attempts out of range", messages(report.Errors), []string{"Field 'retry_attempts' value 11 above maximum 10: retry_attempts must be between 1 and 10"})
	_, report = config.Validate([]byte(`{"retry_attempts": 10, "exponential_max": 10}`), config.ValidateOptions{Base: &config.Preset{Key: "tiny", DefaultStrategy: trysail.Balanced}})
	want := "max_delay_seconds (0s) may be too short for 10 retry attempts on top of preset 'tiny': the estimated minimum is 20s"
	if got := messages(report.Warnings); !slices.Contains(got, want) {
		t.Errorf("warnings on a preset without a budget = %q, want %q among them", got, want)
	}
}

// The contract's five templates, and which of them bring a warning.
func TestTemplatesAreValid(t *testing.T) {
	for name, tc := range map[string]struct {
		document string
		warnings []string
	}{
		"fast_development":  {`{"retry_attempts":1,"circuit_breaker_threshold":2,"recovery_timeout":15,"default_strategy":"aggressive","operation_overrides":{"sentiment":"aggressive"}}`, []string{low, noBackoff}},
		"robust_production": {`{"retry_attempts":6,"circuit_breaker_threshold":12,"recovery_timeout":180,"default_strategy":"conservative","operation_overrides":{"qa":"critical","summarize":"conservative"}}`, []string{noBackoff}},
		"low_latency": {
			`{"retry_attempts":1,"circuit_breaker_threshold":2,"recovery_timeout":10,"default_strategy":"aggressive","max_delay_seconds":5,"exponential_multiplier":0.5,"exponential_min":0.5,"exponential_max":5.0}`,
			[]string{low},
		},
		"high_throughput": {`{"retry_attempts":3,"circuit_breaker_threshold":8,"recovery_timeout":45,"default_strategy":"balanced","operation_overrides":{"sentiment":"aggressive","key_points":"balanced"}}`, []string{noBackoff}},
		"maximum_reliability": {
			`{"retry_attempts":8,"circuit_breaker_threshold":15,"recovery_timeout":300,"default_strategy":"critical","operation_overrides":{"qa":"critical","summarize":"critical","sentiment":"conservative","key_points":"conservative","questions":"conservative"},"exponential_multiplier":2.0,"exponential_min":3.0,"exponential_max":60.0,"jitter_enabled":true,"jitter_max":5.0}`,
			[]string{high},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, report := config.Validate([]byte(tc.document), config.ValidateOptions{})
			wantList(t, "errors", name, messages(report.Errors), []string{})
			wantList(t, "warnings", name, messages(report.Warnings), tc.warnings)
		})
	}
}

func ExampleValidate() {
	_, report := config.Validate([]byte(`{"retry_attempts": 15, "timeout": 30}`), config.ValidateOptions{})
	fmt.Println(report.Err())
	fmt.Println(report.Suggestions[0])
	// Output:
	// Field 'retry_attempts' value 15 above maximum 10: retry_attempts must be between 1 and 10
	// Additional properties are not allowed ('timeout' was unexpected)
	// Try retry_attempts: 3 (a whole number without quotes, valid range 1 to 10)
}

func ExampleFields() {
	for _, f := range config.Fields() {
		if f.Kind == config.KindNumber {
			fmt.Printf("%s: %v to %v %s\n", f.Name, f.Min, f.Max, f.Unit)
		}
	}
	// Output:
	// exponential_multiplier: 0.1 to 5 seconds
	// exponential_min: 0.5 to 10 seconds
	// exponential_max: 5 to 120 seconds
	// jitter_max: 0.1 to 10 seconds
}

func ExamplePreset_With() {
	preset, err := config.Find("production")
	if err != nil {
		fmt.Println(err)
		return
	}
	custom, report := config.Validate([]byte(`{"retry_attempts": 4, "recovery_timeout": 90}`), config.ValidateOptions{Base: &preset})
	if err := report.Err(); err != nil {
		fmt.Println(err)
		return
	}
	policy := preset.With(custom).Default
	fmt.Println(policy.Retry.Attempts, policy.Breaker.RecoveryTimeout, policy.Breaker.FailureThreshold)
	// Output: 4 1m30s 10
}
