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

// The table of contract 3.3.
func TestTemplates(t *testing.T) {
	want := []struct{ key, name, custom string }{
		{
			"fast_development", "Fast Development",
			`{"retry_attempts":1,"circuit_breaker_threshold":2,"recovery_timeout":15,"default_strategy":"aggressive","operation_overrides":{"sentiment":"aggressive"}}`,
		},
		{
			"robust_production", "Robust Production",
			`{"retry_attempts":6,"circuit_breaker_threshold":12,"recovery_timeout":180,"default_strategy":"conservative","operation_overrides":{"qa":"critical","summarize":"conservative"}}`,
		},
		{
			"low_latency", "Low Latency",
			`{"retry_attempts":1,"circuit_breaker_threshold":2,"recovery_timeout":10,"default_strategy":"aggressive",` +
				`"exponential_multiplier":0.5,"exponential_min":0.5,"exponential_max":5,"max_delay_seconds":5}`,
		},
		{
			"high_throughput", "High Throughput",
			`{"retry_attempts":3,"circuit_breaker_threshold":8,"recovery_timeout":45,"default_strategy":"balanced","operation_overrides":{"key_points":"balanced","sentiment":"aggressive"}}`,
		},
		{
			"maximum_reliability", "Maximum Reliability",
			`{"retry_attempts":8,"circuit_breaker_threshold":15,"recovery_timeout":300,"default_strategy":"critical",` +
				`"operation_overrides":{"key_points":"conservative","qa":"critical","questions":"conservative","sentiment":"conservative","summarize":"critical"},` +
				`"exponential_multiplier":2,"exponential_min":3,"exponential_max":60,"jitter_enabled":true,"jitter_max":5}`,
		},
	}
	all := config.Templates()
	if len(all) != len(want) {
		t.Fatalf("there are %d templates, want %d", len(all), len(want))
	}
	for i, w := range want {
		got := all[i]
		if got.Key != w.key || got.Name != w.name || text(t, got.Custom) != w.custom {
			t.Errorf("template %d = %s %s %s, want %v", i, got.Key, got.Name, text(t, got.Custom), w)
		}
		if !strings.HasSuffix(got.Description, ".") || strings.Count(got.Description, ".") != 1 {
			t.Errorf("description of %s = %q, want one sentence", w.key, got.Description)
		}
		if byName, err := config.TemplateByName(w.key); err != nil || text(t, byName.Custom) != w.custom {
			t.Errorf("TemplateByName(%s) = %+v, %v", w.key, byName, err)
		}
	}
}

// All are valid by themselves and on what they stand for. Two have a low threshold, one has many attempts.
func TestTemplatesStandAlone(t *testing.T) {
	const low, many = "Very low circuit breaker threshold may cause frequent circuit opening", "High retry attempts may increase latency significantly"
	warns := map[string]string{"fast_development": low, "low_latency": low, "maximum_reliability": many}
	for _, tmpl := range config.Templates() {
		_, report := tmpl.Merge(nil, config.ValidateOptions{})
		if err := report.Err(); err != nil {
			t.Errorf("%s: %v", tmpl.Key, err)
		}
		for _, w := range []string{low, many} {
			if got := slices.Contains(messages(report.Warnings), w); got != (warns[tmpl.Key] == w) {
				t.Errorf("%s warns %q: %t, want %t", tmpl.Key, w, got, !got)
			}
		}
		if _, err := trysail.New(tmpl.Config()); err != nil {
			t.Errorf("trysail.New of %s: %v", tmpl.Key, err)
		}
	}
}

func TestTemplateConfig(t *testing.T) {
	const s = time.Second
	for key, want := range map[string]trysail.RetryPolicy{
		"fast_development":    {Attempts: 1, DelayBudget: 20 * s, Base: s / 2, MinDelay: s, MaxDelay: 5 * s, Jitter: 2 * s},
		"low_latency":         {Attempts: 1, DelayBudget: 5 * s, Base: s / 2, MinDelay: s / 2, MaxDelay: 5 * s, Jitter: 2 * s},
		"high_throughput":     {Attempts: 3, DelayBudget: 60 * s, Base: s, MinDelay: 2 * s, MaxDelay: 10 * s, Jitter: 2 * s},
		"robust_production":   {Attempts: 6, DelayBudget: 120 * s, Base: 3 * s / 2, MinDelay: 2 * s, MaxDelay: 30 * s, Jitter: 2 * s},
		"maximum_reliability": {Attempts: 8, DelayBudget: 120 * s, Base: 2 * s, MinDelay: 3 * s, MaxDelay: 60 * s, Jitter: 5 * s},
	} {
		tmpl, err := config.TemplateByName(key)
		if err != nil {
			t.Fatal(err)
		}
		if got := tmpl.Config().Default.Retry; got != want {
			t.Errorf("retries of %s = %+v\nwant %+v", key, got, want)
		}
	}
	empty := config.Template{Key: "own"}.Config()
	if got, want := empty.Default, config.Presets()[0].Config().Default; got != want || empty.Preset != "own" {
		t.Errorf("policy of a template without numbers = %+v, want that of simple", got)
	}
}

func TestBase(t *testing.T) {
	m := config.NewManager()
	for _, key := range []string{"own", "high_throughput"} { // the second has the name of a template
		if err := m.Register(key, highThroughput()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for key, want := range map[string]string{
		"production": `{"retry_attempts":5,"circuit_breaker_threshold":10,"recovery_timeout":120,"default_strategy":"conservative",` +
			`"operation_overrides":{"key_points":"balanced","qa":"critical","questions":"balanced","sentiment":"aggressive","summarize":"conservative"}}`,
		"simple": `{"retry_attempts":3,"circuit_breaker_threshold":5,"recovery_timeout":60,"default_strategy":"balanced"}`,
		"own":    `{"retry_attempts":2,"circuit_breaker_threshold":20,"recovery_timeout":30,"default_strategy":"aggressive","operation_overrides":{"batch_processing":"balanced"}}`,
		"high_throughput": `{"retry_attempts":3,"circuit_breaker_threshold":8,"recovery_timeout":45,"default_strategy":"balanced",` +
			`"operation_overrides":{"key_points":"balanced","sentiment":"aggressive"}}`,
	} {
		got, err := m.Base(key)
		if err != nil || got.Key != key || text(t, got.Custom) != want {
			t.Errorf("Base(%s) = %s %s, %v, want %s", key, got.Key, text(t, got.Custom), err, want)
		}
	}
	const want = "Unknown template: it\\'s\\u000a. Available: ['fast_development', 'robust_production', 'low_latency', 'high_throughput', 'maximum_reliability']"
	if _, err := m.Base("it's\n"); err == nil || err.Error() != want {
		t.Errorf("Base of an odd name = %v, want %s", err, want)
	}
}

func TestMerge(t *testing.T) {
	for name, tc := range map[string]struct{ base, overrides, want string }{
		"the specification's request": {
			"production", `{"retry_attempts": 5}`,
			`{"retry_attempts":5,"circuit_breaker_threshold":10,"recovery_timeout":120,"default_strategy":"conservative",` +
				`"operation_overrides":{"key_points":"balanced","qa":"critical","questions":"balanced","sentiment":"aggressive","summarize":"conservative"}}`,
		},
		"operations are merged one by one": {
			"robust_production", `{"operation_overrides": {"qa": "balanced", "sentiment": "aggressive"}}`,
			`{"retry_attempts":6,"circuit_breaker_threshold":12,"recovery_timeout":180,"default_strategy":"conservative",` +
				`"operation_overrides":{"qa":"balanced","sentiment":"aggressive","summarize":"conservative"}}`,
		},
		"a long name replaces a short one": {
			"robust_production", `{"operation_overrides": {"answer_question": "balanced"}}`,
			`{"retry_attempts":6,"circuit_breaker_threshold":12,"recovery_timeout":180,"default_strategy":"conservative",` +
				`"operation_overrides":{"answer_question":"balanced","summarize":"conservative"}}`,
		},
		"nothing": {
			"fast_development", ``,
			`{"retry_attempts":1,"circuit_breaker_threshold":2,"recovery_timeout":15,"default_strategy":"aggressive","operation_overrides":{"sentiment":"aggressive"}}`,
		},
		"an empty object": {
			"fast_development", `{}`,
			`{"retry_attempts":1,"circuit_breaker_threshold":2,"recovery_timeout":15,"default_strategy":"aggressive","operation_overrides":{"sentiment":"aggressive"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, report := config.NewManager().Merge(tc.base, []byte(tc.overrides), config.ValidateOptions{})
			if err := report.Err(); err != nil || text(t, got) != tc.want {
				t.Errorf("Merge(%s, %s) = %s, %v\nwant %s", tc.base, tc.overrides, text(t, got), err, tc.want)
			}
			if report.Size != len(tc.overrides) {
				t.Errorf("size = %d, want %d: that of the overrides", report.Size, len(tc.overrides))
			}
		})
	}
}

func TestMergeRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ base, overrides, want string }{
		"an unknown base": {"prod", `{}`, "Unknown template: prod"},
		"a bad number":    {"production", `{"retry_attempts": 15}`, "Field 'retry_attempts' value 15 above maximum 10: retry_attempts must be between 1 and 10"},
		"no JSON":         {"production", `{`, "Invalid JSON: line 1, column 2 (byte 1): the document ends, where a property's name in double quotes is due"},
		"no object":       {"production", `[]`, "Configuration must be a JSON object, not an array"},
		"a bad pair": {
			"low_latency", `{"exponential_min": 6}`, "exponential_min must be less than exponential_max",
		},
		"what does not go with derived numbers": {
			"fast_development", `{"exponential_min": 9}`, "exponential_min must be less than exponential_max: with preset 'fast_development' they are 9 and 5",
		},
		"an unknown operation": {"production", `{"operation_overrides": {"chat": "balanced"}}`, "Invalid operation 'chat' in operation_overrides"},
	} {
		t.Run(name, func(t *testing.T) {
			got, report := config.NewManager().Merge(tc.base, []byte(tc.overrides), config.ValidateOptions{})
			wantList(t, "errors", tc.overrides, messages(report.Errors), []string{tc.want})
			if text(t, got) != "{}" {
				t.Errorf("of refused overrides there is %s", text(t, got))
			}
		})
	}
	_, report := config.NewManager().Merge("prod", nil, config.ValidateOptions{})
	const want = "Available templates: fast_development, robust_production, low_latency, high_throughput, maximum_reliability; " +
		"presets are templates, too: simple, development, production"
	if !slices.Equal(report.Suggestions, []string{want}) {
		t.Errorf("suggestions = %q, want %q", report.Suggestions, want)
	}
}

func TestMergeKnowsOperations(t *testing.T) {
	m := config.NewManager()
	if err := m.Register("own", highThroughput()).Err(); err != nil {
		t.Fatal(err)
	}
	got, report := m.Merge("own", []byte(`{"operation_overrides": {"chat": "critical", "batch_processing": "critical"}}`), config.ValidateOptions{Operations: []string{"chat"}})
	if err := report.Err(); err != nil || len(got.OperationOverrides) != 2 || got.OperationOverrides["batch_processing"] != trysail.Critical {
		t.Errorf("Merge = %v, %v, want chat and batch_processing critical", got.OperationOverrides, err)
	}
	_, report = m.Merge("own", []byte(`{"retry_attempts": 3.0}`), config.ValidateOptions{Strict: true})
	wantList(t, "errors", "3.0", messages(report.Errors), []string{"Field 'retry_attempts' must be an integer, got float: retry_attempts must be an integer between 1 and 10"})
}

// A merged configuration is the caller's: changing it changes no template.
func TestMergeSharesNothing(t *testing.T) {
	tmpl, err := config.TemplateByName("robust_production")
	if err != nil {
		t.Fatal(err)
	}
	got, report := tmpl.Merge([]byte(`{"retry_attempts": 4}`), config.ValidateOptions{})
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	got.OperationOverrides["qa"] = "spoiled"
	if tmpl.Custom.OperationOverrides["qa"] != trysail.Critical || *tmpl.Custom.RetryAttempts != 6 {
		t.Errorf("the template is now %s", text(t, tmpl.Custom))
	}
}

func ExampleManager_Merge() {
	custom, report := config.NewManager().Merge("production", []byte(`{"retry_attempts": 4}`), config.ValidateOptions{})
	fmt.Println(*custom.RetryAttempts, *custom.CircuitBreakerThreshold, report.Err())
	// Output: 4 10 <nil>
}
