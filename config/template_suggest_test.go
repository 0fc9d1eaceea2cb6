package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// What contract 3.4 measured, and that each template can be reached.
func TestSuggest(t *testing.T) {
	for document, want := range map[string]config.Suggestion{
		`{}`: {"high_throughput", 0.5, "0/0"},
		`{"retry_attempts": 1, "circuit_breaker_threshold": 2, "default_strategy": "aggressive"}`:    {"fast_development", 1, "3/3"},
		`{"retry_attempts": 6, "circuit_breaker_threshold": 12, "default_strategy": "conservative"}`: {"robust_production", 1, "3/3"},
		`{"retry_attempts": 50, "circuit_breaker_threshold": 1, "default_strategy": "critical"}`:     {"", 0, ""},
		`{"retry_attempts": 3, "circuit_breaker_threshold": 5, "default_strategy": "conservative"}`:  {"high_throughput", 1.0 / 3, "1/3"},
		`{"retry_attempts": 8, "circuit_breaker_threshold": 15, "default_strategy": "critical"}`:     {"maximum_reliability", 1, "3/3"},
		`{"retry_attempts": 1, "circuit_breaker_threshold": 2, "default_strategy": "aggressive", "max_delay_seconds": 5,
			"exponential_multiplier": 0.5, "exponential_min": 0.5, "exponential_max": 5.0}`: {"low_latency", 1, "3/3"},
		`{"retry_attempts": 2, "circuit_breaker_threshold": 3, "default_strategy": "aggressive", "max_delay_seconds": 5}`: {"low_latency", 1.0 / 3, "1/3"},
		`{"retry_attempts": 1, "circuit_breaker_threshold": 2, "default_strategy": "aggressive", "max_delay_seconds": 6}`: {"fast_development", 1, "3/3"},
		`{"retry_attempts": 3, "circuit_breaker_threshold": 3, "default_strategy": "conservative"}`:                       {"high_throughput", 1.0 / 3, "1/3"},
		`{"retry_attempts": 3, "circuit_breaker_threshold": 2, "default_strategy": "conservative"}`:                       {"", 0, ""},
		`{"retry_attempts": 5}`: {"high_throughput", 0, "0/1"}, // because it is balanced
		`{"retry_attempts": 3}`: {"high_throughput", 1, "1/1"},
		`{"retry_attempts": 5, "circuit_breaker_threshold": 20, "default_strategy": "balanced", "jitter_enabled": true, "operation_overrides": {}}`: {"high_throughput", 1.0 / 3, "1/3"},
		`{"retry_attempts": 1e999, "circuit_breaker_threshold": 1e999, "default_strategy": "critical"}`:                                             {"", 0, ""},
		// Numbers of the waits alone make no template near.
		`{"retry_attempts": 10, "circuit_breaker_threshold": 20, "default_strategy": "conservative", "max_delay_seconds": 5,
			"exponential_multiplier": 0.5, "exponential_min": 0.5, "exponential_max": 5.0}`: {"", 0, ""},
	} {
		t.Run(document, func(t *testing.T) {
			got, report := config.SuggestFor([]byte(document))
			if err := report.Err(); err != nil {
				t.Fatal(err)
			}
			if got.Template != want.Template || got.Confidence != want.Confidence {
				t.Errorf("SuggestFor(%s) = %+v, want %+v", document, got, want)
			}
			reasoning := fmt.Sprintf("Configuration closely matches '%s' template with %s key parameters matching", want.Template, want.Reasoning)
			if want.Template == "" {
				reasoning = "No template closely matches the provided configuration. "
			}
			if !strings.HasPrefix(got.Reasoning, reasoning) {
				t.Errorf("reasoning = %q, want %q in front", got.Reasoning, reasoning)
			}
		})
	}
}

// Every template suggests itself, as a document and as a Custom.
func TestSuggestReachesAll(t *testing.T) {
	for _, tmpl := range config.Templates() {
		if got := config.Suggest(tmpl.Custom); got.Template != tmpl.Key || got.Confidence != 1 {
			t.Errorf("Suggest(%s) = %+v", tmpl.Key, got)
		}
		if got, report := config.SuggestFor([]byte(text(t, tmpl.Custom))); got.Template != tmpl.Key || !report.Valid() {
			t.Errorf("SuggestFor(%s) = %+v, %v", tmpl.Key, got, report.Err())
		}
	}
	low := config.Templates()[2]
	const want = "Configuration closely matches 'low_latency' template with 3/3 key parameters matching; " +
		"also the same: max_delay_seconds, exponential_multiplier, exponential_min, exponential_max"
	if got := config.Suggest(low.Custom).Reasoning; got != want {
		t.Errorf("reasoning = %q, want %q", got, want)
	}
}

func TestSuggestForRefuses(t *testing.T) {
	for document, want := range map[string]string{
		`{"retry_attempts": "3"}`:                    "Field 'retry_attempts': '3' is not of type 'integer': retry_attempts must be an integer between 1 and 10",
		`{"retry_attempts": 2.5}`:                    "Field 'retry_attempts': 2.5 is not of type 'integer': retry_attempts must be an integer between 1 and 10",
		`{"exponential_min": true}`:                  "Field 'exponential_min': true is not of type 'number': exponential_min must be a number between 0.5 and 10.0",
		`{"default_strategy": "bold"}`:               "Field 'default_strategy': 'bold' is not one of ['aggressive', 'balanced', 'conservative', 'critical']",
		`{"jitter_enabled": 1}`:                      "Field 'jitter_enabled': 1 is not of type 'boolean': jitter_enabled must be true or false",
		`{"retries": 3}`:                             "Additional properties are not allowed ('retries' was unexpected)",
		`{"retry_attempts": 3, "retry_attempts": 4}`: "Duplicate key 'retry_attempts': it stands at line 1, column 2 (byte 1) and again at line 1, column 23 (byte 22)",
		`null`: "Configuration must be a JSON object, not null",
	} {
		got, report := config.SuggestFor([]byte(document))
		wantList(t, "errors", document, messages(report.Errors), []string{want})
		if got != (config.Suggestion{}) {
			t.Errorf("SuggestFor(%s) = %+v, want nothing", document, got)
		}
	}
}

func FuzzSuggestFor(f *testing.F) {
	f.Add([]byte(`{"retry_attempts": -0.0, "default_strategy": "critical"}`))
	f.Add([]byte(`{"circuit_breaker_threshold": 1e400}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		got, report := config.SuggestFor(document)
		if !(got.Confidence >= 0 && got.Confidence <= 1) || report.Valid() == (got.Reasoning == "") {
			t.Errorf("SuggestFor(%q) = %+v, %v", document, got, report.Err())
		}
		custom, whole := config.Validate(document, config.ValidateOptions{AllowEmpty: true})
		if whole.Valid() && config.Suggest(custom) != got {
			t.Errorf("Suggest of %q = %+v, SuggestFor %+v", document, config.Suggest(custom), got)
		}
	})
}

func ExampleSuggest() {
	got := config.Suggest(config.Custom{RetryAttempts: new(8), DefaultStrategy: new(trysail.Critical), CircuitBreakerThreshold: new(14)})
	fmt.Printf("%s %.2f\n%s\n", got.Template, got.Confidence, got.Reasoning)
	// Output:
	// maximum_reliability 0.67
	// Configuration closely matches 'maximum_reliability' template with 2/3 key parameters matching
}
