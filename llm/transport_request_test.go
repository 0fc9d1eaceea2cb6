package llm_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// What a request asks for, in every protocol.
func TestRequestAsksFor(t *testing.T) {
	for name, tc := range map[string]struct {
		url, body string
		model     string
		choices   int
		output    int64
	}{
		"chat":                     {chatURL, `{"messages":[{"model":"no"}],"n":3,"model":"m","max_tokens":5,"max_completion_tokens":9}`, "m", 3, 9},
		"responses":                {"http://h/v1/responses", `{"model":"m","max_output_tokens":8}`, "m", 0, 8},
		"Gemini":                   {"http://h/v1beta/models/g-2:generateContent", `{"generationConfig":{"candidateCount":2,"maxOutputTokens":7}}`, "g-2", 2, 7},
		"Gemini, tuned":            {"http://h/v1beta/tunedModels/mine:streamGenerateContent", `{"generation_config":{"candidate_count":2}}`, "mine", 2, 0},
		"Vertex AI":                {"http://h/v1/projects/p/locations/l/publishers/anthropic/models/c@1:rawPredict", `{"max_tokens":4}`, "c@1", 0, 4},
		"Azure":                    {"http://h/openai/deployments/mine/chat/completions?api-version=1", `{"max_tokens":6}`, "mine", 0, 6},
		"Bedrock":                  {"http://h/model/anthropic.claude-v1:0/converse", `{"inferenceConfig":{"maxTokens":11}}`, "anthropic.claude-v1:0", 0, 11},
		"Bedrock, a profile":       {"http://h/model/arn:aws:p%2Fx/invoke", `{}`, "arn:aws:p/x", 0, 0},
		"Ollama":                   {"http://h/api/chat", `{"model":"l","options":{"num_predict":12}}`, "l", 0, 12},
		"Ollama, without limit":    {"http://h/api/chat", `{"model":"l","options":{"num_predict":-1}}`, "l", 0, 0},
		"the wrong types":          {chatURL, `{"model":7,"n":"two","max_tokens":{},"generationConfig":[]}`, "", 0, 0},
		"fields beside wrong ones": {chatURL, `{"n":"two","model":"m"}`, "m", 0, 0},
		"null":                     {chatURL, `{"model":null,"n":null,"max_tokens":null}`, "", 0, 0},
		"a list":                   {chatURL, `[{"model":"m"}]`, "", 0, 0},
		"no JSON":                  {chatURL, `model=m`, "", 0, 0},
		"cut JSON":                 {chatURL, `{"model":"m","messages":[`, "m", 0, 0},
		"an escape":                {chatURL, `{"mod\u0065l":"\u006d"}`, "m", 0, 0},
		"more than there can be":   {chatURL, `{"n":1e300,"max_tokens":9223372036854775807}`, "", 0, 0},
		"no body":                  {"http://h/v1/models/m", "", "m", 0, 0},
		"a long one":               {chatURL, `{"messages":"` + strings.Repeat("x", 2<<20) + `","model":"m"}`, "m", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r, open := request(t, t.Context(), http.MethodPost, tc.url, tc.body)
			model, choices, output, err := llm.Asked(r)
			if model != tc.model || choices != tc.choices || output != tc.output || err != nil || open.Load() != 0 {
				t.Errorf("asked for %q, %d, %d, %v (%d open); want %q, %d, %d", model, choices, output, err, open.Load(), tc.model, tc.choices, tc.output)
			}
		})
	}
}

// Each attempt is sent whole, under its own header, and the caller's request stays as it was.
func TestTransportSends(t *testing.T) {
	for name, body := range map[string]string{"a body": plain, "none": ""} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, trysail.Policy{}, fails(errNet), says(200, "", good))
			f.rt.AttemptHeader = "X-Attempt"
			r, open := request(t, t.Context(), http.MethodPost, chatURL, body)
			r.Header, r.ContentLength = http.Header{"X-Mine": {"1"}}, -1
			before, sameBody := maps.Clone(r.Header), r.Body
			resp, err := f.rt.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			f.closed(open)
			if len(r.Header) != len(before) || r.ContentLength != -1 || r.Body != sameBody || r.GetBody != nil {
				t.Errorf("the caller's request is %+v, want it untouched", r)
			}
			for i, sent := range f.sent {
				key, marked := sent.Header["Idempotency-Key"]
				if f.read[i] != body || sent.Header.Get("X-Attempt") != []string{"1", "2"}[i] || !marked || key != nil || sent.Header.Get("X-Mine") != "1" {
					t.Errorf("attempt %d: %q under %v", i+1, f.read[i], sent.Header)
				}
				if body != "" && (sent.ContentLength != int64(len(body)) || sent.GetBody == nil) {
					t.Errorf("attempt %d: length %d, want it told", i+1, sent.ContentLength)
				}
			}
		})
	}
}

// A key of the caller's own, and a body that is there but empty.
func TestTransportKeepsKey(t *testing.T) {
	f := newFake(t, trysail.Policy{}, says(500, "", "{}"), says(200, "", good))
	r, _ := request(t, t.Context(), http.MethodPost, chatURL, "")
	open := new(atomic.Int64)
	open.Add(1)
	r.Body, r.ContentLength = &counted{ReadCloser: io.NopCloser(strings.NewReader("")), open: open}, -1
	r.Header.Set("Idempotency-Key", "mine")
	resp, err := f.rt.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	f.closed(open)
	for _, sent := range f.sent {
		if sent.Header.Get("Idempotency-Key") != "mine" || sent.Body != http.NoBody || sent.ContentLength != 0 {
			t.Errorf("sent %+v, want the caller's key and no body", sent)
		}
	}
}

// What is over 32 MiB is sent once, and closed once, whatever happens.
func TestTransportLargeRequest(t *testing.T) {
	large := string(bytes.Repeat([]byte("x"), 32<<20+1))
	f := newFake(t, trysail.Policy{Hedge: trysail.HedgePolicy{After: time.Nanosecond}}, says(500, "", "{}"))
	if _, _, err := f.do(t.Context(), http.MethodPost, chatURL, large); err != nil || len(f.sent) != 1 || f.read[0] != large {
		t.Errorf("sent %d, %v; want it whole, once", len(f.sent), err)
	}
	f.last()
	f.rt.Operation, f.seen = nil, nil
	if _, _, err := f.do(t.Context(), http.MethodPost, chatURL, large); !errors.Is(err, llm.ErrNoOperation) || len(f.sent) != 1 {
		t.Errorf("sent %d, %v; want nothing without an operation", len(f.sent), err)
	}
	f.last()
}

// A body that cannot be read is an error, and nothing is sent.
func TestTransportUnreadableRequest(t *testing.T) {
	f := newFake(t, trysail.Policy{}, says(200, "", good))
	r, _ := request(t, t.Context(), http.MethodPost, chatURL, "")
	open := new(atomic.Int64)
	open.Add(1)
	r.Body = &counted{ReadCloser: io.NopCloser(iotest.ErrReader(errNet)), open: open}
	_, err := f.rt.RoundTrip(r)
	f.closed(open)
	if e := f.last(); !errors.Is(err, errNet) || len(f.sent) != 0 || !errors.Is(e.Err, errNet) {
		t.Errorf("RoundTrip() = %v, seen %+v; want the body's error", err, e)
	}
}

// Who leaves does not wait for a body that stalls.
func TestTransportStallingRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, trysail.Policy{}, says(200, "", good))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, _ := request(t, ctx, http.MethodPost, chatURL, "")
		r.Body, _ = io.Pipe()
		if _, err := f.rt.RoundTrip(r); !errors.Is(err, context.DeadlineExceeded) || f.last().Took != time.Second {
			t.Errorf("RoundTrip() = %v, seen %+v; want the caller's deadline", err, f.last())
		}
	})
}

// Which operation a request runs under.
func TestTransportOperation(t *testing.T) {
	f := newFake(t, trysail.Policy{}, says(200, "", good))
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		t.Fatal(err)
	}
	own := f.rt.Operation
	chosen, given := orc.Operation("chosen"), orc.Operation("given")
	pick := func(op *trysail.Operation) func(*http.Request, string) *trysail.Operation {
		return func(_ *http.Request, model string) *trysail.Operation {
			if model != "m" {
				t.Errorf("model %q, want m", model)
			}
			return op
		}
	}
	for name, tc := range map[string]struct {
		own    *trysail.Operation
		choose func(*http.Request, string) *trysail.Operation
		ctx    context.Context
		want   string
	}{
		"its own":               {own, nil, t.Context(), "chat"},
		"a chosen one":          {own, pick(chosen), t.Context(), "chosen"},
		"none was chosen":       {own, pick(nil), t.Context(), "chat"},
		"the request's":         {own, pick(chosen), llm.WithOperation(t.Context(), given), "given"},
		"the request's is none": {own, nil, llm.WithOperation(t.Context(), nil), "chat"},
		"none":                  {nil, nil, t.Context(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			f.rt.Operation, f.rt.Choose, f.seen = tc.own, tc.choose, nil
			_, _, err := f.do(tc.ctx, http.MethodPost, chatURL, plain)
			if e := f.last(); e.Operation != tc.want || errors.Is(err, llm.ErrNoOperation) != (tc.want == "") || e.Provider != llm.OpenAI {
				t.Errorf("ran under %q, %v; want %q", e.Operation, err, tc.want)
			}
		})
	}
}

// FuzzRequest reads requests of all kinds.
func FuzzRequest(f *testing.F) {
	f.Add("/v1/chat/completions", []byte(plain))
	f.Add("/v1beta/models/g:generateContent", []byte(`{"generationConfig":{"candidateCount":2}}`))
	f.Add("/model/a:b/converse", []byte(`{"options":{"options":{"n":-1}}}`))
	f.Fuzz(func(t *testing.T, path string, body []byte) {
		r := (&http.Request{Method: http.MethodPost, URL: &url.URL{Path: path}, Body: io.NopCloser(bytes.NewReader(body))}).WithContext(t.Context())
		_, choices, output, err := llm.Asked(r)
		if choices < 0 || choices > 128 || output < 0 || output > 1<<53 || err != nil {
			t.Errorf("asked for %d answers with %d tokens, %v", choices, output, err)
		}
	})
}
