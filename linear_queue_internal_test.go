package trysail

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// linearQueue is how many may wait for a place of the bulkhead whose histories are checked.
const linearQueue = 2

// queueRules is the sequential model of a bulkhead with a queue in which all are equally urgent. A call enters in two
// steps, both of them while enter runs: it arrives, and, unless it is refused, it is let in when its turn has come. Nobody
// can tell from outside when a call has arrived, so that the order of those who wait does not show here: that nobody is
// forgotten does, and that nobody gets in beside those who have a place. The order is what bench/model checks.
type queueRules struct {
	places, running int
	waiting         string // numbers of calls, the first one is next
	granted         uint64 // calls that have a place and do not know it yet
}

type queueStep = func(queueRules) (queueRules, bool)

// serve hands out the free places.
func (m queueRules) serve() queueRules {
	for m.running < m.places && m.waiting != "" {
		m.granted |= 1 << m.waiting[0]
		m.waiting = m.waiting[1:]
		m.running++
	}
	return m
}

func came(id byte, refused bool) queueStep {
	return func(m queueRules) (queueRules, bool) {
		if m.running >= m.places && len(m.waiting) >= linearQueue {
			return m, refused
		}
		m.waiting += string([]byte{id})
		return m.serve(), !refused
	}
}

func wentIn(id byte) queueStep {
	return func(m queueRules) (queueRules, bool) {
		ok := m.granted>>id&1 == 1
		m.granted &^= 1 << id
		return m, ok
	}
}

func wentOut(m queueRules) (queueRules, bool) {
	m.running--
	return m.serve(), true
}

func resized(places int) queueStep {
	return func(m queueRules) (queueRules, bool) {
		m.places = places
		return m.serve(), true
	}
}

// queueUsers use a bulkhead with a queue from several goroutines.
type queueUsers struct {
	tape[queueRules]
	crowd crowd
	b     *bulkhead
}

// linearHall is such a bulkhead. A call that is forgotten in the queue is refused after a while, which no order explains.
func linearHall(places int) BulkheadPolicy {
	return BulkheadPolicy{MaxConcurrent: places, MaxQueue: linearQueue, MaxWait: 10 * time.Second}
}

// call enters and leaves, and holds no place in the end: others may wait for it while this goroutine waits for them.
func (h *queueUsers) call(id byte) {
	begin := h.clock.Add(1)
	err := h.b.enter(context.Background())
	end := h.clock.Add(1)
	h.mu.Lock()
	h.steps = append(h.steps, step[queueRules]{begin, end, fmt.Sprintf("call %d comes: %v", id, err), came(id, err != nil)})
	if err == nil {
		h.steps = append(h.steps, step[queueRules]{begin, end, fmt.Sprintf("call %d is let in", id), wentIn(id)})
	}
	h.mu.Unlock()
	if err != nil {
		return
	}
	runtime.Gosched() // so that others come meanwhile
	h.record(func() (string, queueStep) {
		h.b.leave()
		return fmt.Sprintf("call %d leaves", id), wentOut
	})
}

func TestBulkheadWithAQueueIsLinearizable(t *testing.T) {
	for seed := range *linearHistories {
		h := &queueUsers{b: newBulkhead("op", linearHall(1))}
		h.crowd.size = 4
		together(4, seed, func(r *rand.Rand) {
			for range 3 {
				n := h.crowd.meet()
				if r.IntN(6) > 0 {
					h.call(byte(n))
					continue
				}
				h.record(func() (string, queueStep) {
					places := 1 + r.IntN(2)
					h.b.reconfigure(linearHall(places))
					return fmt.Sprintf("reconfigure(%d)", places), resized(places)
				})
			}
		})
		h.check(t, queueRules{places: 1}, seed)
		if t.Failed() {
			return
		}
	}
}

// Both ways, as for the others: who came first is let in first, and nobody beside those who have a place.
func TestWrongHistoriesOfAQueueAreRefused(t *testing.T) {
	line := []queueStep{came(1, false), wentIn(1), came(2, false), came(3, false)}
	for name, w := range map[string]wrong[queueRules]{
		"a call that overtakes":     {before: append(line[:4:4], wentOut), right: wentIn(2), evil: wentIn(3)},
		"a call too many":           {before: line, right: wentOut, evil: wentIn(2)},
		"a queue that is too long":  {before: line, right: came(4, true), evil: came(4, false)},
		"a place that is not given": {before: append(line[:4:4], resized(2)), right: wentIn(2), evil: came(4, true)},
	} {
		t.Run(name, func(t *testing.T) {
			w.start = queueRules{places: 1}
			w.check(t)
		})
	}
}
