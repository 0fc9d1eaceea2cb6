package config_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// The table of contract 3.1.
func TestPresetTable(t *testing.T) {
	type row struct {
		name                string
		attempts, threshold int
		recovery            time.Duration
		strategy            trysail.Strategy
		contexts            []string
		overrides           map[string]trysail.Strategy
	}
	want := map[string]row{
		"simple": {"Simple", 3, 5, 60 * time.Second, "balanced", []string{"development", "testing", "staging", "production"}, map[string]trysail.Strategy{}},
		"development": {
			"Development", 2, 3, 30 * time.Second, "aggressive",
			[]string{"development", "testing"},
			map[string]trysail.Strategy{"sentiment": "aggressive", "qa": "balanced"},
		},
		"production": {
			"Production", 5, 10, 120 * time.Second, "conservative",
			[]string{"production", "staging"},
			map[string]trysail.Strategy{"qa": "critical", "sentiment": "aggressive", "summarize": "conservative", "key_points": "balanced", "questions": "balanced"},
		},
	}
	for _, p := range config.Presets() {
		got := row{p.Name, p.RetryAttempts, p.CircuitBreakerThreshold, p.RecoveryTimeout, p.DefaultStrategy, p.EnvironmentContexts, p.OperationOverrides}
		if fmt.Sprint(got) != fmt.Sprint(want[p.Key]) {
			t.Errorf("preset %s = %v, want %v", p.Key, got, want[p.Key])
		}
		if report := p.Check(); !report.Valid() || len(report.Warnings) > 0 {
			t.Errorf("Check() of %s = %q, %q, want nothing", p.Key, messages(report.Errors), messages(report.Warnings))
		}
	}
}

// The rules by which a preset's other numbers come from those that it states.
func TestPresetDerives(t *testing.T) {
	const s = time.Second
	for name, tc := range map[string]struct {
		strategy trysail.Strategy
		attempts int
		want     trysail.RetryPolicy
	}{
		"aggressive":              {trysail.Aggressive, 1, trysail.RetryPolicy{DelayBudget: 20 * s, Base: s / 2, MinDelay: s, MaxDelay: 5 * s}},
		"balanced":                {trysail.Balanced, 4, trysail.RetryPolicy{DelayBudget: 80 * s, Base: s, MinDelay: 2 * s, MaxDelay: 10 * s}},
		"conservative":            {trysail.Conservative, 6, trysail.RetryPolicy{DelayBudget: 120 * s, Base: 3 * s / 2, MinDelay: 2 * s, MaxDelay: 30 * s}},
		"critical":                {trysail.Critical, 5, trysail.RetryPolicy{DelayBudget: 100 * s, Base: 3 * s / 2, MinDelay: 2 * s, MaxDelay: 30 * s}},
		"a budget has its limits": {trysail.Critical, 10, trysail.RetryPolicy{DelayBudget: 120 * s, Base: 3 * s / 2, MinDelay: 2 * s, MaxDelay: 30 * s}},
	} {
		t.Run(name, func(t *testing.T) {
			p := highThroughput()
			p.DefaultStrategy, p.RetryAttempts = tc.strategy, tc.attempts
			want := tc.want
			want.Attempts, want.Jitter = tc.attempts, 2*s
			got := p.Config().Default
			if got.Retry != want {
				t.Errorf("retries = %+v\nwant      %+v", got.Retry, want)
			}
			if want := (trysail.BreakerPolicy{FailureThreshold: 20, RecoveryTimeout: 30 * s, HalfOpenMaxCalls: 1}); got.Breaker != want {
				t.Errorf("breaker = %+v, want %+v", got.Breaker, want)
			}
		})
	}
}

func TestPresetCheckRefuses(t *testing.T) {
	const words = "is not one of ['aggressive', 'balanced', 'conservative', 'critical']"
	for name, tc := range map[string]struct {
		change func(*config.Preset)
		want   []string
	}{
		"no name":    {func(p *config.Preset) { p.Name = "" }, []string{"Field 'name': '' is too short: name must have 1 to 50 characters"}},
		"spaces":     {func(p *config.Preset) { p.Name = "  " }, []string{"Field 'name': '  ' is too short: name must have 1 to 50 characters"}},
		"51 letters": {func(p *config.Preset) { p.Name = strings.Repeat("ä", 51) }, []string{"Field 'name': '" + strings.Repeat("ä", 40) + "...' is too long: name must have 1 to 50 characters"}},
		"bad UTF-8":  {func(p *config.Preset) { p.Name = "a\xff" }, []string{"Field 'name': 'a\ufffd' is not UTF-8: name must have 1 to 50 characters"}},
		"markup":     {func(p *config.Preset) { p.Name = "<script>" }, []string{"Configuration contains forbidden pattern matching: <script (at 'name')"}},
		"a line end": {func(p *config.Preset) { p.Description = "a\nb" }, []string{"Forbidden Unicode character category 'Cc': U+000A (at 'description')"}},
		"no description": {
			func(p *config.Preset) { p.Description = "" },
			[]string{"Field 'description': '' is too short: description must have 1 to 200 characters"},
		},
		"201 letters": {
			func(p *config.Preset) { p.Description = strings.Repeat("abcdefghij", 20) + "k" },
			[]string{"Field 'description': 'abcdefghijabcdefghijabcdefghijabcdefghij...' is too long: description must have 1 to 200 characters"},
		},
		"no attempts": {
			func(p *config.Preset) { p.RetryAttempts = 0 },
			[]string{"Field 'retry_attempts' value 0 below minimum 1: retry_attempts must be between 1 and 10"},
		},
		"11 attempts": {
			func(p *config.Preset) { p.RetryAttempts = 11 },
			[]string{"Field 'retry_attempts' value 11 above maximum 10: retry_attempts must be between 1 and 10"},
		},
		"no threshold": {
			func(p *config.Preset) { p.CircuitBreakerThreshold = 0 },
			[]string{"Field 'circuit_breaker_threshold' value 0 below minimum 1: circuit_breaker_threshold must be between 1 and 20"},
		},
		"threshold 21": {
			func(p *config.Preset) { p.CircuitBreakerThreshold = 21 },
			[]string{"Field 'circuit_breaker_threshold' value 21 above maximum 20: circuit_breaker_threshold must be between 1 and 20"},
		},
		"9 s": {
			func(p *config.Preset) { p.RecoveryTimeout = 9 * time.Second },
			[]string{"Field 'recovery_timeout' value 9 below minimum 10: recovery_timeout must be between 10 and 300"},
		},
		"301 s": {
			func(p *config.Preset) { p.RecoveryTimeout = 301 * time.Second },
			[]string{"Field 'recovery_timeout' value 301 above maximum 300: recovery_timeout must be between 10 and 300"},
		},
		"half a second": {
			func(p *config.Preset) { p.RecoveryTimeout = 10500 * time.Millisecond },
			[]string{"Field 'recovery_timeout': 10.5s is no whole number of seconds: recovery_timeout must be between 10 and 300 seconds"},
		},
		"no strategy":      {func(p *config.Preset) { p.DefaultStrategy = "" }, []string{"Field 'default_strategy': '' " + words}},
		"another strategy": {func(p *config.Preset) { p.DefaultStrategy = "bold" }, []string{"Field 'default_strategy': 'bold' " + words}},
		"an override of another strategy": {
			func(p *config.Preset) { p.OperationOverrides["qa"] = "bold" }, []string{"Field 'operation_overrides.qa': 'bold' " + words},
		},
		"an override of nothing": {
			func(p *config.Preset) { p.OperationOverrides[""] = "critical" },
			[]string{"Field 'operation_overrides': '' is no name of an operation: it must have 1 to 200 bytes of UTF-8"},
		},
		"an override of a long name": {
			func(p *config.Preset) { p.OperationOverrides[strings.Repeat("ä", 101)] = "critical" },
			[]string{"Field 'operation_overrides': '" + strings.Repeat("ä", 40) + "...' is no name of an operation: it must have 1 to 200 bytes of UTF-8"},
		},
		"an override of a control character": {
			func(p *config.Preset) { p.OperationOverrides["a\x00"] = "critical" },
			[]string{"Forbidden Unicode character category 'Cc': U+0000 (in a key at 'operation_overrides')"},
		},
		"one operation twice": {
			func(p *config.Preset) {
				p.OperationOverrides["qa"], p.OperationOverrides["answer_question"] = "critical", "balanced"
			},
			[]string{"'answer_question' and 'qa' in operation_overrides are one operation, but have the strategies balanced and critical"},
		},
		"51 overrides": {
			func(p *config.Preset) {
				for i := range 50 {
					p.OperationOverrides[fmt.Sprint("op", i)] = "critical"
				}
			},
			[]string{"Field 'operation_overrides' has too many properties: 51 (max: 50)"},
		},
		"no environment": {
			func(p *config.Preset) { p.EnvironmentContexts = nil },
			[]string{"Field 'environment_contexts': [] is too short: name at least one environment"},
		},
		"another environment": {
			func(p *config.Preset) { p.EnvironmentContexts = []string{"staging", "qa"} },
			[]string{"Field 'environment_contexts[1]': 'qa' is not one of ['development', 'testing', 'staging', 'production']"},
		},
		"an environment twice": {
			func(p *config.Preset) { p.EnvironmentContexts = []string{"staging", "staging"} },
			[]string{"Field 'environment_contexts' has non-unique elements: 'staging'"},
		},
		"several at once": {
			func(p *config.Preset) { p.Name, p.RetryAttempts = "", 0 },
			[]string{
				"Field 'name': '' is too short: name must have 1 to 50 characters",
				"Field 'retry_attempts' value 0 below minimum 1: retry_attempts must be between 1 and 10",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := highThroughput()
			tc.change(&p)
			report := p.Check()
			wantList(t, "errors", name, messages(report.Errors), tc.want)
			wantList(t, "warnings", name, messages(report.Warnings), []string{}) // advice comes when the rest is right
			for _, f := range report.Errors {
				if f.Path == "" || f.Suggestion == "" || f.Rule == "" {
					t.Errorf("a finding without path, remedy or rule: %+v", f)
				}
			}
		})
	}
}

func TestPresetCheckTakesTheEdges(t *testing.T) {
	low, high := highThroughput(), highThroughput()
	low.Name, low.Description, low.RetryAttempts, low.CircuitBreakerThreshold, low.RecoveryTimeout = "n", "d", 1, 1, 10*time.Second
	high.Name, high.Description = strings.Repeat("name ", 10), strings.Repeat("describes ", 20)
	high.RetryAttempts, high.CircuitBreakerThreshold, high.RecoveryTimeout = 10, 20, 300*time.Second
	for _, p := range []config.Preset{low, high} {
		p.OperationOverrides = nil
		if err := p.Check().Err(); err != nil {
			t.Errorf("Check() of %d attempts = %v", p.RetryAttempts, err)
		}
	}
}

func TestPresetCheckWarns(t *testing.T) {
	for name, tc := range map[string]struct {
		change     func(*config.Preset)
		want       string
		suggestion string
	}{
		"more attempts than failures": {
			func(p *config.Preset) {
				p.RetryAttempts, p.CircuitBreakerThreshold, p.DefaultStrategy = 4, 3, trysail.Balanced
			},
			"retry_attempts (4) is more than circuit_breaker_threshold (3): a call tries a failing service more often than the breaker lets calls fail",
			"Consider a circuit_breaker_threshold of at least 6",
		},
		"as many attempts as failures": {
			func(p *config.Preset) {
				p.RetryAttempts, p.CircuitBreakerThreshold, p.DefaultStrategy = 3, 3, trysail.Balanced
			},
			"", "",
		},
		"aggressive in production": {
			func(*config.Preset) {},
			"The aggressive strategy gives up early, which users of a production environment see as failures",
			"Consider balanced or conservative for production",
		},
		"aggressive in staging": {func(p *config.Preset) { p.EnvironmentContexts = []string{"staging"} }, "", ""},
		"conservative in development": {
			func(p *config.Preset) {
				p.DefaultStrategy, p.RetryAttempts, p.EnvironmentContexts = trysail.Conservative, 4, []string{"development"}
			},
			"The conservative strategy with 4 attempts makes developers wait for errors",
			"Consider aggressive or balanced for development, or at most 3 retry_attempts",
		},
		"conservative, but few attempts": {
			func(p *config.Preset) {
				p.DefaultStrategy, p.RetryAttempts, p.EnvironmentContexts = trysail.Conservative, 3, []string{"development"}
			},
			"", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := highThroughput()
			tc.change(&p)
			report := p.Check()
			var want, suggestions []string
			if tc.want != "" {
				want, suggestions = []string{tc.want}, []string{tc.suggestion}
			}
			wantList(t, "warnings", name, messages(report.Warnings), append([]string{}, want...))
			if !report.Valid() || !slices.Equal(report.Suggestions, suggestions) {
				t.Errorf("Check() = %q, suggestions %q, want no error, %q", messages(report.Errors), report.Suggestions, suggestions)
			}
		})
	}
}

func TestAliases(t *testing.T) {
	want := map[string]string{
		"summarize": "summarize_text", "sentiment": "analyze_sentiment", "key_points": "extract_key_points",
		"questions": "generate_questions", "qa": "answer_question",
	}
	if got := config.Aliases(); !maps.Equal(got, want) {
		t.Errorf("Aliases() = %v, want %v", got, want)
	}
	p := highThroughput()
	p.OperationOverrides = map[string]trysail.Strategy{"answer_question": trysail.Critical, "sentiment": trysail.Balanced}
	strategies := p.Config().Strategies
	for _, name := range []string{"qa", "answer_question"} {
		if got := strategies[name]; got != trysail.Critical {
			t.Errorf("strategy of %s = %q, want critical", name, got)
		}
	}
	if got := strategies["analyze_sentiment"]; got != trysail.Balanced {
		t.Errorf("strategy of analyze_sentiment = %q, want balanced", got)
	}
}

// Check refuses such a preset. Of one that nobody checked each name keeps what it was given, not what the order of a map brings.
func TestAliasesThatDisagree(t *testing.T) {
	p := highThroughput()
	p.OperationOverrides = map[string]trysail.Strategy{"answer_question": trysail.Critical, "qa": trysail.Balanced}
	for range 20 {
		if got := p.Config().Strategies; !maps.Equal(got, p.OperationOverrides) {
			t.Fatalf("strategies = %v, want %v", got, p.OperationOverrides)
		}
	}
}

// What the check takes, the library takes.
func FuzzPresetCheck(f *testing.F) {
	f.Add("HighThroughput", "batch_processing", "aggressive", 2, int64(30*time.Second))
	f.Add("\x00", "a\u2028b", "", 0, int64(-1))
	f.Fuzz(func(t *testing.T, name, operation, strategy string, n int, d int64) {
		p := highThroughput()
		p.Name, p.RetryAttempts, p.CircuitBreakerThreshold, p.RecoveryTimeout = name, n, n, time.Duration(d)
		p.DefaultStrategy = trysail.Strategy(strategy)
		p.OperationOverrides = map[string]trysail.Strategy{operation: p.DefaultStrategy}
		report := p.Check()
		for _, f := range append(report.Errors, report.Warnings...) {
			if f.Message == "" || strings.ContainsAny(f.Message+f.Path, "\n\x00\x1b") {
				t.Errorf("a finding without words, or with what cannot be shown: %+v", f)
			}
		}
		if _, err := trysail.New(p.Config()); report.Valid() && err != nil {
			t.Errorf("Check() takes %+v, trysail.New says: %v", p, err)
		}
	})
}
