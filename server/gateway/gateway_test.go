package gateway_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

func TestOpenBreaker(t *testing.T) {
	r := newRig(t, nil)
	for range 5 {
		if got := r.ask(plainBody, "500"); got.status != 500 {
			t.Fatalf("status %d, want 500", got.status)
		}
	}
	before := r.provider.Total()
	got := r.ask(plainBody, "ok")
	kind, code, message := got.failure(t)
	if got.status != 503 || kind != "server_error" || code != "circuit_breaker_open" || !strings.Contains(message, `"chat"`) {
		t.Errorf("status %d, %q, %q, %q; want 503 and circuit_breaker_open", got.status, kind, code, message)
	}
	if after, err := strconv.Atoi(got.header.Get("Retry-After")); err != nil || after < 55 || after > 60 {
		t.Errorf("Retry-After is %q, want about 60", got.header.Get("Retry-After"))
	}
	if a, b := got.header.Get(gateway.AttemptsHeader), got.header.Get(gateway.BreakerHeader); a != "0" || b != "open" {
		t.Errorf("attempts %q, breaker %q; want 0, open", a, b)
	}
	if r.provider.Total() != before {
		t.Error("the provider was called while the breaker was open")
	}
	if got := r.ask(plainBody, "ok", gateway.OperationHeader, "other"); got.status != 200 {
		t.Errorf("another operation: status %d, want 200", got.status)
	}
}

func TestRefusedRequests(t *testing.T) {
	for name, tc := range map[string]struct {
		body    string
		headers []string
		status  int
		code    string
	}{
		"broken JSON":             {`{"model":`, nil, 400, "invalid_json"},
		"text after JSON":         {plainBody + "x", nil, 400, "invalid_json"},
		"over the limit":          {`{"x":"` + strings.Repeat("x", 5000) + `"}`, nil, 413, "request_too_large"},
		"an unusable operation":   {plainBody, []string{gateway.OperationHeader, "two words"}, 400, "invalid_operation"},
		"an endless operation":    {plainBody, []string{gateway.OperationHeader, strings.Repeat("x", 65)}, 400, "invalid_operation"},
		"one operation too many":  {plainBody, []string{gateway.OperationHeader, "fourth"}, 400, "too_many_operations"},
		"a WebSocket":             {"", []string{"Upgrade", "websocket", "Connection", "upgrade"}, 501, "upgrade_not_supported"},
		"somebody without access": {plainBody, []string{"X-Who", "stranger"}, 401, "invalid_api_key"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *gateway.Config) {
				c.Limits = gateway.Limits{Body: 4096, Operations: 3}
				c.Access = func(r *http.Request) gateway.Access {
					if r.Header.Get("X-Who") == "stranger" {
						return gateway.Access{Denied: "Who are you?"}
					}
					return gateway.Access{}
				}
			})
			r.orchestrator.Operation("second")
			r.orchestrator.Operation("third")
			got := r.ask(tc.body, "ok", tc.headers...)
			if _, code, _ := got.failure(t); got.status != tc.status || code != tc.code {
				t.Errorf("status %d, code %q; want %d, %q\n%s", got.status, code, tc.status, tc.code, got.body)
			}
			if n := r.provider.Total(); n != 0 {
				t.Errorf("the provider was called %d times, want never", n)
			}
			if got.header.Get(gateway.RequestIDHeader) == "" {
				t.Error("the answer has no request id")
			}
			if m := r.metrics("chat"); m.Calls != 0 {
				t.Errorf("%d calls were counted, want none", m.Calls)
			}
		})
	}
}

func TestChunkedBodyOverTheLimit(t *testing.T) {
	r := newRig(t, func(c *gateway.Config) { c.Limits = gateway.Limits{Body: 100} })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/v1/chat/completions",
		io.MultiReader(strings.NewReader(strings.Repeat("x", 101))))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, want 413", resp.StatusCode)
	}
}

func TestSlowClient(t *testing.T) {
	r := newRig(t, func(c *gateway.Config) { c.Limits = gateway.Limits{Client: 100 * time.Millisecond} })
	body, never := io.Pipe()
	defer never.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/v1/chat/completions", body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestTimeout {
		t.Errorf("status %d, want 408", resp.StatusCode)
	}
}

// What a provider may see, and what a client may.
func TestHeaders(t *testing.T) {
	for name, tc := range map[string]struct {
		key           string
		simulated     bool
		ownKey        string
		authorization string // that the provider sees
		simulate      string
	}{
		"the gateway's key replaces the client's":   {"sk-provider", false, "", "Bearer sk-provider", ""},
		"without one the client's own is passed on": {"", false, "other", "Bearer from-client", ""},
		"a key of this server is never passed on":   {"", false, "from-client", "", ""},
		"the simulated provider gets the script":    {"", true, "", "Bearer from-client", "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			var seen http.Header
			provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen = r.Header.Clone()
				w.Header().Set("X-Request-Id", "req_provider")
				w.Header().Set("Openai-Processing-Ms", "7")
				w.Header().Set("Set-Cookie", "a=b")
				w.Header().Set("Connection", "X-Hop")
				w.Header().Set("X-Hop", "1")
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{"ok":true}`)
			}))
			defer provider.Close()
			r := newRig(t, func(c *gateway.Config) {
				c.Plan = planOf(provider.URL + "/base/v1/")
				c.Plan.Targets[0].Simulated = tc.simulated
				if tc.key != "" {
					c.Plan.Targets[0].Credentials = []gateway.Credential{{Key: tc.key}}
				}
				c.OwnKey = func(s string) bool { return s == tc.ownKey }
			})
			got := r.ask(plainBody, "ok", "Authorization", "Bearer from-client", "X-Api-Key", "secret", "Cookie", "s=1",
				"X-Trysail-Operation", "chat", "X-Request-Id", "mine-1", "OpenAI-Organization", "org-1")
			for header, want := range map[string]string{
				"Authorization": tc.authorization, "X-Trysail-Simulate": tc.simulate, "X-Api-Key": "", "Cookie": "",
				"X-Trysail-Operation": "", "X-Request-Id": "mine-1", "Openai-Organization": "org-1", "Idempotency-Key": "",
			} {
				if seen.Get(header) != want {
					t.Errorf("the provider sees %s: %q, want %q", header, seen.Get(header), want)
				}
			}
			for header, want := range map[string]string{
				"X-Request-Id": "mine-1", gateway.ProviderIDHeader: "req_provider", "Openai-Processing-Ms": "7",
				"Set-Cookie": "", "X-Hop": "", gateway.AttemptsHeader: "1", gateway.BreakerHeader: "closed",
			} {
				if got.header.Get(header) != want {
					t.Errorf("the client sees %s: %q, want %q", header, got.header.Get(header), want)
				}
			}
		})
	}
}

func TestPathsAndMethods(t *testing.T) {
	var seen string
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer provider.Close()
	r := newRig(t, func(c *gateway.Config) { c.Plan = planOf(provider.URL + "/api/v1") })
	for name, tc := range map[string]struct{ method, path, body, want string }{
		"a list":             {"GET", "/v1/models?limit=3", "", "GET /api/v1/models?limit=3 "},
		"a deletion":         {"DELETE", "/v1/files/file-1", "", "DELETE /api/v1/files/file-1 "},
		"an escaped segment": {"GET", "/v1/models/a%2Fb", "", "GET /api/v1/models/a%2Fb "},
		"a body of its own":  {"POST", "/v1/files", "not JSON", "POST /api/v1/files not JSON"},
		"a good question":    {"POST", "/v1/embeddings", `{"input":"x"}`, `POST /api/v1/embeddings {"input":"x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := r.do(t.Context(), tc.method, tc.path, tc.body, "Content-Type", contentType(tc.body))
			if got.status != http.StatusNoContent || seen != tc.want {
				t.Errorf("status %d, the provider saw %q; want 204 and %q", got.status, seen, tc.want)
			}
		})
	}
}

func contentType(body string) string {
	if strings.HasPrefix(body, "{") {
		return "application/json"
	}
	return "application/octet-stream"
}

// An answer over the limit is passed on as it comes, and cannot be repeated.
func TestLongAnswers(t *testing.T) {
	const size = 20 << 20
	cut := false
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.Itoa(size))
		half := bytes.Repeat([]byte("x"), size/2)
		_, _ = w.Write(half)
		if cut {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(half)
	}))
	defer provider.Close()
	r := newRig(t, func(c *gateway.Config) {
		c.Plan, c.Limits = planOf(provider.URL+"/v1"), gateway.Limits{Answer: 1 << 20}
	})
	if got := r.do(t.Context(), http.MethodGet, "/v1/files/f/content", ""); got.status != 200 || len(got.body) != size || got.err != nil {
		t.Errorf("status %d, %d bytes, %v; want 200 and %d", got.status, len(got.body), got.err, size)
	}
	cut = true
	if got := r.do(t.Context(), http.MethodGet, "/v1/files/f/content", ""); got.err == nil {
		t.Errorf("status %d, %d bytes, and no error; want a broken answer", got.status, len(got.body))
	}
	if m := r.metrics("chat"); m.Succeeded != 1 || m.Failed != 1 {
		t.Errorf("metrics %+v, want one success and one failure", m)
	}
}

// A client that leaves ends the provider's work at once and is nobody's failure.
func TestClientLeaves(t *testing.T) {
	for name, tc := range map[string]struct{ body, script string }{
		"before the answer":         {plainBody, "hang"},
		"before the first token":    {streamBody, "stall:0"},
		"in the middle of a stream": {streamBody, "stall:3"},
	} {
		t.Run(name, func(t *testing.T) {
			gone := make(chan struct{}, 1)
			r := newRig(t, nil)
			provider := r.provider
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				for provider.Total() == 0 {
					time.Sleep(time.Millisecond) // a real socket cannot be waited for otherwise
				}
				cancel()
				gone <- struct{}{}
			}()
			got := r.do(ctx, http.MethodPost, "/v1/chat/completions", tc.body, "X-Trysail-Simulate", tc.script)
			<-gone
			if got.err == nil {
				t.Errorf("status %d, want the client's own error", got.status)
			}
			for range 2000 {
				if m := r.metrics("chat"); m.Calls == 1 {
					if m.Canceled != 1 || r.orchestrator.Operation("chat").Breaker().Snapshot().Failures != 0 {
						t.Errorf("metrics %+v, want one cancelled call and no failure of the breaker", m)
					}
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
			t.Error("the gateway still waits 10 s after the client has gone")
		})
	}
}

func TestManyAtOnce(t *testing.T) {
	r := newRig(t, nil)
	var calls sync.WaitGroup
	for i := range 100 {
		calls.Go(func() {
			body, script := plainBody, "500,ok"
			if i%2 == 0 {
				body, script = streamBody, "cut:0,429:0,ok"
			}
			got := r.ask(body, script)
			if got.status != 200 || got.err != nil {
				t.Errorf("call %d: status %d, %v", i, got.status, got.err)
			}
		})
	}
	calls.Wait()
	if m := r.metrics("chat"); m.Calls != 100 || m.Succeeded != 100 || m.Retries != 150 {
		t.Errorf("metrics %+v, want 100 successes and 150 retries", m)
	}
}

func TestLogHoldsNoSecrets(t *testing.T) {
	log := make(lines, 1)
	r := newRig(t, func(c *gateway.Config) {
		c.Plan = planOf(paced(t))
		c.Plan.Targets[0].Credentials = []gateway.Credential{{Key: "sk-provider-secret"}}
		c.Logger = slog.New(slog.NewJSONHandler(log, nil))
	})
	r.ask(plainBody, "500,ok", "Authorization", "Bearer client-secret", "X-Request-Id", "id-7")
	line := <-log // it follows the answer
	for _, want := range []string{`"request_id":"id-7"`, `"attempts":2`, `"status":200`, `"operation":"chat"`, `"model":"m-1"`, `"outcome":"ok"`} {
		if !strings.Contains(line, want) {
			t.Errorf("the log lacks %s: %s", want, line)
		}
	}
	for _, secret := range []string{"secret", "wind"} {
		if strings.Contains(line, secret) {
			t.Errorf("the log holds %q: %s", secret, line)
		}
	}
}

// lines are those of a log.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func TestNewRefuses(t *testing.T) {
	_, err := gateway.New(gateway.Config{
		Plan:   planOf("ftp://example.com"),
		Limits: gateway.Limits{Body: -1, Total: 2 * time.Hour, Idle: -1},
	})
	for _, want := range []string{
		"Orchestrator is nil", `BaseURL is "ftp://example.com", want something like https://`,
		"Limits.Body is -1, want at least 1", "Limits.Total is 2h0m0s, want more than 0s and at most 59m", "Limits.Idle is -1ns",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New = %v, want %q in it", err, want)
		}
	}
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gateway.New(gateway.Config{Orchestrator: orc, Plan: planOf("http://user:pw@host/v1")}); err == nil || strings.Contains(err.Error(), "pw") {
		t.Errorf("New with a password in the URL = %v, want an error without it", err)
	}
}
