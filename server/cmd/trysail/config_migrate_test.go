package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/trysail-go/trysail/config"
)

const composeText = `
x-common: &common
  RETRY_MAX_ATTEMPTS: 5
services:
  web:
    env_file: web.env
    environment:
      <<: *common
      CIRCUIT_BREAKER_FAILURE_THRESHOLD: "${THRESHOLD:-10}"
      CIRCUIT_BREAKER_RECOVERY_TIMEOUT: 120
      DEFAULT_RESILIENCE_STRATEGY: conservative
      RETRY_JITTER_ENABLED:
  worker:
    extends: {service: web}
    environment:
      - RETRY_MAX_ATTEMPTS=2
      - CIRCUIT_BREAKER_FAILURE_THRESHOLD=4
      - QA_RESILIENCE_STRATEGY
      - RESILIENCE_PRESET=simple
  db: {image: postgres}
`

func TestMigrate(t *testing.T) {
	old := "RETRY_MAX_ATTEMPTS=4\nCIRCUIT_BREAKER_FAILURE_THRESHOLD=8\nCIRCUIT_BREAKER_RECOVERY_TIMEOUT=90\nDEFAULT_RESILIENCE_STRATEGY=conservative\n"
	for name, tc := range map[string]struct {
		args   []string
		env    []string
		stdin  string
		files  map[string]string
		code   int
		source string
		format string
		preset string
		want   []string // in the table
	}{
		"the environment": {
			nil, strings.Fields(old), "", nil, 0, "environment", "shell", "production",
			[]string{"# environment: preset production, confidence 80 % (medium)", "\nexport RESILIENCE_PRESET=production\n", "\nunset RETRY_MAX_ATTEMPTS\n"},
		},
		"the env file beside it": {nil, nil, "", map[string]string{".env": old}, 0, "environment", "shell", "production", []string{"export RESILIENCE_PRESET=production"}},
		"an env file":            {[]string{"old.env"}, nil, "", map[string]string{"old.env": old}, 0, "old.env", "env", "production", []string{"\nRESILIENCE_PRESET=production\n", "\n# remove RETRY_MAX_ATTEMPTS\n"}},
		"an env file from stdin": {[]string{"-"}, nil, old, nil, 0, "standard input", "env", "production", []string{"RESILIENCE_PRESET=production"}},
		"in another format":      {[]string{"-", "--format", "compose"}, nil, old, nil, 0, "standard input", "compose", "production", []string{"\nRESILIENCE_PRESET: 'production'\n"}},
		"a compose file": {
			[]string{"compose.yaml"},
			nil, "",
			map[string]string{"compose.yaml": composeText},
			0, "compose.yaml", "compose", "production",
			[]string{
				"# warning: service web: its env_file is not read", "# warning: service worker: what it extends is not read",
				"# compose.yaml, service web: preset production", "'10' is assumed", "RETRY_JITTER_ENABLED is '${RETRY_JITTER_ENABLED}', which compose fills in",
				"\nRESILIENCE_PRESET: 'production'\n", "# compose.yaml, service worker: preset simple", "\n- 'RESILIENCE_PRESET=simple'\n",
				"RESILIENCE_PRESET is set, so that the old variables have no effect now",
			},
		},
		"a compose file from stdin":      {[]string{"-", "--as", "compose"}, nil, composeText, nil, 0, "standard input", "compose", "production", []string{"service web"}},
		"a compose file in shell's form": {[]string{"-", "--as", "compose", "--format", "shell"}, nil, composeText, nil, 0, "standard input", "shell", "production", []string{"export RESILIENCE_PRESET=simple"}},
		"nothing":                        {nil, nil, "", nil, 3, "environment", "shell", "", []string{"nothing to migrate"}},
		"nothing in a compose file":      {[]string{"-", "--as", "compose"}, nil, "services: {db: {image: x}}", nil, 3, "standard input", "compose", "", []string{"nothing to migrate"}},
		"an empty env file":              {[]string{"-"}, nil, "", nil, 3, "standard input", "env", "", []string{"nothing to migrate"}},
		"a name that steers terminals":   {[]string{"-", "--as", "compose"}, nil, `services: {"\e[31m\nrm x": {environment: [RETRY_MAX_ATTEMPTS=2]}}`, nil, 0, "standard input", "compose", "simple", []string{"service \ufffd[31m\ufffdrm x"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := try{args: append([]string{"config", "migrate"}, tc.args...), env: tc.env, stdin: tc.stdin, files: tc.files}
			answer, table := r.answer(t, tc.code)
			for _, want := range tc.want {
				if !strings.Contains(table, want) {
					t.Errorf("it does not print %q:\n%s", want, table)
				}
			}
			if at(t, answer, "source") != tc.source || at(t, answer, "format") != tc.format {
				t.Errorf("source %v, format %v, want %s and %s", at(t, answer, "source"), at(t, answer, "format"), tc.source, tc.format)
			}
			if list, ok := at(t, answer, "migrations").([]any); !ok || (len(list) > 0) != (tc.preset != "") {
				t.Fatalf("migrations are %v", at(t, answer, "migrations"))
			}
			if tc.preset != "" && at(t, answer, "migrations", 0, "recommended_preset") != tc.preset {
				t.Errorf("recommends %v, want %s", at(t, answer, "migrations", 0, "recommended_preset"), tc.preset)
			}
		})
	}
}

// The whole output can be used: a shell runs it, an env file and a compose file may hold it.
func TestMigrateOutputIsUsable(t *testing.T) {
	old := "RETRY_MAX_ATTEMPTS=4\nCIRCUIT_BREAKER_RECOVERY_TIMEOUT='$(touch /tmp/x)'\nSUMMARIZE_RESILIENCE_STRATEGY=critical\n"
	as := func(format string) string {
		t.Helper()
		got := try{args: []string{"config", "migrate", "-", "--format", format}, stdin: old}.run(t)
		if got.code != 0 {
			t.Fatalf("%s: exit code %d\n%s", format, got.code, got.stderr)
		}
		return got.stdout
	}
	says := func(where, preset, custom string) {
		t.Helper()
		c, report := config.Validate([]byte(custom), config.ValidateOptions{})
		if preset != "simple" || !report.Valid() || c.RetryAttempts == nil || *c.RetryAttempts != 4 || c.OperationOverrides["summarize"] != "critical" {
			t.Errorf("%s says %q and %q", where, preset, custom)
		}
	}

	shell := exec.CommandContext(t.Context(), "sh", "-c", "set -eu\nRETRY_MAX_ATTEMPTS=1\n"+as("shell")+
		`printf '%s\n%s\n%s' "$RESILIENCE_PRESET" "$RESILIENCE_CUSTOM_CONFIG" "${RETRY_MAX_ATTEMPTS-unset}"`)
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(string(out), "\n")
	says("the shell", lines[0], lines[1])
	if lines[2] != "unset" {
		t.Errorf("RETRY_MAX_ATTEMPTS is still %q", lines[2])
	}

	file, err := config.ParseEnvFile("new.env", []byte(as("env")))
	if err != nil {
		t.Fatal(err)
	}
	preset, _ := file.Value("RESILIENCE_PRESET")
	custom, _ := file.Value("RESILIENCE_CUSTOM_CONFIG")
	says("the env file", preset, custom)

	var environment map[string]string
	if err := yaml.Unmarshal([]byte(as("compose")), &environment); err != nil {
		t.Fatal(err)
	}
	says("the compose file", environment["RESILIENCE_PRESET"], environment["RESILIENCE_CUSTOM_CONFIG"])
}

// What a configuration says after a migration is what it was before, but for what the answer lists as changes.
func TestMigrateAndShow(t *testing.T) {
	old := []string{"RETRY_MAX_ATTEMPTS=5", "CIRCUIT_BREAKER_FAILURE_THRESHOLD=10", "CIRCUIT_BREAKER_RECOVERY_TIMEOUT=120", "DEFAULT_RESILIENCE_STRATEGY=conservative"}
	before, _ := try{args: []string{"config", "show"}, env: old}.answer(t, 0)
	answer, _ := try{args: []string{"config", "migrate", "--format", "env"}, env: old}.answer(t, 0)
	var lines []string
	for _, line := range at(t, answer, "migrations", 0, "lines").([]any) { //nolint:forcetypeassert // a test
		lines = append(lines, line.(string)) //nolint:forcetypeassert // a test
	}
	after, _ := try{args: []string{"config", "show"}, files: map[string]string{".env": strings.Join(lines, "\n")}}.answer(t, 0)
	was, is := valuesIn(t, before), valuesIn(t, after)
	changes, err := json.Marshal(at(t, answer, "migrations", 0, "changes"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range was {
		old, _, _ := strings.Cut(value, " from ")
		now, _, _ := strings.Cut(is[name], " from ")
		operation := strings.TrimSuffix(strings.TrimPrefix(name, "operations."), ".strategy")
		if old != now && name != "preset" && !strings.Contains(string(changes), name+" was ") && !strings.Contains(string(changes), "strategy of "+operation+" was ") {
			t.Errorf("%s was %q and is %q, and nobody says so: %s", name, old, now, changes)
		}
	}
}

func TestMigrateWhatIsNoGood(t *testing.T) {
	for name, tc := range map[string]struct {
		args  []string
		stdin string
		code  int
		want  string
	}{
		"no env file":               {[]string{"-"}, "A='x\n", 1, "standard input:1: the quote ' of A is not closed"},
		"no YAML":                   {[]string{"-", "--as", "compose"}, "a: [", 1, "found no compose file"},
		"nothing":                   {[]string{"-", "--as", "compose"}, "", 1, "found nothing, want a compose file"},
		"no services":               {[]string{"-", "--as", "compose"}, "web: {}", 1, "found no services"},
		"services that are a list":  {[]string{"-", "--as", "compose"}, "services: [web]", 1, "found no compose file"},
		"an environment of text":    {[]string{"-", "--as", "compose"}, "services: {web: {environment: x}}", 1, "services.web.environment: line 1: found a single value"},
		"a value that is a list":    {[]string{"-", "--as", "compose"}, "services: {web: {environment: {A: [1]}}, b: {environment: [[1]]}}", 1, "services.web.environment: line 1: A is no single value"},
		"a key that is there twice": {[]string{"-", "--as", "compose"}, "services: {web: {environment: {A: 1, A: 2}}}", 1, "already defined"},
		"an alias to itself":        {[]string{"-", "--as", "compose"}, "services: {web: {environment: &a {A: *a}}}", 1, "services.web.environment"},
		"an unknown format":         {[]string{"--format", "toml"}, "", 2, "must be one of"},
		"a bad env file":            {[]string{"--env-file", "missing.env"}, "", 2, "missing.env: no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			got := try{args: append([]string{"config", "migrate"}, tc.args...), stdin: tc.stdin}.run(t)
			if got.code != tc.code || !strings.Contains(got.stderr, tc.want) || got.stdout != "" || strings.Contains(got.stderr, "goroutine") {
				t.Errorf("exit code %d, want %d, with %q in\n%s", got.code, tc.code, tc.want, got.stderr+got.stdout)
			}
		})
	}
}
