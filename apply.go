package trysail

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A Change is what a reconfiguration has changed.
type Change struct {
	// Fields are the single changes, by operation and then in the order of the policy.
	// The operation "" stands for the default policy.
	Fields []FieldChange

	// Operations are those whose policy changed, sorted.
	Operations []string
}

// A FieldChange is one value that is another one now.
type FieldChange struct {
	Operation string
	Field     string // such as "Retry.Attempts"
	Old, New  string // as text
}

// Apply puts all operations under another configuration: a hot reload. A bad configuration
// is refused with every fault named, and changes nothing.
//
// Operations keep their handles, the state of their breakers, their windows and their counters. Calls
// that are under way finish as they began; calls that begin while Apply runs find the old or the new
// settings of their operation. A breaker, a limiter and a bulkhead are shared by all calls, so their
// numbers change for all of them at once; functions given to [Hedged] look at the policy with each attempt. What
// was given to [Orchestrator.Register] still holds. The Observer stays the one of New, and hears what it did.
func (o *Orchestrator) Apply(cfg Config) (Change, error) {
	next, err := newResolver(cfg)
	if err != nil {
		return Change{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	plans, err := o.plan(next)
	if err != nil {
		return Change{}, err
	}
	old := o.rules
	next.config.Observer, next.config.ObserveCalls = old.config.Observer, old.config.ObserveCalls
	o.rules = next
	return o.enact(old, plans), nil
}

// A setting is what an operation is put under.
type setting struct {
	strategy Strategy
	policy   *Policy
}

// plan is what Apply will do to an operation.
type plan struct {
	setting
	op *Operation
}

// plan resolves every operation under the next rules, before any of them changes.
func (o *Orchestrator) plan(next *resolver) ([]plan, error) {
	plans := make([]plan, 0, len(o.operations))
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(o.operations)) {
		p := plan{op: o.operations[name]}
		if p.op.own == nil {
			p.strategy, p.policy = next.named(name)
		} else {
			var err error
			if p.strategy, p.policy, err = next.own(name, *p.op.own); err != nil {
				errs = append(errs, fmt.Errorf("apply to operation %q: %w", name, err))
			}
		}
		plans = append(plans, p)
	}
	return plans, errors.Join(errs...)
}

// enact carries the plans out and returns what they change.
func (o *Orchestrator) enact(old *resolver, plans []plan) (c Change) {
	before, after := old.config.Default.complete(), o.rules.config.Default.complete()
	c.compare("", setting{old.config.DefaultStrategy, &before}, setting{o.rules.config.DefaultStrategy, &after})
	o.rest(&c, &old.config, &o.rules.config)
	for class, row := range o.rules.table {
		if was := old.table[class]; was != row {
			name := fmt.Sprintf("Classes[%v]", Class(class))
			c.Fields = append(c.Fields, FieldChange{"", name, fmt.Sprintf("%+v", was), fmt.Sprintf("%+v", row)})
		}
	}
	for _, p := range plans {
		set := p.op.settings.Load()
		if c.compare(p.op.name, setting{set.strategy, set.policy}, p.setting) {
			c.Operations = append(c.Operations, p.op.name)
		}
		p.op.configure(p.strategy, p.policy, &o.rules.table)
	}
	return c
}

// rest adds what differs besides the default policy, the classes, and the operations that there are: the
// switch for all, and the strategies of operations that do not exist yet.
func (o *Orchestrator) rest(c *Change, was, is *Config) {
	if was.Disabled != is.Disabled {
		c.Fields = append(c.Fields, FieldChange{"", "Disabled", fmt.Sprint(was.Disabled), fmt.Sprint(is.Disabled)})
	}
	named := map[string]bool{}
	for _, cfg := range []*Config{was, is} {
		for name := range cfg.Strategies {
			named[name] = true
		}
		for name := range cfg.Operations {
			named[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if _, exists := o.operations[name]; exists {
			continue
		}
		if before, after := was.Strategies[name], is.Strategies[name]; before != after {
			c.Fields = append(c.Fields, FieldChange{"", fmt.Sprintf("Strategies[%s]", name), string(before), string(after)})
		}
		if before, after := was.Operations[name], is.Operations[name]; before != after {
			c.compare(name, setting{before.Strategy, &before.Policy}, setting{after.Strategy, &after.Policy})
		}
	}
}

// compare adds what differs between two settings and reports whether anything does.
func (c *Change) compare(operation string, was, is setting) bool {
	if was.strategy == is.strategy && *was.policy == *is.policy {
		return false
	}
	before, after := was.fields(), is.fields()
	for i := range before {
		if before[i] != after[i] {
			c.Fields = append(c.Fields, FieldChange{operation, before[i].name, before[i].value, after[i].value})
		}
	}
	if *was.policy != *is.policy && slices.Equal(before, after) {
		// Another budget with the same numbers: what the old one knew is lost.
		c.Fields = append(c.Fields, FieldChange{operation, "Retry.Budget", "the same numbers", "a new account"})
	}
	return true
}

// field is a setting as text.
type field struct{ name, value string }

// fields lists everything that there is to set, always in the same order.
func (s setting) fields() []field {
	var list []field
	add := func(name string, value any) { list = append(list, field{name, fmt.Sprint(value)}) }
	add("Strategy", s.strategy)
	add("Total", s.policy.Total)
	add("Attempt", s.policy.Attempt)
	s.policy.Throttle.fields(add)
	s.policy.Limiter.fields(add)
	s.policy.Bulkhead.fields(add)
	s.policy.Retry.fields(add)
	s.policy.Breaker.fields(add)
	s.policy.Hedge.fields(add)
	return list
}

func (p *ThrottlePolicy) fields(add func(string, any)) {
	add("Throttle.Factor", p.Factor)
	add("Throttle.Window", p.Window)
	add("Throttle.MinCalls", p.MinCalls)
	add("Throttle.MaxShare", p.MaxShare)
	add("Throttle.Disabled", p.Disabled)
}

func (p *LimiterPolicy) fields(add func(string, any)) {
	add("Limiter.Rate", p.Rate)
	add("Limiter.Burst", p.Burst)
	add("Limiter.MaxWait", p.MaxWait)
	add("Limiter.Disabled", p.Disabled)
}

func (p *BulkheadPolicy) fields(add func(string, any)) {
	add("Bulkhead.MaxConcurrent", p.MaxConcurrent)
	add("Bulkhead.MinConcurrent", p.MinConcurrent)
	add("Bulkhead.Adaptive", p.Adaptive)
	add("Bulkhead.MaxQueue", p.MaxQueue)
	add("Bulkhead.MaxWait", p.MaxWait)
	add("Bulkhead.Disabled", p.Disabled)
}

func (r *RetryPolicy) fields(add func(string, any)) {
	add("Retry.Attempts", r.Attempts)
	add("Retry.DelayBudget", r.DelayBudget)
	add("Retry.Backoff", r.Backoff)
	add("Retry.Base", r.Base)
	add("Retry.MinDelay", r.MinDelay)
	add("Retry.MaxDelay", r.MaxDelay)
	add("Retry.Jitter", r.Jitter)
	add("Retry.NoJitter", r.NoJitter)
	for class, row := range r.Classes {
		name := fmt.Sprintf("Retry.Classes[%v]", Class(class))
		add(name+".Attempts", row.Attempts)
		add(name+".Base", row.Base)
	}
	add("Retry.Budget", r.Budget)
	add("Retry.Cost", r.Cost)
	add("Retry.Disabled", r.Disabled)
}

func (b *BreakerPolicy) fields(add func(string, any)) {
	add("Breaker.FailureThreshold", b.FailureThreshold)
	add("Breaker.RecoveryTimeout", b.RecoveryTimeout)
	add("Breaker.HalfOpenMaxCalls", b.HalfOpenMaxCalls)
	add("Breaker.ProbeTimeout", b.ProbeTimeout)
	add("Breaker.FailureRate", b.FailureRate)
	add("Breaker.SlowRate", b.SlowRate)
	add("Breaker.SlowFails", b.SlowFails)
	add("Breaker.SlowCall", b.SlowCall)
	add("Breaker.Window", b.Window)
	add("Breaker.WindowCalls", b.WindowCalls)
	add("Breaker.MinCalls", b.MinCalls)
	add("Breaker.RatesOnly", b.RatesOnly)
	add("Breaker.MaxRecovery", b.MaxRecovery)
	add("Breaker.RecoveryJitter", b.RecoveryJitter)
	add("Breaker.HonorRetryAfter", b.HonorRetryAfter)
	add("Breaker.RampUp", b.RampUp)
	add("Breaker.Enforce", b.Enforce)
	add("Breaker.Disabled", b.Disabled)
}

func (p *HedgePolicy) fields(add func(string, any)) {
	add("Hedge.After", p.After)
	add("Hedge.Percentile", p.Percentile)
	add("Hedge.Max", p.Max)
	add("Hedge.Disabled", p.Disabled)
}
