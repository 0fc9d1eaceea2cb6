package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// What is over a target's limit goes to the next target, and where there is none is refused without a request.
func TestLimitsOfTargets(t *testing.T) {
	for name, tc := range map[string]struct {
		limits  gateway.TargetLimits
		calls   int
		code    string
		atMost  int // requests to the limited target
		retryIn bool
	}{
		"requests a minute": {gateway.TargetLimits{Requests: 10}, 10, "rate_limit_exceeded", 1, true},
		"tokens a minute":   {gateway.TargetLimits{Tokens: 100}, 10, "rate_limit_exceeded", 3, true},
	} {
		t.Run(name, func(t *testing.T) {
			body := strings.Replace(plainBody, "{", `{"max_tokens":20,`, 1)
			two := newFleet(t, []string{"ok", "ok"}, func(c *gateway.Config) { c.Plan.Targets[0].Limits = tc.limits })
			one := newFleet(t, []string{"ok"}, func(c *gateway.Config) { c.Plan.Targets[0].Limits = tc.limits })
			refused := 0
			for range tc.calls {
				if got := two.chat(body); got.status != 200 {
					t.Errorf("with another target: status %d\n%s", got.status, got.body)
				}
				got := one.chat(body)
				if got.status == 200 {
					continue
				}
				refused++
				if _, code, _ := got.failure(t); got.status != 429 || code != tc.code || (got.header.Get("Retry-After") != "") != tc.retryIn {
					t.Errorf("status %d, code %q, Retry-After %q; want 429, %q", got.status, code, got.header.Get("Retry-After"), tc.code)
				}
			}
			if sent := two.providers[0].Total(); sent > tc.atMost || sent == 0 || refused == 0 {
				t.Errorf("%d requests to the limited target, and %d calls refused; want at most %d and some", sent, refused, tc.atMost)
			}
			if b := one.orchestrator.Operation("chat").Breaker().Snapshot(); b.Failures != 0 {
				t.Errorf("the operation's breaker counts %d refusals as failures", b.Failures)
			}
		})
	}
}

// As many calls at a time as the target may have; the others go on.
func TestConcurrencyOfTargets(t *testing.T) {
	f := newFleet(t, []string{"first-token:400ms", "ok"}, func(c *gateway.Config) { c.Plan.Targets[0].Limits.Concurrent = 3 })
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			if got := f.chat(plainBody); got.status != 200 {
				t.Errorf("status %d\n%s", got.status, got.body)
			}
		})
	}
	calls.Wait()
	if f.totals() != "3 17" {
		t.Errorf("requests %s, want 3 at a time at the first", f.totals())
	}
}

// Reserved tokens are settled by what the answer tells.
func TestTokensAreSettled(t *testing.T) {
	for name, body := range map[string]string{
		"plain":  strings.Replace(plainBody, "{", `{"max_tokens":9000,`, 1),
		"stream": strings.Replace(streamBody, "{", `{"max_tokens":9000,`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, []string{"500,ok"}, func(c *gateway.Config) { c.Plan.Targets[0].Limits.Tokens = 10_000 })
			for range 8 { // of which two would not fit if each kept what it had reserved
				if got := f.chat(body); got.status != 200 {
					t.Fatalf("status %d\n%s", got.status, got.body)
				}
			}
		})
	}
}

// A provider that says that nothing is left is believed.
func TestCeilings(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen[r.Header.Get("Authorization")]++
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Ratelimit-Limit-Requests", "1")
		w.Header().Set("X-Ratelimit-Remaining-Requests", "0")
		w.Header().Set("X-Ratelimit-Reset-Requests", "5m0s")
		_, _ = io.WriteString(w, `{"choices":[]}`)
	}))
	defer provider.Close()
	r := newRig(t, func(c *gateway.Config) {
		c.Plan = gateway.SingleTarget(gateway.Target{
			Name: "t", Protocol: gateway.OpenAIProtocol, BaseURL: provider.URL + "/v1", Credentials: []gateway.Credential{{Key: "k1"}, {Key: "k2"}},
		})
	})
	for i := range 3 {
		got := r.do(t.Context(), http.MethodPost, "/v1/chat/completions", plainBody)
		if want := []int{200, 200, 429}[i]; got.status != want {
			t.Errorf("call %d: status %d, want %d", i, got.status, want)
		}
	}
	if fmt.Sprint(seen) != "map[Bearer k1:1 Bearer k2:1]" {
		t.Errorf("requests %v, want one with each key", seen)
	}
	if m := r.metrics("target/t"); m.Succeeded != 2 {
		t.Errorf("metrics %+v", m)
	}
}

// Tokens of which the provider has none left close the account for as long as another call like this must wait, with and without a limit of ours, and
// also in the words of Anthropic. What it has left is the most that counts as free. Of a client's own account nothing is learned.
func TestCeilingsOfTokens(t *testing.T) {
	soon := time.Now().Add(5 * time.Minute).UTC().Format(time.RFC3339)
	openai := func(left string) map[string]string {
		return map[string]string{"X-Ratelimit-Limit-Tokens": "100", "X-Ratelimit-Remaining-Tokens": left, "X-Ratelimit-Reset-Tokens": "5m0s"}
	}
	anthropic := map[string]string{
		"Anthropic-Ratelimit-Output-Tokens-Limit": "100", "Anthropic-Ratelimit-Output-Tokens-Remaining": "0", "Anthropic-Ratelimit-Output-Tokens-Reset": soon,
	}
	requests := map[string]string{
		"Anthropic-Ratelimit-Requests-Limit": "1", "Anthropic-Ratelimit-Requests-Remaining": "0", "Anthropic-Ratelimit-Requests-Reset": soon,
	}
	key := []gateway.Credential{{Key: "k1"}}
	for name, tc := range map[string]struct {
		headers map[string]string
		keys    []gateway.Credential
		limit   float64
		second  int    // the status of a second call
		code    string // of its refusal
	}{
		"nothing left":                          {openai("0"), key, 0, 429, "provider_rate_limited"},
		"nothing left, with a limit of ours":    {openai("0"), key, 1e6, 429, "provider_rate_limited"},
		"Anthropic, nothing left":               {anthropic, key, 0, 429, "provider_rate_limited"},
		"Anthropic, no requests left":           {requests, key, 0, 429, "provider_rate_limited"},
		"enough left":                           {openai("5000"), key, 1e4, 200, ""},
		"less left than the call needs":         {openai("20"), key, 300, 429, "rate_limit_exceeded"},
		"less left than the call needs, of two": {openai("20"), append(key, gateway.Credential{Key: "k2"}), 300, 200, ""},
		"less left, without a limit of ours":    {openai("20"), key, 0, 200, ""},
		"a client's account":                    {openai("0"), nil, 1e6, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				for name, value := range tc.headers {
					w.Header().Set(name, value)
				}
				_, _ = io.WriteString(w, `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}`)
			}))
			defer provider.Close()
			r := newRig(t, func(c *gateway.Config) {
				c.Plan = gateway.SingleTarget(gateway.Target{
					Name: "t", Protocol: gateway.OpenAIProtocol, BaseURL: provider.URL + "/v1", Credentials: tc.keys, Limits: gateway.TargetLimits{Tokens: tc.limit},
				})
			})
			body := strings.Replace(plainBody, "{", `{"max_tokens":80,`, 1)
			if got := r.do(t.Context(), http.MethodPost, "/v1/chat/completions", body); got.status != 200 {
				t.Fatalf("status %d\n%s", got.status, got.body)
			}
			got := r.do(t.Context(), http.MethodPost, "/v1/chat/completions", body)
			if got.status != tc.second {
				t.Fatalf("the second call: status %d, want %d\n%s", got.status, tc.second, got.body)
			}
			if tc.code != "" {
				if _, code, _ := got.failure(t); code != tc.code || got.header.Get("Retry-After") == "" {
					t.Errorf("code %q, Retry-After %q; want %q and a time", code, got.header.Get("Retry-After"), tc.code)
				}
			}
			if b := r.orchestrator.Operation("target/t").Breaker().Snapshot(); b.State != trysail.Closed || b.WindowFailures != 0 {
				t.Errorf("the target's breaker is %v with %d failures", b.State, b.WindowFailures)
			}
		})
	}
}
