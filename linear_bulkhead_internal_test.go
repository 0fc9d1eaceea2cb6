package trysail

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
)

// bulkheadRules is the sequential model of a bulkhead without a queue, and of a permit that everybody gives back.
type bulkheadRules struct {
	running, places  int
	lent             bool // the permit is not given back yet
	refused, misuses int
}

type bulkheadStep = func(bulkheadRules) (bulkheadRules, bool)

func wentInside(ok bool) bulkheadStep {
	return func(m bulkheadRules) (bulkheadRules, bool) {
		if m.running >= m.places {
			m.refused++
			return m, !ok
		}
		m.running++
		return m, ok
	}
}

func wentOutside(m bulkheadRules) (bulkheadRules, bool) {
	m.running--
	return m, true
}

func wasLent(ok bool) bulkheadStep {
	return func(m bulkheadRules) (bulkheadRules, bool) {
		m, same := wentInside(ok)(m)
		m.lent = ok
		return m, same
	}
}

func wasReturned(m bulkheadRules) (bulkheadRules, bool) {
	if !m.lent {
		m.misuses++
		return m, true
	}
	m.lent = false
	return wentOutside(m)
}

func hasPlaces(places int) bulkheadStep {
	return func(m bulkheadRules) (bulkheadRules, bool) {
		m.places = places
		return m, true
	}
}

// counts compares a snapshot. A refusal is counted a moment after it was decided, and is compared when all is quiet.
func counts(s BulkheadSnapshot, misuses uint64, quiet bool) bulkheadStep {
	return func(m bulkheadRules) (bulkheadRules, bool) {
		return m, s.Running == m.running && s.Limit == m.places &&
			(!quiet || s.Refused == uint64(m.refused) && misuses == uint64(m.misuses))
	}
}

// bulkheadUsers use an operation with a bulkhead from several goroutines.
type bulkheadUsers struct {
	tape[bulkheadRules]
	op *Operation
	b  *bulkhead
}

func newBulkheadUsers(t *testing.T, seed uint64) *bulkheadUsers {
	t.Helper()
	orc, err := New(Config{Default: Policy{Bulkhead: BulkheadPolicy{MaxConcurrent: 1}, Breaker: BreakerPolicy{Disabled: true}}})
	if err != nil {
		t.Fatal(err)
	}
	h := &bulkheadUsers{op: orc.Operation("op")}
	h.b = h.op.settings.Load().gates.bulkhead
	h.start(seed, bulkheadRules{places: 1})
	return h
}

// goroutine makes some steps. Its places it gives back in the end.
func (h *bulkheadUsers) goroutine(own *hand[bulkheadRules], permit *Permit) {
	inside := 0
	for range own.steps {
		switch n := own.IntN(10); {
		case n < 1:
			own.record(func() func() (string, bulkheadStep) { return h.look(false) })
		case n < 2:
			places := 1 + own.IntN(2)
			own.record(func() func() (string, bulkheadStep) {
				h.b.reconfigure(BulkheadPolicy{MaxConcurrent: places})
				return func() (string, bulkheadStep) { return fmt.Sprintf("reconfigure(%d)", places), hasPlaces(places) }
			})
		case n < 4 && permit != nil:
			own.record(func() func() (string, bulkheadStep) { return giveBackPermit(permit) })
		case n < 7 && inside > 0:
			inside--
			own.record(h.leave)
		default:
			own.record(func() func() (string, bulkheadStep) {
				err := h.b.enter(context.Background())
				if err == nil {
					inside++
				}
				return func() (string, bulkheadStep) { return fmt.Sprintf("enter() = %v", err), wentInside(err == nil) }
			})
		}
	}
	for range inside {
		own.record(h.leave)
	}
}

func (h *bulkheadUsers) leave() func() (string, bulkheadStep) {
	h.b.leave()
	return func() (string, bulkheadStep) { return "leave()", wentOutside }
}

func giveBackPermit(p *Permit) func() (string, bulkheadStep) {
	p.Done(nil)
	return func() (string, bulkheadStep) { return "Done()", wasReturned }
}

func (h *bulkheadUsers) look(quiet bool) func() (string, bulkheadStep) {
	s, misuses := h.b.snapshot(), h.op.counters.rare().misuses.Load()
	return func() (string, bulkheadStep) {
		return fmt.Sprintf("snapshot() = %+v, misuses %d", s, misuses), counts(s, misuses, quiet)
	}
}

// lend takes a permit, if there is a place, that all may give back.
func (h *bulkheadUsers) lend() (p *Permit) {
	h.record(func() func() (string, bulkheadStep) {
		var err error
		p, err = h.op.Acquire(context.Background())
		return func() (string, bulkheadStep) { return fmt.Sprintf("Acquire() = %v", err), wasLent(err == nil) }
	})
	return p
}

func TestBulkheadIsLinearizable(t *testing.T) {
	histories(t, func(t *testing.T, seed uint64, r *rand.Rand) {
		h := newBulkheadUsers(t, seed)
		for range linearBouts {
			permit := h.lend()
			h.bout(t, crowdSize(r), func(_ int, own *hand[bulkheadRules]) { h.goroutine(own, permit) })
			if permit != nil {
				h.record(func() func() (string, bulkheadStep) { return giveBackPermit(permit) })
			}
			h.record(func() func() (string, bulkheadStep) { return h.look(true) })
		}
		h.end(t)
	})
}
