package gateway

import (
	"fmt"
	"net/http"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// learn notes what a failure says about an account or a target, for the calls that come.
func (e *exchange) learn(v llm.Verdict) {
	here, g := e.walk.here, e.gateway
	switch {
	case v.Class == trysail.ClassQuotaExhausted && v.Scope == llm.ScopeTarget && v.Delay > 0:
		here.target.exhausted.Store(g.now() + int64(v.Delay))
		if b := here.target.breaker(); b != nil {
			b.OpenUntil(time.Now().Add(v.Delay), "the provider's quota is used up ("+v.Reason+")")
		}
	case here.key == nil: // the client's own: it is the client's affair
	case v.Class == trysail.ClassRateLimited && v.Delay > 0:
		here.key.close(g.now() + int64(v.Delay))
	case v.Class == trysail.ClassQuotaExhausted:
		g.park(here, v, "the quota is used up")
	case v.Class == trysail.ClassPermanent && v.Scope == llm.ScopeAccount && v.Status != http.StatusForbidden:
		// A 403 may be about this model or this request alone.
		g.park(here, v, "the provider refuses the key")
	}
}

// park parks the account that a failure is about, and opens the breakers of the targets that are left without any, so that everybody sees why.
func (g *Gateway) park(here *visit, v llm.Verdict, why string) {
	now := g.now()
	reason := fmt.Sprintf("credential %q: %s (%s)", here.key.name, why, v.Reason)
	here.key.park(now, v.Delay, reason)
	for _, t := range g.plan.Load().targets {
		until, reason := t.parked(now)
		b := t.breaker()
		if until == 0 || b == nil || !t.shares(here.key.account) {
			continue
		}
		b.OpenUntil(time.Now().Add(time.Duration(until-now)), reason)
		if b.State() == trysail.Open {
			t.parkedOpen.Store(true)
		}
	}
}

// shares reports whether one of the target's credentials is that account.
func (t *target) shares(a *account) bool {
	for _, k := range t.keys {
		if k.account == a {
			return true
		}
	}
	return false
}
