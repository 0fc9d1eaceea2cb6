package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A change of the env file takes effect with SIGHUP; a bad one changes nothing, and the log says why.
func TestReloadOnHangup(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".env")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("RESILIENCE_PRESET=production\nAPI_KEY=from-the-file\n")
	s := serve(t, "TRYSAIL_ENV_FILE="+file)
	hangup := func(until string) {
		t.Helper()
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		s.log.await(t, until)
	}
	s.wantBreaker("production", 10, 120)

	write("RESILIENCE_PRESET=development\nRESILIENCE_CUSTOM_CONFIG='{\n  \"recovery_timeout\": 45\n}'\nSHOW_CONFIG_LOADING=true\n")
	hangup(`"version":2`)
	s.wantBreaker("the changed file", 3, 45)
	s.log.await(t, "resilience configuration: custom numbers: recovery_timeout")

	write("RESILIENCE_PRESET=prod\n")
	hangup("Invalid preset 'prod'. Available: ['simple', 'development', 'production']")
	s.wantBreaker("a bad preset", 3, 45)

	write("RESILIENCE_CUSTOM_CONFIG={\"retry_attempts\": 15}\n")
	hangup("retry_attempts must be between 1 and 10")
	s.wantBreaker("a bad custom configuration", 3, 45)

	write("RESILIENCE_PRESET='simple\nhunter2\n")
	hangup(file + ":1: the quote ' of RESILIENCE_PRESET is not closed")
	s.wantBreaker("a file that is none", 3, 45)

	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	hangup("no such file or directory")
	s.wantBreaker("no file", 3, 45)

	write("RESILIENCE_PRESET=simple\nLOG_LEVEL=debug\n")
	hangup(`"version":3`)
	s.wantBreaker("a good one again", 5, 60)
	s.log.await(t, `Breaker.RecoveryTimeout 45s -> 1m0s`)
	hangup("configuration is as before")
	s.wantAudited()
	if strings.Contains(s.log.String(), "hunter2") || strings.Contains(s.log.String(), "from-the-file") {
		t.Errorf("the log shows what may be a secret:\n%s", s.log)
	}
}

// wantAudited looks for the reloads that have changed something, and only those, in the audit log.
func (s *served) wantAudited() {
	s.t.Helper()
	resp, body := s.send("GET", "/internal/resilience/audit-log", "", "X-API-Key", "from-the-file")
	var log struct {
		Entries []struct {
			Who, What     string
			Before, After struct {
				Version int    `json:"config_version"`
				Preset  string `json:"preset_name"`
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &log); err != nil || resp.StatusCode != 200 {
		s.t.Fatalf("status %d, %v\n%s", resp.StatusCode, err, body)
	}
	var got []string
	for _, e := range log.Entries {
		got = append(got, fmt.Sprintf("%s %s %d %s -> %d %s", e.Who, e.What, e.Before.Version, e.Before.Preset, e.After.Version, e.After.Preset))
	}
	want := []string{"signal config.reload 2 development -> 3 simple", "signal config.reload 1 production -> 2 development"}
	if !slices.Equal(got, want) {
		s.t.Errorf("the audit log has %q, want %q", got, want)
	}
}

// wantBreaker looks at the numbers that the internal API shows. The key is that of the first file: keys stay.
func (s *served) wantBreaker(when string, threshold, recovery int) {
	s.t.Helper()
	resp, body := s.send("GET", "/internal/resilience/circuit-breakers/chat", "", "X-API-Key", "from-the-file")
	var b struct {
		Threshold int `json:"threshold"`
		Recovery  int `json:"recovery_timeout"`
	}
	if err := json.Unmarshal([]byte(body), &b); err != nil || resp.StatusCode != 200 {
		s.t.Fatalf("%s: status %d, %v\n%s", when, resp.StatusCode, err, body)
	}
	if b.Threshold != threshold || b.Recovery != recovery {
		s.t.Errorf("%s: threshold %d and recovery %d s, want %d and %d\n%s", when, b.Threshold, b.Recovery, threshold, recovery, s.log)
	}
}

// A bad custom configuration does not keep the program from starting.
func TestStartWithBadCustomConfiguration(t *testing.T) {
	s := serve(t, "API_KEY=from-the-file", "RESILIENCE_PRESET=production", `RESILIENCE_CUSTOM_CONFIG={"retry_attempts": 15,}`, "RETRY_MAX_DELAY=5")
	s.wantBreaker("the preset", 10, 120)
	for _, want := range []string{
		"custom configuration refused, the numbers below it stay", "Invalid JSON",
		"RETRY_MAX_DELAY is set but has no effect: RESILIENCE_PRESET goes before it", `"source":"fallback"`,
	} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, s.log)
		}
	}
}

// The file gives flags their variables; the environment and the command line go before it.
func TestEnvFileGivesFlags(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "other.env")
	content := "TRYSAIL_IDLE_TIMEOUT=1h\nTRYSAIL_ADDR=nowhere\nTRYSAIL_MAX_BODY=0\nRESILIENCE_PRESET=prod\n"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args    []string
		env     []string
		want    []string
		wantNot string
	}{
		"the file": {
			[]string{"--env-file", file},
			nil,
			[]string{"idle-timeout is 1h0m0s", `"nowhere"`, "max-body is 0", "Invalid preset 'prod'"},
			"no such",
		},
		"the environment first": {
			nil,
			[]string{"TRYSAIL_ENV_FILE=" + file, "TRYSAIL_IDLE_TIMEOUT=2h", "RESILIENCE_PRESET=simple"},
			[]string{"idle-timeout is 2h0m0s", "max-body is 0"},
			"Invalid preset",
		},
		"the command line first": {
			[]string{"--env-file=" + file, "--idle-timeout", "3h"},
			nil,
			[]string{"idle-timeout is 3h0m0s", "max-body is 0"},
			"is 1h",
		},
		"a file that is not there": {
			[]string{"--env-file", file + ".old", "--idle-timeout", "0s"},
			nil,
			[]string{"read the env file", "no such file or directory", "idle-timeout is 0s"},
			"max-body",
		},
		"none": {[]string{"--idle-timeout", "0s"}, []string{"TRYSAIL_ENV_FILE="}, []string{"idle-timeout is 0s"}, "env file"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := command(t, append([]string{"serve"}, tc.args...), tc.env...).CombinedOutput()
			if fmt.Sprint(err) != "exit status 2" {
				t.Errorf("it ended with %v, want exit status 2", err)
			}
			for _, want := range tc.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("it does not print %q:\n%s", want, out)
				}
			}
			if strings.Contains(string(out), tc.wantNot) {
				t.Errorf("it prints %q:\n%s", tc.wantNot, out)
			}
		})
	}
}

// Calls go on while the configuration is reloaded many times.
func TestReloadUnderTraffic(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "TRYSAIL_ENV_FILE="+file, "API_KEY=from-the-file", "TRYSAIL_SIMULATE_TOKEN_DELAY=0s")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 50 {
			content := fmt.Sprintf("RESILIENCE_CUSTOM_CONFIG={\"circuit_breaker_threshold\": %d}\n", 6+i%10)
			if err := os.WriteFile(file+".new", []byte(content), 0o600); err != nil {
				t.Error(err)
			}
			if err := os.Rename(file+".new", file); err != nil {
				t.Error(err)
			}
			_ = s.cmd.Process.Signal(syscall.SIGHUP)
			<-time.After(5 * time.Millisecond)
		}
	}()
	for calls := 0; ; calls++ {
		select {
		case <-done:
			if calls < 5 {
				t.Errorf("only %d calls were made", calls)
			}
			s.wantBreakerSoon(6 + 49%10)
			return
		default:
		}
		if resp, body := s.send("POST", "/v1/chat/completions", completionBody); resp.StatusCode != 200 {
			t.Fatalf("status %d\n%s\n%s", resp.StatusCode, body, s.log)
		}
	}
}

// wantBreakerSoon waits for the last of several signals to be heard.
func (s *served) wantBreakerSoon(threshold int) {
	s.t.Helper()
	want := fmt.Sprintf(`"threshold":%d,`, threshold)
	for tick := time.Tick(5 * time.Millisecond); ; <-tick {
		if _, body := s.send("GET", "/internal/resilience/circuit-breakers/chat", "", "X-API-Key", "from-the-file"); strings.Contains(body, want) {
			return
		}
		if s.t.Context().Err() != nil {
			s.t.Fatalf("the breaker never has %s\n%s", want, s.log)
		}
	}
}

// A custom configuration may name whatever operation is registered: at the start the gateway's own, at a reload those of the
// requests so far, too.
func TestOverrideOfARegisteredOperation(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), ".env"), `RESILIENCE_CUSTOM_CONFIG={"operation_overrides": {"chat": "critical"}}`+"\n")
	yaml := write(t, "", "preset: simple\n")
	s := serve(t, "TRYSAIL_ENV_FILE="+file, "TRYSAIL_CONFIG="+yaml, "API_KEY=from-the-file")
	s.wantBreaker("the start", 10, 300) // the numbers of critical

	write(t, file, "\n")
	write(t, yaml, "custom: {operation_overrides: {captain: aggressive}}\n")
	s.log.await(t, "operation_overrides")
	if strings.Contains(s.log.String(), `"version":2`) {
		t.Errorf("an operation that nobody has registered was taken:\n%s", s.log)
	}

	if resp, body := s.send("POST", "/v1/chat/completions", completionBody, "X-Trysail-Operation", "captain"); resp.StatusCode != 200 {
		t.Fatalf("status %d\n%s", resp.StatusCode, body)
	}
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.log.await(t, `"version":2`)
	s.log.await(t, "captain: Strategy balanced -> aggressive")
}
