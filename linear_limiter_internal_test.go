package trysail

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// The limiter whose histories are checked has a bucket that a second fills by a unit. Of the reservation that everybody settles
// all say that so many units were used.
const (
	linearBurst            = 6
	linearLent, linearUsed = 2, 1
)

// limiterRules is the sequential model of a limiter: a bucket, and a reservation that everybody settles.
type limiterRules struct {
	level, open, misuses int
	lent                 bool
}

type limiterStep = func(limiterRules) (limiterRules, bool)

func tookUnits(n int, ok bool) limiterStep {
	return func(m limiterRules) (limiterRules, bool) {
		if m.level < n {
			return m, !ok
		}
		m.level -= n
		return m, ok
	}
}

func reservedUnits(n int, refused *Error) limiterStep {
	return func(m limiterRules) (limiterRules, bool) {
		if m.level < n {
			return m, refused != nil && refused.RetryAfter == time.Duration(n-m.level)*time.Second
		}
		m.level -= n
		m.open++
		return m, refused == nil
	}
}

func settledUnits(n, used int) limiterStep {
	return func(m limiterRules) (limiterRules, bool) {
		m.level = min(m.level+n-used, linearBurst)
		m.open--
		return m, true
	}
}

func settledLent(m limiterRules) (limiterRules, bool) {
	if !m.lent {
		m.misuses++
		return m, true
	}
	m.lent = false
	return settledUnits(linearLent, linearUsed)(m)
}

func waitsFor(d time.Duration) limiterStep {
	return func(m limiterRules) (limiterRules, bool) { return m, d == time.Duration(max(0, 1-m.level))*time.Second }
}

func looksLike(s LimiterSnapshot) limiterStep {
	return func(m limiterRules) (limiterRules, bool) {
		return m, s.Available == float64(max(m.level, 0)) && s.Open == uint64(m.open) && s.Misuses == uint64(m.misuses)
	}
}

// limiterUsers use a limiter from several goroutines.
type limiterUsers struct {
	tape[limiterRules]
	l *Limiter
}

// goroutine makes some steps. Its own reservations it settles in the end.
func (h *limiterUsers) goroutine(own *hand[limiterRules], lent *Reservation) {
	var mine *Reservation
	reserved := 0
	for range own.steps {
		switch n := own.IntN(10); {
		case n < 1:
			own.record(h.until)
		case n < 3 && lent != nil:
			own.recordLate(func() func() (string, limiterStep) { return settleLent(lent) }) // another goroutine may be about to settle
		case n < 5 && mine != nil:
			settleOwn(own, mine, reserved)
			mine = nil
		case n < 7 && mine == nil:
			reserved = own.IntN(3)
			mine = h.reserve(own, reserved)
		default:
			n := 1 + own.IntN(2)
			own.record(func() func() (string, limiterStep) {
				ok := h.l.Allow(float64(n))
				return func() (string, limiterStep) { return fmt.Sprintf("Allow(%d) = %v", n, ok), tookUnits(n, ok) }
			})
		}
	}
	if mine != nil {
		settleOwn(own, mine, reserved)
	}
}

func (h *limiterUsers) until() func() (string, limiterStep) {
	d := h.l.Until()
	return func() (string, limiterStep) { return fmt.Sprintf("Until() = %v", d), waitsFor(d) }
}

// reserve returns a reservation, or nil if it was refused.
func (h *limiterUsers) reserve(own *hand[limiterRules], n int) (r *Reservation) {
	own.record(func() func() (string, limiterStep) {
		got, err := h.l.Reserve(float64(n))
		if err == nil {
			r = &got
		}
		return func() (string, limiterStep) {
			var refused *Error
			errors.As(err, &refused)
			return fmt.Sprintf("Reserve(%d) = %v", n, err), reservedUnits(n, refused)
		}
	})
	return r
}

func settleOwn(own *hand[limiterRules], r *Reservation, n int) {
	used := own.IntN(3)
	own.record(func() func() (string, limiterStep) {
		r.Settle(float64(used))
		return func() (string, limiterStep) { return fmt.Sprintf("Settle(%d of %d)", used, n), settledUnits(n, used) }
	})
}

func settleLent(r *Reservation) func() (string, limiterStep) {
	r.Settle(linearUsed)
	return func() (string, limiterStep) {
		return fmt.Sprintf("Settle(%d of %d, by all)", linearUsed, linearLent), settledLent
	}
}

// lend makes a reservation that all may settle, if there are units for it.
func (h *limiterUsers) lend() *Reservation {
	r := h.reserve(&h.hand, linearLent)
	if r != nil {
		h.record(func() func() (string, limiterStep) {
			return func() (string, limiterStep) {
				return "lend", func(m limiterRules) (limiterRules, bool) {
					m.lent = true
					return m, true
				}
			}
		})
	}
	return r
}

// rest lets some seconds pass, and looks at what has come of the bout.
func (h *limiterUsers) rest(seconds int, lent *Reservation) {
	if lent != nil {
		h.record(func() func() (string, limiterStep) { return settleLent(lent) })
	}
	h.record(func() func() (string, limiterStep) {
		s := h.l.Snapshot()
		return func() (string, limiterStep) { return fmt.Sprintf("Snapshot() = %+v", s), looksLike(s) }
	})
	h.record(h.until)
	h.record(func() func() (string, limiterStep) {
		time.Sleep(time.Duration(seconds) * time.Second)
		return func() (string, limiterStep) {
			return fmt.Sprintf("%d s pass", seconds), func(m limiterRules) (limiterRules, bool) {
				m.level = min(m.level+seconds, linearBurst)
				return m, true
			}
		}
	})
}

func TestLimiterIsLinearizable(t *testing.T) {
	histories(t, func(t *testing.T, seed uint64, r *rand.Rand) {
		l, err := NewLimiter(LimiterConfig{Rate: 1, Burst: linearBurst})
		if err != nil {
			t.Fatal(err)
		}
		h := &limiterUsers{l: l}
		h.start(seed, limiterRules{level: linearBurst})
		for range linearBouts {
			lent := h.lend()
			h.bout(t, crowdSize(r), func(_ int, own *hand[limiterRules]) { h.goroutine(own, lent) })
			h.rest(2+r.IntN(5), lent)
		}
		h.end(t)
	})
}
