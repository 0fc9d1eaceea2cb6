package trysail

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
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

// gaveUp is the end of the wait of a call whose caller has left: its place, if it got one meanwhile, is the next one's.
func gaveUp(id byte) queueStep {
	return func(m queueRules) (queueRules, bool) {
		if m.granted>>id&1 == 1 {
			m.granted &^= 1 << id
			return wentOut(m)
		}
		before, after, waited := strings.Cut(m.waiting, string([]byte{id}))
		m.waiting = before + after
		return m, waited
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
	b *bulkhead
}

// linearHall is such a bulkhead. A call that is forgotten in the queue is refused after a while, which no order explains.
func linearHall(places int) BulkheadPolicy {
	return BulkheadPolicy{MaxConcurrent: places, MaxQueue: linearQueue, MaxWait: 10 * time.Second}
}

// call enters and leaves, and holds no place in the end: others may wait for it while this goroutine waits for them.
func (h *queueUsers) call(own *hand[queueRules], id byte) {
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	if own.IntN(4) == 0 {
		leave() // he comes in if there is a place, and does not wait
	}
	var err error
	own.record(func() func() (string, queueStep) {
		err = h.b.enter(ctx)
		full := errors.Is(err, ErrBulkheadFull)
		return func() (string, queueStep) { return fmt.Sprintf("call %d comes: %v", id, err), came(id, full) }
	})
	comes := own.deeds[len(own.deeds)-1]
	switch {
	case err == nil:
		comes.tell = func() (string, queueStep) { return fmt.Sprintf("call %d is let in", id), wentIn(id) }
	case errors.Is(err, context.Canceled):
		comes.tell = func() (string, queueStep) { return fmt.Sprintf("call %d gives up", id), gaveUp(id) }
	default:
		return
	}
	own.deeds = append(own.deeds, comes)
	if err != nil {
		return
	}
	if own.IntN(2) == 0 {
		runtime.Gosched() // so that others come meanwhile
	}
	own.record(func() func() (string, queueStep) {
		h.b.leave()
		return func() (string, queueStep) { return fmt.Sprintf("call %d leaves", id), wentOut }
	})
}

// goroutine makes some calls, and changes the number of places now and then.
func (h *queueUsers) goroutine(i int, own *hand[queueRules]) {
	for n := range own.steps {
		if own.IntN(6) > 0 {
			h.call(own, byte(linearSteps*i+n))
			continue
		}
		places := 1 + own.IntN(2)
		own.record(func() func() (string, queueStep) {
			h.b.reconfigure(linearHall(places))
			return func() (string, queueStep) { return fmt.Sprintf("reconfigure(%d)", places), resized(places) }
		})
	}
}

func TestBulkheadWithAQueueIsLinearizable(t *testing.T) {
	histories(t, func(t *testing.T, seed uint64, r *rand.Rand) {
		h := &queueUsers{b: newBulkhead("op", linearHall(1))}
		h.start(seed, queueRules{places: 1})
		for range linearBouts {
			h.bout(t, crowdSize(r), h.goroutine)
			h.record(func() func() (string, queueStep) {
				s := h.b.snapshot()
				return func() (string, queueStep) {
					return fmt.Sprintf("snapshot() = %+v", s), func(m queueRules) (queueRules, bool) {
						return m, s.Running == m.running && s.Waiting == len(m.waiting) && s.Limit == m.places
					}
				}
			})
		}
		h.end(t)
	})
}

// Both ways, as for the others: who came first is let in first, and nobody beside those who have a place.
func TestWrongHistoriesOfAQueueAreRefused(t *testing.T) {
	line := []queueStep{came(1, false), wentIn(1), came(2, false), came(3, false)}
	for name, w := range map[string]wrong[queueRules]{
		"a call that overtakes":     {before: append(line[:4:4], wentOut), right: wentIn(2), evil: wentIn(3)},
		"a call too many":           {before: line, right: wentOut, evil: wentIn(2)},
		"a queue that is too long":  {before: line, right: came(4, true), evil: came(4, false)},
		"a place that is kept":      {before: append(line[:4:4], gaveUp(2), wentOut), right: wentIn(3), evil: wentIn(2)},
		"a place that is not given": {before: append(line[:4:4], resized(2)), right: wentIn(2), evil: came(4, true)},
	} {
		t.Run(name, func(t *testing.T) {
			w.start = queueRules{places: 1}
			w.check(t)
		})
	}
}
