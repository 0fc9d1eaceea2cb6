package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/trysail-go/trysail/server/store"
)

const internal = "/internal/resilience"

// ask makes a request to the internal API and decodes the answer.
func (s *served) ask(method, path, body string, into any) {
	s.t.Helper()
	headers := []string{"X-API-Key", "secret"}
	if body != "" {
		headers = append(headers, "Content-Type", "application/json")
	}
	resp, text := s.send(method, internal+path, body, headers...)
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s %s: status %d\n%s", method, path, resp.StatusCode, text)
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		s.t.Fatalf("%s %s: %v\n%s", method, path, err, text)
	}
}

// events returns the events that the program knows, oldest first.
func (s *served) events() []string {
	s.t.Helper()
	var export struct{ Data string }
	s.ask("GET", "/monitoring/export", "", &export)
	var events []json.RawMessage
	if err := json.Unmarshal([]byte(export.Data), &events); err != nil {
		s.t.Fatalf("%v\n%s", err, export.Data)
	}
	var all []string
	for _, e := range events {
		all = append(all, string(e))
	}
	return all
}

type listedVersion struct {
	Number  int    `json:"number"`
	Trigger string `json:"trigger"`
	Reason  string `json:"reason"`
}

// versions returns the versions, the newest first.
func (s *served) versions() []listedVersion {
	s.t.Helper()
	var list struct{ Versions []listedVersion }
	s.ask("GET", "/config/versions", "", &list)
	return list.Versions
}

// audited returns what the audit log has, the newest first.
func (s *served) audited() string {
	s.t.Helper()
	var log struct {
		Entries []struct {
			ID                int64
			Timestamp         time.Time
			Who, What, Target string
			Before, After     json.RawMessage
		}
	}
	s.ask("GET", "/audit-log", "", &log)
	var all []string
	for _, e := range log.Entries {
		all = append(all, fmt.Sprint(e.ID, e.Timestamp, " ", e.Who, " ", e.What, " ", e.Target, " ", string(e.Before), string(e.After)))
	}
	return strings.Join(all, "\n")
}

func (s *served) storeState() string {
	s.t.Helper()
	var health struct {
		Store struct{ State string }
	}
	s.ask("GET", "/health/detailed", "", &health)
	return health.Store.State
}

// end tells the program to stop and waits until it has.
func (s *served) end() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Fatalf("it ended with %v\n%s", err, s.log)
	}
}

// What was recorded, raised and put in force is there after a restart, and versions of before can be compared and rolled back to.
func TestHistoryOutlivesTheProgram(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by it")
	variables := write(t, filepath.Join(t.TempDir(), "variables"), "RESILIENCE_PRESET=development\n")
	env := []string{"API_KEY=secret", "TRYSAIL_ENV_FILE=" + variables, "TRYSAIL_DATA_DIR=" + dir}
	s := serve(t, env...)
	for range 3 {
		s.send("POST", "/v1/chat/completions", completionBody, "X-Trysail-Simulate", "500")
	}
	var done json.RawMessage
	s.ask("POST", "/config/reload", `{"custom_config":{"retry_attempts":7},"reason":"patience"}`, &done)
	s.ask("POST", "/circuit-breakers/chat/force-open", `{"reason":"maintenance"}`, &done)
	var run struct {
		Suite struct {
			ID string `json:"benchmark_id"`
		} `json:"benchmark_suite"`
	}
	s.ask("GET", "/performance/benchmark?iterations=1", "", &run)
	write(t, variables, "RESILIENCE_PRESET=nonesuch\n")
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.log.await(t, "Invalid preset 'nonesuch'")
	write(t, variables, "RESILIENCE_PRESET=development\n")
	var alerts, again struct {
		Alerts []json.RawMessage
	}
	s.ask("GET", "/monitoring/alerts", "", &alerts)
	events := s.events()
	if len(alerts.Alerts) == 0 || !strings.Contains(strings.Join(events, "\n"), "breaker_transition") {
		t.Fatalf("%d alerts and these events before the restart, want some, and a breaker's:\n%s", len(alerts.Alerts), strings.Join(events, "\n"))
	}
	audited := s.audited()
	if !strings.Contains(audited, "breaker.force_open chat") || !strings.Contains(audited, "config.reload") {
		t.Errorf("the audit log has %s", audited)
	}
	if state := s.storeState(); state != "disk" {
		t.Errorf("the store is in the state %s, want disk", state)
	}
	s.end()

	s = serve(t, env...)
	s.ask("GET", "/monitoring/alerts", "", &again)
	if got, want := fmt.Sprintf("%s", again.Alerts), fmt.Sprintf("%s", alerts.Alerts); got != want {
		t.Errorf("alerts after the restart\n%s\nwant\n%s", got, want)
	}
	if now := s.events(); len(now) < len(events) || !slices.Equal(now[:len(events)], events) {
		t.Errorf("events after the restart\n%s\nwant them to begin with\n%s", strings.Join(now, "\n"), strings.Join(events, "\n"))
	}
	if got := fmt.Sprint(s.versions()); got != "[{3 start } {2 api patience} {1 start }]" {
		t.Errorf("versions after the restart: %s", got)
	}
	if s.ask("GET", "/performance/history", "", &done); run.Suite.ID == "" || !strings.Contains(string(done), run.Suite.ID) {
		t.Errorf("the history of benchmarks lacks %q: %s", run.Suite.ID, done)
	}
	if got := s.audited(); got != audited {
		t.Errorf("the audit log after the restart has %s, want %s", got, audited)
	}
	var diff struct{ Changes []json.RawMessage }
	s.ask("GET", "/config/versions/2/diff", "", &diff)
	if text := fmt.Sprintf("%s", diff.Changes); !strings.Contains(text, "retry_attempts") {
		t.Errorf("the difference of versions 2 and 3 lacks retry_attempts: %s", text)
	}
	s.ask("POST", "/config/versions/2/rollback", `{}`, &done)
	if !strings.Contains(string(done), `"max_attempts":7`) {
		t.Errorf("the rollback to version 2: %s", done)
	}
	s.end()

	s = serve(t, env...) // the sources say what version 1 had, which has ended twice
	if got := fmt.Sprint(s.versions()); got != "[{5 start } {4 rollback } {3 start } {2 api patience} {1 start }]" {
		t.Errorf("versions after another restart: %s", got)
	}
	s.end()
	s = serve(t, env...)
	if got := s.versions(); len(got) != 5 {
		t.Errorf("a restart with the same configuration made a version: %v", got)
	}
}

func TestWithoutADataDirectoryNothingOutlivesTheProgram(t *testing.T) {
	s := serve(t, "API_KEY=secret")
	if n := strings.Count(s.log.String(), "end with the program"); n != 1 {
		t.Errorf("the log says so on %d lines, want 1\n%s", n, s.log)
	}
	if state := s.storeState(); state != "memory" {
		t.Errorf("the store is in the state %s, want memory", state)
	}
	if files, err := os.ReadDir(s.cmd.Dir); err != nil || len(files) != 0 {
		t.Errorf("it has made %v, %v, want nothing", files, err)
	}
}

// What was answered with success is there after kill -9 in the middle of it, and the program starts.
func TestKilledUnderLoad(t *testing.T) {
	env := []string{"API_KEY=secret", "TRYSAIL_DATA_DIR=" + t.TempDir(), "TRYSAIL_SIMULATE_TOKEN_DELAY=0s"}
	last := 0 // the newest version that was acknowledged
	for round := range 2 {
		s := serve(t, env...)
		if got := s.versions()[0].Number; got < last {
			t.Errorf("round %d begins with version %d, but %d was acknowledged", round, got, last)
		}
		var work sync.WaitGroup
		for range 3 {
			work.Go(func() { s.untilKilled("/v1/chat/completions", func(int) string { return completionBody }, nil) })
		}
		acknowledged := make(chan int)
		work.Go(func() {
			custom := func(i int) string { return fmt.Sprintf(`{"custom_config":{"retry_attempts":%d}}`, 4+(i+round)%2) }
			s.untilKilled(internal+"/config/reload", custom, acknowledged)
			close(acknowledged)
		})
		began := time.Now()
		for number := range acknowledged {
			last = max(last, number)
			if last >= 15*(round+1) && time.Since(began) > 4*storeEvery {
				_ = s.cmd.Process.Kill()
			}
		}
		work.Wait()
		_ = s.cmd.Wait() // says that it was killed
	}
	s := serve(t, env...)
	versions := s.versions()
	for i, v := range versions {
		if v.Number != versions[0].Number-i {
			t.Errorf("version %d at place %d of %v", v.Number, i, versions)
		}
	}
	if n := len(versions); versions[0].Number < last || n != 20 {
		t.Errorf("%d versions up to %d, want 20 and up to %d, which was acknowledged", n, versions[0].Number, last)
	}
	if log := s.audited(); !strings.Contains(log, fmt.Sprintf(`"config_version":%d`, last)) {
		t.Errorf("the audit log lacks version %d, which was acknowledged, and begins with\n%.400s", last, log)
	}
	changes := 0
	for _, e := range s.events() {
		if strings.Contains(e, `"config_change"`) {
			changes++
		}
	}
	if changes < last/4 { // all but those of the last moment before a kill
		t.Errorf("%d changes were recorded, want most of %d", changes, last)
	}
}

// untilKilled sends requests until they fail, and hands on the version that each answer names.
func (s *served) untilKilled(path string, body func(int) string, numbers chan<- int) {
	for i := 0; ; i++ {
		req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, strings.NewReader(body(i)))
		if err != nil {
			s.t.Error(err)
			return
		}
		req.Header.Set("X-API-Key", "secret")
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return // it is dead
		}
		var answer struct {
			Version int `json:"config_version"`
		}
		err = json.NewDecoder(resp.Body).Decode(&answer)
		_ = resp.Body.Close()
		switch {
		case numbers == nil || err != nil && s.t.Context().Err() == nil && resp.StatusCode == http.StatusOK: // not our business, or killed in mid-answer
		case resp.StatusCode != http.StatusOK || answer.Version == 0:
			s.t.Errorf("%s: status %d and version %d, want 200 and a number", path, resp.StatusCode, answer.Version)
			_ = s.cmd.Process.Kill()
			return
		default:
			numbers <- answer.Version
		}
	}
}

func TestDataDirectoriesThatAreNoGood(t *testing.T) {
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "file"), "x")
	taken := filepath.Join(dir, "taken")
	s := serve(t, "API_KEY=secret", "TRYSAIL_DATA_DIR="+taken)
	foreign := filepath.Join(dir, "foreign")
	makeForeign(t, foreign)
	yaml := write(t, filepath.Join(dir, "trysail.yaml"), "server:\n  data_dir: "+file+"\n")
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"a file":              {[]string{"--data-dir", file}, 2, "which is no directory, want one or a name that is free"},
		"a file, by the file": {[]string{"--config", yaml}, 2, "trysail.yaml:2"},
		"below a file":        {[]string{"--data-dir", filepath.Join(file, "x")}, 1, "want a directory"},
		"in use":              {[]string{"--data-dir", taken}, 1, "in use by another process: only one at a time may use it"},
		"another program's":   {[]string{"--data-dir", foreign}, 1, "the database of another program: choose another directory"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := command(t, append([]string{"serve", "--addr", "127.0.0.1:0"}, tc.args...)).CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != tc.code || !strings.Contains(string(out), tc.want) {
				t.Errorf("%v, want exit code %d with %q in:\n%s", err, tc.code, tc.want, out)
			}
		})
	}
	s.end()
}

// makeForeign makes a database that is not ours.
func makeForeign(t *testing.T, dir string) {
	t.Helper()
	kept, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := kept.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, store.FileName)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(content[68:], "gpkg") // the application ID: https://www.sqlite.org/fileformat2.html#the_database_header
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
