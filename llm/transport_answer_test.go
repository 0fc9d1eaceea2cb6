package llm_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// cut returns an answer whose body breaks off.
func cut(status int, kind, body string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		resp, err := says(status, kind, "")(r)
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(body), iotest.ErrReader(io.ErrUnexpectedEOF)))
		return resp, err
	}
}

type answers = []func(*http.Request) (*http.Response, error)

// Every kind of answer, and whether it is tried again.
func TestTransportAnswers(t *testing.T) {
	const failedJob = `{"id":"x","status":"failed","error":{"code":"server_error","message":"it broke"}}`
	inside := `{"error":{"code":503,"message":"no capacity"}}`
	for name, tc := range map[string]struct {
		method, url string // POST to chatURL if empty
		answers     answers
		status      int // 0: an error
		attempts    int
		body        string
		class       trysail.Class // if it is a failure
		failed      bool
	}{
		"a good one":                  {answers: answers{says(200, "", good)}, status: 200, attempts: 1, body: good},
		"a network error, then good":  {answers: answers{fails(errNet), says(200, "", good)}, status: 200, attempts: 2, body: good},
		"only network errors":         {answers: answers{fails(errNet)}, attempts: 3, failed: true, class: trysail.ClassTransient},
		"nothing at all":              {answers: answers{fails(nil)}, attempts: 1, failed: true, class: trysail.ClassPermanent},
		"a status whose body is cut":  {answers: answers{cut(401, "", `{"err`)}, status: 401, attempts: 1, body: `{"err`, failed: true, class: trysail.ClassPermanent},
		"a body that is cut":          {answers: answers{cut(200, "", `{"cho`), says(200, "", good)}, status: 200, attempts: 2, body: good},
		"a close-delimited one, cut":  {answers: answers{says(200, "", good[:40]), says(200, "", good)}, status: 200, attempts: 2, body: good},
		"a web page":                  {answers: answers{says(200, "text/html", "<html>"), says(200, "", good)}, status: 200, attempts: 2, body: good},
		"nothing but web pages":       {answers: answers{says(200, "text/html", "<html>")}, status: 0, attempts: 2, failed: true, class: trysail.ClassTransient},
		"an empty one":                {answers: answers{says(200, "", ""), says(200, "", good)}, status: 200, attempts: 2, body: good},
		"no content":                  {answers: answers{says(204, "", "")}, status: 204, attempts: 1},
		"not modified":                {answers: answers{says(304, "", "")}, status: 304, attempts: 1},
		"a redirect":                  {answers: answers{says(307, "text/html", "there")}, status: 307, attempts: 1, body: "there"},
		"a HEAD":                      {method: http.MethodHead, answers: answers{says(200, "", "")}, status: 200, attempts: 1},
		"an error inside":             {answers: answers{says(200, "", inside), says(200, "", good)}, status: 200, attempts: 2, body: good},
		"an error inside for ever":    {answers: answers{says(200, "", inside)}, status: 503, attempts: 3, body: inside, failed: true, class: trysail.ClassOverloaded},
		"an error inside an array":    {url: "https://generativelanguage.googleapis.com/v1beta/models/g:generateContent", answers: answers{says(200, "", "["+inside+"]")}, status: 503, attempts: 3, body: "[" + inside + "]", failed: true, class: trysail.ClassOverloaded},
		"a failed job asked for":      {method: http.MethodGet, url: "https://api.openai.com/v1/responses/r-1", answers: answers{says(200, "", failedJob)}, status: 200, attempts: 1, body: failedJob},
		"a failed job made":           {url: "https://api.openai.com/v1/fine_tuning/jobs", answers: answers{says(200, "", failedJob)}, status: 200, attempts: 1, body: failedJob},
		"a failed answer":             {url: "https://api.openai.com/v1/responses", answers: answers{says(200, "", failedJob)}, status: 502, attempts: 3, body: failedJob, failed: true, class: trysail.ClassTransient},
		"embeddings that are cut":     {url: "https://api.openai.com/v1/embeddings", answers: answers{cut(200, "", "{"), says(200, "", "{}")}, status: 200, attempts: 2, body: "{}"},
		"a file that is cut":          {method: http.MethodGet, url: "https://api.openai.com/v1/files/f/content", answers: answers{cut(200, "application/octet-stream", "data")}, status: 200, attempts: 1, body: "data", failed: true, class: trysail.ClassTransient},
		"one that is compressed":      {answers: answers{with(says(200, "", "zipped"), "Content-Encoding", "gzip")}, status: 200, attempts: 1, body: "zipped"},
		"lines from an unknown path":  {url: "http://ollama/api/pull", answers: answers{says(200, "application/x-ndjson", "{}\n{}\n")}, status: 200, attempts: 1, body: "{}\n{}\n"},
		"an error as the first frame": {answers: answers{says(200, events, "data: "+inside+"\n\n")}, status: 503, attempts: 3, body: inside, failed: true, class: trysail.ClassOverloaded},
		"a stream":                    {answers: answers{says(200, events, delta+ending1)}, status: 200, attempts: 1, body: delta + ending1},
		"a filter at the end":         {answers: answers{says(200, "", `{"choices":[{"finish_reason":"content_filter"}]}`)}, status: 200, attempts: 1, body: `{"choices":[{"finish_reason":"content_filter"}]}`, failed: true, class: trysail.ClassContentPolicy},
		"a request that is refused":   {answers: answers{says(400, "", `{"error":{"message":"no"}}`)}, status: 400, attempts: 1, body: `{"error":{"message":"no"}}`, failed: true, class: trysail.ClassPermanent},
		"a status without a body":     {answers: answers{func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 500}, nil }}, status: 500, attempts: 3, failed: true, class: trysail.ClassTransient},
		"a status that has no name":   {answers: answers{says(200, "", `{"error":{"code":529,"message":"x"}}`)}, status: 529, attempts: 3, body: `{"error":{"code":529,"message":"x"}}`, failed: true, class: trysail.ClassOverloaded},
		"one that is used up":         {answers: answers{says(200, "", `{"error":{"code":"insufficient_quota","message":"x"}}`)}, status: 429, attempts: 1, body: `{"error":{"code":"insufficient_quota","message":"x"}}`, failed: true, class: trysail.ClassQuotaExhausted},
		"a prompt that is too long":   {answers: answers{says(200, "", `{"error":{"code":"context_length_exceeded","message":"x"}}`)}, status: 400, attempts: 1, body: `{"error":{"code":"context_length_exceeded","message":"x"}}`, failed: true, class: trysail.ClassContextLength},
		"an answer over 32 MiB":       {method: http.MethodGet, url: "http://h/list", answers: answers{says(200, "", "["+strings.Repeat(" ", 33<<20)+"]")}, status: 200, attempts: 1, body: "[" + strings.Repeat(" ", 33<<20) + "]"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, trysail.Policy{Attempt: time.Minute}, tc.answers...)
			method, url := tc.method, tc.url
			if method == "" {
				method = http.MethodPost
			}
			if url == "" {
				url = chatURL
			}
			body := plain
			if method != http.MethodPost {
				body = ""
			}
			resp, read, err := f.do(t.Context(), method, url, body)
			if tc.status == 0 {
				if err == nil || resp != nil {
					t.Errorf("RoundTrip() = %+v, %v; want an error alone", resp, err)
				}
			} else if resp == nil || resp.StatusCode != tc.status || read != tc.body {
				t.Fatalf("RoundTrip() = %+v with %.80q, %v; want %d", resp, read, err, tc.status)
			}
			e := f.last()
			if e.Attempts != tc.attempts || len(f.sent) != tc.attempts {
				t.Errorf("%d attempts (%d sent), want %d", e.Attempts, len(f.sent), tc.attempts)
			}
			if (e.Err != nil) != tc.failed || e.Verdict.Class != tc.class {
				t.Errorf("exchange %+v, want class %v", e, tc.class)
			}
			counts := tc.failed && (tc.class == trysail.ClassTransient || tc.class == trysail.ClassOverloaded || tc.class == trysail.ClassQuotaExhausted)
			if s := f.op.Breaker().Snapshot(); counts != (s.Failures > 0) {
				t.Errorf("breaker %+v, want a failure only of a class that counts", s)
			}
		})
	}
}

// The answer's headers tell an SDK not to try again, when it is final; those before are not touched.
func TestTransportShouldRetry(t *testing.T) {
	f := newFake(t, trysail.Policy{}, says(500, "", "{}"))
	resp, _, err := f.do(t.Context(), http.MethodPost, chatURL, plain)
	if err != nil || resp.Header.Get("X-Should-Retry") != "false" {
		t.Errorf("header %v, %v; want x-should-retry: false", resp.Header, err)
	}
	g := newFake(t, trysail.Policy{}, says(500, "", "{}"), says(200, "", good))
	if resp, _, err = g.do(t.Context(), http.MethodPost, chatURL, plain); err != nil || resp.Header.Get("X-Should-Retry") != "" {
		t.Errorf("header %v, %v; want nothing of retries beside success", resp.Header, err)
	}
}

// An AnswerError says why an answer in good order is a failure.
func TestAnswerError(t *testing.T) {
	f := newFake(t, trysail.Policy{}, says(200, "", `{"choices":[{"finish_reason":"content_filter"}]}`))
	_, _, _ = f.do(t.Context(), http.MethodPost, chatURL, plain)
	var e *llm.AnswerError
	if !errors.As(f.last().Err, &e) || !strings.Contains(e.Error(), "content_filter") || e.Verdict.Class != trysail.ClassContentPolicy {
		t.Errorf("Err = %v, want an AnswerError that names the filter", f.last().Err)
	}
}

// The time for an attempt includes the reading of a plain answer, and of an error.
func TestTransportAttemptLimit(t *testing.T) {
	for name, status := range map[string]int{"a good answer": 200, "an error": 500} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stalls := func(r *http.Request) (*http.Response, error) {
					resp, err := says(status, "", "")(r)
					body, w := io.Pipe()
					context.AfterFunc(r.Context(), func() { _ = w.CloseWithError(r.Context().Err()) })
					resp.Body = body
					return resp, err
				}
				f := newFake(t, trysail.Policy{Attempt: time.Second}, stalls)
				began := time.Now()
				_, _, err := f.do(t.Context(), http.MethodPost, chatURL, plain)
				if took := time.Since(began); !errors.Is(err, trysail.ErrAttemptTimeout) || took != 3*time.Second {
					t.Errorf("RoundTrip() = %v after %v, want three attempts of a second", err, took)
				}
			})
		})
	}
}
