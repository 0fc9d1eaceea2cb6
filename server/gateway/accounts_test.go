package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// What a provider says of an account holds for all its targets, and everybody can see it at their breakers.
func TestParkedAccounts(t *testing.T) {
	for script, want := range map[string]string{
		"billing": "the quota is used up", "auth": "the provider refuses the key",
	} {
		t.Run(script, func(t *testing.T) {
			f := newFleet(t, []string{script, "ok", "ok"}, func(c *gateway.Config) {
				c.Plan.Targets[1].Credentials[0].Key = "key-a" // the account of the first
			})
			for range 3 {
				if got := f.chat(plainBody); got.status != 200 || got.header.Get(gateway.TargetHeader) != "c" {
					t.Fatalf("status %d from %q, want 200 from the target with another account", got.status, got.header.Get(gateway.TargetHeader))
				}
			}
			if f.totals() != "1 0 3" {
				t.Errorf("requests %s, want one that found it out, and 3 to the target with another account", f.totals())
			}
			for _, target := range []string{"a", "b"} {
				if b := f.breaker(target); b.State != trysail.Open || !strings.Contains(b.Reason, want) || strings.Contains(b.Reason, "key-a") {
					t.Errorf("breaker of %q: %v, %q; want open with the reason, and without the key", target, b.State, b.Reason)
				}
			}
			if b := f.breaker("c"); b.State != trysail.Closed {
				t.Errorf("breaker of the other account: %v", b.State)
			}
		})
	}
}

// A target of its own refuses at once, says why, and is asked again when an operator closes its breaker or the plan changes.
func TestParkedAccountOfTheOnlyTarget(t *testing.T) {
	for name, mend := range map[string]func(*fleet) error{
		"an operator closes the breaker": func(f *fleet) error {
			op, _ := f.orchestrator.Lookup("target/a")
			op.Breaker().Close(trysail.Override{Reason: "paid"})
			return nil
		},
		"the plan changes": func(f *fleet) error { return f.gateway.Apply(f.plan) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, []string{"billing,ok"}, nil)
			f.chat(plainBody)
			got := f.chat(plainBody)
			if _, code, message := got.failure(t); got.status != 503 || code != "account_parked" || !strings.Contains(message, "quota") {
				t.Errorf("status %d, %q: %s; want 503, account_parked and why", got.status, code, message)
			}
			if got.header.Get("Retry-After") != "300" || f.totals() != "1" || got.header.Get(gateway.AttemptsHeader) != "0" {
				t.Errorf("Retry-After %q after %s requests, want 300 and 1", got.header.Get("Retry-After"), f.totals())
			}
			if m := f.metrics("chat"); f.orchestrator.Operation("chat").Breaker().Snapshot().Failures > 1 {
				t.Errorf("the operation's breaker counts the refusal: %+v", m)
			}
			if err := mend(f); err != nil {
				t.Fatal(err)
			}
			if got := f.chat(plainBody); got.status != 200 || got.header.Get(gateway.BreakerHeader) != "closed" {
				t.Errorf("afterwards: status %d, breaker %s", got.status, got.header.Get(gateway.BreakerHeader))
			}
		})
	}
}

// The next credential of a target is used at once, whatever the strategy says about attempts.
func TestManyCredentials(t *testing.T) {
	keys := []gateway.Credential{{Key: "k1"}, {Key: "k2"}, {Key: "k3"}, {Key: "k4"}, {Key: "k5"}}
	for script, second := range map[string]string{
		"billing,auth,quota,rate-limit:60s,ok": "5 requests", "429:60,429:60,429:60,429:60,ok": "5 requests",
	} {
		t.Run(script, func(t *testing.T) {
			f := newFleet(t, []string{script}, func(c *gateway.Config) { c.Plan.Targets[0].Credentials = keys })
			got := f.chat(plainBody)
			if got.status != 200 || f.totals()+" requests" != second {
				t.Fatalf("status %d after %s requests, want 200 after %s", got.status, f.totals(), second)
			}
			var used []string
			for _, seen := range f.providers[0].Requests() {
				used = append(used, strings.TrimPrefix(seen.Header.Get("Authorization"), "Bearer "))
			}
			if fmt.Sprint(used) != "[k1 k2 k3 k4 k5]" {
				t.Errorf("used %v, want each once", used)
			}
			f.chat(plainBody)
			if seen := f.providers[0].Requests(); seen[len(seen)-1].Header.Get("Authorization") != "Bearer k5" || len(seen) != 6 {
				t.Errorf("the next call uses %s after %d requests, want the good key at once", seen[len(seen)-1].Header.Get("Authorization"), len(seen))
			}
			if b := f.breaker("a"); b.State != trysail.Closed || b.Failures != 0 {
				t.Errorf("the target's breaker is %v with %d failures, want closed with none", b.State, b.Failures)
			}
		})
	}
}

// A short gate is waited at, a long one is not; neither moves a breaker.
func TestGates(t *testing.T) {
	f := newFleet(t, []string{"429:600"}, nil)
	for range 30 {
		got := f.chat(plainBody)
		if got.status != http.StatusTooManyRequests {
			t.Fatalf("status %d, want 429", got.status)
		}
	}
	got := f.chat(plainBody)
	if _, code, _ := got.failure(t); code != "provider_rate_limited" || f.totals() != "1" {
		t.Errorf("code %q after %s requests, want provider_rate_limited after 1", code, f.totals())
	}
	if b := f.breaker("a"); b.State != trysail.Closed || b.WindowFailures != 0 {
		t.Errorf("the target's breaker is %v with %d failures, want closed with none", b.State, b.WindowFailures)
	}
	if b := f.orchestrator.Operation("chat").Breaker().Snapshot(); b.State != trysail.Closed || b.Failures > 1 {
		t.Errorf("the operation's breaker is %v with %d failures, want closed with one at most", b.State, b.Failures)
	}

	brief := newFleet(t, []string{"rate-limit:1s,ok"}, nil)
	done := make(chan reply)
	go func() { done <- brief.chat(plainBody) }()
	for brief.providers[0].Total() == 0 {
		time.Sleep(time.Millisecond) // a real socket cannot be waited for otherwise
	}
	second := brief.chat(plainBody)
	if first := <-done; first.status != 200 || second.status != 200 {
		t.Errorf("statuses %d and %d, want both calls to have waited", first.status, second.status)
	}
}
