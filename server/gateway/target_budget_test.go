package gateway_test

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// dear gives the first target a budget and all targets a price of a tenth of a cent for a token.
func dear(dollars float64) func(*gateway.Config) {
	return func(c *gateway.Config) {
		for i := range c.Plan.Targets {
			c.Plan.Targets[i].Price = gateway.Price{Input: 1000, Output: 1000}
		}
		c.Plan.Targets[0].Limits.Dollars = dollars
	}
}

// metered is a request for at most 80 tokens, which may cost 0.08 dollars and its prompt.
func metered(body string) string { return strings.Replace(body, "{", `{"max_tokens":80,`, 1) }

// A till is a provider whose answers cost 0.05 dollars, and come when they are let go.
type till struct {
	url   string
	asked atomic.Int64
	open  chan struct{}
}

func newTill(t *testing.T) *till {
	t.Helper()
	p := &till{open: make(chan struct{})}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.asked.Add(1)
		<-p.open
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":45}}`)
	}))
	t.Cleanup(s.Close)
	p.url = s.URL
	return p
}

// spent returns what a target has cost, as the usage tells it.
func spent(g *gateway.Gateway, target string) float64 { return g.Usage().Targets[target].Dollars }

// However many calls come at the same time, a target never costs more than it may, and what they did not use can be used later. No breaker takes part.
func TestTargetMoney(t *testing.T) {
	provider := newTill(t)
	f := newFleet(t, nil, func(c *gateway.Config) {
		c.Plan = planOf(provider.url + "/v1")
		dear(0.35)(c)
	})
	var passed, refused atomic.Int64
	ask := func() {
		got := f.chat(metered(plainBody))
		if got.status == 200 {
			passed.Add(1)
			return
		}
		refused.Add(1)
		after, err := strconv.Atoi(got.header.Get("Retry-After"))
		kind, code, message := got.failure(t)
		if got.status != 429 || kind != "insufficient_quota" || code != "target_budget_exhausted" || err != nil || after < 1 || after > 86400 || !strings.Contains(message, "0.35") {
			t.Errorf("status %d, %q, %q, %q, Retry-After %d; want 429, target_budget_exhausted", got.status, kind, code, message, after)
		}
		if got.header.Get(gateway.AttemptsHeader) != "0" || got.header.Get("X-Should-Retry") != "false" {
			t.Errorf("headers %v, want no attempts, and none by the SDK", got.header)
		}
	}
	var calls sync.WaitGroup
	for range 40 {
		calls.Go(ask)
	}
	until(t, "a decision about each call", func() bool { return provider.asked.Load()+refused.Load() == 40 })
	if n := provider.asked.Load(); n != 3 {
		t.Errorf("%d of 40 calls at once were sent, want 3: that is what there is money for if each is as dear as it may be", n)
	}
	close(provider.open)
	calls.Wait()
	for n := range uint64(5) {
		eventually(t, f.gateway, func(u gateway.Usage) bool { return u.Operations["chat"].Requests == 40+n })
		ask()
	}
	eventually(t, f.gateway, func(u gateway.Usage) bool { return u.Operations["chat"].Requests == 45 })
	if n := passed.Load(); n != 5 || provider.asked.Load() != n || math.Abs(spent(f.gateway, "one")-0.25) > 1e-9 {
		t.Errorf("%d calls passed, %d were sent, for %v dollars; want 5 for 0.25", n, provider.asked.Load(), spent(f.gateway, "one"))
	}
	if b, op := f.breaker("one"), f.orchestrator.Operation("chat").Breaker().Snapshot(); b.State != trysail.Closed || b.WindowFailures+op.Failures != 0 {
		t.Errorf("breakers %v and %v, with %d and %d failures, want both closed without any", b.State, op.State, b.WindowFailures, op.Failures)
	}
}

// A target without money is passed over at once, and is not even asked for want of a better one. What costs nothing still goes there.
func TestTargetWithoutMoney(t *testing.T) {
	f := newFleet(t, []string{"ok", "ok"}, dear(0.01)) // less than any call may cost
	got := f.chat(metered(plainBody))
	if got.status != 200 || got.header.Get(gateway.TargetHeader) != "b" || got.header.Get(gateway.FallbackHeader) != "none" || f.totals() != "0 1" {
		t.Errorf("status %d from %q after %q, requests %s; want b at once", got.status, got.header.Get(gateway.TargetHeader), got.header.Get(gateway.FallbackHeader), f.totals())
	}
	f.openUntil("b", time.Hour)
	for range 3 { // b is the least bad then
		if got := f.chat(metered(plainBody)); got.status != 200 || f.providers[0].Total() != 0 {
			t.Errorf("status %d, requests %s; want b, though its breaker is open", got.status, f.totals())
		}
	}
	op, _ := f.orchestrator.Lookup("target/b")
	op.Breaker().ForceOpen(trysail.Override{Reason: "repairs", For: time.Minute})
	got = f.chat(metered(plainBody))
	if got.status < 400 || f.providers[0].Total() != 0 {
		t.Errorf("status %d, requests %s; want a refusal", got.status, f.totals())
	}
	if got := f.do(t.Context(), http.MethodGet, "/v1/files/file-1", ""); got.header.Get(gateway.TargetHeader) != "a" {
		t.Errorf("status %d from %q, want a: it costs nothing", got.status, got.header.Get(gateway.TargetHeader))
	}
}

// The other protocols have their own error objects.
func TestTargetMoneyInOtherProtocols(t *testing.T) {
	url, seen := mirror(t)
	f := newFleet(t, nil, func(c *gateway.Config) {
		c.Plan.Targets = []gateway.Target{
			{Name: "c", Protocol: gateway.AnthropicProtocol, BaseURL: url},
			{Name: "g", Protocol: gateway.GeminiProtocol, BaseURL: url},
		}
		dear(0.01)(c)
		c.Plan.Targets[1].Limits.Dollars = 0.01
	})
	for path, want := range map[string]string{
		"/v1/messages":                     `"type":"rate_limit_error"`,
		"/v1beta/models/m:generateContent": `"reason":"TARGET_BUDGET_EXHAUSTED"`,
	} {
		got := f.do(t.Context(), http.MethodPost, path, metered(plainBody))
		if got.status != 429 || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, want) {
			t.Errorf("%s: status %d, %s; want 429 with %s", path, got.status, got.body, want)
		}
	}
	if len(seen()) != 0 {
		t.Errorf("the provider was asked: %q", seen())
	}
}

// What is spent stays so over reloads, also where there was no limit or no such target between; what may be spent changes at once.
func TestTargetMoneyOverReloads(t *testing.T) {
	provider := newTill(t)
	close(provider.open)
	f := newFleet(t, nil, func(c *gateway.Config) {
		c.Plan = planOf(provider.url + "/v1")
		dear(0)(c)
	})
	apply := func(dollars float64) {
		t.Helper()
		f.plan.Targets[0].Limits.Dollars = dollars
		if err := f.gateway.Apply(f.plan); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(want int) {
		t.Helper()
		if got := f.chat(metered(plainBody)); got.status != want {
			t.Errorf("status %d, want %d\n%s", got.status, want, got.body)
		}
	}
	ask(200) // 0.05, without a limit
	apply(0.12)
	ask(429) // it may cost 0.08 and more
	apply(0.2)
	ask(200)
	ask(429)
	name := f.plan.Targets[0].Name
	f.plan.Targets[0].Name = "another"
	apply(0.2)
	ask(200)
	f.plan.Targets[0].Name = name
	apply(0.2)
	ask(429)
	apply(0.3)
	ask(200)
	apply(0)
	ask(200)
}

// Reloads while calls run lose no money and find none.
func TestTargetMoneyWhileReloading(t *testing.T) {
	provider := newTill(t)
	close(provider.open)
	f := newFleet(t, nil, func(c *gateway.Config) {
		c.Plan = planOf(provider.url + "/v1")
		dear(2)(c)
	})
	var calls, reloads sync.WaitGroup
	done := make(chan struct{})
	reloads.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			plan := f.plan
			plan.Targets = append([]gateway.Target(nil), plan.Targets...)
			plan.Targets[0].Region = fmt.Sprint(i)
			if err := f.gateway.Apply(plan); err != nil {
				t.Error(err)
			}
		}
	})
	var passed atomic.Int64
	for range 8 {
		calls.Go(func() {
			for range 12 {
				if f.chat(metered(plainBody)).status == 200 {
					passed.Add(1)
				}
			}
		})
	}
	calls.Wait()
	close(done)
	reloads.Wait()
	n := uint64(8 * 12)
	eventually(t, f.gateway, func(u gateway.Usage) bool { return u.Operations["chat"].Requests == n })
	for range 40 { // one at a time, until there is no money for another
		n++
		got := f.chat(metered(plainBody))
		eventually(t, f.gateway, func(u gateway.Usage) bool { return u.Operations["chat"].Requests == n })
		if got.status != 200 {
			break
		}
		passed.Add(1)
	}
	// 0.05 each, and none begins when less is left than the 0.1 and more that it may cost.
	if n := passed.Load(); n != 38 || provider.asked.Load() != n || math.Abs(spent(f.gateway, "one")-1.9) > 1e-9 {
		t.Errorf("%d calls passed, %d were sent, for %v dollars; want 38 for 1.9", n, provider.asked.Load(), spent(f.gateway, "one"))
	}
}
