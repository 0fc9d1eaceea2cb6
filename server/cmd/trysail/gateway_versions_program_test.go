package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// reloaded is what the internal API answers to a reload and a rollback.
type reloaded struct {
	Changed  bool
	Version  int `json:"config_version"`
	Changes  []struct{ Field, Old, New string }
	Warnings []string
}

func (r *reloaded) lines() string {
	lines := make([]string, len(r.Changes))
	for i, c := range r.Changes {
		lines[i] = fmt.Sprintf("%s %q %q", c.Field, c.Old, c.New)
	}
	return strings.Join(lines, "\n")
}

// wantWay sends a request with a client's key and wants the target and the provider's key that it went with.
func (s *served) wantWay(when, client string, status int, way string) {
	s.t.Helper()
	resp, body := s.send("POST", "/v1/chat/completions", completionBody, "Authorization", "Bearer "+client)
	if resp.StatusCode != status || !strings.Contains(body, way) {
		s.t.Errorf("%s: status %d, want %d and %q\n%s", when, resp.StatusCode, status, way, body)
	}
}

// wantNoSecret looks for secrets in all that the program has stored, and has in its versions and its audit log.
func (s *served) wantNoSecret(dir string) {
	s.t.Helper()
	texts := map[string]string{"the log": s.log.String(), "the audit log": s.audited()}
	for _, v := range s.versions() {
		var diff json.RawMessage
		s.ask("GET", fmt.Sprintf("/config/versions/%d/diff", v.Number), "", &diff)
		texts[fmt.Sprintf("the difference of version %d", v.Number)] = string(diff)
	}
	if err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, path))
		texts["the file "+path] = string(content)
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	for where, text := range texts {
		if i := strings.Index(text, "hunter"); i >= 0 {
			s.t.Errorf("%s holds a secret: %q", where, text[max(0, i-100):min(len(text), i+40)])
		}
	}
}

// A change of the gateway alone is a version: answered, audited, compared, gone back to, also after a restart, and without a secret in anything.
func TestVersionsOfTheGateway(t *testing.T) {
	dir, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	north, south := telling(t, "north"), telling(t, "south")
	provider, clients := write(t, filepath.Join(dir, "provider"), "hunter1\n"), write(t, filepath.Join(dir, "client"), keyOfA+"\n")
	head := "gateway:\n  targets:\n    north: {protocol: openai, base_url: " + north + ", api_key: {file: provider}}\n    south: {protocol: openai, base_url: " + south + "}\n"
	const keys = "  keys: [{name: a, key: {file: client}}, {name: b, key: '${B}', targets: [south]}]\n"
	file := write(t, filepath.Join(dir, "trysail.yaml"), head+keys)
	env := []string{"API_KEY=secret", "TRYSAIL_CONFIG=" + file, "TRYSAIL_DATA_DIR=" + data, "B=" + keyOfB}
	s := serve(t, env...)
	s.wantWay("the start", keyOfA, 200, "north hunter1")

	// By the file: another route, and a key less.
	write(t, file, head+"  routes: [{name: all, targets: [south]}]\n"+strings.Replace(keys, "{name: a, key: {file: client}}, ", "", 1))
	s.log.await(t, `"msg":"configuration reloaded","version":2,"trigger":"file"`)
	s.wantWay("another route", keyOfB, 200, "south")
	s.wantWay("a key less", keyOfA, 401, "invalid_api_key")
	if got := s.audited(); !strings.Contains(got, " file config.reload ") || !strings.Contains(got, `"gateway.routes.all.targets":"south (priority 0)"`) || !strings.Contains(got, `"gateway.keys.a.key":"[secret]"`) {
		t.Errorf("the audit log has\n%s", got)
	}

	// By the API: back to the keys of before, with another key of the provider.
	write(t, file, head+keys)
	s.log.await(t, `"version":3,"trigger":"file"`)
	write(t, provider, "hunter2\n")
	var done reloaded
	s.ask("POST", "/config/reload", `{"dry_run": true}`, &done)
	if !done.Changed || done.Version != 3 {
		t.Errorf("a dry run answers %+v", done)
	}
	s.wantWay("a dry run", keyOfA, 200, "north hunter1")
	s.ask("POST", "/config/reload", `{}`, &done)
	if want := `gateway.targets.north.credentials[0] "[secret]" "[another secret]"`; !done.Changed || done.Version != 4 || done.lines() != want {
		t.Errorf("a key alone: %+v\n%s\nwant\n%s", done, done.lines(), want)
	}
	if got := s.audited(); !strings.Contains(got, `admin-1 config.reload  {"config_version":3`) || !strings.Contains(got, `"gateway.targets.north.credentials[0]":"[another secret]"`) {
		t.Errorf("the audit log has\n%s", got)
	}
	s.ask("POST", "/config/reload", `{}`, &done)
	if done.Changed || done.Version != 4 {
		t.Errorf("the same again: %+v", done)
	}

	// Back, with the provider's key of now.
	s.ask("POST", "/config/versions/2/rollback", `{"reason":"south is cheaper"}`, &done)
	if !done.Changed || done.Version != 5 || len(done.Warnings) != 0 || !strings.Contains(done.lines(), `gateway.routes.all.targets "" "south (priority 0)"`) {
		t.Errorf("a rollback: %+v", done)
	}
	s.wantWay("a rollback", keyOfB, 200, "south")
	s.wantWay("a rollback, a key less", keyOfA, 401, "invalid_api_key")
	s.ask("POST", "/config/versions/1/rollback", `{}`, &done)
	s.wantWay("another rollback", keyOfA, 200, "north hunter2")
	if got := s.audited(); !strings.Contains(got, `admin-1 config.rollback `) || !strings.Contains(got, `"rollback_of":2`) {
		t.Errorf("the audit log has\n%s", got)
	}

	// A key that is gone: nothing changes, and the answer says why.
	if err := os.Remove(clients); err != nil {
		t.Fatal(err)
	}
	resp, body := s.send("POST", internal+"/config/versions/3/rollback", `{}`, "X-API-Key", "secret", "Content-Type", "application/json")
	if resp.StatusCode != 409 || !strings.Contains(body, "restore version 3: gateway.keys.a.key: the file client: it cannot be read") {
		t.Errorf("a file that is gone: status %d\n%s", resp.StatusCode, body)
	}
	s.wantWay("a rollback that failed", keyOfA, 200, "north hunter2")
	s.wantNoSecret(data)
	write(t, clients, keyOfA+"\n")
	s.end()

	// Another process: the versions are there, and can be gone back to.
	s = serve(t, env...)
	before := len(s.versions())
	s.wantWay("the restart", keyOfA, 200, "north hunter2")
	s.ask("POST", "/config/versions/2/rollback", `{}`, &done)
	if !done.Changed || len(s.versions()) != before+1 || !strings.Contains(done.lines(), `gateway.keys.a.key "[secret]" ""`) {
		t.Errorf("a rollback to a version of before: %+v, %d versions, want one more than %d", done, len(s.versions()), before)
	}
	s.wantWay("a rollback to a version of before", keyOfB, 200, "south")
	s.wantWay("a rollback to a version of before, a key less", keyOfA, 401, "invalid_api_key")
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil { // the sources again
		t.Fatal(err)
	}
	s.log.await(t, `"trigger":"sighup"`)
	s.wantWay("the file again", keyOfA, 200, "north hunter2")
	s.wantNoSecret(data)
}
