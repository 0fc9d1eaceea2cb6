package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// write puts a configuration file somewhere.
func write(t *testing.T, path, text string) string {
	t.Helper()
	if path == "" {
		path = filepath.Join(t.TempDir(), "trysail.yaml")
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A bad file ends the program at the start, with everything that is wrong with it.
func TestBadConfigurationFile(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"many faults": {
			"presett: x\npolicy: {retry: {attempts: many}}\nserver: {adr: x, api_key: hunter2}\ngateway: {max_body: 5 stones}",
			[]string{
				`trysail.yaml:1:1: presett: found a key that is not known, did you mean preset?`,
				`trysail.yaml:2:28: policy.retry.attempts: found the text "many", want a whole number`,
				`trysail.yaml:3:10: server.adr: found a key that is not known, did you mean addr?`,
				`trysail.yaml:3:27: server.api_key: found a secret in the file itself, want ${NAME}`,
				`trysail.yaml:4:21: gateway.max_body: found the text "5 stones", want a number of bytes`,
			},
		},
		"numbers out of range": {
			"preset: simple\nlog_level: INFO\nserver:\n  addr: localhost\n  log_format: xml\ngateway:\n  idle_timeout: 0s\n  max_operations: 0",
			[]string{
				`trysail.yaml:4:3: server.addr: address "localhost": `, `trysail.yaml:5:3: server.log_format: log-format is "xml", want auto, text or json`,
				`trysail.yaml:7:3: gateway.idle_timeout: idle-timeout is 0s, want more than 0s and at most 59m`,
				`trysail.yaml:8:3: gateway.max_operations: max-operations is 0, want at least 1`,
			},
		},
		"validations out of range": {
			"server:\n  validations_per_minute: 0\n  validations_per_hour: 10001\n  validation_cooldown: 61s",
			[]string{
				`trysail.yaml:2:3: server.validations_per_minute: validations-per-minute is 0, want 1 to 10000`,
				`trysail.yaml:3:3: server.validations_per_hour: validations-per-hour is 10001, want 1 to 10000`,
				`trysail.yaml:4:3: server.validation_cooldown: validation-cooldown is 1m1s, want 0s to 1m`,
			},
		},
		"a policy that does not go together": {
			"policy:\n  retry:\n    min_delay: 50s\n    attempts: 90",
			[]string{
				"trysail.yaml:4:5: policy.retry.attempts: found 90, want 1 to 20",
				"trysail.yaml:3:5: policy.retry.min_delay: found 50s, want at most MaxDelay, which is 10s",
			},
		},
		"an unknown preset": {"preset: prod", []string{"trysail.yaml:1:1: preset: Invalid preset 'prod'. Available: ['simple', 'development', 'production']"}},
		"a template":        {"template: x", []string{"trysail.yaml:1:1: template: Unknown template: x. Available: ['fast_development', 'robust_production', 'low_latency', 'high_throughput', 'maximum_reliability']"}},
		"open to others":    {"server: {addr: '0.0.0.0:0'}", []string{"no API key is set"}},
		"no YAML":           {"a: [", []string{"trysail.yaml:1: found no good YAML"}},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := command(t, []string{"serve", "--config", "trysail.yaml"})
			write(t, filepath.Join(cmd.Dir, "trysail.yaml"), tc.text)
			out, err := cmd.CombinedOutput()
			if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 2 { //nolint:errorlint // Run returns it as it is
				t.Errorf("it ended with %v, want exit code 2", err)
			}
			for _, want := range tc.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("lacks %q:\n%s", want, out)
				}
			}
			if strings.Contains(string(out), "hunter2") || strings.Contains(string(out), "goroutine") {
				t.Errorf("it prints a secret or a stack:\n%s", out)
			}
		})
	}
	out, err := command(t, []string{"serve"}, "TRYSAIL_CONFIG=/nowhere/trysail.yaml").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "read the configuration file: stat /nowhere/trysail.yaml: no such file") {
		t.Errorf("a file that is not there: %v\n%s", err, out)
	}
}

// What the file says holds, unless the environment or a flag says otherwise.
func TestServesWithAConfigurationFile(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "key"), "secret\n")
	path := write(t, filepath.Join(dir, "trysail.yaml"), `
preset: production
log_level: DEBUG
operations:
  chat: {strategy: aggressive, policy: {retry: {attempts: 1}}}
server:
  addr: 127.0.0.1:1      # the flag of the test goes before it
  api_key: {file: key}
  additional_api_keys: ['${SECOND}']
gateway:
  openai_api_key: ${PROVIDER} # set but for the test's own
  openai_base_url: http://127.0.0.1:1/v1
`)
	s := serve(t, "TRYSAIL_CONFIG="+path, "SECOND=another", "PROVIDER=provider", "RESILIENCE_PRESET=development")
	for _, want := range []string{`"preset":"development"`, `"api_keys":true`, `"url":"http://127.0.0.1:1/v1","simulated":false`} {
		s.log.await(t, want)
	}
	for _, key := range []string{"secret", "another"} {
		if resp, body := s.send("GET", "/internal/resilience/metrics", "", "X-API-Key", key); resp.StatusCode != 200 {
			t.Errorf("with the key %s: status %d\n%s", key, resp.StatusCode, body)
		}
	}
	if resp, _ := s.send("GET", "/internal/resilience/metrics", ""); resp.StatusCode != 401 {
		t.Errorf("without a key: status %d, want 401", resp.StatusCode)
	}
	for _, secret := range []string{"secret", "another", `"provider"`} {
		if strings.Contains(s.log.String(), secret+`"`) {
			t.Errorf("the log holds a key:\n%s", s.log)
		}
	}
}

// The quota of validations is what the file says, or the variable, which goes before it.
func TestQuotaOfValidations(t *testing.T) {
	path := write(t, "", "server: {validations_per_minute: 1, validations_per_hour: 3}\n")
	s := serve(t, "TRYSAIL_CONFIG="+path, "TRYSAIL_VALIDATIONS_PER_MINUTE=2")
	for i, want := range []int{http.StatusOK, http.StatusOK, http.StatusTooManyRequests} {
		resp, body := s.send("POST", "/internal/resilience/config/validate", `{"configuration": {"retry_attempts": 3}}`)
		if resp.StatusCode != want || want != http.StatusOK && !strings.Contains(body, "2/2 validations per minute") {
			t.Errorf("validation %d: status %d, want %d: %s", i+1, resp.StatusCode, want, body)
		}
	}
	_, body := s.send("GET", "/internal/resilience/config/validate/rate-limit-status", "")
	if !strings.Contains(body, `"max_validations_per_hour":3`) {
		t.Errorf("the quota is %s, want 3 in an hour", body)
	}
}

// The file is changed while the program serves: the next call runs under what it says now. A bad file changes nothing.
func TestReloadsTheConfigurationFile(t *testing.T) {
	path := write(t, "", "preset: simple\noperations:\n  chat: {policy: {retry: {attempts: 1}}}\n")
	s := serve(t, "TRYSAIL_CONFIG="+path)
	attempts := func() string {
		t.Helper()
		resp, _ := s.send("POST", "/v1/chat/completions", completionBody, "X-Trysail-Simulate", "500,ok")
		return resp.Header.Get("X-Trysail-Attempts")
	}
	if got := attempts(); got != "1" {
		t.Fatalf("%s attempts, want 1", got)
	}

	write(t, path, "preset: simple\noperations:\n  chat: {policy: {retry: {attempts: 2, min_delay: 1ms, base: 1ms, jitter: 1ms}}}\nserver: {shutdown_timeout: 7s}\n")
	s.log.await(t, `"msg":"configuration reloaded"`)
	s.log.await(t, `chat: Retry.Attempts 1 -> 2`)
	s.log.await(t, `"msg":"some changes of the configuration need a restart","settings":["server.shutdown_timeout"]`)
	if got := attempts(); got != "2" {
		t.Errorf("after the reload: %s attempts, want 2", got)
	}

	write(t, path, "preset: simple\noperation: {}\nserver: {addr: x}\n")
	s.log.await(t, path+`:2:1: operation: found a key that is not known, did you mean operations?`)
	if got := attempts(); got != "2" {
		t.Errorf("after a bad file: %s attempts, want 2 as before", got)
	}

	next := write(t, path+".new", "preset: simple\nlog_level: ERROR\noperations:\n  chat: {policy: {retry: {attempts: 1}}}\n")
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
	s.log.await(t, `chat: Retry.Attempts 2 -> 1`)
	if got := attempts(); got != "1" {
		t.Errorf("after a good file: %s attempts, want 1", got)
	}
}

// SIGHUP reads the file again though it has not changed.
func TestHangupReloads(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "key"), "secret")
	s := serve(t, "TRYSAIL_CONFIG="+write(t, filepath.Join(dir, "trysail.yaml"), "server: {api_key: {file: key}}"))
	if err := os.Remove(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.log.await(t, "server.api_key.file: found the file of a secret, but it cannot be read")
	write(t, filepath.Join(dir, "key"), "secret2")
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.log.await(t, "the configuration file is good again")
	s.log.await(t, "server.api_key, server.additional_api_keys")
	if strings.Contains(s.log.String(), "secret2") {
		t.Errorf("the log holds a key:\n%s", s.log)
	}
}
