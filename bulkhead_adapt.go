package trysail

import "sync/atomic"

// learnt is what an adaptive bulkhead knows about the dependency: additive increase and
// multiplicative decrease, as TCP's, on refusals and time limits alone. How long calls take
// says little here, because an AI call takes as long as its answer is.
type learnt struct {
	on        atomic.Bool
	successes atomic.Int64 // since the number of places changed
	cutAt     int64        // when it last fell; 0 if never. Guarded by the bulkhead's mutex
}

const (
	firstPlaces = 20 // where the search begins: Netflix's concurrency-limits

	// cutTenths is how many tenths are left after a cut; milder than half, because a refusal here costs a call, not a
	// packet. As a float 0.7 is a little less, and leaves 118 of 170.
	cutTenths = 7
)

// before returns how many places an adaptive bulkhead has when it is configured anew. It is called
// under the lock.
func (l *learnt) before(b *bulkhead) int64 {
	if l.on.Load() {
		return b.places.Load()
	}
	return firstPlaces
}

// learn takes what the end of a call says, which began at start and still has its place.
func (b *bulkhead) learn(s signal, start, now int64) {
	if !b.learnt.on.Load() {
		return
	}
	switch s {
	case signalOverload:
		b.cut(start, now)
	case signalTaken:
		places := b.places.Load()
		if free := b.word.Load() >> 1; 2*(places-free) < places {
			return // who does not use what there is learns nothing about more
		}
		if b.learnt.successes.Add(1) >= places {
			b.widen()
		}
	default:
	}
}

// cut takes places away, unless the call began before the newest cut: it says nothing about
// the places that there are since.
func (b *bulkhead) cut(start, now int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.learnt.on.Load() || b.learnt.cutAt != 0 && start < b.learnt.cutAt {
		return
	}
	b.learnt.cutAt = now
	b.learnt.successes.Store(0)
	b.resize(max(b.places.Load()*cutTenths/10, int64(b.policy.MinConcurrent)))
}

// widen adds a place after a round of successes.
func (b *bulkhead) widen() {
	b.mu.Lock()
	defer b.mu.Unlock()
	places := b.places.Load()
	if !b.learnt.on.Load() || b.learnt.successes.Load() < places {
		return // somebody else has
	}
	b.learnt.successes.Store(0)
	b.resize(min(places+1, int64(b.policy.MaxConcurrent)))
}
