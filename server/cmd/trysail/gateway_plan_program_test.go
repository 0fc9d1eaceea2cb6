package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// telling starts a provider that answers with its name and the key that it got.
func telling(t *testing.T, name string) (url string) {
	t.Helper()
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"id":"x","object":"chat.completion","model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"%s %s"}}]}`,
			name, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	}))
	t.Cleanup(provider.Close)
	return provider.URL + "/v1"
}

// The real program with a file of targets: they change while it runs, a file of a key changes, and a bad file changes nothing.
func TestServesTargetsOfAFile(t *testing.T) {
	dir := t.TempDir()
	key := write(t, filepath.Join(dir, "key"), "hunter1\n")
	north, south := telling(t, "north"), telling(t, "south")
	targets := "gateway:\n  targets:\n    north: {protocol: openai, base_url: " + north + ", api_key: {file: key}}\n" +
		"    south: {protocol: openai, base_url: " + south + "}\n    claude: {protocol: anthropic, simulated: true}\n"
	file := write(t, filepath.Join(dir, "trysail.yaml"), targets)
	s := serve(t, "TRYSAIL_CONFIG="+file, "TRYSAIL_SIMULATE_TOKEN_DELAY=0s")
	want := func(when, target, answer string) {
		t.Helper()
		resp, body := s.send("POST", "/v1/chat/completions", completionBody)
		if resp.StatusCode != 200 || resp.Header.Get("X-Trysail-Target") != target || !strings.Contains(body, answer) {
			t.Errorf("%s: status %d of %q, want 200 of %s, with %q:\n%s", when, resp.StatusCode, resp.Header.Get("X-Trysail-Target"), target, answer, body)
		}
	}
	want("the start", "north", "north hunter1")
	if resp, body := s.send("POST", "/v1/messages", `{"model":"claude","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`, "Anthropic-Version", "2023-06-01"); resp.StatusCode != 200 ||
		resp.Header.Get("X-Trysail-Target") != "claude" || !strings.Contains(body, `"type":"message"`) {
		t.Errorf("Anthropic's protocol: status %d\n%s", resp.StatusCode, body)
	}

	// A new key in the same file.
	write(t, key, "hunter2\n")
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.log.await(t, "gateway.targets.north.credentials[0] [secret] -> [another secret]")
	want("the new key", "north", "north hunter2")

	// A bad file, with its line.
	write(t, file, targets+"  routes: [{targets: [nort]}]\n")
	s.log.await(t, `trysail.yaml:6:23: gateway.routes[0].targets[0]: found the target \"nort\", which is not known, want north, south or claude`)
	want("a bad file", "north", "north hunter2")

	// A good one.
	write(t, file, targets+"  routes: [{targets: [south]}]\n")
	s.log.await(t, "gateway.routes.route-1.targets - -> south (priority 0)")
	want("a route", "south", "south")

	// The server itself.
	write(t, file, strings.Replace(targets, south, s.url+"/v1", 1))
	s.log.await(t, "which is this server itself")
	want("the server itself", "south", "south")

	// A target that leaves while a file of a key is gone.
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	write(t, file, targets)
	s.log.await(t, "gateway.targets.north.api_key.file: found the file of a secret, but it cannot be read")
	want("no key", "south", "south")
	if strings.Contains(s.log.String(), "hunter") {
		t.Errorf("the log shows a key:\n%s", s.log)
	}
}
