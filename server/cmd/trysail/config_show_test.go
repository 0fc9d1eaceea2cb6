package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// valuesIn returns the values of an answer of config show as "value from source detail", by name.
func valuesIn(t *testing.T, answer any) map[string]string {
	t.Helper()
	list, ok := at(t, answer, "values").([]any)
	if !ok || len(list) == 0 {
		t.Fatalf("no values: %v", answer)
	}
	values := map[string]string{}
	for _, v := range list {
		name, _ := at(t, v, "name").(string)
		value, _ := at(t, v, "value").(string)
		source, _ := at(t, v, "source").(string)
		detail, _ := at(t, v, "detail").(string)
		if values[name] != "" || name == "" || source == "" {
			t.Errorf("%q is there twice, or has no source: %v", name, v)
		}
		values[name] = strings.TrimSpace(value + " from " + source + " " + detail)
	}
	return values
}

// Every kind of place that a value may come from.
func TestShow(t *testing.T) {
	r := try{
		args: []string{"config", "show", "--origin", "--config", "trysail.yaml", "--log-level", "debug"},
		env:  []string{"RESILIENCE_CUSTOM_CONFIG={\"retry_attempts\": 4, \"operation_overrides\": {\"qa\": \"critical\"}}", "TRYSAIL_IDLE_TIMEOUT=7s", "API_KEY=hunter2", "READ_ONLY_API_KEYS=hunter5"},
		files: map[string]string{
			".env": "# numbers\nTRYSAIL_ADDR=127.0.0.1:9\nOPENAI_API_KEY=hunter3\n",
			"trysail.yaml": "preset: production\ntemplate: robust_production\ncustom:\n  recovery_timeout: 77\npolicy: {hedge: {after: 3s}}\n" +
				"operations: {chat: {policy: {total: 9s}}}\nclasses: {rate_limited: {count: false}}\n" +
				"gateway: {max_body: 5MB}\nserver: {trusted_proxies: [10.0.0.0/8, 10.1.0.1], additional_api_keys: [{file: key}]}",
			"key": "hunter4",
		},
	}
	answer, table := r.answer(t, 0)
	got := valuesIn(t, answer)
	for name, want := range map[string]string{
		"preset":                       "production from file trysail.yaml:1",
		"template":                     "robust_production from file trysail.yaml:2",
		"log_level":                    "DEBUG from flag log_level",
		"enabled":                      "true from default",
		"retry_attempts":               "4 from variable RESILIENCE_CUSTOM_CONFIG",
		"recovery_timeout":             "77 from file trysail.yaml:4",
		"circuit_breaker_threshold":    "12 from template robust_production",
		"policy.hedge.after":           "3s from file trysail.yaml:5",
		"operations.chat.policy.total": "9s from file trysail.yaml:6",
		"operations.qa.strategy":       "critical from variable RESILIENCE_CUSTOM_CONFIG",
		"server.addr":                  "127.0.0.1:9 from variable TRYSAIL_ADDR (.env:2)",
		"server.shutdown_timeout":      "30s from default",
		"gateway.idle_timeout":         "7s from variable TRYSAIL_IDLE_TIMEOUT",
		"gateway.max_body":             "5000000 from file trysail.yaml:8",
		"gateway.openai_base_url":      "https://api.openai.com/v1 from default",
		"server.api_key":               "[secret] from variable API_KEY",
		"server.additional_api_keys":   "[secret] from file trysail.yaml:9",
		"server.read_only_api_keys":    "[secret] from variable READ_ONLY_API_KEYS",
		"server.trusted_proxies":       "10.0.0.0/8,10.1.0.1 from file trysail.yaml:9",
		"gateway.openai_api_key":       "[secret] from variable OPENAI_API_KEY (.env:3)",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
		value, from, _ := strings.Cut(want, " from ")
		if row := rowOf(table, name); !strings.Contains(row, value) || !strings.Contains(row, from) {
			t.Errorf("the table says %q, want %s", row, want)
		}
	}
	if at(t, answer, "preset") != "production" || at(t, answer, "source") != "custom" {
		t.Errorf("preset %v, source %v", at(t, answer, "preset"), at(t, answer, "source"))
	}
	r.args = []string{"config", "show", "--config", "trysail.yaml"}
	plain := r.run(t)
	if strings.Contains(plain.stdout, "trysail.yaml:") {
		t.Errorf("without --origin it says where values are from:\n%s", plain.stdout)
	}
	if strings.Contains(table+plain.stdout+plain.stderr, "hunter") {
		t.Errorf("it shows a secret:\n%s%s", table, plain.stderr)
	}
}

func rowOf(table, name string) string {
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, name+" ") {
			return line
		}
	}
	return ""
}

// What serve would log, or would not start with, is told on the standard error.
func TestShowTells(t *testing.T) {
	for name, tc := range map[string]struct {
		args       []string
		env        []string
		code       int
		want       string // on the standard error
		wantStdout string
	}{
		"old variables":            {nil, []string{"RETRY_MAX_ATTEMPTS=4"}, 0, "warning: old variables are in use (RETRY_MAX_ATTEMPTS): trysail config migrate says", "legacy"},
		"a bad custom config":      {nil, []string{`RESILIENCE_CUSTOM_CONFIG={"retry_attempts": 15}`}, 0, "custom configuration refused, the numbers below it stay", "retry_attempts"},
		"the steps":                {nil, []string{"SHOW_CONFIG_LOADING=true"}, 0, "resilience configuration: preset simple", "simple"},
		"no key where it must be":  {nil, []string{"ENVIRONMENT=production"}, 0, "serve would not start: this is a production environment", "simple"},
		"an unknown preset":        {nil, []string{"RESILIENCE_PRESET=prod"}, 2, "Invalid preset 'prod'. Available: ['simple', 'development', 'production']", ""},
		"a setting out of range":   {[]string{"--idle-timeout", "0s"}, nil, 2, "idle-timeout is 0s", ""},
		"several at once":          {[]string{"--idle-timeout", "0s"}, []string{"LOG_LEVEL=loud", "API_KEY=hunter 2"}, 2, "LOG_LEVEL", ""},
		"a file that is not there": {[]string{"--config", "missing.yaml"}, nil, 2, "missing.yaml: no such file", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := try{args: append([]string{"config", "show"}, tc.args...), env: tc.env}.run(t)
			if got.code != tc.code || !strings.Contains(got.stderr, tc.want) || !strings.Contains(got.stdout, tc.wantStdout) {
				t.Errorf("exit code %d, want %d, with %q in\n%s\nand %q in\n%s", got.code, tc.code, tc.want, got.stderr, tc.wantStdout, got.stdout)
			}
			if tc.code != 0 && got.stdout != "" || strings.Contains(got.stderr, "hunter") {
				t.Errorf("it prints an answer beside an error, or a secret:\n%s%s", got.stdout, got.stderr)
			}
		})
	}
}

// A server that runs has the numbers that config show says.
func TestShowSaysWhatIsServed(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "trysail.yaml"), "preset: production\ncustom: {circuit_breaker_threshold: 7, recovery_timeout: 33}\nserver: {api_key: '${KEY}'}")
	env := []string{"TRYSAIL_CONFIG=" + path, "KEY=from-the-file"}
	answer, _ := try{args: []string{"config", "show"}, env: env}.answer(t, 0)
	got := valuesIn(t, answer)
	if got["circuit_breaker_threshold"] != "7 from file "+path+":2" || got["recovery_timeout"] != "33 from file "+path+":2" {
		t.Errorf("it says %q and %q", got["circuit_breaker_threshold"], got["recovery_timeout"])
	}
	s := serve(t, append(env, "RESILIENCE_PRESET=production")...)
	s.wantBreaker("the start", 7, 33)
}
