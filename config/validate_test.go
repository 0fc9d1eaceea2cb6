package config_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

func messages(findings []config.Finding) []string {
	all := []string{}
	for _, f := range findings {
		all = append(all, f.Message)
	}
	return all
}

func wantList(t *testing.T, what, document string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s of %s =\n  %s\nwant\n  %s", what, document, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// What the specification prints, word for word.
func TestSpecificationsConfigurations(t *testing.T) {
	for name, tc := range map[string]struct {
		document string
		warnings []string
	}{
		"basic": {
			`{
  "retry_attempts": 4,
  "circuit_breaker_threshold": 8,
  "recovery_timeout": 90,
  "default_strategy": "balanced"
}`, []string{"Consider adding exponential backoff configuration"},
		},
		"advanced": {
			`{
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
}`, nil,
		},
		"request": {
			`{
    "retry_attempts": 3,
    "circuit_breaker_threshold": 5,
    "timeout_seconds": 30
  }`, []string{"Consider adding exponential backoff configuration"},
		},
		"validator": {
			`{"retry_attempts": 7, "circuit_breaker_threshold": 12, "recovery_timeout": 180, "default_strategy": "conservative"}`,
			[]string{"Consider adding exponential backoff configuration"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, report := config.Validate([]byte(tc.document), config.ValidateOptions{})
			wantList(t, "errors", tc.document, messages(report.Errors), []string{})
			wantList(t, "warnings", tc.document, messages(report.Warnings), append([]string{}, tc.warnings...))
		})
	}
}

func TestSpecificationsSecureAnswer(t *testing.T) {
	const document = `{
    "retry_attempts": 5,
    "circuit_breaker_threshold": 8,
    "default_strategy": "conservative"
  }`
	_, report := config.Validate([]byte(document), config.ValidateOptions{Strict: true})
	wantList(t, "errors", document, messages(report.Errors), []string{})
	wantList(t, "warnings", document, messages(report.Warnings), []string{"Consider adding exponential backoff configuration"})
	wantList(t, "suggestions", document, report.Suggestions, []string{"Add jitter_enabled: true for better load distribution"})
	if report.Size != 105 || report.Fields != 3 {
		t.Errorf("size and fields = %d, %d, want 105, 3", report.Size, report.Fields)
	}
}

func TestCustomOfAllFields(t *testing.T) {
	const document = `{"retry_attempts": 4.0, "circuit_breaker_threshold": 8, "recovery_timeout": 9e1, "default_strategy": "critical",
		"operation_overrides": {"qa": "critical", "analyze_sentiment": "aggressive"}, "exponential_multiplier": 1.5, "exponential_min": 2,
		"exponential_max": 30.25, "jitter_enabled": false, "jitter_max": 3, "max_delay_seconds": 50, "timeout_seconds": 30}`
	got, report := config.Validate([]byte(document), config.ValidateOptions{ShapeOnly: true})
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	want := config.Custom{
		RetryAttempts: new(4), CircuitBreakerThreshold: new(8), RecoveryTimeout: new(90), DefaultStrategy: new(trysail.Critical),
		OperationOverrides:    map[string]trysail.Strategy{"qa": trysail.Critical, "analyze_sentiment": trysail.Aggressive},
		ExponentialMultiplier: new(1.5), ExponentialMin: new(2.0), ExponentialMax: new(30.25),
		JitterEnabled: new(false), JitterMax: new(3.0), MaxDelaySeconds: new(50), TimeoutSeconds: new(30),
	}
	if got, want := text(t, got), text(t, want); got != want {
		t.Errorf("Custom = %s, want %s", got, want)
	}
	if want := len(config.Fields()); report.Fields != want {
		t.Errorf("report.Fields = %d, want %d: the document has them all", report.Fields, want)
	}
}

// The numbers of the contract's table: inclusive bounds, and what is just outside.
func TestRanges(t *testing.T) {
	for name, tc := range map[string]struct{ least, most, below, above, between string }{
		"retry_attempts":            {"1", "10", "0", "11", "1 and 10"},
		"circuit_breaker_threshold": {"1", "20", "0", "21", "1 and 20"},
		"recovery_timeout":          {"10", "300", "9", "301", "10 and 300"},
		"exponential_multiplier":    {"0.1", "5.0", "0.09", "5.01", "0.1 and 5.0"},
		"exponential_min":           {"0.5", "10.0", "0.4999999999999999999999", "10.000000000000000000001", "0.5 and 10.0"},
		"exponential_max":           {"5.0", "120.0", "4.9", "120.1", "5.0 and 120.0"},
		"jitter_max":                {"0.1", "10.0", "0", "1e1000000000", "0.1 and 10.0"},
		"max_delay_seconds":         {"5", "600", "-5", "6000000000000000000000", "5 and 600"},
		"timeout_seconds":           {"1", "600", "-0", "601", "1 and 600"},
	} {
		t.Run(name, func(t *testing.T) {
			minimum, maximum, _ := strings.Cut(tc.between, " and ")
			for value, want := range map[string]string{
				tc.least: "",
				tc.most:  "",
				tc.below: fmt.Sprintf("Field '%s' value %s below minimum %s: %s must be between %s", name, tc.below, minimum, name, tc.between),
				tc.above: fmt.Sprintf("Field '%s' value %s above maximum %s: %s must be between %s", name, tc.above, maximum, name, tc.between),
			} {
				document := fmt.Sprintf(`{"%s": %s}`, name, value)
				for _, strict := range []bool{false, true} {
					_, report := config.Validate([]byte(document), config.ValidateOptions{Strict: strict, ShapeOnly: true})
					if got := strings.Join(messages(report.Errors), "\n"); got != want {
						t.Errorf("errors of %s, strict %t = %q, want %q", document, strict, got, want)
					}
				}
			}
		})
	}
}

func TestEveryFieldHasARow(t *testing.T) {
	want := []string{
		"retry_attempts", "circuit_breaker_threshold", "recovery_timeout", "default_strategy", "operation_overrides",
		"exponential_multiplier", "exponential_min", "exponential_max", "jitter_enabled", "jitter_max", "max_delay_seconds", "timeout_seconds",
	}
	var got []string
	for _, f := range config.Fields() {
		got = append(got, f.Name)
		if f.Meaning == "" || f.Kind == "" {
			t.Errorf("row %s has no meaning or no kind: %+v", f.Name, f)
		}
		document := fmt.Sprintf(`{"%s": %s}`, f.Name, f.Example)
		if _, report := config.Validate([]byte(document), config.ValidateOptions{Strict: true}); !report.Valid() {
			t.Errorf("the example %s is refused: %v", document, report.Err())
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("fields = %q, want %q", got, want)
	}
	config.Fields()[3].Enum[0] = "mine"
	if config.Fields()[3].Enum[0] != "aggressive" {
		t.Error("a caller of Fields could change the table")
	}
}

func TestTypes(t *testing.T) {
	const strategies = "aggressive, balanced, conservative, critical"
	for document, want := range map[string][2]string{
		`{"retry_attempts": 3.5}`: {
			"Field 'retry_attempts': 3.5 is not of type 'integer': retry_attempts must be an integer between 1 and 10",
			"Field 'retry_attempts' must be an integer, got float: retry_attempts must be an integer between 1 and 10",
		},
		`{"retry_attempts": 3.0}`: {"", "Field 'retry_attempts' must be an integer, got float: retry_attempts must be an integer between 1 and 10"},
		`{"retry_attempts": 3.00000000000000000000000000000001}`: {
			"Field 'retry_attempts': 3.00000000000000000000000000000001 is not of type 'integer': retry_attempts must be an integer between 1 and 10",
			"Field 'retry_attempts' must be an integer, got float: retry_attempts must be an integer between 1 and 10",
		},
		`{"retry_attempts": "3"}`: {
			"Field 'retry_attempts': '3' is not of type 'integer': retry_attempts must be an integer between 1 and 10",
			"Field 'retry_attempts' must be an integer, got str: retry_attempts must be an integer between 1 and 10",
		},
		`{"recovery_timeout": true}`: {
			"Field 'recovery_timeout': true is not of type 'integer': recovery_timeout must be an integer between 10 and 300",
			"Field 'recovery_timeout' must be an integer, got bool: recovery_timeout must be an integer between 10 and 300",
		},
		`{"circuit_breaker_threshold": null}`: {
			"Field 'circuit_breaker_threshold': null is not of type 'integer': circuit_breaker_threshold must be an integer between 1 and 20",
			"Field 'circuit_breaker_threshold' must be an integer, got NoneType: circuit_breaker_threshold must be an integer between 1 and 20",
		},
		`{"jitter_max": [1]}`: {
			"Field 'jitter_max': an array is not of type 'number': jitter_max must be a number between 0.1 and 10.0",
			"Field 'jitter_max' must be a number, got list: jitter_max must be a number between 0.1 and 10.0",
		},
		`{"jitter_enabled": "yes"}`: {
			"Field 'jitter_enabled': 'yes' is not of type 'boolean': jitter_enabled must be true or false",
			"Field 'jitter_enabled' must be a boolean, got str: jitter_enabled must be true or false",
		},
		`{"default_strategy": 1}`: {
			"Field 'default_strategy': 1 is not of type 'string': default_strategy must be one of " + strategies,
			"Field 'default_strategy' must be a string, got int: default_strategy must be one of " + strategies,
		},
		`{"default_strategy": "x"}`: {
			"Field 'default_strategy': 'x' is not one of ['aggressive', 'balanced', 'conservative', 'critical']",
			"Field 'default_strategy' value 'x' not in allowed values: ['aggressive', 'balanced', 'conservative', 'critical']",
		},
		`{"operation_overrides": "qa"}`: {
			`Field 'operation_overrides': 'qa' is not of type 'object': operation_overrides must be an object of operations and strategies, such as {"qa": "critical"}`,
			`Field 'operation_overrides' must be an object, got str: operation_overrides must be an object of operations and strategies, such as {"qa": "critical"}`,
		},
		`{"operation_overrides": {"qa": {}}}`: {
			"Field 'operation_overrides.qa': an object is not of type 'string': operation_overrides.qa must be one of " + strategies,
			"Field 'operation_overrides.qa' must be a string, got dict: operation_overrides.qa must be one of " + strategies,
		},
		`{"operation_overrides": {"qa": "Critical"}}`: {
			"Field 'operation_overrides.qa': 'Critical' is not one of ['aggressive', 'balanced', 'conservative', 'critical']",
			"Field 'operation_overrides.qa' value 'Critical' not in allowed values: ['aggressive', 'balanced', 'conservative', 'critical']",
		},
		`{"operation_overrides": {"invalid_operation": "critical"}}`: {
			"Invalid operation 'invalid_operation' in operation_overrides", "Invalid operation 'invalid_operation' in operation_overrides",
		},
		`{"x": 1}`: {"Additional properties are not allowed ('x' was unexpected)", "Field 'x' not in allowed whitelist"},
		`{}`:       {"{} is not valid under any of the given schemas: give at least one field", ""},
		`[]`:       {"Configuration must be a JSON object, not an array", "Configuration must be a JSON object, not an array"},
		`null`:     {"Configuration must be a JSON object, not null", "Configuration must be a JSON object, not null"},
		`5`:        {"Configuration must be a JSON object, not a number", "Configuration must be a JSON object, not a number"},
	} {
		for i, strict := range []bool{false, true} {
			custom, report := config.Validate([]byte(document), config.ValidateOptions{Strict: strict, ShapeOnly: true})
			if got := strings.Join(messages(report.Errors), "\n"); got != want[i] {
				t.Errorf("errors of %s, strict %t =\n  %s\nwant\n  %s", document, strict, got, want[i])
			}
			if !report.Valid() && len(report.Suggestions) == 0 {
				t.Errorf("%s is refused without a remedy", document)
			}
			if got := custom.RetryAttempts; !report.Valid() && got != nil {
				t.Errorf("of the refused %s the custom configuration has retry_attempts %d", document, *got)
			}
		}
	}
}

func TestSeveralFaultsAtOnce(t *testing.T) {
	const document = `{
  "retry_attempts": 15,
  "recovery_timeouts": 60,
  "api_key": "sk-secret",
  "operation_overrides": {"qa": "none", "foo": "critical"},
  "exponential_min": 9,
  "exponential_max": 6
}`
	custom, report := config.Validate([]byte(document), config.ValidateOptions{})
	want := `line 2: Field 'retry_attempts' value 15 above maximum 10: retry_attempts must be between 1 and 10
line 3: Additional properties are not allowed ('recovery_timeouts' was unexpected)
line 4: Additional properties are not allowed ('api_key' was unexpected)
line 5: Field 'operation_overrides.qa': 'none' is not one of ['aggressive', 'balanced', 'conservative', 'critical']
line 5: Invalid operation 'foo' in operation_overrides
line 6: exponential_min must be less than exponential_max`
	if got := fmt.Sprint(report.Err()); got != want {
		t.Errorf("error =\n%s\nwant\n%s", got, want)
	}
	wantList(t, "suggestions", document, report.Suggestions, []string{
		"Try retry_attempts: 3 (a whole number without quotes, valid range 1 to 10)",
		"Did you mean recovery_timeout instead of 'recovery_timeouts'?",
		"Allowed fields: retry_attempts, circuit_breaker_threshold, recovery_timeout, default_strategy, operation_overrides, exponential_multiplier, exponential_min, exponential_max, jitter_enabled, jitter_max, max_delay_seconds, timeout_seconds",
		"Remove 'api_key'",
		"operation_overrides.qa takes one of: aggressive, balanced, conservative, critical",
		"Valid operations: key_points, qa, questions, sentiment, summarize, their long names, and those that are registered",
		"Try setting exponential_min to 3.0 and exponential_max to 12.0",
	})
	if all := fmt.Sprintf("%+v", report); strings.Contains(all, "sk-secret") {
		t.Errorf("the report shows the value of a field that may be a secret: %s", all)
	}
	if got := text(t, custom); got != "{}" {
		t.Errorf("Custom = %s, want none of it", got)
	}
}

func TestOperations(t *testing.T) {
	known := []string{"batch_processing", "chat: long (v2)"}
	for name, tc := range map[string]struct {
		operations []string
		want       string
	}{
		"short and long names":  {[]string{"summarize", "summarize_text", "sentiment", "analyze_sentiment", "key_points", "extract_key_points", "questions", "generate_questions", "qa", "answer_question"}, ""},
		"registered":            {[]string{"batch_processing", "chat: long (v2)"}, ""},
		"not registered":        {[]string{"batch"}, "Invalid operation 'batch' in operation_overrides"},
		"another case":          {[]string{"QA"}, "Invalid operation 'QA' in operation_overrides"},
		"no name":               {[]string{""}, "Invalid operation '' in operation_overrides"},
		"one more than allowed": {[]string{"summarize", "summarize_text", "sentiment", "analyze_sentiment", "key_points", "extract_key_points", "questions", "generate_questions", "qa", "answer_question", "batch_processing"}, "Field 'operation_overrides' has too many properties: 11 (max: 10)"},
	} {
		t.Run(name, func(t *testing.T) {
			var members []string
			for _, op := range tc.operations {
				members = append(members, fmt.Sprintf(`%q: "balanced"`, op))
			}
			document := fmt.Sprintf(`{"operation_overrides": {%s}}`, strings.Join(members, ", "))
			custom, report := config.Validate([]byte(document), config.ValidateOptions{Operations: known})
			if got := strings.Join(messages(report.Errors), "\n"); got != tc.want {
				t.Errorf("errors of %s = %q, want %q", document, got, tc.want)
			}
			if tc.want == "" && !slices.Equal(slices.Sorted(maps.Keys(custom.OperationOverrides)), slices.Sorted(slices.Values(tc.operations))) {
				t.Errorf("overrides = %v, want those of %s", custom.OperationOverrides, document)
			}
		})
	}
}

func TestOptionsForOverrides(t *testing.T) {
	if _, report := config.Validate([]byte(`{}`), config.ValidateOptions{AllowEmpty: true}); !report.Valid() || len(report.Warnings) > 0 || len(report.Suggestions) > 0 {
		t.Errorf("report of {} that may be empty = %+v, want nothing to say", report)
	}
	_, report := config.Validate([]byte(`{"exponential_min": 9, "exponential_max": 6, "retry_attempts": 9}`), config.ValidateOptions{ShapeOnly: true})
	if !report.Valid() || len(report.Warnings) > 0 || len(report.Suggestions) > 0 {
		t.Errorf("report of the shape alone = %+v, want nothing to say", report)
	}
}

func TestValidateReader(t *testing.T) {
	endless := &counter{}
	_, report, err := config.ValidateReader(endless, config.ValidateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantList(t, "errors", "an endless document", messages(report.Errors), []string{"Configuration too large: more than 4096 bytes (max: 4096 bytes)"})
	if endless.read > 4097 {
		t.Errorf("%d bytes were read of a document that is too large, want at most 4097", endless.read)
	}
	custom, report, err := config.ValidateReader(strings.NewReader(`{"retry_attempts": 4}`), config.ValidateOptions{})
	if err != nil || !report.Valid() || *custom.RetryAttempts != 4 {
		t.Errorf("ValidateReader = %+v, %+v, %v, want 4 attempts", custom, report, err)
	}
	broken := io.MultiReader(strings.NewReader(`{"retry_attempts": 4}`), iotest.ErrReader(io.ErrUnexpectedEOF))
	if custom, _, err := config.ValidateReader(broken, config.ValidateOptions{}); err == nil || custom.RetryAttempts != nil {
		t.Errorf("ValidateReader of a broken reader = %+v, %v, want its error and nothing else", custom, err)
	}
}

type counter struct{ read int }

func (c *counter) Read(p []byte) (int, error) {
	copy(p, bytes.Repeat([]byte{' '}, len(p)))
	c.read += len(p)
	return len(p), nil
}

func TestCheckOfACustomMadeInGo(t *testing.T) {
	for name, tc := range map[string]struct {
		custom config.Custom
		want   string
	}{
		"good":      {config.Custom{RetryAttempts: new(3)}, ""},
		"range":     {config.Custom{RetryAttempts: new(30)}, "Field 'retry_attempts' value 30 above maximum 10: retry_attempts must be between 1 and 10"},
		"no number": {config.Custom{JitterMax: new(math.NaN())}, "Configuration cannot be written as JSON: json: unsupported value: NaN"},
		"together":  {config.Custom{ExponentialMin: new(6.0), ExponentialMax: new(5.0)}, "exponential_min must be less than exponential_max"},
		"empty":     {config.Custom{}, "{} is not valid under any of the given schemas: give at least one field"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(messages(tc.custom.Check(config.ValidateOptions{}).Errors), "\n"); got != tc.want {
				t.Errorf("errors of %+v = %q, want %q", tc.custom, got, tc.want)
			}
		})
	}
}

func TestCheckInt(t *testing.T) {
	field := config.Fields()[0]
	if finding, bad := field.CheckInt(10); bad {
		t.Errorf("CheckInt(10) of %s = %v, want nothing", field.Name, finding)
	}
	const want = "Field 'retry_attempts' value 100 above maximum 10: retry_attempts must be between 1 and 10"
	if finding, bad := field.CheckInt(100); !bad || finding.Message != want {
		t.Errorf("CheckInt(100) = %q, %t, want %q", finding.Message, bad, want)
	}
}
