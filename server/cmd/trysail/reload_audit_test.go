package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// authors returns who made the changes that the audit log has, the newest first.
func (s *served) authors() string {
	s.t.Helper()
	var log struct{ Entries []struct{ Who, What string } }
	s.ask("GET", "/audit-log", "", &log)
	var all []string
	for _, e := range log.Entries {
		all = append(all, e.Who+" "+e.What)
	}
	return strings.Join(all, ", ")
}

// The audit log tells apart who had the configuration reloaded, also where a configuration file is watched: a change of the file, a signal, a
// request. A reload that somebody has asked for and that fails is told once.
func TestAuthorsOfReloads(t *testing.T) {
	variables := write(t, filepath.Join(t.TempDir(), "variables"), "\n")
	file := write(t, "", "preset: simple\ncustom: {retry_attempts: 3}\n")
	s := serve(t, "API_KEY=secret", "TRYSAIL_ENV_FILE="+variables, "TRYSAIL_CONFIG="+file)
	hangup := func(until string) {
		t.Helper()
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		s.log.await(t, until)
	}
	write(t, file, "preset: simple\ncustom: {retry_attempts: 4}\n")
	s.log.await(t, `"version":2,"trigger":"file"`)
	write(t, variables, "RESILIENCE_PRESET=production\n") // not the file: only a signal has it read
	hangup(`"version":3,"trigger":"sighup"`)
	var done json.RawMessage
	s.ask("POST", "/config/reload", `{"preset":"development"}`, &done)
	hangup(`"version":5,"trigger":"sighup"`) // back to what the sources say
	want := "signal config.reload, admin-1 config.reload, signal config.reload, file config.reload"
	if got := s.authors(); got != want {
		t.Errorf("the audit log has %s, want %s", got, want)
	}

	write(t, variables, "RESILIENCE_PRESET=nonesuch\n")
	hangup("Invalid preset 'nonesuch'")
	write(t, variables, "RESILIENCE_PRESET=simple\n")
	hangup(`"version":6,"trigger":"sighup"`)
	failed := 0
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, "nonesuch") {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%d lines of the log tell of the reload that failed, want 1\n%s", failed, s.log)
	}
}
