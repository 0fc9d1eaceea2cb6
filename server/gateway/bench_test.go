package gateway_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// BenchmarkPlain measures what the gateway itself does for a plain answer, without any network.
func BenchmarkPlain(b *testing.B) {
	const words = "The quick brown fox jumps over the lazy dog, and then it sleeps in the sun. "
	question := `{"model":"gpt-4o-mini","temperature":0.7,"messages":[{"role":"user","content":"` + strings.Repeat(words, 11) + `"}]}`
	answer := `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4o-mini","choices":[{"index":0,"message":` +
		`{"role":"assistant","content":"` + strings.Repeat(words, 8) + `"},"finish_reason":"stop"}],"usage":{"prompt_tokens":212,"completion_tokens":140,"total_tokens":352}}`
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		b.Fatal(err)
	}
	gw, err := gateway.New(gateway.Config{
		Orchestrator: orc, Logger: slog.New(slog.NewJSONHandler(null, nil)), Transport: answers(answer),
		Plan: gateway.SingleTarget(gateway.Target{
			Name: "openai", Protocol: gateway.OpenAIProtocol, BaseURL: "http://127.0.0.1:1/v1", Credentials: []gateway.Credential{{Key: "sk-bench"}},
		}),
	})
	if err != nil {
		b.Fatal(err)
	}
	header := http.Header{
		"Content-Type": {"application/json"}, "Accept": {"application/json"}, "Authorization": {"Bearer sk-client"},
		"User-Agent": {"OpenAI/Python 2.8.1"}, "X-Stainless-Lang": {"python"}, "X-Stainless-Retry-Count": {"0"},
	}
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/v1/chat/completions", strings.NewReader(question))
		r.Header = header
		w := discarding{header: http.Header{}}
		gw.ServeHTTP(&w, r)
		if w.status != http.StatusOK || w.bytes != len(answer) {
			b.Fatalf("status %d, %d bytes", w.status, w.bytes)
		}
	}
}

// answers is a transport that has the answer already.
type answers string

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(a)), Request: r,
		Header: http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"req_1"}},
		Body:   io.NopCloser(bytes.NewReader([]byte(a))),
	}, nil
}

// discarding counts what it is given.
type discarding struct {
	header        http.Header
	status, bytes int
}

func (d *discarding) Header() http.Header         { return d.header }
func (d *discarding) WriteHeader(status int)      { d.status = status }
func (d *discarding) Write(p []byte) (int, error) { d.bytes += len(p); return len(p), nil }
func (d *discarding) Flush()                      {}
