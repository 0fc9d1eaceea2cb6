package llm_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
	"github.com/trysail-go/trysail/trysailtest"
)

// A bench is a client whose requests go through a transport to a simulated provider.
type bench struct {
	t        *testing.T
	provider *trysailtest.ProviderServer
	op       *trysail.Operation
	rt       *llm.Transport
	path     string // of the requests

	mu   sync.Mutex // guards seen
	seen []llm.Exchange
}

// newBench returns a bench whose operation waits for nothing but what servers ask for.
func newBench(t *testing.T, change func(*trysail.Policy)) *bench {
	t.Helper()
	provider, err := trysailtest.StartProvider(trysailtest.ProviderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = provider.Close() })
	policy := trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone, NoJitter: true}}
	if change != nil {
		change(&policy)
	}
	orc, err := trysail.New(trysail.Config{Default: policy})
	if err != nil {
		t.Fatal(err)
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(base.CloseIdleConnections)
	b := &bench{t: t, provider: provider, op: orc.Operation("chat"), path: "/v1/chat/completions"}
	b.rt = &llm.Transport{Operation: b.op, Base: base, AttemptHeader: "X-Trysail-Attempt", Observe: func(e llm.Exchange) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.seen = append(b.seen, e)
	}}
	return b
}

const (
	plain  = `{"model":"m","messages":[{"role":"user","content":"hello"}]}`
	stream = `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hello"}]}`
)

// post sends a request under a script, and reads the answer.
func (b *bench) post(ctx context.Context, script, body string) (status int, answer string, err error) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.provider.Origin+b.path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("X-Trysail-Simulate", script)
	resp, err := (&http.Client{Transport: b.rt}).Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	read, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(read), err
}

func (b *bench) exchanges() []llm.Exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]llm.Exchange(nil), b.seen...)
}

func TestTransport(t *testing.T) {
	for name, tc := range map[string]struct {
		script   string
		status   int // 0: an error
		attempts int
		class    trysail.Class
		failed   bool
	}{
		"a good answer":                   {"ok", 200, 1, 0, false},
		"two faults":                      {"500, 500, ok", 200, 3, 0, false},
		"faults for ever":                 {"500", 500, 3, trysail.ClassTransient, true},
		"a rate limit":                    {"429:0.01, ok", 200, 2, 0, false},
		"no capacity":                     {"overloaded, ok", 200, 2, 0, false},
		"a quota that is used up":         {"quota", 429, 1, trysail.ClassQuotaExhausted, true},
		"a bad key":                       {"auth", 401, 1, trysail.ClassPermanent, true},
		"a long prompt":                   {"context-length", 400, 1, trysail.ClassContextLength, true},
		"a reset connection":              {"reset, ok", 200, 2, 0, false},
		"a reset for ever":                {"reset", 0, 2, trysail.ClassTransient, true},
		"a body that is cut":              {"cut:5, ok", 200, 2, 0, false},
		"not what the length says":        {"short, ok", 200, 2, 0, false},
		"a web page":                      {"html, ok", 200, 2, 0, false},
		"a web page for ever":             {"html", 0, 2, trysail.ClassTransient, true},
		"no JSON":                         {"garbage, ok", 200, 2, 0, false},
		"half of a document":              {"end:5, ok", 200, 2, 0, false},
		"a filter":                        {"content-policy", 400, 1, trysail.ClassContentPolicy, true},
		"a server that must not be asked": {"rate-limit:1ms:should-not-retry", 429, 1, trysail.ClassRateLimited, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			status, answer, err := b.post(t.Context(), tc.script, plain)
			if status != tc.status || (err != nil) != (tc.status == 0) {
				t.Errorf("status %d, %v (%.80s); want %d", status, err, answer, tc.status)
			}
			seen := b.exchanges()
			if len(seen) != 1 || seen[0].Attempts != tc.attempts || (seen[0].Err != nil) != tc.failed || b.provider.Total() != tc.attempts {
				t.Fatalf("seen %+v with %d requests, want %d attempts", seen, b.provider.Total(), tc.attempts)
			}
			if tc.failed && seen[0].Verdict.Class != tc.class {
				t.Errorf("verdict %+v, want class %v", seen[0].Verdict, tc.class)
			}
			if !tc.failed && (seen[0].Usage.Input == 0 || seen[0].Usage.Output == 0 || seen[0].RequestID == "") {
				t.Errorf("seen %+v, want usage and request id", seen[0])
			}
		})
	}
}

func TestTransportStreams(t *testing.T) {
	for name, tc := range map[string]struct {
		script   string
		status   int
		attempts int
		err      error // at the end of the stream
	}{
		"a good one":                         {"ok", 200, 1, nil},
		"an error before the first token":    {"error:0, ok", 200, 2, nil},
		"a cut before the first token":       {"cut:0, ok", 200, 2, nil},
		"a clean end before the first token": {"end:0, ok", 200, 2, nil},
		"a clean end after it":               {"end:5, ok", 200, 1, llm.ErrTruncated},
		"a cut after it":                     {"cut:5, ok", 200, 1, io.ErrUnexpectedEOF},
		"a status":                           {"503, ok", 200, 2, nil},
		"a web page":                         {"html, ok", 200, 2, nil},
		"a web page for ever":                {"html", 0, 2, llm.ErrNotJSON},
		"an error for ever":                  {"error:0", 502, 3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			status, answer, err := b.post(t.Context(), tc.script, stream)
			if status != tc.status || !errors.Is(err, tc.err) {
				t.Errorf("status %d, %v (%.80s); want %d and %v", status, err, answer, tc.status, tc.err)
			}
			seen := b.exchanges()
			if len(seen) != 1 || seen[0].Attempts != tc.attempts {
				t.Fatalf("seen %+v, want %d attempts", seen, tc.attempts)
			}
			failures := b.op.Breaker().Snapshot().Failures
			if bad := tc.err != nil || tc.status != 200; (failures == 1) != bad || (seen[0].Err != nil) != bad {
				t.Errorf("seen %+v and %d failures, want the outcome told at the end", seen[0], failures)
			}
			if tc.err == nil && tc.status == 200 && (seen[0].Usage.Output == 0 || seen[0].FirstToken <= 0 || seen[0].Took < seen[0].FirstToken) {
				t.Errorf("seen %+v, want usage and times", seen[0])
			}
		})
	}
}

// An error inside a stream, before the first token, gets the status and the form that it has without one.
func TestTransportErrorInsideStream(t *testing.T) {
	for name, tc := range map[string]struct {
		path, script string
		status       int
		body         string // a part of it
	}{
		"OpenAI's chat":           {"/v1/chat/completions", "error:0:auth", 401, `"code":"invalid_api_key"`},
		"as OpenRouter":           {"/v1/chat/completions", "error:0:quota:chunk", 429, `"error":{"code":429`},
		"as vLLM":                 {"/v1/chat/completions", "error:0:model-not-found:done", 404, `"code":"model_not_found"`},
		"OpenAI's responses":      {"/v1/responses", "error:0:overloaded", 503, `{"error":{"message":"The service`},
		"responses, nested":       {"/v1/responses", "error:0:quota:nested", 429, `"type":"insufficient_quota","code":"insufficient_quota"`},
		"responses, as they fail": {"/v1/responses", "error:0:auth:failed", 401, `"code":"invalid_api_key"}}`},
		"Anthropic":               {"/v1/messages", "error:0:overloaded", 529, `"type":"overloaded_error"`},
		"Anthropic's key":         {"/v1/messages", "error:0:auth", 401, `"type":"authentication_error"`},
		"Gemini":                  {"/v1beta/models/m:streamGenerateContent?alt=sse", "error:0:quota", 429, `"status":"RESOURCE_EXHAUSTED"`},
		"Gemini's array":          {"/v1beta/models/m:streamGenerateContent", "error:0:overloaded", 503, `"status":"UNAVAILABLE"`},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.path = tc.path
			body := strings.Replace(stream, `"messages"`, `"max_tokens":9,"input":"hello","contents":[{"parts":[{"text":"hello"}]}],"messages"`, 1)
			status, answer, err := b.post(t.Context(), tc.script, body)
			if status != tc.status || err != nil || !strings.Contains(answer, tc.body) {
				t.Errorf("status %d, %v, %s; want %d and %s", status, err, answer, tc.status, tc.body)
			}
		})
	}
}

// Who leaves a stream leaves the breaker alone, and the provider hears of it.
func TestTransportCallerLeaves(t *testing.T) {
	b := newBench(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, _, err := b.post(ctx, "stall:3", stream)
	if !errors.Is(err, context.Canceled) || b.op.Breaker().Snapshot().Failures != 0 {
		t.Errorf("post() = %v with %d failures, want the caller's end, and no failure", err, b.op.Breaker().Snapshot().Failures)
	}
	if seen := b.exchanges(); len(seen) != 1 || seen[0].Verdict.Class != trysail.ClassCanceled {
		t.Errorf("seen %+v, want one that was canceled", seen)
	}
}

// What is no answer of a provider is passed on as it comes.
func TestTransportPassesOn(t *testing.T) {
	for name, tc := range map[string]struct {
		method, path, kind string
		status             int
	}{
		"a redirection":                   {http.MethodPost, "/v1/chat/completions", "text/html", 307},
		"a WebSocket":                     {http.MethodGet, "/v1/responses", "", 101},
		"a file":                          {http.MethodGet, "/v1/files/f/content", "text/html", 200},
		"a page that one wants":           {http.MethodGet, "/v1/completions", "text/html", 200},
		"an event stream by another name": {http.MethodPost, "/v1/chat/completions", "text/plain", 200},
	} {
		t.Run(name, func(t *testing.T) {
			body := &watchedBody{Reader: strings.NewReader("<html>")}
			b := newBench(t, nil)
			b.rt.Base = roundTrip(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: tc.status, Header: http.Header{"Content-Type": {tc.kind}}, Body: body, Request: r}, nil
			})
			r, err := http.NewRequestWithContext(t.Context(), tc.method, "http://provider"+tc.path, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := b.rt.RoundTrip(r)
			if err != nil || resp.StatusCode != tc.status {
				t.Fatalf("RoundTrip() = %+v, %v; want status %d", resp, err, tc.status)
			}
			if tc.status != http.StatusOK && body.read {
				t.Error("the body was read, which may have no end")
			}
			if read, err := io.ReadAll(resp.Body); string(read) != "<html>" || err != nil {
				t.Errorf("the body is %q, %v", read, err)
			}
			_ = resp.Body.Close()
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A watchedBody remembers whether it was read.
type watchedBody struct {
	*strings.Reader
	read bool
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.read = true
	return b.Reader.Read(p)
}

func (*watchedBody) Close() error { return nil }
