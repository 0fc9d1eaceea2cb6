package gateway_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// Of several targets that take no call the one that is back first is asked all the same, by two calls at a time.
func TestLeastBad(t *testing.T) {
	f := newFleet(t, []string{"ok", "ok"}, nil)
	f.openUntil("a", time.Hour)
	f.openUntil("b", time.Minute)
	got := f.chat(plainBody)
	if got.status != 200 || f.totals() != "0 1" || got.header.Get(gateway.BreakerHeader) != "open" {
		t.Errorf("status %d after %s requests, breaker %s; want 200 from b, which is open", got.status, f.totals(), got.header.Get(gateway.BreakerHeader))
	}
	f.script(1, "first-token:500ms")
	var calls sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for range 20 {
		calls.Go(func() {
			began := time.Now()
			got := f.chat(plainBody)
			mu.Lock()
			defer mu.Unlock()
			statuses[got.status]++
			if got.status == 503 && time.Since(began) > 400*time.Millisecond {
				t.Errorf("a refusal took %v", time.Since(began))
			}
		})
	}
	calls.Wait()
	if statuses[200] != 2 || statuses[503] != 18 || f.totals() != "0 3" {
		t.Errorf("statuses %v, requests %s; want 2 calls at a time at b, and 18 refused", statuses, f.totals())
	}
	if got := f.chat(plainBody); got.status != 200 {
		t.Errorf("status %d after that, want 200: both places are free again", got.status)
	}
}

// There is nothing to choose where there is one target, and what an operator has shut stays shut.
func TestNotEvenTheLeastBad(t *testing.T) {
	one := newFleet(t, []string{"ok"}, nil)
	one.openUntil("a", time.Minute)
	shut := newFleet(t, []string{"ok", "ok"}, nil)
	for _, target := range []string{"a", "b"} {
		op, _ := shut.orchestrator.Lookup("target/" + target)
		op.Breaker().ForceOpen(trysail.Override{Reason: "repairs", For: time.Minute})
	}
	drained := newFleet(t, []string{"ok", "ok"}, func(c *gateway.Config) {
		c.Plan.Targets[0].Draining, c.Plan.Targets[1].Draining = true, true
	})
	for name, tc := range map[string]struct {
		fleet   *fleet
		status  int
		code    string
		message string
	}{
		"one target":  {one, 503, "circuit_breaker_open", `target "a"`},
		"an operator": {shut, 503, "circuit_breaker_open", "operator"},
		"drained":     {drained, 503, "targets_drained", "drained"},
	} {
		t.Run(name, func(t *testing.T) {
			got := tc.fleet.chat(plainBody)
			_, code, message := got.failure(t)
			if got.status != tc.status || code != tc.code || !strings.Contains(message, tc.message) {
				t.Errorf("status %d, %q, %q; want %d, %q and %q in it", got.status, code, message, tc.status, tc.code, tc.message)
			}
			if strings.Trim(tc.fleet.totals(), "0 ") != "" {
				t.Errorf("requests %s, want none", tc.fleet.totals())
			}
			if b := tc.fleet.orchestrator.Operation("chat").Breaker().Snapshot(); b.Failures != 0 {
				t.Errorf("the operation's breaker counts %d failures, want none", b.Failures)
			}
		})
	}
}

func (f *fleet) openUntil(target string, d time.Duration) {
	op, _ := f.orchestrator.Lookup("target/" + target)
	op.Breaker().OpenUntil(time.Now().Add(d), "the test says so")
}

// A target whose breaker has opened costs nothing: the walk begins behind it.
func TestOpenTargetsAreSkipped(t *testing.T) {
	f := newFleet(t, []string{"500", "ok"}, nil)
	for range 12 {
		if got := f.chat(plainBody); got.status != 200 {
			t.Fatalf("status %d, want 200", got.status)
		}
	}
	if b := f.breaker("a"); b.State != trysail.Open {
		t.Fatalf("the breaker of the dead target is %v after %d failures of %d", b.State, b.WindowFailures, b.WindowCalls)
	}
	before := f.providers[0].Total()
	got := f.chat(plainBody)
	if got.status != 200 || f.providers[0].Total() != before || got.header.Get(gateway.FallbackHeader) != "none" {
		t.Errorf("status %d, tried %q; want the second target at once", got.status, got.header.Get(gateway.FallbackHeader))
	}
	if b := f.orchestrator.Operation("chat").Breaker().Snapshot(); b.State != trysail.Closed || b.Failures != 0 {
		t.Errorf("the operation's breaker is %v with %d failures, want closed: its calls were answered", b.State, b.Failures)
	}
}
