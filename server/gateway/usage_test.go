package gateway_test

import (
	"math"
	"testing"
	"time"

	"github.com/trysail-go/trysail/server/gateway"
)

// What is used is counted for the target that was asked and for the operation that asked, also when another target answers in the end.
func TestUsage(t *testing.T) {
	f := newFleet(t, []string{"503", "ok"}, func(c *gateway.Config) {
		c.Plan.Targets[0].Price = gateway.Price{Input: 1000, Output: 1000}
		c.Plan.Targets[1].Price = gateway.Price{Input: 2, Output: 8}
	})
	for range 3 {
		f.chat(plainBody, "X-Trysail-Operation", "billing")
	}
	f.chat(streamBody)
	u := eventually(t, f.gateway, func(u gateway.Usage) bool { return u.Operations["billing"].Requests+u.Operations["chat"].Requests == 4 })
	a, b, billing, chat := u.Targets["a"], u.Targets["b"], u.Operations["billing"], u.Operations["chat"]
	if a.Requests == 0 || a.Input != 0 || a.Dollars != 0 {
		t.Errorf("a has %+v, want requests and nothing used", a)
	}
	if b.Requests != 4 || b.Input == 0 || b.Output == 0 || b.Estimated != 1 {
		t.Errorf("b has %+v, want 4 requests, one estimated, and tokens", b)
	}
	if want := float64(2*b.Input+8*b.Output) / 1e6; math.Abs(b.Dollars-want) > 1e-12 {
		t.Errorf("b has cost %v, want %v", b.Dollars, want)
	}
	if billing.Requests != 3 || billing.Input+chat.Input != b.Input || billing.Output+chat.Output != b.Output || chat.Estimated != 1 {
		t.Errorf("the operations have %+v and %+v, want what b has: %+v", billing, chat, b)
	}
	if u.Since.IsZero() || time.Since(u.Since) > time.Hour {
		t.Errorf("Since is %v, want the gateway's begin", u.Since)
	}
}

// eventually returns the first usage that is as it should be: requests are counted after their answers have been sent.
func eventually(t *testing.T, g *gateway.Gateway, good func(gateway.Usage) bool) gateway.Usage {
	t.Helper()
	for range 2000 {
		if u := g.Usage(); good(u) {
			return u
		}
		time.Sleep(5 * time.Millisecond) // a real socket cannot be waited for otherwise
	}
	t.Fatalf("the usage stays %+v", g.Usage())
	return gateway.Usage{}
}
