package config_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

func TestMigrate(t *testing.T) {
	for name, tc := range map[string]struct {
		set    []string
		preset string
		score  float64
		level  string
		custom string
	}{
		"the defaults": {[]string{"RETRY_MAX_ATTEMPTS=3"}, "simple", 0.96, "high", `{}`},
		"production": {
			[]string{
				"RETRY_MAX_ATTEMPTS=5", "CIRCUIT_BREAKER_FAILURE_THRESHOLD=10", "CIRCUIT_BREAKER_RECOVERY_TIMEOUT=120", "DEFAULT_RESILIENCE_STRATEGY=conservative",
				"QA_RESILIENCE_STRATEGY=critical", "SUMMARIZE_RESILIENCE_STRATEGY=conservative",
			}, "production", 1, "high", `{}`,
		},
		"development": {
			[]string{"RETRY_MAX_ATTEMPTS=2", "CIRCUIT_BREAKER_FAILURE_THRESHOLD=3", "CIRCUIT_BREAKER_RECOVERY_TIMEOUT=30", "DEFAULT_RESILIENCE_STRATEGY=aggressive"},
			"development", 0.92, "high", `{}`,
		},
		"numbers between": {
			[]string{"RETRY_MAX_ATTEMPTS=4", "CIRCUIT_BREAKER_FAILURE_THRESHOLD=8", "CIRCUIT_BREAKER_RECOVERY_TIMEOUT=90", "DEFAULT_RESILIENCE_STRATEGY=conservative"},
			"production", 0.8, "medium", `{"retry_attempts":4,"circuit_breaker_threshold":8,"recovery_timeout":90}`,
		},
		"far from all": {
			[]string{"RETRY_MAX_ATTEMPTS=100", "CIRCUIT_BREAKER_FAILURE_THRESHOLD=1000", "CIRCUIT_BREAKER_RECOVERY_TIMEOUT=1", "DEFAULT_RESILIENCE_STRATEGY=critical"},
			"production", 0.1617, "low", `{"retry_attempts":10,"circuit_breaker_threshold":20,"recovery_timeout":10,"default_strategy":"critical"}`,
		},
		"a strategy": {[]string{"QA_RESILIENCE_STRATEGY=critical"}, "simple", 0.96, "high", `{"operation_overrides":{"qa":"critical"}}`},
		"no jitter":  {[]string{"RETRY_JITTER_ENABLED=no", "RETRY_JITTER_MAX=3"}, "simple", 0.96, "high", `{"jitter_enabled":false}`},
		"waits that do not fit": {
			[]string{"RETRY_EXPONENTIAL_MIN=4", "RETRY_EXPONENTIAL_MAX=4.5"}, "simple", 0.96, "high", `{"exponential_min":4,"exponential_max":5}`,
		},
		"waits that are one": {[]string{"RETRY_EXPONENTIAL_MIN=10", "RETRY_EXPONENTIAL_MAX=10"}, "simple", 0.96, "high", `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			m := config.Migrate(env(tc.set...))
			custom, err := json.Marshal(m.Custom)
			if err != nil {
				t.Fatal(err)
			}
			if m.Preset != tc.preset || m.Confidence != tc.score || m.Level != tc.level || string(custom) != tc.custom {
				t.Errorf("Migrate() = %s %v %s %s\n%+v\nwant %s %v %s %s", m.Preset, m.Confidence, m.Level, custom, m.Matches, tc.preset, tc.score, tc.level, tc.custom)
			}
			if len(m.Found) != len(tc.set) || len(m.Matches) != 3 {
				t.Errorf("found %+v and %d matches", m.Found, len(m.Matches))
			}
		})
	}
}

func TestMigrateNothing(t *testing.T) {
	m := config.Migrate(env("RESILIENCE_ENABLED=true"))
	if len(m.Found)+len(m.Matches)+len(m.Warnings)+len(m.Changes) > 0 || m.Preset != "" || m.Shell()+m.EnvFile()+m.Compose() != "" {
		t.Errorf("Migrate() = %+v, want nothing", m)
	}
}

func TestMigrationWarns(t *testing.T) {
	for name, tc := range map[string]struct{ set, want string }{
		"many attempts":         {"RETRY_MAX_ATTEMPTS=8", "8 attempts make a failing call take long"},
		"a low threshold":       {"CIRCUIT_BREAKER_FAILURE_THRESHOLD=1", "a breaker that opens after 1 failed call opens often"},
		"attempts over it":      {"CIRCUIT_BREAKER_FAILURE_THRESHOLD=2", "there are more attempts (3) than failures that open the breaker (2)"},
		"aggressive":            {"DEFAULT_RESILIENCE_STRATEGY=aggressive", "the strategy aggressive gives up early"},
		"out of range":          {"CIRCUIT_BREAKER_RECOVERY_TIMEOUT=1", "recovery_timeout was 1, which is more or less than a configuration may hold today: 10"},
		"no value":              {"RETRY_MAX_ATTEMPTS=many", "RETRY_MAX_ATTEMPTS is 'many', want a whole number greater than 0: the default 3 applies"},
		"no retries":            {"RETRY_ENABLED=false", "RETRY_ENABLED is off, which no preset can say: write policy.retry.disabled: true"},
		"no breaker":            {"CIRCUIT_BREAKER_ENABLED=false", "CIRCUIT_BREAKER_ENABLED is off, which no preset can say: write policy.breaker.disabled: true"},
		"compose's default":     {"RETRY_MAX_ATTEMPTS=${RETRY_MAX_ATTEMPTS:-5}", "which compose fills in: '5' is assumed"},
		"compose's variable":    {"RETRY_MAX_ATTEMPTS=${RETRY_MAX_ATTEMPTS}", "nobody can know here with what, the default 3 is assumed"},
		"compose's short form":  {"RETRY_MAX_ATTEMPTS=$ATTEMPTS", "nobody can know here with what, the default 3 is assumed"},
		"bounds that are equal": {"RETRY_EXPONENTIAL_MAX=2", "exponential_max was 2, which is more or less than a configuration may hold today: 5"},
	} {
		t.Run(name, func(t *testing.T) {
			m := config.Migrate(env(tc.set))
			if !slices.ContainsFunc(m.Warnings, func(w string) bool { return strings.Contains(w, tc.want) }) {
				t.Errorf("warnings %q, want %q", m.Warnings, tc.want)
			}
		})
	}
	if m := config.Migrate(env("RETRY_MAX_ATTEMPTS=3")); len(m.Warnings) > 0 {
		t.Errorf("warnings %q about the default, want none", m.Warnings)
	}
}

// What nobody had set, and is another number now, is said.
func TestMigrationSaysWhatChanges(t *testing.T) {
	want := []string{
		"max_delay_seconds was 30, which nobody had set; the preset has 60",
		"the strategy of sentiment was aggressive, which nobody had set; with the preset it is balanced",
		"the strategy of qa was conservative, which nobody had set; with the preset it is balanced",
	}
	if got := config.Migrate(env("RETRY_MAX_ATTEMPTS=3")).Changes; !slices.Equal(got, want) {
		t.Errorf("changes %q, want %q", got, want)
	}
}

func ExampleMigrate() {
	m := config.Migrate(config.Variables(map[string]string{
		"RETRY_MAX_ATTEMPTS": "4", "DEFAULT_RESILIENCE_STRATEGY": "balanced", "QA_RESILIENCE_STRATEGY": "critical",
	}))
	fmt.Printf("%s, confidence %.3f (%s)\n", m.Preset, m.Confidence, m.Level)
	fmt.Print(m.Shell())
	fmt.Print(m.EnvFile())
	fmt.Print(m.Compose())
	// Output:
	// simple, confidence 0.885 (medium)
	// export RESILIENCE_PRESET=simple
	// export RESILIENCE_CUSTOM_CONFIG='{"retry_attempts":4,"operation_overrides":{"qa":"critical"}}'
	// unset RETRY_MAX_ATTEMPTS
	// unset DEFAULT_RESILIENCE_STRATEGY
	// unset QA_RESILIENCE_STRATEGY
	// RESILIENCE_PRESET=simple
	// RESILIENCE_CUSTOM_CONFIG='{"retry_attempts":4,"operation_overrides":{"qa":"critical"}}'
	// # remove RETRY_MAX_ATTEMPTS
	// # remove DEFAULT_RESILIENCE_STRATEGY
	// # remove QA_RESILIENCE_STRATEGY
	// RESILIENCE_PRESET: 'simple'
	// RESILIENCE_CUSTOM_CONFIG: '{"retry_attempts":4,"operation_overrides":{"qa":"critical"}}'
	// # remove RETRY_MAX_ATTEMPTS
	// # remove DEFAULT_RESILIENCE_STRATEGY
	// # remove QA_RESILIENCE_STRATEGY
}

// What was set has the same effect afterwards, by way of the .env file and of a real shell.
func TestMigrationKeepsWhatWasSet(t *testing.T) {
	set := []string{
		"RETRY_MAX_ATTEMPTS=4", "CIRCUIT_BREAKER_FAILURE_THRESHOLD=8", "CIRCUIT_BREAKER_RECOVERY_TIMEOUT=90", "DEFAULT_RESILIENCE_STRATEGY=conservative",
		"SUMMARIZE_RESILIENCE_STRATEGY=balanced", "SENTIMENT_RESILIENCE_STRATEGY=aggressive", "QA_RESILIENCE_STRATEGY=critical",
		"KEY_POINTS_RESILIENCE_STRATEGY=conservative", "QUESTIONS_RESILIENCE_STRATEGY=aggressive", "RETRY_MAX_DELAY=45",
		"RETRY_EXPONENTIAL_MULTIPLIER=1.25", "RETRY_EXPONENTIAL_MIN=3", "RETRY_EXPONENTIAL_MAX=20", "RETRY_JITTER_MAX=1.5",
	}
	before, _ := load(t, config.Sources{Lookup: env(set...)})
	m := config.Migrate(env(set...))
	shell := exec.CommandContext(t.Context(), "sh", "-c", m.Shell()+`printf 'RESILIENCE_PRESET=%s\n' "$RESILIENCE_PRESET"; printf "RESILIENCE_CUSTOM_CONFIG='%s'\n" "$RESILIENCE_CUSTOM_CONFIG"; env | grep -c '^RETRY_'`)
	shell.Env = set
	out, _ := shell.Output() // grep finds nothing and says so
	for name, content := range map[string]string{"env file": m.EnvFile(), "shell": strings.TrimSuffix(string(out), "0\n")} {
		after, _ := load(t, config.Sources{EnvFile: envFile(t, content)})
		if after.Legacy || after.Refused != nil {
			t.Errorf("%s: legacy %t, refused %v\n%s", name, after.Legacy, after.Refused, content)
		}
		for _, d := range config.Differences(before.Effective(), after.Effective()) {
			if d.Name != "preset" {
				t.Errorf("%s: %s was %s and is %s", name, d.Name, d.Old, d.New)
			}
		}
	}
}

// Whatever is set: what comes out is good on top of the preset that is recommended.
func FuzzMigrate(f *testing.F) {
	f.Add("100", "1000", "1", "0.0001", "7")
	f.Add("4", "aggressive", "x", "${A:-9}", "-1")
	f.Fuzz(func(t *testing.T, a, b, c, d, e string) {
		m := config.Migrate(config.Variables(map[string]string{
			"RETRY_MAX_ATTEMPTS": a, "DEFAULT_RESILIENCE_STRATEGY": b, "RETRY_MAX_DELAY": c, "RETRY_EXPONENTIAL_MIN": d, "RETRY_EXPONENTIAL_MAX": e,
			"RETRY_JITTER_MAX": d, "RETRY_EXPONENTIAL_MULTIPLIER": e, "QA_RESILIENCE_STRATEGY": b,
		}))
		file, err := config.ParseEnvFile(".env", []byte(m.EnvFile()))
		if err != nil {
			t.Fatal(err)
		}
		loaded, err := config.Sources{EnvFile: file}.Load()
		if err != nil || loaded.Refused != nil {
			t.Fatalf("%+v: %v, %v", m, err, loaded.Refused)
		}
		if _, err := trysail.New(loaded.Trysail); err != nil {
			t.Errorf("%+v: %v", m, err)
		}
		if !(m.Confidence >= 0 && m.Confidence <= 1) {
			t.Errorf("confidence %v", m.Confidence)
		}
	})
}
