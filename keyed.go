package trysail

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// keysPerOperation is how many keys an operation remembers.
const keysPerOperation = 1000

// keyed holds what an operation has for single keys.
type keyed struct {
	uses atomic.Uint64 // counts calls of For, and so orders them

	mu      sync.RWMutex // guards what follows
	entries map[string]*keyedEntry

	// Those who may be forgotten, the first one first. Each entry is there at most once.
	idle    []candidate // healthy when looked at
	others  []candidate // not
	linedUp int64       // when all were looked at; 0 if never
}

// A candidate is an entry, with its last use and its worth when it was looked at.
type candidate struct {
	entry *keyedEntry
	used  uint64
	worth int
}

// lineUpStep is how late it may be noticed that a key is well again, or fails. Looking at all takes 0.2 ms.
const lineUpStep = int64(10 * time.Millisecond)

type keyedEntry struct {
	key  string
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
	if op == nil || op.common == nil {
		return op // Do says what is wrong
	}
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
		e = k.add(op, key, use)
	}
	e.used.Store(use)
	return e.op
}

// add creates the entry of a key, and makes room for it.
func (k *keyed) add(op *Operation, key string, use uint64) *keyedEntry {
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
	e := &keyedEntry{key: key, op: child}
	e.used.Store(use)
	if child.bad != nil {
		return e
	}
	if len(k.entries) >= keysPerOperation {
		delete(k.entries, k.victim(op.clock.now()).key)
		k.idle = append(k.idle, candidate{entry: e, used: use})
	}
	k.entries[key] = e
	if now := op.settings.Load(); now != set {
		child.configure(now.strategy, now.policy, now.table) // op was reconfigured meanwhile
	}
	return e
}

// victim returns the entry that is missed the least. It looks at all of them at most every lineUpStep, so that
// those who come with ever new keys cannot keep the others waiting. In between it goes by what it saw then; only
// for a breaker that is not closed it looks again.
func (k *keyed) victim(now int64) *keyedEntry {
	fresh := k.linedUp == 0 || now-k.linedUp >= lineUpStep
	if fresh {
		k.lineUp(now)
	}
	for {
		c, ok := next(&k.idle)
		if !ok {
			c, ok = next(&k.others)
		}
		if ok && (fresh || c.worth < 2) {
			return c.entry
		}
		k.lineUp(now)
		fresh = true
	}
}

// next takes the first candidate who is as he was when he was looked at, or of less worth.
func next(line *[]candidate) (candidate, bool) {
	for len(*line) > 0 {
		c := (*line)[0]
		*line = (*line)[1:]
		if c.used == c.entry.used.Load() && c.entry.op.worth() <= c.worth {
			return c, true
		}
	}
	return candidate{}, false
}

// lineUp sorts the entries by what is lost with them, and those that are equal by their last use.
func (k *keyed) lineUp(now int64) {
	k.linedUp, k.idle, k.others = now, nil, nil
	for _, e := range k.entries {
		c := candidate{e, e.used.Load(), e.op.worth()}
		if c.worth == 0 {
			k.idle = append(k.idle, c)
		} else {
			k.others = append(k.others, c)
		}
	}
	for _, line := range [][]candidate{k.idle, k.others} {
		slices.SortFunc(line, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.worth, b.worth), cmp.Compare(a.used, b.used)) })
	}
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
