package trysail

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// keysPerOperation is how many keys an operation remembers.
const keysPerOperation = 1000

// keyed holds what an operation has for single keys.
type keyed struct {
	uses atomic.Uint64 // counts calls of For, and so orders them

	mu      sync.RWMutex // guards entries
	entries map[string]*keyedEntry
}

type keyedEntry struct {
	op   *Operation
	used atomic.Uint64 // the number of its newest use
}

// For returns an operation of its own for a key, such as a tenant, a model or a
// credential: with op's policy, and a breaker and counters that no other key shares. Its name is op's
// name with the key in brackets. Get it anew for each call: it costs a map lookup.
//
// An operation remembers 1000 keys. For one more, the key that was used least recently is forgotten -
// but none whose breaker is open, half-open or under an operator's word while there is another one, and then
// none whose calls have been failing. A forgotten key starts afresh. An unusable key gives an operation whose
// calls fail with [ErrName].
func (op *Operation) For(key string) *Operation {
	k := op.keys.Load()
	if k == nil {
		op.keys.CompareAndSwap(nil, &keyed{entries: map[string]*keyedEntry{}})
		k = op.keys.Load()
	}
	use := k.uses.Add(1)
	k.mu.RLock()
	e := k.entries[key]
	k.mu.RUnlock()
	if e == nil {
		e = k.add(op, key)
	}
	e.used.Store(use)
	return e.op
}

// add creates the entry of a key, and makes room for it.
func (k *keyed) add(op *Operation, key string) *keyedEntry {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e := k.entries[key]; e != nil {
		return e
	}
	child := &Operation{
		common: op.common, name: op.name + "[" + key + "]", bad: cmp.Or(op.bad, checkName(key)),
	}
	set := op.settings.Load()
	child.configure(set.strategy, set.policy, set.table)
	e := &keyedEntry{op: child}
	if child.bad != nil {
		return e
	}
	if len(k.entries) >= keysPerOperation {
		k.forget()
	}
	k.entries[key] = e
	if now := op.settings.Load(); now != set {
		child.configure(now.strategy, now.policy, now.table) // op was reconfigured meanwhile
	}
	return e
}

// forget drops the entry that is missed the least.
func (k *keyed) forget() {
	var victim string
	worth, used := -1, uint64(0)
	for key, e := range k.entries {
		w, u := e.op.worth(), e.used.Load()
		if worth < 0 || w < worth || w == worth && u < used {
			victim, worth, used = key, w, u
		}
	}
	delete(k.entries, victim)
}

// worth says how much is lost when an operation is forgotten: nothing but counters, a
// streak of failures, or the knowledge that a dependency is down.
func (op *Operation) worth() int {
	b := op.settings.Load().breaker
	switch {
	case b == nil:
		return 0
	case b.State() != Closed:
		return 2
	case b.load().failures() > 0:
		return 1
	default:
		return 0
	}
}

// Keys returns the operations of all keys that op remembers, sorted by name.
func (op *Operation) Keys() []*Operation {
	k := op.keys.Load()
	if k == nil {
		return nil
	}
	k.mu.RLock()
	all := make([]*Operation, 0, len(k.entries))
	for _, e := range k.entries {
		all = append(all, e.op)
	}
	k.mu.RUnlock()
	slices.SortFunc(all, func(a, b *Operation) int { return cmp.Compare(a.name, b.name) })
	return all
}

// splitKey takes the name of the operation of a key apart. Brackets alone make none: "list]" and "[1]" are
// names like others.
func splitKey(name string) (base, key string, ok bool) {
	name, ok = strings.CutSuffix(name, "]")
	base, key, found := strings.Cut(name, "[")
	return base, key, ok && found && base != "" && key != ""
}

// keyed returns the operation of a key that op remembers.
func (op *Operation) keyed(key string) (*Operation, bool) {
	k := op.keys.Load()
	if k == nil {
		return nil, false
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	if e := k.entries[key]; e != nil {
		return e.op, true
	}
	return nil, false
}

// reconfigureKeys puts the operations of all keys under op's settings. New keys find them
// by themselves.
func (op *Operation) reconfigureKeys() {
	set := op.settings.Load()
	for _, child := range op.Keys() {
		child.configure(set.strategy, set.policy, set.table)
	}
}
