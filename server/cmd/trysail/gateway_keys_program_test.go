package main

import (
	"encoding/hex"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/trysail-go/trysail/server/gateway"
)

const (
	anthropicBody = `{"model":"claude","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`
	geminiBody    = `{"contents":[{"parts":[{"text":"hi"}]}]}`
	geminiPath    = "/v1beta/models/gemini-2.5-flash:generateContent"
)

// The real program with keys of clients: each protocol's way to bring one and to be told that it is no good, changes while it runs.
func TestServesClientsWithKeys(t *testing.T) {
	dir := t.TempDir()
	keyFile := write(t, filepath.Join(dir, "team-a"), keyOfA+"\n")
	hash := gateway.HashKey(keyOfB)
	const targets = "gateway:\n  targets:\n    o: {protocol: openai, simulated: true}\n    a: {protocol: anthropic, simulated: true}\n    g: {protocol: gemini, simulated: true}\n  keys:\n"
	const teamA = "    - {name: team-a, key: {file: team-a}}\n"
	teamB := "    - {name: team-b, operations: [chat], key: {sha256: " + hex.EncodeToString(hash[:]) + "}}\n"
	file := write(t, filepath.Join(dir, "trysail.yaml"), targets+teamA+teamB)
	s := serve(t, "TRYSAIL_CONFIG="+file, "TRYSAIL_SIMULATE_TOKEN_DELAY=0s")
	want := func(when string, status int, holds, method, path, body string, headers ...string) {
		t.Helper()
		resp, got := s.send(method, path, body, headers...)
		if resp.StatusCode != status || !strings.Contains(got, holds) {
			t.Errorf("%s: status %d, want %d with %q:\n%s", when, resp.StatusCode, status, holds, got)
		}
	}
	chat := func(when string, status int, holds string, headers ...string) {
		t.Helper()
		want(when, status, holds, "POST", "/v1/chat/completions", completionBody, headers...)
	}
	const openaiNo, anthropicNo, geminiNo = `"code":"invalid_api_key"`, `"type":"authentication_error"},"request_id":`, `"status":"UNAUTHENTICATED"`
	chat("a key from a file", 200, "choices", "Authorization", "Bearer "+keyOfA)
	chat("a key of which only the hash is known", 200, "choices", "Authorization", "Bearer "+keyOfB)
	want("Anthropic's place", 200, `"type":"message"`, "POST", "/v1/messages", anthropicBody, "Anthropic-Version", "2023-06-01", "X-Api-Key", keyOfA)
	want("Gemini's place", 200, "candidates", "POST", geminiPath, geminiBody, "X-Goog-Api-Key", keyOfA)
	chat("no key", 401, openaiNo)
	chat("a wrong key", 401, openaiNo, "Authorization", "Bearer tsk_guess")
	want("no key for Anthropic", 401, anthropicNo, "POST", "/v1/messages", anthropicBody, "Anthropic-Version", "2023-06-01")
	want("no key for Gemini", 401, geminiNo, "POST", geminiPath, geminiBody)
	chat("an operation that is not the key's", 403, `"code":"operation_not_allowed"`, "Authorization", "Bearer "+keyOfB, "X-Trysail-Operation", "other")
	chat("by another name, with a key", 200, "choices", "Host", "gateway.example", "Authorization", "Bearer "+keyOfA)
	chat("by another name, without", 401, openaiNo, "Host", "gateway.example")
	chat("from a page of others, without", 401, openaiNo, "Origin", "https://evil.example")
	want("the internal API is not the clients'", 403, "without a key this server answers only requests for localhost", "GET", "/internal/resilience/health", "",
		"Host", "gateway.example", "Authorization", "Bearer "+keyOfA)

	// Another key in the same file.
	const rotated = "tsk_hunter-c-0123456789"
	write(t, keyFile, rotated+"\n")
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.log.await(t, "gateway.keys.team-a.key [secret] -> [another secret]")
	chat("the old key", 401, openaiNo, "Authorization", "Bearer "+keyOfA)
	chat("the new key", 200, "choices", "Authorization", "Bearer "+rotated)

	// A bad file changes nothing.
	write(t, file, targets+teamA+"    - {name: team-b, key: "+keyOfB+"}\n")
	s.log.await(t, "trysail.yaml:8:27: gateway.keys[1].key: found a key in the file itself")
	chat("after a bad file", 200, "choices", "Authorization", "Bearer "+keyOfB)

	// Without keys every program of this machine may use it, as before; web pages may not.
	write(t, file, strings.TrimSuffix(targets, "  keys:\n"))
	s.log.await(t, "gateway.keys.team-b.key [secret] -> -")
	chat("no keys", 200, "choices")
	chat("no keys, by another name", 403, "without a key this server answers only requests for localhost", "Host", "gateway.example")
	for _, secret := range []string{"hunter", hex.EncodeToString(hash[:])} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log shows %q:\n%s", secret, s.log)
		}
	}
}

// Streams of a client whose key is taken away end as they began; the next request is refused.
func TestReloadOfKeysWhileRequestsRun(t *testing.T) {
	dir := t.TempDir()
	const head = "gateway:\n  targets: {o: {protocol: openai, simulated: true}}\n  keys:\n    - {name: b, key: '${B}'}\n"
	file := write(t, filepath.Join(dir, "trysail.yaml"), head+"    - {name: a, key: '${A}'}\n")
	s := serve(t, "TRYSAIL_CONFIG="+file, "A="+keyOfA, "B="+keyOfB, "TRYSAIL_SIMULATE_TOKEN_DELAY=100ms")
	const streams = 20
	first, gone := make(chan struct{}, streams), make(chan struct{})
	var running sync.WaitGroup
	for range streams {
		running.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/v1/chat/completions", strings.NewReader(strings.Replace(completionBody, "{", `{"stream":true,`, 1)))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Authorization", "Bearer "+keyOfA)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = resp.Body.Close() }()
			one := make([]byte, 1)
			_, err = io.ReadFull(resp.Body, one)
			first <- struct{}{}
			<-gone
			rest, errRest := io.ReadAll(resp.Body)
			if err != nil || errRest != nil || resp.StatusCode != 200 || !strings.HasSuffix(strings.TrimSpace(string(rest)), "data: [DONE]") {
				t.Errorf("status %d, %v, %v, the stream ends with %q", resp.StatusCode, err, errRest, tail(string(rest)))
			}
		})
	}
	for range streams {
		<-first
	}
	write(t, file, head)
	s.log.await(t, "gateway.keys.a.key [secret] -> -")
	close(gone)
	if resp, body := s.send("POST", "/v1/chat/completions", completionBody, "Authorization", "Bearer "+keyOfA); resp.StatusCode != 401 || !strings.Contains(body, `"code":"invalid_api_key"`) {
		t.Errorf("a key that is gone: status %d\n%s", resp.StatusCode, body)
	}
	if resp, body := s.send("POST", "/v1/chat/completions", completionBody, "Authorization", "Bearer "+keyOfB); resp.StatusCode != 200 {
		t.Errorf("a key that stays: status %d\n%s", resp.StatusCode, body)
	}
	running.Wait()
}

func tail(text string) string { return text[max(0, len(text)-100):] }

// Beyond this machine the internal API needs a key of its own, whatever clients have.
func TestKeysOfClientsAreNoneOfTheServer(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "trysail.yaml"), "server: {addr: '0.0.0.0:0'}\ngateway: {keys: [{name: a, key: '${A}'}]}\n")
	got := try{args: []string{"serve", "--config", file}, env: []string{"A=" + keyOfA}}.run(t)
	if got.code != 2 || !strings.Contains(got.stderr, "set API_KEY, or listen on 127.0.0.1; gateway.keys open the gateway, and the internal API needs a key of its own") {
		t.Errorf("without API_KEY: exit code %d\n%s", got.code, got.stderr)
	}
}
