package trysail

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// A resolver finds what operations do. It is never changed once it is made. The policies of operations that say nothing
// themselves are made once and shared: they are most of what an idle operation is.
//
// What a configuration says as the one before did is taken over from that one's resolver, by pointer. So a reload
// makes, checks and compares only what is another one; of a thousand operations that is mostly a few.
type resolver struct {
	config Config // but for Strategies and Operations, which are in named
	table  *consequences
	bases  map[Strategy]*Policy // what the zero fields of an operation's own policy take
	shared map[Strategy]*Policy // the same, complete
	named  map[string]*named    // what the configuration says about single operations
}

// named is an operation that the configuration names. It is never changed.
type named struct {
	given  Strategy // in Config.Strategies, which goes before all else; or ""
	listed bool     // in Config.Operations
	own    Strategy // there, or ""
	says   sparse   // there

	strategy Strategy // that it follows when its registration says nothing
	policy   *Policy  // likewise
}

// effective returns the strategy that Config.Operations gives, as far as Config.Strategies does not overrule it.
func (n *named) effective() Strategy {
	if n.given != "" {
		return ""
	}
	return n.own
}

// newResolver checks the configuration, of which it keeps copies. It takes over from the resolver before what is the same; before
// is nil if there is none.
func newResolver(c Config, before *resolver) (*resolver, error) {
	c, table, err := c.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("trysail config: %w", err)
	}
	if before == nil {
		before = &resolver{table: &consequences{}}
	}
	r := &resolver{config: c, table: &table, bases: map[Strategy]*Policy{}, shared: map[Strategy]*Policy{}}
	r.config.Strategies, r.config.Operations = nil, nil
	if table == *before.table {
		r.table = before.table
	}
	for _, s := range Strategies() {
		base := s.Policy()
		if s == c.DefaultStrategy {
			base = c.Default
		}
		r.bases[s] = &base
		r.shared[s] = r.policy(s, &Policy{})
		if was := before.shared[s]; was != nil && *was == *r.shared[s] {
			r.shared[s] = was
		}
	}
	if err := r.nameAll(&c, before); err != nil {
		return nil, fmt.Errorf("trysail config: %w", err)
	}
	return r, nil
}

// nameAll resolves the operations that the configuration names, and checks what is in Operations.
func (r *resolver) nameAll(c *Config, before *resolver) error {
	r.named = make(map[string]*named, max(len(c.Operations), len(c.Strategies)))
	alike := r.alike(before)
	var faulty []string
	last := &named{}
	for name, own := range c.Operations {
		given := c.Strategies[name]
		strategy := cmp.Or(given, own.Strategy, c.DefaultStrategy)
		was := before.named[name]
		if was != nil && was.listed && was.given == given && was.own == own.Strategy && was.strategy == strategy &&
			alike[strategy] && was.says.is(&own.Policy) {
			r.named[name] = was // it was good, so it still is
			continue
		}
		n := &named{
			given: given, listed: true, own: own.Strategy, says: sparsely(&own.Policy, &last.says),
			strategy: strategy, policy: r.shared[strategy],
		}
		good := strategy.known() && (was != nil || checkName(name) == nil)
		if n.says != (sparse{}) {
			n.policy = r.policy(strategy, &own.Policy)
			good = good && n.policy.check("") == nil
		}
		if !good {
			faulty = append(faulty, name)
		}
		r.named[name], last = n, n
	}
	for name, given := range c.Strategies {
		if r.named[name] != nil {
			continue
		}
		if was := before.named[name]; was != nil && !was.listed && was.given == given && was.policy == r.shared[given] {
			r.named[name] = was
			continue
		}
		r.named[name] = &named{given: given, strategy: given, policy: r.shared[given]}
	}
	return r.faultsOf(faulty)
}

// alike tells of which strategies an operation's own numbers come to the same as under the resolver before.
func (r *resolver) alike(before *resolver) map[Strategy]bool {
	alike := map[Strategy]bool{}
	for s, base := range r.bases {
		was := before.bases[s]
		alike[s] = was != nil && *was == *base && before.config.Disabled == r.config.Disabled
	}
	return alike
}

// faultsOf says what is wrong with operations of the configuration, in the order of their names.
func (r *resolver) faultsOf(faulty []string) error {
	slices.Sort(faulty)
	var errs []error
	for _, name := range faulty {
		n, where := r.named[name], fmt.Sprintf("Operations[%q]", name)
		if err := checkName(name); err != nil {
			errs = append(errs, fmt.Errorf("Operations: %w", err))
		}
		strategy := n.strategy
		if !strategy.known() {
			errs = append(errs, checkStrategy(where+".Strategy", strategy))
			strategy = r.config.DefaultStrategy // under which the numbers are checked nevertheless
		}
		if n.says != (sparse{}) {
			own := n.says.whole()
			errs = append(errs, r.policy(strategy, &own).check(where+".Policy"))
		}
	}
	return errors.Join(errs...)
}

// about returns what the configuration says about an operation, which may be nothing. It never returns nil.
func (r *resolver) about(name string) *named {
	if n := r.named[name]; n != nil {
		return n
	}
	return &named{}
}

// strategy returns the strategy of an operation about which the configuration says n, or nothing, and its registration own, or nothing.
func (r *resolver) strategy(n *named, own *OperationConfig) Strategy {
	var configured, registered Strategy
	if n != nil {
		configured = cmp.Or(n.given, n.own)
	}
	if own != nil {
		registered = own.Strategy
	}
	return cmp.Or(configured, registered, r.config.DefaultStrategy)
}

// of resolves what the named operation does when its registration says nothing. It
// cannot fail, because the configuration has been checked.
func (r *resolver) of(name string) (Strategy, *Policy) {
	if n := r.named[name]; n != nil {
		return n.strategy, n.policy
	}
	return r.config.DefaultStrategy, r.shared[r.config.DefaultStrategy]
}

// own resolves what an operation with a configuration of its own does.
func (r *resolver) own(name string, own *OperationConfig) (Strategy, *Policy, error) {
	n := r.about(name)
	strategy := r.strategy(n, own)
	bad := checkStrategy("Strategy", cmp.Or(own.Strategy, strategy)) // an overruled strategy must exist, too
	says := n.says.whole().Over(own.Policy)
	if says == (Policy{}) {
		return strategy, r.shared[strategy], bad
	}
	policy := r.policy(strategy, &says)
	return strategy, policy, errors.Join(bad, policy.check("Policy"))
}

// policy completes an operation's own policy under a strategy.
func (r *resolver) policy(s Strategy, own *Policy) *Policy {
	base := r.bases[s]
	if base == nil { // there is no such strategy, which somebody else says
		numbers := s.Policy()
		base = &numbers
	}
	policy := *own
	policy.fill(base)
	policy.complete()
	if r.config.Disabled {
		policy.Retry.Disabled, policy.Breaker.Disabled = true, true
		policy.Throttle.Disabled, policy.Limiter.Disabled, policy.Bulkhead.Disabled = true, true, true
		policy.Total, policy.Attempt, policy.Hedge.Disabled = 0, 0, true
	}
	return &policy
}

// strategies returns Config.Strategies. The caller owns the map.
func (r *resolver) strategies() map[string]Strategy {
	all := map[string]Strategy{}
	for name, n := range r.named {
		if n.given != "" {
			all[name] = n.given
		}
	}
	return all
}

// operations returns Config.Operations. The caller owns the map.
func (r *resolver) operations() map[string]OperationConfig {
	all := map[string]OperationConfig{}
	for name, n := range r.named {
		if n.listed {
			all[name] = OperationConfig{Strategy: n.own, Policy: n.says.whole()}
		}
	}
	return all
}
