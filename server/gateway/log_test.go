package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/server/gateway"
)

const traced = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// What the lines of the log look like, for all that can become of a request.
func TestAccessLog(t *testing.T) {
	usage := strings.Replace(streamBody, `"stream":true`, `"stream":true,"stream_options":{"include_usage":true}`, 1)
	cases := []struct {
		name    string
		scripts []string
		body    string
		headers []string
		change  func(*gateway.Config)
	}{
		{"plain", []string{"ok"}, plainBody, nil, nil},
		{"retried", []string{"500,ok"}, plainBody, []string{"X-Trysail-Operation", "billing"}, nil},
		{"failed-over", []string{"503", "ok"}, plainBody, nil, nil},
		{"second-key", []string{"auth,ok"}, plainBody, nil, func(c *gateway.Config) {
			c.Plan.Targets[0].Credentials = append(c.Plan.Targets[0].Credentials, gateway.Credential{Name: "spare", Key: "key-spare"})
		}},
		{"routed", []string{"ok", "ok"}, plainBody, nil, func(c *gateway.Config) {
			c.Plan.Routes = []gateway.Route{{Name: "main", Targets: []gateway.RouteTarget{{Target: "b"}}}}
		}},
		{"stream", []string{"ok"}, usage, nil, nil},
		{"stream-without-usage", []string{"ok"}, streamBody, nil, nil},
		{"stream-cut", []string{"cut:3"}, streamBody, nil, nil},
		{"stream-error", []string{"error:3"}, streamBody, nil, nil},
		{"stream-before-first-token", []string{"cut:0", "ok"}, usage, nil, nil},
		{"mistake", []string{"400"}, plainBody, nil, nil},
		{"not-JSON", []string{"ok"}, `{"model":`, nil, nil},
		{"no-price", []string{"ok"}, plainBody, nil, func(c *gateway.Config) { c.Plan.Targets[0].Price = gateway.Price{} }},
		{"with-body", []string{"ok"}, plainBody, nil, func(c *gateway.Config) { c.LogBody = 20 }},
	}
	var lines strings.Builder
	for _, tc := range cases {
		var book logbook
		f := newFleet(t, tc.scripts, func(c *gateway.Config) {
			book.keep(c)
			for i := range c.Plan.Targets {
				c.Plan.Targets[i].Price = gateway.Price{Input: 2, CachedInput: 0.5, Output: 8}
			}
			if tc.change != nil {
				tc.change(c)
			}
		})
		f.chat(tc.body, append(tc.headers, "X-Request-Id", tc.name, "Traceparent", traced)...)
		lines.WriteString(steady(book.line(t, tc.name)))
	}
	golden(t, "access_log.txt", lines.String())
}

// A client that leaves is in the log with what it has been sent.
func TestAccessLogOfAClientThatLeaves(t *testing.T) {
	var book logbook
	f := newFleet(t, []string{"stall:3"}, book.keep)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url+"/v1/chat/completions", strings.NewReader(streamBody))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Request-Id", "leaver")
	resp, err := f.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := resp.Body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	cancel()
	line := book.line(t, "leaver")
	for _, want := range []string{"outcome=client_gone", "stream=client_gone", "trail=a:canceled", "estimated=true", "output_tokens="} {
		if !strings.Contains(line, want) {
			t.Errorf("the line lacks %s: %s", want, line)
		}
	}
}

// No key is in the log, whichever way it takes: of the gateway, of a provider, of a client, in a header or in the address.
func TestNoKeyInTheLog(t *testing.T) {
	var book logbook
	change := func(c *gateway.Config) {
		book.keep(c)
		c.OwnKey = func(s string) bool { return s == "secret-own" }
		c.Plan.Targets[0].Credentials[0].Key = "secret-provider"
		c.Plan.Targets = append(c.Plan.Targets, gateway.Target{Name: "g", Protocol: gateway.GeminiProtocol, BaseURL: "http://127.0.0.1:1"})
	}
	f := newFleet(t, []string{"auth,500,ok"}, change)
	headers := []string{"Authorization", "Bearer secret-own", "X-Api-Key", "secret-client", "X-Goog-Api-Key", "secret-client", "X-Request-Id"}
	for i := range 3 {
		id := fmt.Sprintf("chat-%d", i)
		f.chat(plainBody, append(headers, id)...)
		book.line(t, id)
	}
	f.do(t.Context(), http.MethodPost, "/v1beta/models/m:generateContent?key=secret-client&alt=sse", geminiBody, append(headers, "gemini")...)
	if line := book.line(t, "gemini"); !strings.Contains(line, "status=502") {
		t.Errorf("a provider that cannot be reached: %s", line)
	}
	if text := book.String(); strings.Contains(text, "secret") || strings.Contains(text, "wind") {
		t.Errorf("the log holds a key or a prompt:\n%s", text)
	}
}

func TestLogBodyWarns(t *testing.T) {
	var book logbook
	newFleet(t, []string{"ok"}, func(c *gateway.Config) {
		book.keep(c)
		c.LogBody = 1
	})
	if text := book.String(); !strings.Contains(text, "level=WARN") || !strings.Contains(text, "body") {
		t.Errorf("the log at the start is %q, want a warning that bodies are in it", text)
	}
	cfg := gateway.Config{Plan: planOf("http://localhost/v1"), LogBody: 65537}
	if _, err := gateway.New(cfg); err == nil || !strings.Contains(err.Error(), "LogBody is 65537, want 0 to 65536 bytes") {
		t.Errorf("New = %v, want an error about LogBody", err)
	}
}
