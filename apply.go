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
// settings of their operation, and none waits for it; only who makes a new operation does. A breaker, a limiter and
// a bulkhead are shared by all calls, so their numbers change for all of them at once; functions given to [Hedged] look
// at the policy with each attempt. What was given to [Orchestrator.Register] still holds. The Observer stays the one of
// New, and hears what it did.
func (o *Orchestrator) Apply(cfg Config) (Change, error) {
	next, err := newResolver(cfg)
	if err != nil {
		return Change{}, err
	}
	o.changing.Lock()
	defer o.changing.Unlock()
	plans, err := o.plan(next)
	if err != nil {
		return Change{}, err
	}
	old := o.rules
	next.config.Observer, next.config.ObserveCalls = old.config.Observer, old.config.ObserveCalls
	change := o.difference(old, next, plans)
	for _, p := range plans {
		p.op.configure(p.strategy, p.policy, &next.table)
	}
	o.mu.Lock()
	o.rules = next
	o.mu.Unlock()
	return change, nil
}

// Preview returns what [Orchestrator.Apply] would change now, or why it would refuse. It changes nothing.
func (o *Orchestrator) Preview(cfg Config) (Change, error) {
	next, err := newResolver(cfg)
	if err != nil {
		return Change{}, err
	}
	o.changing.Lock()
	defer o.changing.Unlock()
	plans, err := o.plan(next)
	if err != nil {
		return Change{}, err
	}
	return o.difference(o.rules, next, plans), nil
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

// difference returns what the plans would change.
func (o *Orchestrator) difference(old, next *resolver, plans []plan) (c Change) {
	before, after := old.config.Default.complete(), next.config.Default.complete()
	c.compare("", setting{old.config.DefaultStrategy, &before}, setting{next.config.DefaultStrategy, &after})
	o.rest(&c, &old.config, &next.config)
	for class, row := range next.table {
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
	note := func(name string) {
		if _, exists := o.operations[name]; !exists {
			named[name] = true
		}
	}
	for _, cfg := range []*Config{was, is} {
		for name := range cfg.Strategies {
			note(name)
		}
		for name := range cfg.Operations {
			note(name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if before, after := was.Strategies[name], is.Strategies[name]; before != after {
			c.Fields = append(c.Fields, FieldChange{"", fmt.Sprintf("Strategies[%s]", name), string(before), string(after)})
		}
		if before, after := was.Operations[name], is.Operations[name]; before != after {
			c.compare(name, setting{before.Strategy, &before.Policy}, setting{after.Strategy, &after.Policy})
		}
	}
}
