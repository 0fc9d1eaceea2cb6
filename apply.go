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
	next, err := newResolver(cfg, o.current())
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
	for i := range plans {
		if p := &plans[i]; p.changed || p.old.table != next.table {
			p.op.configure(p.strategy, p.policy, next.table)
		}
	}
	o.mu.Lock()
	o.rules = next
	o.mu.Unlock()
	return change, nil
}

// Preview returns what [Orchestrator.Apply] would change now, or why it would refuse. It changes nothing.
func (o *Orchestrator) Preview(cfg Config) (Change, error) {
	next, err := newResolver(cfg, o.current())
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

// current returns the rules in force. They may be others a moment later, as long as the caller does not hold changing.
func (o *Orchestrator) current() *resolver {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.rules
}

// A setting is what an operation is put under.
type setting struct {
	strategy Strategy
	policy   *Policy
}

// plan is what Apply will do to an operation.
type plan struct {
	setting
	op      *Operation
	old     *settings // which it has now
	changed bool      // whether it gets other ones
}

// plan resolves every operation under the next rules, before any of them changes.
func (o *Orchestrator) plan(next *resolver) ([]plan, error) {
	ops, alike := o.byName(), next.alike(o.rules)
	plans := make([]plan, len(ops))
	var errs []error
	for i, op := range ops {
		p := &plans[i]
		p.op, p.old = op, op.settings.Load()
		p.strategy, p.policy = p.old.strategy, p.old.policy
		n := next.named[op.name]
		if strategy := next.strategy(n, op.own); strategy == p.old.strategy && alike[strategy] && n == o.rules.named[op.name] {
			continue // all that it is made of is as it was
		}
		if op.own == nil {
			p.strategy, p.policy = next.of(op.name)
		} else {
			var err error
			if p.strategy, p.policy, err = next.own(op.name, op.own); err != nil {
				errs = append(errs, fmt.Errorf("apply to operation %q: %w", op.name, err))
				continue
			}
		}
		p.changed = p.strategy != p.old.strategy || p.policy != p.old.policy && *p.policy != *p.old.policy
		if !p.changed {
			p.policy = p.old.policy // the same numbers
		}
	}
	return plans, errors.Join(errs...)
}

// difference returns what the plans would change.
func (o *Orchestrator) difference(old, next *resolver, plans []plan) Change {
	var c comparison
	before, after := old.config.Default.completed(), next.config.Default.completed()
	c.compare("", setting{old.config.DefaultStrategy, before}, setting{next.config.DefaultStrategy, after})
	o.rest(&c, old, next)
	for class, row := range next.table {
		if was := old.table[class]; was != row {
			c.add("", fmt.Sprintf("Classes[%v]", Class(class)), fmt.Sprintf("%+v", was), fmt.Sprintf("%+v", row))
		}
	}
	c.operations(plans)
	return c.change
}

// rest adds what differs besides the default policy, the classes, and the operations that there are: the
// switch for all, and the strategies of operations that do not exist yet.
func (o *Orchestrator) rest(c *comparison, old, next *resolver) {
	if was, is := old.config.Disabled, next.config.Disabled; was != is {
		c.add("", "Disabled", fmt.Sprint(was), fmt.Sprint(is))
	}
	for _, name := range o.namedAlone(old, next) {
		was, is := old.about(name), next.about(name)
		if was.given != is.given {
			c.add("", fmt.Sprintf("Strategies[%s]", name), string(was.given), string(is.given))
		}
		before, after := was.says.whole(), is.says.whole()
		c.compare(name, setting{was.effective(), &before}, setting{is.effective(), &after})
	}
}

// namedAlone returns the names, sorted, about which the two say different things, and of which there is no operation.
func (o *Orchestrator) namedAlone(old, next *resolver) []string {
	different := map[string]bool{}
	look := func(one, other *resolver) {
		for name, n := range one.named {
			if o.operations[name] == nil && n != other.named[name] {
				different[name] = true
			}
		}
	}
	look(old, next)
	look(next, old)
	return slices.Sorted(maps.Keys(different))
}
