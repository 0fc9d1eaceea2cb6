package gateway_test

import (
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// A target tells its calls, its money, its limits and its breaker.
func TestStatusOfTargets(t *testing.T) {
	provider := newTill(t)
	f := newFleet(t, []string{"ok"}, func(c *gateway.Config) {
		c.Plan.Targets = append(c.Plan.Targets, gateway.Target{Name: "till", Protocol: gateway.OpenAIProtocol, BaseURL: provider.url + "/v1", Region: "eu"})
		dear(0)(c)
		c.Plan.Targets[1].Limits = gateway.TargetLimits{Dollars: 0.35, Tokens: 1000, Requests: 600}
		c.Plan.Routes = []gateway.Route{{Name: "till", Headers: map[string]string{"X-Till": "yes"}, Targets: []gateway.RouteTarget{{Target: "till"}}}}
	})
	var calls sync.WaitGroup
	calls.Go(func() { f.chat(metered(plainBody), "X-Till", "yes") })
	until(t, "the call", func() bool { return provider.asked.Load() == 1 })
	s := f.gateway.Targets()[1]
	if s.Name != "till" || s.Region != "eu" || s.Calls != 1 || s.Held < 0.08 || s.Spent != 0 || math.Abs(s.Left()-0.35+s.Held) > 1e-9 || len(s.Accounts) != 0 {
		t.Errorf("with a call under way %+v", s)
	}
	if s.Tokens < 800 || s.Tokens > 930 || s.Requests < 58 || s.Requests > 60 {
		t.Errorf("%v tokens and %v requests are free, want about 900 of 1000 and 59 of 60", s.Tokens, s.Requests)
	}
	close(provider.open)
	calls.Wait()
	until(t, "the end of the call", func() bool { return f.gateway.Targets()[1].Calls == 0 })
	if s = f.gateway.Targets()[1]; s.Held != 0 || math.Abs(s.Spent-0.05) > 1e-9 || s.Breaker.State != trysail.Closed {
		t.Errorf("after it %+v, want 0.05 spent", s)
	}
	f.openUntil("a", time.Minute)
	if s := f.gateway.Targets()[0]; s.Breaker.State != trysail.Open || s.Accounts[0].Name != "a-1" || !s.Accounts[0].Parked.IsZero() || s.Left() != 0 {
		t.Errorf("with an open breaker %+v", s)
	}
}

// Accounts that are parked say so, with why and until when.
func TestStatusOfAccounts(t *testing.T) {
	f := newFleet(t, []string{"401"}, nil)
	f.chat(plainBody)
	s := f.gateway.Targets()[0].Accounts[0]
	if in := time.Until(s.Parked); in < 4*time.Minute || in > 6*time.Minute || s.Reason == "" || strings.Contains(s.Reason, "key-a") {
		t.Errorf("after a 401 the account is %+v, want it parked for 5 min", s)
	}
}

// An operator drains a target while calls run: none fails, and none begins there; the word outlives reloads.
func TestDrain(t *testing.T) {
	f := newFleet(t, []string{"ok", "ok"}, nil)
	drain := func(name string, drained, was bool) {
		t.Helper()
		if got, known := f.gateway.Drain(name, drained); got != was || !known {
			t.Errorf("Drain(%q, %v) = %v, %v; want %v, true", name, drained, got, known, was)
		}
	}
	var calls sync.WaitGroup
	var failed atomic.Int64
	done := make(chan struct{})
	for range 4 {
		calls.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if got := f.chat(plainBody); got.status != 200 {
					failed.Add(1)
				}
			}
		})
	}
	for range 20 {
		drain("a", true, false)
		if err := f.gateway.Apply(f.plan); err != nil {
			t.Error(err)
		}
		drain("a", false, true)
	}
	drain("a", true, false)
	close(done)
	calls.Wait()
	before := f.providers[0].Total()
	if got := f.chat(plainBody); got.status != 200 || got.header.Get(gateway.TargetHeader) != "b" || failed.Load() != 0 || f.providers[0].Total() != before {
		t.Errorf("status %d from %q, and %d calls failed; want b, and none", got.status, got.header.Get(gateway.TargetHeader), failed.Load())
	}
	if s := f.gateway.Targets()[0]; !s.Drained || s.Draining {
		t.Errorf("status %+v, want drained by hand", s)
	}
	drain("b", true, false)
	if _, code, _ := f.chat(plainBody).failure(t); code != "targets_drained" {
		t.Errorf("with all drained: %q, want targets_drained", code)
	}
	drain("a", false, true)
	if got := f.chat(plainBody); got.header.Get(gateway.TargetHeader) != "a" {
		t.Errorf("put back: from %q, want a", got.header.Get(gateway.TargetHeader))
	}
	if _, known := f.gateway.Drain("nobody", true); known {
		t.Error("a target that there is not is known")
	}
}
