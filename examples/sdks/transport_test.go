package sdks_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3/packages/ssestream"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// What passes is tried again, and the SDK sees nothing but the whole answer.
func TestTransportRecovers(t *testing.T) {
	whole := wholeText(t)
	for name, tc := range map[string]struct {
		form     string // blank: both
		script   string
		requests int
		slow     bool // a limit of time is to pass
	}{
		"a good answer":                      {"", "ok", 1, false},
		"a 500 twice":                        {"", "500, 500, ok", 3, false},
		"a 502":                              {"", "502, ok", 2, false},
		"a 529":                              {"", "529, ok", 2, false},
		"no capacity":                        {"", "overloaded, overloaded, ok", 3, false},
		"a rate limit":                       {"", "429:0.005, ok", 2, false},
		"a rate limit without a hint":        {"", "429, ok", 2, false},
		"a reset connection":                 {"", "reset, ok", 2, false},
		"a server that hangs":                {"", "hang, ok", 2, true},
		"an answer shorter than its length":  {"plain", "short, ok", 2, false},
		"a cut in a plain answer":            {"plain", "cut:5, ok", 2, false},
		"an end in a plain answer":           {"plain", "end:5, ok", 2, false},
		"a web page in place of an answer":   {"", "html, ok", 2, false},
		"something that is not JSON":         {"", "garbage, ok", 2, false},
		"a cut before the first token":       {"stream", "cut:0, ok", 2, false},
		"an end before the first token":      {"stream", "end:0, ok", 2, false},
		"an error before the first token":    {"stream", "error:0, ok", 2, false},
		"an overload before the first token": {"stream", "error:0:overloaded, error:0:overloaded, ok", 3, false},
		"silence before the first token":     {"stream", "first-token:5s, ok", 2, true},
		"a stall before the first token":     {"stream", "stall:0, ok", 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			eachForm(t, tc.form, func(t *testing.T, name, form string) {
				b := newBench(t, name, form, tc.script)
				if tc.slow {
					b.limit(200 * time.Millisecond)
				}
				if text, err := b.ask(t.Context()); text != whole || err != nil {
					t.Errorf("got %q, %v; want %q", text, err, whole)
				}
				b.wantRequests(tc.requests)
				b.wantFailures(0)
				seen := b.exchanges()
				if len(seen) != 1 || seen[0].Attempts != tc.requests || seen[0].Err != nil || seen[0].Model != "m" ||
					seen[0].Usage.Input != 5 || seen[0].Usage.Output < 10 {
					t.Errorf("seen %+v, want one good exchange with its usage", seen)
				}
			})
		})
	}
}

// The errors of the SDKs that follow are those that they make of the provider's last answer.
func TestTransportFails(t *testing.T) {
	type failure struct {
		status int
		code   string
	}
	for script, tc := range map[string]struct {
		requests, failures        int
		openAI, anthropic, gemini failure
	}{
		"500":            {3, 1, failure{500, ""}, failure{500, "api_error"}, failure{500, "INTERNAL"}},
		"429:0.001":      {3, 1, failure{429, "rate_limit_exceeded"}, failure{429, "rate_limit_error"}, failure{429, "RESOURCE_EXHAUSTED"}},
		"overloaded":     {3, 1, failure{503, "server_is_overloaded"}, failure{529, "overloaded_error"}, failure{503, "UNAVAILABLE"}},
		"529":            {3, 1, failure{529, "overloaded"}, failure{529, "overloaded_error"}, failure{529, "INTERNAL"}},
		"500, 429:0.001": {3, 1, failure{429, "rate_limit_exceeded"}, failure{429, "rate_limit_error"}, failure{429, "RESOURCE_EXHAUSTED"}},

		// Another attempt cannot help. At Gemini "quota" is a day's, with a short delay beside it.
		"quota":              {1, 1, failure{429, "insufficient_quota"}, failure{429, "rate_limit_error"}, failure{429, "RESOURCE_EXHAUSTED"}},
		"quota:1ms":          {1, 1, failure{429, "insufficient_quota"}, failure{429, "rate_limit_error"}, failure{429, "RESOURCE_EXHAUSTED"}},
		"billing":            {1, 1, failure{429, "credit_balance_exhausted"}, failure{402, "billing_error"}, failure{402, "RESOURCE_EXHAUSTED"}},
		"auth":               {1, 0, failure{401, "invalid_api_key"}, failure{401, "authentication_error"}, failure{400, "INVALID_ARGUMENT"}},
		"400":                {1, 0, failure{400, ""}, failure{400, "invalid_request_error"}, failure{400, "INVALID_ARGUMENT"}},
		"context-length":     {1, 0, failure{400, "context_length_exceeded"}, failure{400, "invalid_request_error"}, failure{400, "INVALID_ARGUMENT"}},
		"too-large":          {1, 0, failure{429, "rate_limit_exceeded"}, failure{413, "request_too_large"}, failure{400, "INVALID_ARGUMENT"}},
		"model-not-found":    {1, 0, failure{404, "model_not_found"}, failure{404, "not_found_error"}, failure{404, "NOT_FOUND"}},
		"500, quota:1ms":     {2, 1, failure{429, "insufficient_quota"}, failure{429, "rate_limit_error"}, failure{429, "RESOURCE_EXHAUSTED"}},
		"overloaded, auth":   {2, 0, failure{401, "invalid_api_key"}, failure{401, "authentication_error"}, failure{400, "INVALID_ARGUMENT"}},
		"error:0:quota":      {1, 1, failure{429, "insufficient_quota"}, failure{429, "rate_limit_error"}, failure{429, "RESOURCE_EXHAUSTED"}},
		"error:0:auth":       {1, 0, failure{401, "invalid_api_key"}, failure{401, "authentication_error"}, failure{400, "INVALID_ARGUMENT"}},
		"error:0:overloaded": {3, 1, failure{503, "server_is_overloaded"}, failure{529, "overloaded_error"}, failure{503, "UNAVAILABLE"}},
	} {
		t.Run(script, func(t *testing.T) {
			eachForm(t, "", func(t *testing.T, name, form string) {
				want := tc.openAI
				switch name {
				case "anthropic":
					want = tc.anthropic
				case "gemini":
					want = tc.gemini
				}
				b := newBench(t, name, form, script)
				text, err := b.ask(t.Context())
				var got failure
				if got.status, got.code = sdks()[name].failure(err); got != want || text != "" {
					t.Errorf("got %q and %+v (%v), want %+v", text, got, err, want)
				}
				b.wantRequests(tc.requests)
				b.wantFailures(tc.failures)
			})
		})
	}
}

// After the first token nothing is tried again, and what is missing is an error.
func TestTransportBrokenStreams(t *testing.T) {
	for name, tc := range map[string]struct {
		script string
		want   error // in the chain of the SDK's error
	}{
		"a clean end":         {"end:3", llm.ErrTruncated},
		"a cut":               {"cut:3", io.ErrUnexpectedEOF},
		"a stall":             {"stall:3", llm.ErrIdle},
		"a clean end, longer": {"end:9", llm.ErrTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			whole := wholeText(t)
			for name := range sdks() {
				t.Run(name, func(t *testing.T) {
					b := newBench(t, name, "stream", tc.script)
					b.provider = startSlow(t, tc.script)
					b.transport.Idle = 50 * time.Millisecond
					text, err := b.ask(t.Context())
					if text == "" || text == whole || !strings.HasPrefix(whole, text) {
						t.Errorf("text %q, want the begin of %q", text, whole)
					}
					if !errors.Is(err, tc.want) {
						t.Errorf("error %v, want %v in it", err, tc.want)
					}
					b.wantRequests(1)
					b.wantFailures(1)
					seen := b.exchanges()
					if len(seen) != 1 || !errors.Is(seen[0].Err, tc.want) {
						t.Errorf("seen %+v, want one with %v", seen, tc.want)
					}
				})
			}
		})
	}
}

// An error that comes after the first token is the SDK's own, or where the SDK takes it for an event, the transport's.
func TestTransportErrorInStream(t *testing.T) {
	for name, is := range map[string]func(error) bool{
		"openai-chat": func(err error) bool {
			failed, ok := errors.AsType[*ssestream.StreamError](err)
			return ok && strings.Contains(string(failed.Event.Data), "server_is_overloaded")
		},
		"openai-responses": func(err error) bool {
			failed, ok := errors.AsType[*llm.InBandError](err)
			return ok && failed.Code == "server_is_overloaded"
		},
		"anthropic": func(err error) bool {
			status, code := anthropicFailure(err)
			return status == 200 && code == "overloaded_error"
		},
		"gemini": func(err error) bool {
			status, code := geminiFailure(err)
			return status == 503 && code == "UNAVAILABLE"
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, name, "stream", "")
			b.provider = startSlow(t, "error:3:overloaded")
			if text, err := b.ask(t.Context()); text == "" || !is(err) {
				t.Errorf("got %q, %v; want a part of the answer and the overload", text, err)
			}
			b.wantRequests(1)
			b.wantFailures(1)
		})
	}
}

// A refusal is an answer: the SDK gets it, once, and the breaker does not mind.
func TestTransportRefusals(t *testing.T) {
	eachForm(t, "", func(t *testing.T, name, form string) {
		b := newBench(t, name, form, "content-policy:refusal")
		if text, err := b.ask(t.Context()); text == wholeText(t) || err != nil {
			t.Errorf("got %q, %v; want no answer, and no error", text, err)
		}
		b.wantRequests(1)
		b.wantFailures(0)
	})
}

// A connection that is reset again and again leaves no answer to make an SDK's error of.
func TestTransportNoAnswer(t *testing.T) {
	eachForm(t, "", func(t *testing.T, name, form string) {
		b := newBench(t, name, form, "reset")
		_, err := b.ask(t.Context())
		var failed *trysail.Error
		if !errors.As(err, &failed) || failed.Class != trysail.ClassTransient || failed.Attempts != 2 {
			t.Errorf("error %v, want the engine's after 2 attempts: it may have been billed twice", err)
		}
		b.wantRequests(2)
		b.wantFailures(1)
	})
}
