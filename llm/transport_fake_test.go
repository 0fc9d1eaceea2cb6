package llm_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// A fake is a provider in memory: each attempt is answered by the next of its functions, the last
// one again and again.
type fake struct {
	t       *testing.T
	rt      *llm.Transport
	op      *trysail.Operation
	answers []func(*http.Request) (*http.Response, error)
	open    atomic.Int64 // bodies of answers that are not closed

	mu   sync.Mutex // guards the rest
	sent []*http.Request
	read []string // the bodies of sent
	seen []llm.Exchange
}

func newFake(t *testing.T, policy trysail.Policy, answers ...func(*http.Request) (*http.Response, error)) *fake {
	t.Helper()
	policy.Retry.Backoff, policy.Retry.NoJitter = trysail.BackoffNone, true
	orc, err := trysail.New(trysail.Config{Default: policy})
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{t: t, op: orc.Operation("chat"), answers: answers}
	f.rt = &llm.Transport{Operation: f.op, Base: f, Observe: func(e llm.Exchange) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.seen = append(f.seen, e)
	}}
	return f
}

// RoundTrip answers.
func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	f.mu.Lock()
	f.sent, f.read = append(f.sent, r), append(f.read, string(body))
	answer := f.answers[min(len(f.sent), len(f.answers))-1]
	f.mu.Unlock()
	resp, err := answer(r)
	if resp != nil && resp.Body != nil {
		f.open.Add(1)
		resp.Body = &counted{ReadCloser: resp.Body, open: &f.open}
	}
	return resp, err
}

// counted is a body whose closing is counted, once.
type counted struct {
	io.ReadCloser
	open *atomic.Int64
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.ReadCloser.Close()
}

// says returns an answer; a kind is its content type, JSON if empty.
func says(status int, kind, body string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		if kind == "" {
			kind = "application/json"
		}
		return &http.Response{
			StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {kind}, "X-Request-Id": {"req-1"}}, ContentLength: int64(len(body)),
			Body: io.NopCloser(strings.NewReader(body)),
		}, nil
	}
}

// with adds a header to an answer.
func with(answer func(*http.Request) (*http.Response, error), key, value string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		resp, err := answer(r)
		if err == nil {
			resp.Header.Set(key, value)
		}
		return resp, err
	}
}

// fails returns no answer.
func fails(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// What a model says, plain and streamed.
const (
	good    = `{"model":"m-1","choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}`
	delta   = "data: {\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n"
	ending1 = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
	events  = "text/event-stream"
	chatURL = "https://api.openai.com/v1/chat/completions"
)

var errNet = errors.New("the network broke")

// request returns a request whose body tells whether it was closed.
func request(t *testing.T, ctx context.Context, method, url, body string) (*http.Request, *atomic.Int64) { //nolint:revive // t goes first in tests
	t.Helper()
	open := new(atomic.Int64)
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		open.Add(1)
		r.Body = &counted{ReadCloser: io.NopCloser(strings.NewReader(body)), open: open}
	}
	return r, open
}

// do makes a request and reads its answer to the end. Every body must be closed then.
func (f *fake) do(ctx context.Context, method, url, body string) (*http.Response, string, error) {
	f.t.Helper()
	r, open := request(f.t, ctx, method, url, body)
	resp, err := f.rt.RoundTrip(r)
	if resp == nil {
		f.closed(open)
		return nil, "", err
	}
	read, err := io.ReadAll(resp.Body)
	if resp.Request != r {
		f.t.Error("Response.Request is not the caller's")
	}
	_ = resp.Body.Close()
	f.closed(open)
	return resp, string(read), err
}

// closed checks that nothing has been left open.
func (f *fake) closed(request *atomic.Int64) {
	f.t.Helper()
	if request.Load() != 0 || f.open.Load() != 0 {
		f.t.Errorf("left open: %d bodies of requests, %d of answers; want none", request.Load(), f.open.Load())
	}
}

// last returns the exchange of a transport that had one request.
func (f *fake) last() llm.Exchange {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.seen) != 1 {
		f.t.Fatalf("seen %+v, want one exchange", f.seen)
	}
	return f.seen[0]
}
