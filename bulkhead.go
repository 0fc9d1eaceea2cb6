package trysail

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// ErrBulkheadFull means that as many calls run as may, and as many wait as may, or that
// no place came free in time. The dependency was not called. The error that wraps it says how
// many there were.
var ErrBulkheadFull = errors.New("bulkhead is full")

// A bulkhead is a number of places for calls. Who finds none free waits in a queue:
// the most urgent first, those of one priority in the order in which they came.
type bulkhead struct {
	name string

	// word holds twice the number of free places, which is negative after there were made
	// fewer, plus 1 while somebody waits. Without that 1, places are taken and given back
	// without the lock; with it, they are given out under the lock only.
	word atomic.Int64

	places atomic.Int64 // free or not; written under mu
	learnt learnt

	mu      sync.Mutex // guards what follows, and the 1 in word
	policy  BulkheadPolicy
	waiting int
	queues  [priorities]list.List // of *waiter

	waits, refused uint64
}

const (
	contended = 1 // somebody waits
	onePlace  = 2
	noBound   = 1 << 40 // places of a bulkhead without a bound
)

func newBulkhead(name string, p BulkheadPolicy) *bulkhead {
	b := &bulkhead{name: name}
	b.reconfigure(p)
	return b
}

// enter takes a place, at once or in its turn. Who got one must leave. Without one, the
// error is a refusal, or says that ctx ended. A free place costs about 15 ns, leave included.
func (b *bulkhead) enter(ctx context.Context) error {
	if b.occupy() {
		return nil
	}
	return b.queue(ctx)
}

// occupy takes a place if one is free and nobody waits.
func (b *bulkhead) occupy() bool {
	for {
		w := b.word.Load()
		if w&contended != 0 || w < onePlace {
			return false
		}
		if b.word.CompareAndSwap(w, w-onePlace) {
			return true
		}
	}
}

// leave gives a place back.
func (b *bulkhead) leave() {
	if b.word.Add(onePlace)&contended != 0 {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.grant()
	}
}

// reconfigure puts the bulkhead under a checked policy. More places go to those who
// wait; of fewer, the surplus is not given out again. A shorter queue lets those
// stay who are in it. Without a bound everybody is let in. What an adaptive one has
// found out stays.
func (b *bulkhead) reconfigure(p BulkheadPolicy) {
	b.mu.Lock()
	defer b.mu.Unlock()
	places := int64(p.MaxConcurrent)
	switch {
	case !p.active():
		places = noBound
	case p.Adaptive:
		places = min(max(b.learnt.before(b), int64(p.MinConcurrent)), places)
	}
	if searches := p.active() && p.Adaptive; b.learnt.on.Swap(searches) != searches {
		b.learnt.successes.Store(0) // a search that begins knows nothing, not even when it finds as many places as there were
	}
	b.policy = p
	b.resize(places)
}

// resize changes the number of places. It is called under the lock.
func (b *bulkhead) resize(places int64) {
	if places != b.places.Load() {
		b.learnt.successes.Store(0)
	}
	b.word.Add(onePlace * (places - b.places.Load()))
	b.places.Store(places)
	b.grant()
}

// running returns how many calls have a place.
func (b *bulkhead) running() int64 { return b.places.Load() - b.word.Load()>>1 }

// refuse counts a refusal and returns its error.
func (b *bulkhead) refuse() *Error {
	b.refused++
	full := &fullError{running: b.running(), places: b.places.Load(), waiting: b.waiting, queue: b.policy.MaxQueue}
	return &Error{Operation: b.name, Class: ClassOverloaded, Err: full}
}

// A fullError says how full a bulkhead was.
type fullError struct {
	running, places int64
	waiting, queue  int
}

func (e *fullError) Error() string {
	return fmt.Sprintf("%v: %d of %d places taken, %d of %d waiting", ErrBulkheadFull, e.running, e.places, e.waiting, e.queue)
}

func (e *fullError) Unwrap() error { return ErrBulkheadFull }

// A BulkheadSnapshot is the bulkhead of an operation at one moment.
type BulkheadSnapshot struct {
	MaxConcurrent, MaxQueue int // as configured

	Limit   int // calls that may run at once now: MaxConcurrent, or less if Adaptive
	Running int // calls that have a place; more than Limit after that fell
	Waiting int // calls in the queue

	Waits   uint64 // calls that had to wait
	Refused uint64 // calls that got no place: refused, waited too long, gave up or gave way
}

func (b *bulkhead) snapshot() BulkheadSnapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	return BulkheadSnapshot{
		MaxConcurrent: b.policy.MaxConcurrent, MaxQueue: b.policy.MaxQueue, Limit: int(b.places.Load()),
		Running: int(b.running()), Waiting: b.waiting, Waits: b.waits, Refused: b.refused,
	}
}
