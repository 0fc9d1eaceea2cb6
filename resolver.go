package trysail

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A resolver finds what operations do. The policies of operations that say nothing
// themselves are made once and shared: they are most of what an idle operation is.
type resolver struct {
	config  Config
	table   consequences
	shared  map[Strategy]*Policy
	special map[string]*Policy // of Config.Operations
}

// newResolver checks the configuration.
func newResolver(c Config) (*resolver, error) {
	c, table, err := c.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("trysail config: %w", err)
	}
	r := &resolver{config: c, table: table, shared: map[Strategy]*Policy{}, special: make(map[string]*Policy, len(c.Operations))}
	for _, s := range Strategies() {
		policy := r.policy(s, Policy{})
		r.shared[s] = &policy
	}
	if err := r.specialize(); err != nil {
		return nil, fmt.Errorf("trysail config: %w", err)
	}
	return r, nil
}

// specialize makes the policies of the operations that the configuration names, and checks them.
func (r *resolver) specialize() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(r.config.Operations)) {
		own := r.config.Operations[name]
		where := func() string { return fmt.Sprintf("Operations[%q]", name) } // only faults need it, and a thousand operations have none
		if err := checkName(name); err != nil {
			errs = append(errs, fmt.Errorf("Operations: %w", err))
		}
		strategy := r.strategy(name, "")
		if checkStrategy("", strategy) != nil {
			errs, strategy = append(errs, checkStrategy(where()+".Strategy", strategy)), r.config.DefaultStrategy
		}
		if own.Policy == (Policy{}) {
			continue
		}
		policy := r.policy(strategy, own.Policy)
		r.special[name] = &policy
		if policy.check("") != nil {
			errs = append(errs, policy.check(where()+".Policy"))
		}
	}
	return errors.Join(errs...)
}

// strategy returns the strategy of the named operation, for which its registration wants the one given, or "".
func (r *resolver) strategy(name string, registered Strategy) Strategy {
	return cmp.Or(r.config.Strategies[name], r.config.Operations[name].Strategy, registered, r.config.DefaultStrategy)
}

// named resolves what the named operation does when its registration says nothing. It
// cannot fail, because the configuration has been checked.
func (r *resolver) named(name string) (Strategy, *Policy) {
	strategy := r.strategy(name, "")
	return strategy, cmp.Or(r.special[name], r.shared[strategy])
}

// own resolves what an operation with a configuration of its own does.
func (r *resolver) own(name string, own OperationConfig) (Strategy, *Policy, error) {
	strategy := r.strategy(name, own.Strategy)
	wanted := cmp.Or(own.Strategy, strategy) // an overruled strategy must exist, too
	if own.Policy == (Policy{}) && r.special[name] == nil {
		return strategy, r.shared[strategy], checkStrategy("Strategy", wanted)
	}
	policy := r.policy(strategy, r.config.Operations[name].Policy.or(own.Policy))
	return strategy, &policy, errors.Join(checkStrategy("Strategy", wanted), policy.check("Policy"))
}

func (r *resolver) policy(s Strategy, own Policy) Policy {
	base := r.config.Default
	if s != r.config.DefaultStrategy {
		base = s.Policy()
	}
	policy := own.or(base).complete()
	if r.config.Disabled {
		policy.Retry.Disabled, policy.Breaker.Disabled = true, true
		policy.Throttle.Disabled, policy.Limiter.Disabled, policy.Bulkhead.Disabled = true, true, true
		policy.Total, policy.Attempt, policy.Hedge.Disabled = 0, 0, true
	}
	return policy
}
