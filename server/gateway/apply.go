package gateway

import (
	"errors"
	"fmt"

	"github.com/trysail-go/trysail"
)

// Apply puts a plan into force, or refuses it with every fault named, and then changes nothing. Calls under way finish under the plan that they began
// with. What is known of a target is kept by its name, what is known of an account by its key; accounts that
// were parked until the configuration changes are so no more. The operation of a target that is gone stays, with its counters.
// It is safe for concurrent use, also with calls.
func (g *Gateway) Apply(p Plan) error {
	next, err := compile(p)
	if err != nil {
		return fmt.Errorf("gateway plan: %w", err)
	}
	g.applying.Lock()
	defer g.applying.Unlock()
	if err := g.register(next); err != nil {
		return fmt.Errorf("gateway plan: %w", err)
	}
	g.settle(next)
	g.settleClients(next)
	g.settleOperations(next)
	g.plan.Store(next)
	g.startProbes(next)
	return nil
}

// register gives the targets their operations, all of them or none.
func (g *Gateway) register(next *snapshot) error {
	var errs []error
	limits := g.limits
	for _, r := range next.routes {
		limits.Total = max(limits.Total, r.Timeout)
	}
	for _, t := range next.targets {
		_, err := g.orchestrator.Register(t.operationName(), trysail.OperationConfig{Policy: t.policy(limits)})
		errs = append(errs, err)
	}
	for _, r := range next.routes {
		if r.Operation != "" {
			_, err := g.open(r.Operation)
			errs = append(errs, err)
		}
	}
	err := errors.Join(errs...)
	if before := g.plan.Load(); err != nil && before != nil {
		for _, t := range before.targets { // they were good before
			_, again := g.orchestrator.Register(t.operationName(), trysail.OperationConfig{Policy: t.policy(g.limits)})
			err = errors.Join(err, again)
		}
	}
	return err
}

// settle gives the targets of a plan what is known of them. g.applying is held.
func (g *Gateway) settle(next *snapshot) {
	standings, accounts := map[string]*standing{}, map[keyHash]*account{}
	for _, t := range next.targets {
		t.standing = g.standings[t.Name]
		if t.standing == nil {
			t.standing = &standing{purse: g.purseOf(t.Name)}
			t.operation, _ = g.orchestrator.Lookup(t.operationName())
		}
		_ = t.limitTokens() // the number has been checked
		standings[t.Name] = t.standing
		for _, k := range t.keys {
			k.account = accounts[k.hash]
			if k.account == nil {
				k.account = g.accounts[k.hash]
			}
			if k.account == nil {
				k.account = &account{}
			}
			accounts[k.hash] = k.account
		}
	}
	g.standings, g.accounts = standings, accounts
	for _, a := range accounts {
		a.unpark(true)
	}
	for _, t := range next.targets {
		if until, _ := t.parked(g.now()); until > 0 || !t.parkedOpen.Swap(false) {
			continue
		}
		if b := t.breaker(); b != nil && b.State() == trysail.Open {
			b.Close(trysail.Override{Reason: "the gateway's plan has changed", Author: "gateway"})
		}
	}
}

// settleClients gives the keys of a plan what is left of their limits. g.applying is held.
func (g *Gateway) settleClients(next *snapshot) {
	allowances := map[keyHash]*allowance{}
	for hash, c := range next.clients {
		c.allowance = g.allowances[hash]
		if c.allowance == nil {
			c.allowance = &allowance{}
		}
		c.limit(c.Requests, c.Tokens)
		allowances[hash] = c.allowance
	}
	g.allowances = allowances
	g.issue(next)
}
