package trysail

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// An Orchestrator holds operations and what they have in common.
type Orchestrator struct {
	common *common
	events *dispatcher // nil when nobody observes

	// changing is held by who changes what follows, first, and for as long as that takes: to change a thousand
	// operations takes milliseconds, in which nobody who looks one up may wait.
	changing sync.Mutex

	mu         sync.RWMutex // guards what follows; held for moments only
	rules      *resolver    // never changed, only replaced
	operations map[string]*Operation
	sorted     []*Operation // the same by name; out of date while it is shorter. Never changed, only replaced
}

// New returns an orchestrator, or an error that names every bad field of cfg.
func New(cfg Config) (*Orchestrator, error) {
	rules, err := newResolver(cfg, nil)
	if err != nil {
		return nil, err
	}
	o := &Orchestrator{
		rules:      rules,
		common:     &common{clock: clock{base: time.Now()}},
		operations: map[string]*Operation{},
	}
	if cfg.Observer != nil {
		o.events = &dispatcher{observer: cfg.Observer}
		o.common.tell = o.events.tell
		if cfg.ObserveCalls {
			o.common.tellCalls = o.common.tell
		}
	}
	return o, nil
}

// Operation returns the operation of that name, which it creates with the
// configured strategy if it does not exist. It never returns nil: an unusable
// name gives an operation whose calls fail with [ErrName].
//
// Names are kept for as long as the orchestrator. They must come from the
// program or its configuration, not unchecked from a request.
func (o *Orchestrator) Operation(name string) *Operation {
	if op, ok := o.Lookup(name); ok {
		return op
	}
	o.changing.Lock()
	defer o.changing.Unlock()
	if op := o.operations[name]; op != nil {
		return op
	}
	op := o.newOperation(name)
	if op.bad == nil {
		o.add(op)
	}
	return op
}

// Register gives the operation of that name a configuration of its own, and
// creates it if need be. An operation that exists keeps its handles, the state of its
// breaker and its counters; calls under way finish as they began. A bad
// configuration is refused with every fault named, and changes nothing.
func (o *Orchestrator) Register(name string, cfg OperationConfig) (*Operation, error) {
	o.changing.Lock()
	defer o.changing.Unlock()
	strategy, policy, err := o.rules.own(name, &cfg)
	if err := errors.Join(checkName(name), err); err != nil {
		return nil, fmt.Errorf("register operation %q: %w", name, err)
	}
	op := o.operations[name]
	if op == nil {
		op = o.newOperation(name)
		defer o.add(op) // when it is ready
	}
	op.own = &cfg
	op.configure(strategy, policy, o.rules.table)
	return op, nil
}

// add lets an operation be found. The caller holds changing.
func (o *Orchestrator) add(op *Operation) {
	o.mu.Lock()
	o.operations[op.name] = op
	o.mu.Unlock()
}

// Lookup returns the operation of that name if there is one, such as "chat", or "chat[tenant-7]" for the
// one of a key. It creates nothing.
func (o *Orchestrator) Lookup(name string) (*Operation, bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if op, ok := o.operations[name]; ok {
		return op, true
	}
	base, key, keyed := splitKey(name)
	op := o.operations[base]
	if !keyed || op == nil {
		return nil, false
	}
	return op.keyed(key)
}

// Operations returns all operations, sorted by name, without those of keys: see
// [Operation.Keys].
func (o *Orchestrator) Operations() []*Operation { return slices.Clone(o.byName()) }

// byName returns what Operations does, to be read only. It sorts anew when operations were added; none ever goes.
func (o *Orchestrator) byName() []*Operation {
	o.mu.RLock()
	known, all := o.sorted, len(o.operations)
	if len(known) == all {
		o.mu.RUnlock()
		return known
	}
	ops := slices.AppendSeq(make([]*Operation, 0, all), maps.Values(o.operations))
	o.mu.RUnlock()
	slices.SortFunc(ops, func(a, b *Operation) int { return cmp.Compare(a.name, b.name) })
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(ops) > len(o.sorted) { // nobody was faster who knows as many
		o.sorted = ops
	}
	return ops
}

// each calls do with every operation, sorted by name, each followed by those of its keys.
func (o *Orchestrator) each(do func(*Operation)) {
	for _, op := range o.byName() {
		do(op)
		for _, key := range op.Keys() {
			do(key)
		}
	}
}

// newOperation returns an operation with the configured strategy. The caller holds
// changing.
func (o *Orchestrator) newOperation(name string) *Operation {
	op := &Operation{common: o.common, name: name, bad: checkName(name)}
	strategy, policy := o.rules.of(name)
	op.configure(strategy, policy, o.rules.table)
	return op
}
