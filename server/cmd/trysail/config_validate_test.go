package main

import (
	"strings"
	"testing"
)

// The verdict about a custom configuration.
func TestValidateCustom(t *testing.T) {
	for name, tc := range map[string]struct {
		args     []string
		document string
		code     int
		want     string // in the table
	}{
		"good":                         {nil, `{"retry_attempts": 3, "jitter_enabled": true}`, 0, "standard input: valid, 0 errors"},
		"out of range":                 {nil, `{"retry_attempts": 15}`, 3, "retry_attempts must be between 1 and 10"},
		"two faults":                   {nil, `{"retry_attempts": 15, "recovery_timeout": "x"}`, 3, "invalid, 2 errors"},
		"on its line":                  {nil, "{\n\n\"retry_attempts\": 15}", 3, "line 3: error: "},
		"no JSON":                      {nil, `retry_attempts: 3`, 3, "invalid, 1 error"},
		"the gateway's operation":      {nil, `{"operation_overrides": {"chat": "critical"}}`, 0, "valid"},
		"an unknown operation":         {nil, `{"operation_overrides": {"captain": "critical"}}`, 3, "Invalid operation 'captain'"},
		"an operation of one's own":    {[]string{"--operation", "captain"}, `{"operation_overrides": {"captain": "critical"}}`, 0, "valid"},
		"warnings, strictly":           {[]string{"--strict"}, `{"retry_attempts": 9, "circuit_breaker_threshold": 3}`, 3, "invalid, 0 errors"},
		"not together with a preset":   {[]string{"--preset", "simple"}, `{"exponential_min": 10}`, 3, "with preset 'simple' they are 10 and 10"},
		"together with another":        {[]string{"--preset", "production"}, `{"exponential_min": 10}`, 0, "valid"},
		"an unknown preset":            {[]string{"--preset", "prod"}, `{}`, 2, ""},
		"a text that steers terminals": {nil, `{"\u001b[31m": 3}`, 3, "invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			r := try{args: append([]string{"config", "validate", "-"}, tc.args...), stdin: tc.document}
			if tc.code == exitUsage {
				if got := r.run(t); got.code != tc.code || !strings.Contains(got.stderr, "Invalid preset 'prod'. Available: ['simple', ") {
					t.Errorf("exit code %d, want %d\n%s", got.code, tc.code, got.stderr)
				}
				return
			}
			answer, table := r.answer(t, tc.code)
			if !strings.Contains(table, tc.want) {
				t.Errorf("it does not print %q:\n%s", tc.want, table)
			}
			if at(t, answer, "is_valid") != (tc.code == 0) || at(t, answer, "file") != "standard input" {
				t.Errorf("exit code %d, and the answer is %v", tc.code, answer)
			}
			for _, list := range []string{"errors", "warnings", "suggestions"} {
				if _, ok := at(t, answer, list).([]any); !ok {
					t.Errorf("%s is %v, want a list, also when it is empty", list, at(t, answer, list))
				}
			}
		})
	}
}

// The verdict about a configuration file: as serve would say it, all at once, with the places.
func TestValidateFile(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		args []string
		env  []string
		code int
		want []string
	}{
		"good":    {"preset: production\npolicy: {retry: {attempts: 4}}\ncustom: {retry_attempts: 4, jitter_enabled: true, circuit_breaker_threshold: 9}", nil, nil, 0, []string{"valid, 0 errors"}},
		"empty":   {"", nil, nil, 0, []string{"valid, 0 errors, 0 warnings"}},
		"no YAML": {"a: [1", nil, nil, 3, []string{"line 1: error: found no good YAML"}},
		"all kinds of faults at once": {
			"preset: prod\ntemplate: quick\npolicyy: {}\nserver:\n  addr: x\ngateway: {openai_base_url: 'ftp://x', total_timeout: 2h}\n", nil, nil, 3,
			[]string{
				"line 1, column 1: error: preset: Invalid preset 'prod'", "line 2, column 1: error: template: Unknown template: quick",
				"line 3, column 1: error: policyy", "line 5, column 3: error: server.addr: ", "column 11: error: gateway.openai_base_url: ", "total-timeout is 2h0m0s",
			},
		},
		"not together with the preset":       {"preset: production\npolicy: {retry: {min_delay: 1m}}", nil, nil, 3, []string{"line 2, column 18: error: policy.retry.min_delay: found 1m0s, want at most MaxDelay"}},
		"with a preset":                      {"policy: {retry: {min_delay: 20s}}", []string{"--preset", "production"}, nil, 0, []string{"valid"}},
		"a warning on its line":              {"custom:\n  retry_attempts: 9\n  circuit_breaker_threshold: 3", nil, nil, 0, []string{"line 2: warning: "}},
		"a secret that is not there":         {"server: {api_key: '${NOT_THERE}'}", nil, nil, 3, []string{"server.api_key", "NOT_THERE"}},
		"a secret of the environment":        {"server: {api_key: '${KEY}'}", nil, []string{"KEY=hunter2"}, 0, []string{"valid"}},
		"a key nobody could send":            {"server: {api_key: '${KEY}'}", nil, []string{"KEY=hunter2 x"}, 3, []string{"holds a space or a control character"}},
		"open to others, without a key":      {"server: {addr: '0.0.0.0:8000'}", nil, nil, 0, []string{"line 1: warning: server.addr: 0.0.0.0:8000 can be reached from other machines"}},
		"the variables do not count":         {"preset: simple", nil, []string{"RESILIENCE_PRESET=nonsense", "TRYSAIL_IDLE_TIMEOUT=1s"}, 0, []string{"valid"}},
		"an override of one's own operation": {"custom: {operation_overrides: {captain: critical}}", []string{"--operation", "captain"}, nil, 0, []string{"valid"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := try{args: append([]string{"config", "validate", "trysail.yaml"}, tc.args...), env: tc.env, files: map[string]string{"trysail.yaml": tc.text}}
			answer, table := r.answer(t, tc.code)
			for _, want := range tc.want {
				if !strings.Contains(table, want) {
					t.Errorf("it does not print %q:\n%s", want, table)
				}
			}
			if at(t, answer, "is_valid") != (tc.code == 0) || at(t, answer, "file") != "trysail.yaml" || strings.Contains(table, "hunter2") {
				t.Errorf("exit code %d, and the answer is %v", tc.code, answer)
			}
			if tc.code == exitNo && at(t, answer, "errors", 0, "message") == "" {
				t.Errorf("no message: %v", answer)
			}
		})
	}
}

// A secret of the env file is one that serve would find, too.
func TestValidateFileWithAnEnvFile(t *testing.T) {
	files := map[string]string{".env": "KEY=hunter2\n", "bad.env": "KEY='\n", "trysail.yaml": "server: {api_key: '${KEY}'}"}
	if got := (try{args: []string{"config", "validate", "trysail.yaml"}, files: files}).run(t); got.code != 0 {
		t.Errorf("exit code %d, want 0\n%s%s", got.code, got.stdout, got.stderr)
	}
	got := try{args: []string{"config", "validate", "trysail.yaml", "--env-file", "bad.env"}, files: files}.run(t)
	if got.code != exitUsage || !strings.Contains(got.stderr, "bad.env:1") {
		t.Errorf("a bad env file: exit code %d, want %d\n%s", got.code, exitUsage, got.stderr)
	}
}
