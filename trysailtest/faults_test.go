package trysailtest_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/trysail-go/trysail/trysailtest"
)

func TestStatusFaults(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	for name, tc := range map[string]struct {
		script     string
		status     int
		kind, code string
		retryAfter string
	}{
		"a bad request":          {"400", 400, "invalid_request_error", "", ""},
		"a bad key":              {"401", 401, "invalid_request_error", "invalid_api_key", ""},
		"a forbidden country":    {"403", 403, "request_forbidden", "unsupported_country_region_territory", ""},
		"a missing model":        {"404", 404, "invalid_request_error", "model_not_found", ""},
		"a request time-out":     {"408", 408, "request_timeout", "", ""},
		"a conflict":             {"409", 409, "conflict_error", "", ""},
		"a body too large":       {"413", 413, "invalid_request_error", "request_too_large", ""},
		"an unprocessable one":   {"422", 422, "invalid_request_error", "", ""},
		"a limit with no hint":   {"429", 429, "tokens", "rate_limit_exceeded", ""},
		"a limit with a hint":    {"429:1.5", 429, "tokens", "rate_limit_exceeded", "1.5"},
		"a limit of no length":   {"429:0", 429, "tokens", "rate_limit_exceeded", "0"},
		"an internal error":      {"500", 500, "server_error", "", ""},
		"a bad gateway":          {"502", 502, "service_unavailable_error", "server_is_overloaded", ""},
		"an overload with hint":  {"503:30", 503, "service_unavailable_error", "server_is_overloaded", "30"},
		"a gateway time-out":     {"504", 504, "server_error", "", ""},
		"Anthropic's overload":   {"529", 529, "overloaded_error", "overloaded", ""},
		"an unlisted 4xx":        {"418", 418, "invalid_request_error", "", ""},
		"an unlisted 5xx":        {"599", 599, "server_error", "", ""},
		"a redirect to nowhere":  {"302", 302, "invalid_request_error", "", ""},
		"a second attempt's own": {"ok,500", 200, "", "", ""},
		"a 2xx answers well":     {"202", 200, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.simulate(tc.script, question)
			if got.err != nil || got.status != tc.status || got.header.Get("Retry-After") != tc.retryAfter {
				t.Errorf("status %d, Retry-After %q (%v), want %d, %q",
					got.status, got.header.Get("Retry-After"), got.err, tc.status, tc.retryAfter)
			}
			e := got.apiError()
			if e.Type != tc.kind || e.Code != tc.code || (e.Message == "") != (tc.status == 200) {
				t.Errorf("error = %+v, want type %q, code %q and a message", e, tc.kind, tc.code)
			}
		})
	}
}

func TestRateLimitHint(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	for name, tc := range map[string]struct {
		script string
		want   bool
	}{
		"told in header and text": {"429:7", true},
		"told in neither":         {"429", false},
	} {
		t.Run(name, func(t *testing.T) {
			message := c.simulate(tc.script, question).apiError().Message
			if strings.Contains(message, "try again in 7s") != tc.want {
				t.Errorf("message = %q, want a hint: %v", message, tc.want)
			}
		})
	}
}

func TestResetComesBeforeAnyByte(t *testing.T) {
	s := start(t, trysailtest.ProviderConfig{})
	for name, body := range map[string]string{"plain": question, "stream": streamed(question)} {
		t.Run(name, func(t *testing.T) {
			got := newClient(t, s.URL).simulate("reset", body)
			if !errors.Is(got.err, syscall.ECONNRESET) || got.status != 0 {
				t.Errorf("got %d, %v; want %v", got.status, got.err, syscall.ECONNRESET)
			}
		})
	}
}

func TestStreamFaults(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	whole := len(c.chat(streamed(question)).stream().tokens)
	for name, tc := range map[string]struct {
		script  string
		tokens  int
		err     error
		failed  bool // an error frame came
		garbage int
	}{
		"cut after the role":         {"cut:0", 0, io.ErrUnexpectedEOF, false, 0},
		"cut after three tokens":     {"cut:3", 3, io.ErrUnexpectedEOF, false, 0},
		"cut after the last token":   {"cut:9999", whole, io.ErrUnexpectedEOF, false, 0},
		"short":                      {"short", 1, io.ErrUnexpectedEOF, false, 0},
		"an error before any token":  {"error:0", 0, nil, true, 0},
		"an error after two tokens":  {"error:2", 2, nil, true, 0},
		"an error after the last":    {"error:9999", whole, nil, true, 0},
		"garbage instead of a token": {"garbage", 0, nil, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.simulate(tc.script, streamed(question))
			if got.status != 200 || got.header.Get("Content-Type") != "text/event-stream" || !errors.Is(got.err, tc.err) {
				t.Errorf("got %d, %v, %v; want 200, a stream, %v", got.status, got.header, got.err, tc.err)
			}
			s := got.stream()
			if len(s.tokens) != tc.tokens || s.garbage != tc.garbage || s.done || s.finish != "" {
				t.Errorf("stream = %+v, want %d tokens, %d garbage and no end", s, tc.tokens, tc.garbage)
			}
			if s.chunks[0].Choices[0].Delta.Role != "assistant" {
				t.Errorf("first chunk = %+v, want the role", s.chunks[0])
			}
			last := s.chunks[len(s.chunks)-1]
			if (last.Error != nil) != tc.failed || tc.failed && last.Error.Type != "server_error" {
				t.Errorf("last chunk's error = %v, want one: %v", last.Error, tc.failed)
			}
		})
	}
}

func TestPlainFaults(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	whole := len(c.chat(question).body)
	for name, tc := range map[string]struct {
		script string
		status int
		length int // of what comes, as far as the length is known; 0 = any
		err    error
	}{
		"cut sends half of it":    {"cut:7", 200, whole / 2, io.ErrUnexpectedEOF},
		"short promises more":     {"short", 200, whole, io.ErrUnexpectedEOF},
		"error is a 500":          {"error:7", 500, 0, nil},
		"garbage is not JSON":     {"garbage", 200, 0, nil},
		"a bad request comes 1st": {"400,ok", 400, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.simulate(tc.script, question)
			if got.status != tc.status || !errors.Is(got.err, tc.err) {
				t.Errorf("got %d, %v; want %d, %v", got.status, got.err, tc.status, tc.err)
			}
			if tc.length > 0 && len(got.body) != tc.length {
				t.Errorf("got %d bytes, want %d", len(got.body), tc.length)
			}
			if got.header.Get("Content-Type") != "application/json" {
				t.Errorf("Content-Type = %q, want JSON", got.header.Get("Content-Type"))
			}
		})
	}
}

func TestGarbageDoesNotParse(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	if got := c.simulate("garbage", question); strings.HasPrefix(got.body, "{") || got.body == "" {
		t.Errorf("body = %q, want something that is not JSON", got.body)
	}
}

func TestHTMLFault(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	for name, body := range map[string]string{"plain": question, "stream": streamed(question)} {
		t.Run(name, func(t *testing.T) {
			got := c.simulate("html", body)
			if got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") ||
				!strings.HasPrefix(got.body, "<!DOCTYPE html>") {
				t.Errorf("got %d %q %q, want a web page", got.status, got.header.Get("Content-Type"), got.body)
			}
		})
	}
}

func TestFaultsMeetEveryPath(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	for name, tc := range map[string]struct{ method, path, body string }{
		"models":     {http.MethodGet, "/models", ""},
		"embeddings": {http.MethodPost, "/embeddings", `{"input":"x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.do(tc.method, tc.path, tc.body, trysailtest.SimulateHeader, "503"); got.status != 503 {
				t.Errorf("503 gave %d", got.status)
			}
			got := c.do(tc.method, tc.path, tc.body, trysailtest.SimulateHeader, "cut:1")
			if !errors.Is(got.err, io.ErrUnexpectedEOF) {
				t.Errorf("cut:1 gave %d, %v; want %v", got.status, got.err, io.ErrUnexpectedEOF)
			}
		})
	}
}

func TestUnusableScriptIsExplained(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	for name, tc := range map[string]struct{ script, want string }{
		"an unknown word":  {"500, boom", `entry 2 is "boom", want a status from 200 to 599, reset`},
		"a bad number":     {"cut:x", `entry 1 is "cut:x", want cut:N`},
		"too many entries": {strings.Repeat("ok,", 64) + "ok", "want at most 64"},
		"too many bytes":   {"ok" + strings.Repeat(" ", 1100) + ",ok", "want at most 1024"},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.simulate(tc.script, question)
			e := got.apiError()
			if got.status != 400 || e.Type != "invalid_request_error" || !strings.Contains(e.Message, tc.want) {
				t.Errorf("got %d %+v, want 400 and %q", got.status, e, tc.want)
			}
		})
	}
}
