package gateway_test

import (
	"cmp"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail/server/gateway"
)

// Every fault of the provider, once followed by a good answer and once for ever,
// as a client of a plain answer and as one of a stream sees it. What may have been answered, and billed, is asked for once more.
func TestFaults(t *testing.T) {
	type want struct {
		status   int
		code     string // of the error object, "null" when the provider gives none; "" for a good answer
		attempts string
	}
	good2, good3 := want{200, "", "2"}, want{200, "", "3"}
	for name, tc := range map[string]struct {
		script        string
		plain, stream want
	}{
		"no fault":                    {"ok", want{200, "", "1"}, want{200, "", "1"}},
		"two errors":                  {"500,500,ok", good3, good3},
		"a rate limit":                {"429:0,ok", good2, good2},
		"overload":                    {"529,ok", good2, good2},
		"a reset":                     {"reset,ok", good2, good2},
		"a web page":                  {"html,ok", good2, good2},
		"less than promised":          {"short,ok", good2, want{200, "", "1"}}, // a stream is cut after its first token
		"garbage":                     {"garbage,ok", good2, good2},
		"a cut before the first":      {"cut:0,ok", good2, good2},
		"an error inside a 200":       {"error:0,ok", good2, good2},
		"errors for ever":             {"500", want{500, "null", "3"}, want{500, "null", "3"}},
		"resets for ever":             {"reset", want{502, "provider_unreachable", "2"}, want{502, "provider_unreachable", "2"}},
		"web pages for ever":          {"html", want{502, "bad_provider_answer", "2"}, want{502, "bad_provider_answer", "2"}},
		"garbage for ever":            {"garbage", want{502, "bad_provider_answer", "2"}, want{502, "bad_provider_answer", "2"}},
		"cuts for ever":               {"cut:0", want{502, "provider_unreachable", "2"}, want{502, "provider_unreachable", "2"}},
		"errors inside 200s for ever": {"error:0", want{500, "null", "3"}, want{502, "provider_error_inside", "3"}},
		"a bad key, once":             {"401,ok", want{401, "invalid_api_key", "1"}, want{401, "invalid_api_key", "1"}},
		"a missing model, once":       {"404,ok", want{404, "model_not_found", "1"}, want{404, "model_not_found", "1"}},
		"an error, then a bad key":    {"500,401,ok", want{401, "invalid_api_key", "2"}, want{401, "invalid_api_key", "2"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			for kind, c := range map[string]struct {
				body string
				want want
			}{"plain": {plainBody, tc.plain}, "stream": {streamBody, tc.stream}} {
				got := r.ask(c.body, tc.script)
				if got.status != c.want.status || got.header.Get(gateway.AttemptsHeader) != c.want.attempts {
					t.Errorf("%s: status %d after %s attempts (%v), want %d after %s\n%s", kind, got.status,
						got.header.Get(gateway.AttemptsHeader), got.err, c.want.status, c.want.attempts, got.body)
					continue
				}
				if c.want.code == "" {
					continue
				}
				if _, code, _ := got.failure(t); cmp.Or(code, "null") != c.want.code {
					t.Errorf("%s: code %q, want %q\n%s", kind, code, c.want.code, got.body)
				}
				if final := got.header.Get("X-Should-Retry") == "false"; final != (c.want.attempts != "1") {
					t.Errorf("%s: x-should-retry false is %t after %s attempts", kind, final, c.want.attempts)
				}
			}
		})
	}
}

// A good answer is the provider's own, byte for byte.
func TestGoodAnswersPassUnchanged(t *testing.T) {
	r := newRig(t, nil)
	for name, body := range map[string]string{"plain": plainBody, "stream": streamBody} {
		t.Run(name, func(t *testing.T) {
			through := r.ask(body, "500,ok")
			direct := *r
			direct.url = strings.TrimSuffix(r.provider.URL, "/v1")
			straight := direct.ask(body, "ok")
			if through.err != nil || through.body == "" || text(through.body) != text(straight.body) {
				t.Errorf("through the gateway: %v\n%s\nstraight:\n%s", through.err, through.body, straight.body)
			}
			if name == "stream" && !strings.HasSuffix(through.body, "data: [DONE]\n\n") {
				t.Errorf("the stream ends with %q", through.body[max(0, len(through.body)-40):])
			}
		})
	}
}

// text drops the ids and times, which differ between two answers.
func text(body string) string {
	var kept []string
	for field := range strings.SplitSeq(body, ",") {
		if !strings.Contains(field, `"id"`) && !strings.Contains(field, `"created"`) {
			kept = append(kept, field)
		}
	}
	return strings.Join(kept, ",")
}

func TestStreamThatBreaksOff(t *testing.T) {
	for name, tc := range map[string]struct {
		script string
		code   string // in the last event
	}{
		"cut after tokens":            {"cut:5", "stream_interrupted"},
		"less than promised":          {"short", "stream_interrupted"},
		"the provider's error inside": {"error:5", "server_error"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *gateway.Config) { c.Plan = planOf(paced(t)) })
			got := r.ask(streamBody, tc.script+",ok")
			if got.status != 200 || got.header.Get(gateway.AttemptsHeader) != "1" {
				t.Fatalf("status %d after %s attempts, want 200 after 1", got.status, got.header.Get(gateway.AttemptsHeader))
			}
			if !errors.Is(got.err, io.ErrUnexpectedEOF) {
				t.Errorf("reading it ended with %v, want an unexpected end", got.err)
			}
			events := strings.Split(strings.TrimSuffix(got.body, "\n\n"), "\n\n")
			last := events[len(events)-1]
			if !strings.HasPrefix(last, `data: {"error":{`) || !strings.Contains(last, tc.code) {
				t.Errorf("the last event is %q, want an error with %s in it", last, tc.code)
			}
			if n := strings.Count(got.body, `"error"`); n != 1 {
				t.Errorf("the stream holds %d errors, want 1:\n%s", n, got.body)
			}
			if strings.Contains(got.body, "[DONE]") {
				t.Error("the stream claims to be complete")
			}
			if m := r.metrics("chat"); m.Failed != 1 || m.Succeeded != 0 || m.Retries != 0 {
				t.Errorf("metrics %+v, want one failed call without retries", m)
			}
		})
	}
}

func TestSlowProviders(t *testing.T) {
	limits := gateway.Limits{
		FirstToken: 150 * time.Millisecond, Plain: 150 * time.Millisecond, Idle: 150 * time.Millisecond, Total: 20 * time.Second,
	}
	for name, tc := range map[string]struct {
		body, script   string
		status         int
		attempts, code string
		broken         bool
	}{
		"a plain answer that never comes is asked for twice": {plainBody, "hang", 504, "2", "provider_timeout", false},
		"a stream that never begins is asked for twice":      {streamBody, "hang", 504, "2", "provider_timeout", false},
		"a slow first token":                                 {streamBody, "first-token:30s,ok", 200, "2", "", false},
		"keep-alives are no tokens":                          {streamBody, "stall:0,ok", 200, "2", "", false},
		"keep-alives do not hide a stall":                    {streamBody, "stall:5", 200, "1", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *gateway.Config) { c.Limits = limits })
			got := r.ask(tc.body, tc.script)
			if got.status != tc.status || got.header.Get(gateway.AttemptsHeader) != tc.attempts || (got.err != nil) != tc.broken {
				t.Fatalf("status %d after %s attempts, %v; want %d after %s, broken %t\n%s", got.status,
					got.header.Get(gateway.AttemptsHeader), got.err, tc.status, tc.attempts, tc.broken, got.body)
			}
			if tc.code != "" {
				if _, code, _ := got.failure(t); code != tc.code {
					t.Errorf("code %q, want %q", code, tc.code)
				}
			}
			if tc.broken && !strings.Contains(got.body, "stream_interrupted") {
				t.Errorf("the client was not told: %q", got.body[max(0, len(got.body)-200):])
			}
		})
	}
}

func TestTotalLimit(t *testing.T) {
	r := newRig(t, func(c *gateway.Config) {
		c.Limits = gateway.Limits{Total: 200 * time.Millisecond}
	})
	started := time.Now()
	got := r.ask(plainBody, "hang")
	if _, code, _ := got.failure(t); got.status != 504 || code != "time_limit" {
		t.Errorf("status %d, code %q; want 504, time_limit", got.status, code)
	}
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("it took %v, want about 200ms", took)
	}
	if got := r.ask(plainBody, "429:0,hang"); got.status != 429 {
		t.Errorf("status %d, want the 429 that was in hand when the time ran out", got.status)
	}
}
