package llm_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// What providers advise to repeat once is marked so, and nothing else is.
func TestOnce(t *testing.T) {
	const slip = `{"candidates":[{"content":{},"finishReason":"MALFORMED_FUNCTION_CALL"}]}`
	for name, tc := range map[string]struct {
		resp llm.Response
		want bool
	}{
		"Anthropic's time-out":         {llm.Response{Provider: llm.Anthropic, Status: 504, Body: []byte(`{"type":"error","error":{"type":"timeout_error","message":"x"}}`)}, true},
		"inside its stream":            {llm.Response{Provider: llm.Anthropic, Status: 200, Stream: true, Event: "error", Body: []byte(`{"type":"error","error":{"type":"timeout_error","message":"x"}}`)}, true},
		"Google's deadline":            {llm.Response{Provider: llm.Gemini, Status: 504, Body: []byte(`{"error":{"code":504,"status":"DEADLINE_EXCEEDED"}}`)}, true},
		"inside its stream, by name":   {llm.Response{Provider: llm.Gemini, Status: 200, Stream: true, Body: []byte(`{"error":{"status":"DEADLINE_EXCEEDED"}}`)}, true},
		"inside its stream, by number": {llm.Response{Provider: llm.Gemini, Status: 200, Stream: true, Body: []byte(`{"error":{"code":504}}`)}, true},
		"a dropped request":            {llm.Response{Provider: llm.Vertex, Status: 499, Body: []byte(`{"error":{"code":499,"status":"CANCELLED"}}`)}, true},
		"a gateway's page":             {llm.Response{Status: 504, Body: []byte("<html>")}, true},
		"Cloudflare's":                 {llm.Response{Status: 524, Body: []byte("error code: 524")}, true},
		"Bedrock's model, by header":   {llm.Response{Provider: llm.Bedrock, Status: 408, Header: http.Header{"X-Amzn-Errortype": {"ModelTimeoutException:http://x"}}}, true},
		"Bedrock's model, in a stream": {llm.Response{Provider: llm.Bedrock, Status: 200, Stream: true, Header: http.Header{":message-type": {"exception"}, ":exception-type": {"modelTimeoutException"}}}, true},
		"a malformed call":             {llm.Response{Provider: llm.Gemini, Status: 200, Body: []byte(slip)}, true},
		"an unexpected call":           {llm.Response{Provider: llm.Gemini, Status: 200, Body: []byte(`{"candidates":[{"finishReason":"UNEXPECTED_TOOL_CALL"}]}`)}, true},
		"Bedrock's malformed output":   {llm.Response{Provider: llm.Bedrock, Status: 200, Body: []byte(`{"stopReason":"malformed_model_output"}`)}, true},

		"a time-out that forbids it":  {llm.Response{Status: 504, Header: http.Header{"X-Should-Retry": {"false"}}}, false},
		"an overload by that status":  {llm.Response{Status: 504, Body: []byte(`{"error":{"type":"overloaded_error"}}`)}, false},
		"a 408 of others":             {llm.Response{Provider: llm.OpenAI, Status: 408}, false},
		"a 500":                       {llm.Response{Status: 500}, false},
		"a 502":                       {llm.Response{Status: 502}, false},
		"a 529":                       {llm.Response{Status: 529}, false},
		"a rate":                      {llm.Response{Status: 429}, false},
		"a model that broke off":      {llm.Response{Provider: llm.OpenRouter, Status: 200, Body: []byte(`{"choices":[{"finish_reason":"error"}]}`)}, false},
		"a word in the message alone": {llm.Response{Status: 500, Body: []byte(`{"error":{"message":"timeout_error"}}`)}, false},
		"a success":                   {llm.Response{Status: 200, Body: []byte(good)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := llm.Classify(tc.resp)
			if v.Once != tc.want || v.Once && (!v.Retryable || v.Class != trysail.ClassTransient) {
				t.Errorf("Classify() = %+v, want Once %t", v, tc.want)
			}
			if v.Committed().Once {
				t.Error("a committed verdict is worth a retry")
			}
		})
	}
}

// The engine follows: one retry through the transport, and through Mark, whatever the policy has left.
func TestOnceIsFollowed(t *testing.T) {
	for name, tc := range map[string]struct {
		script   string
		status   int
		attempts int
	}{
		"for ever":           {"504", 504, 2},
		"Cloudflare's":       {"524", 524, 2},
		"then a good one":    {"504, ok", 200, 2},
		"another between":    {"504, 500, 504", 504, 3},
		"others before it":   {"500, 500, 504, ok", 200, 4},
		"nothing but others": {"500", 500, 5},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(p *trysail.Policy) { p.Retry.Attempts = 5 })
			status, _, err := b.post(t.Context(), tc.script, plain)
			if status != tc.status || err != nil || b.provider.Total() != tc.attempts {
				t.Errorf("status %d, %v, %d requests; want %d and %d", status, err, b.provider.Total(), tc.status, tc.attempts)
			}
			if e := b.exchanges(); len(e) != 1 || e[0].Attempts != tc.attempts || tc.status == 504 && !e[0].Verdict.Once {
				t.Errorf("exchanges %+v, want one of %d attempts", e, tc.attempts)
			}
		})
	}
	b := newBench(t, func(p *trysail.Policy) { p.Retry.Attempts = 5 })
	n := 0
	_, err := trysail.Do(t.Context(), b.op, func(ctx context.Context) (int, error) {
		n++
		err := error(&llm.AnswerError{Verdict: llm.Classify(llm.Response{Status: 504})})
		return 0, llm.Classify(llm.Response{Status: 504}).Mark(err)
	})
	if n != 2 || !llm.ClassifyError(t.Context(), "", err).Failed {
		t.Errorf("%d attempts with %v, want 2", n, err)
	}
}

// Of a request that the provider may have had, one more is sent, or what Resend says; of others as many as the policy allows.
func TestTransportResend(t *testing.T) {
	const all = 5
	for name, tc := range map[string]struct {
		script, form  string
		once          int // requests by default
		never, policy int
	}{
		"a reset":                        {"reset", "", 2, 1, all},
		"a body that is cut":             {"short", "", 2, 1, all},
		"a cut before the first token":   {"cut:0", "stream", 2, 1, all},
		"an end before the first token":  {"end:0", "stream", 2, 1, all},
		"silence before the first token": {"stall:0", "stream", 2, 1, all},
		"a reset before a good answer":   {"reset, ok", "", 2, 1, 2},
		"a bad gateway":                  {"502", "", all, all, all},
		"a gateway's time-out":           {"504", "", 2, 2, 2},
		"half of a document":             {"end:5", "", 2, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			for resend, want := range map[llm.Resend]int{llm.ResendOnce: tc.once, llm.ResendNever: tc.never, llm.ResendAsPolicy: tc.policy} {
				b := newBench(t, func(p *trysail.Policy) { p.Retry.Attempts = all })
				b.rt.Resend, b.rt.FirstToken = resend, 50*time.Millisecond
				body := plain
				if tc.form != "" {
					body = stream
				}
				_, _, err := b.post(t.Context(), tc.script, body)
				if got := b.provider.Total(); got != want {
					t.Errorf("Resend %d: %d requests (%v), want %d", resend, got, err, want)
				}
			}
		})
	}
}

// What never arrived costs nothing, nor does a GET.
func TestTransportResendWhereNothingIsBilled(t *testing.T) {
	for name, tc := range map[string]struct {
		method string
		err    error
		want   int
	}{
		"a refused connection":      {http.MethodPost, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, 5},
		"a name without an answer":  {http.MethodPost, &net.DNSError{IsTimeout: true}, 5},
		"a broken pipe":             {http.MethodPost, &net.OpError{Op: "write", Err: syscall.EPIPE}, 5},
		"a slow handshake":          {http.MethodPost, errors.New("net/http: TLS handshake timeout"), 5},
		"a refused stream":          {http.MethodPost, http2Error{7}, 5},
		"a broken stream":           {http.MethodPost, http2Error{2}, 2},
		"a connection that is lost": {http.MethodPost, errors.New("http2: client connection lost"), 2},
		"a reset":                   {http.MethodPost, &net.OpError{Op: "read", Err: syscall.ECONNRESET}, 2},
		"a reset of a GET":          {http.MethodGet, &net.OpError{Op: "read", Err: syscall.ECONNRESET}, 5},
		"an end":                    {http.MethodPost, io.EOF, 2},
		"what is not known":         {http.MethodPost, errNet, 5},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 5}}, fails(tc.err))
			_, _, err := f.do(t.Context(), tc.method, chatURL, "{}")
			if got := f.last().Attempts; got != tc.want || !errors.Is(err, tc.err) {
				t.Errorf("%d attempts (%v), want %d", got, err, tc.want)
			}
		})
	}
}
