package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/server/gateway"
)

const longKey = "sk-proj-0123456789abcdefghijABCDEFGHIJ"

// echo is a provider that repeats its key in headers and body of a good answer: a plain one with a length, one over the limit in pieces, or a stream.
func echo(t *testing.T, kind, pad string) (url string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		w.Header().Set("X-Echo", "key="+key)
		w.Header().Set("Content-Type", "application/json")
		text := fmt.Sprintf(`{"choices":[{"message":{"content":"%s %s%s"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`, pad, key, key)
		switch kind {
		case "plain":
			w.Header().Set("Content-Length", strconv.Itoa(len(text)))
			_, _ = io.WriteString(w, text)
		case "pieces":
			for _, piece := range []string{text[:len(pad)+60], text[len(pad)+60:]} {
				_, _ = io.WriteString(w, piece)
				_ = http.NewResponseController(w).Flush()
			}
		case "stream":
			w.Header().Set("Content-Type", "text/event-stream")
			for _, event := range []string{`{"choices":[{"delta":{"content":"yes ` + key + `"}}]}`, `{"choices":[{"delta":{},"finish_reason":"stop"}]}`, "[DONE]"} {
				text := "data: " + event + "\n\n"
				for _, piece := range []string{text[:len(text)/2], text[len(text)/2:]} {
					_, _ = io.WriteString(w, piece)
					_ = http.NewResponseController(w).Flush()
				}
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1"
}

// A key that a provider repeats in a good answer is asterisks for the client, as many as it has bytes. A short one is a word.
func TestEchoedKeys(t *testing.T) {
	for name, tc := range map[string]struct {
		kind, key string
		limit     int64 // of answers that are held back
		body      string
		hidden    bool
	}{
		"plain":                  {"plain", longKey, 0, plainBody, true},
		"too large to hold back": {"pieces", longKey, 40, plainBody, true},
		"a stream":               {"stream", longKey, 0, streamBody, true},
		"a word":                 {"plain", "ollama", 0, plainBody, false},
	} {
		t.Run(name, func(t *testing.T) {
			for pad := range 60 { // so that the borders of pieces go through all of the key
				if pad > 0 && tc.kind != "pieces" {
					break
				}
				r := newRig(t, func(c *gateway.Config) {
					c.Limits.Answer = tc.limit
					c.Plan = gateway.SingleTarget(gateway.Target{
						Name: "t", Protocol: gateway.OpenAIProtocol, BaseURL: echo(t, tc.kind, strings.Repeat("-", 90-pad)), Credentials: []gateway.Credential{{Key: tc.key}},
					})
				})
				got := r.do(t.Context(), http.MethodPost, "/v1/chat/completions", tc.body)
				whole := fmt.Sprint(got.header, got.body)
				if got.status != 200 || got.err != nil || strings.Contains(whole, tc.key) == tc.hidden {
					t.Fatalf("status %d, %v, %v %s; want the key hidden: %v", got.status, got.err, got.header, got.body, tc.hidden)
				}
				stars, n := strings.Repeat("*", len(tc.key)), map[string]int{"stream": 2}[tc.kind]
				if n == 0 {
					n = 3
				}
				if tc.hidden && strings.Count(whole, stars) != n {
					t.Errorf("%d times %q, want %d: %s", strings.Count(whole, stars), stars, n, whole)
				}
				if length := got.header.Get("Content-Length"); tc.kind == "plain" && length != strconv.Itoa(len(got.body)) {
					t.Errorf("Content-Length %s for %d bytes", length, len(got.body))
				}
			}
		})
	}
}
