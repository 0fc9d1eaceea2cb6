package trysail

import (
	"container/list"
	"context"
	"time"
)

// A waiter is a call in the queue of a bulkhead.
type waiter struct {
	priority Priority
	wait     time.Duration // at most
	place    *list.Element // nil once it is decided
	granted  bool
	done     chan struct{} // closed when it is decided
}

// queue waits for a place.
func (b *bulkhead) queue(ctx context.Context) error {
	w, refusal := b.join(priorityOf(ctx))
	if refusal != nil {
		return refusal
	}
	timer := time.NewTimer(w.wait)
	defer timer.Stop()
	select {
	case <-w.done:
	case <-ctx.Done():
	case <-timer.C:
	}
	if ctx.Err() != nil { // also when it got its place at the same moment
		return goneWaiting(ctx, b.abandon(w))
	}
	if refusal := b.verdict(w); refusal != nil {
		return refusal
	}
	return nil
}

// join takes a place in the queue, or returns why not.
func (b *bulkhead) join(p Priority) (*waiter, *Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.grant() // a call that is just leaving makes room
	if b.waiting >= b.policy.MaxQueue && !b.displace(p) {
		return nil, b.refuse()
	}
	w := &waiter{priority: p, wait: b.policy.MaxWait, done: make(chan struct{})}
	w.place = b.queues[p].PushBack(w)
	b.waiting++
	b.waits++
	b.word.Or(contended)
	b.grant() // a call that left a moment ago did not see the waiter
	return w, nil
}

// displace makes room in a full queue: the last of the least urgent gives way, if it
// is less urgent than p. Else a queue full of background work would lock out everybody.
func (b *bulkhead) displace(p Priority) bool {
	for least := PriorityBackground; least > p; least-- {
		if last := b.queues[least].Back(); last != nil {
			b.decide(last.Value.(*waiter), false)
			return true
		}
	}
	return false
}

// grant hands the free places to those who wait. It is called under the lock.
func (b *bulkhead) grant() {
	for p := range b.queues {
		for b.queues[p].Len() > 0 && b.word.Load() >= onePlace {
			b.word.Add(-onePlace) // before decide, after which others may take what is free
			b.decide(b.queues[p].Front().Value.(*waiter), true)
		}
	}
}

// decide takes a waiter out of the queue.
func (b *bulkhead) decide(w *waiter, granted bool) {
	b.queues[w.priority].Remove(w.place)
	w.place, w.granted = nil, granted
	close(w.done)
	if b.waiting--; b.waiting == 0 {
		b.word.And(^contended)
	}
}

// verdict ends a wait: it returns nil when the waiter has got a place. A place that
// came at the very end of the longest wait is kept.
func (b *bulkhead) verdict(w *waiter) *Error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.granted {
		return nil
	}
	refusal := b.refuse()
	if w.place != nil {
		b.decide(w, false)
	}
	return refusal
}

// abandon ends the wait of a waiter who wants no place any more. One that he got is
// handed on.
func (b *bulkhead) abandon(w *waiter) *Error {
	b.mu.Lock()
	defer b.mu.Unlock()
	refusal := b.refuse()
	switch {
	case w.granted:
		b.word.Add(onePlace)
		b.grant()
	case w.place != nil:
		b.decide(w, false)
	}
	return refusal
}
