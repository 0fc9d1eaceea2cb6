package gateway_test

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/server/gateway"
)

// What an operation may use is bounded for all who use it, and for no other operation. Nobody is asked beyond it.
func TestOperationLimits(t *testing.T) {
	for name, tc := range map[string]struct {
		limits gateway.OperationLimits
		kind   string
		code   string
	}{
		"tokens":  {gateway.OperationLimits{Tokens: 150}, "rate_limit_error", "operation_rate_limited"},
		"dollars": {gateway.OperationLimits{Dollars: 0.15}, "insufficient_quota", "operation_budget_exhausted"},
	} {
		t.Run(name, func(t *testing.T) {
			provider := newTill(t)
			close(provider.open)
			f := newFleet(t, nil, func(c *gateway.Config) {
				c.Plan = planOf(provider.url + "/v1")
				dear(0)(c)
				c.Plan.Operations = map[string]gateway.OperationLimits{"billing": tc.limits}
			})
			const operation = "X-Trysail-Operation"
			passed := 0
			for i := range uint64(5) {
				eventually(t, f.gateway, func(u gateway.Usage) bool { return u.Operations["billing"].Requests == i })
				got := f.chat(metered(plainBody), operation, "billing")
				if got.status == 200 {
					passed++
					continue
				}
				kind, code, message := got.failure(t)
				after, err := strconv.Atoi(got.header.Get("Retry-After"))
				if got.status != 429 || kind != tc.kind || code != tc.code || !strings.Contains(message, `operation "billing"`) || err != nil || after < 1 || after > 86400 {
					t.Errorf("status %d, %q, %q, %q, Retry-After %q; want 429, %s", got.status, kind, code, message, got.header.Get("Retry-After"), tc.code)
				}
			}
			if passed != 1 || provider.asked.Load() != 1 {
				t.Errorf("%d calls passed and %d were sent, want 1: 50 tokens are used, and another may use more than are left", passed, provider.asked.Load())
			}
			if got := f.chat(metered(plainBody)); got.status != 200 {
				t.Errorf("another operation: status %d\n%s", got.status, got.body)
			}
			if got := f.do(t.Context(), http.MethodGet, "/v1/files/file-1", "", operation, "billing"); got.status != 200 {
				t.Errorf("what uses nothing: status %d\n%s", got.status, got.body)
			}
			if b := f.orchestrator.Operation("billing").Breaker().Snapshot(); b.Failures != 0 {
				t.Errorf("the operation's breaker counts %d refusals", b.Failures)
			}
			if err := f.gateway.Apply(f.plan); err != nil {
				t.Fatal(err)
			}
			if got := f.chat(metered(plainBody), operation, "billing"); got.status != 429 {
				t.Errorf("after a reload: status %d, want 429", got.status)
			}
			f.plan.Operations = map[string]gateway.OperationLimits{"billing": {Tokens: tc.limits.Tokens * 10, Dollars: tc.limits.Dollars * 10}}
			if err := f.gateway.Apply(f.plan); err != nil {
				t.Fatal(err)
			}
			if got := f.chat(metered(plainBody), operation, "billing"); name == "dollars" && got.status != 200 {
				t.Errorf("with a higher limit: status %d, want 200\n%s", got.status, got.body)
			}
		})
	}
}

// What an operation refuses costs its client's key nothing.
func TestOperationLimitsCostTheKeyNothing(t *testing.T) {
	provider := newTill(t)
	close(provider.open)
	f := newFleet(t, nil, func(c *gateway.Config) {
		c.Plan = planOf(provider.url + "/v1")
		keyed(gateway.ClientKey{Requests: 2, Tokens: 400, Dollars: 0.3})(c)
		c.Plan.Operations = map[string]gateway.OperationLimits{"small": {Dollars: 0.01}}
	})
	for range 20 {
		got := f.chat(metered(plainBody), "Authorization", teamKey, "X-Trysail-Operation", "small")
		if _, code, _ := got.failure(t); code != "operation_budget_exhausted" {
			t.Fatalf("%q, want operation_budget_exhausted", code)
		}
	}
	for i := range uint64(2) {
		eventually(t, f.gateway, func(u gateway.Usage) bool { return u.Clients["team"].Requests == 20+i })
		if got := f.chat(metered(plainBody), "Authorization", teamKey); got.status != 200 {
			t.Errorf("call %d: status %d, want 200: nothing was sent before\n%s", i, got.status, got.body)
		}
	}
}

func TestBadOperationLimits(t *testing.T) {
	f := newFleet(t, []string{"ok"}, nil)
	f.plan.Operations = map[string]gateway.OperationLimits{
		"target/a": {}, "two words": {}, "": {}, "x": {Tokens: 0.5}, "y": {Tokens: math.NaN(), Dollars: -1}, "z": {Dollars: 5},
	}
	err := f.gateway.Apply(f.plan)
	for _, want := range []string{
		`the name is "target/a"`, `the name is "two words"`, `the name is ""`, `operation "x": Tokens is 0.5`, `operation "y": Tokens is NaN`, `operation "y": Dollars is -1`,
		`operation "z": Dollars is 5, but the target "a" has no Price`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q in it", err, want)
		}
	}
	if joined, ok := errors.Unwrap(err).(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) < 7 {
		t.Errorf("the error is %v, want all faults", err)
	}
}
