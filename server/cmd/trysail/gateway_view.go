package main

import (
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
	"github.com/trysail-go/trysail/server/gateway"
)

// A gatewayView shows a gateway to the internal API, in that one's own words: neither of the two knows the other.
type gatewayView struct{ *gateway.Gateway }

var _ api.Gateway = gatewayView{}

// Usage implements [api.Gateway].
func (g gatewayView) Usage() api.GatewayUsage {
	u := g.Gateway.Usage()
	return api.GatewayUsage{
		Since: u.Since, Targets: countsOf(u.Targets, u.Today.Targets), Operations: countsOf(u.Operations, u.Today.Operations),
		Clients: countsOf(u.Clients, u.Today.Clients),
	}
}

func countsOf(all, today map[string]gateway.UsageCount) map[string]api.GatewayCounts {
	counts := make(map[string]api.GatewayCounts, len(all))
	for name, c := range all {
		counts[name] = api.GatewayCounts{All: api.GatewayCount(c), Today: api.GatewayCount(today[name])}
	}
	return counts
}

// Targets implements [api.Gateway].
func (g gatewayView) Targets() []api.GatewayTarget {
	all := []api.GatewayTarget{}
	for _, s := range g.Gateway.Targets() {
		t := api.GatewayTarget{
			Name: s.Name, Protocol: wordOf(s.Protocol), Region: s.Region, Draining: s.Draining, Drained: s.Drained, Calls: s.Calls, Exhausted: s.Exhausted,
			RequestLimit: s.Limits.Requests, RequestsLeft: s.Requests, TokenLimit: s.Limits.Tokens, TokensLeft: s.Tokens,
			DollarLimit: s.Limits.Dollars, DollarsLeft: s.Left(), DollarsSpent: s.Spent, DollarsHeld: s.Held,
		}
		if s.Limits.Dollars > 0 && s.Spent >= s.Limits.Dollars {
			t.MoneyBack = time.Now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
		}
		if b := s.Breaker; b != nil {
			t.State, t.Reason = b.State.String(), b.Reason
			if b.Override != (trysail.Override{}) {
				t.Reason = b.Override.Reason
			}
			if b.State == trysail.Open {
				t.OpenUntil = b.NextAttemptAt
			}
		}
		for _, a := range s.Accounts {
			t.Accounts = append(t.Accounts, api.GatewayAccount(a))
		}
		all = append(all, t)
	}
	return all
}
