package trysail

import (
	"math"
	"sync/atomic"
	"time"
)

// A Reservation is units that were taken before it is known how many will be used, such
// as the tokens of an answer. It comes from [Limiter.Reserve], and is settled once.
//
//	r, err := limiter.Reserve(estimate)
//	if err != nil {
//		return err
//	}
//	defer r.Cancel() // does nothing after Settle
//	…
//	r.Settle(used)
//
// Reservations that are never settled stay taken. A Reservation must not be copied. It is
// safe for concurrent use.
type Reservation struct {
	limiter *Limiter // nil in a Reservation that was refused
	n       float64
	settled atomic.Bool
}

// Reserve takes n units if they are free at this moment. If not, it takes nothing and
// returns [ErrLimited] with RetryAfter, or [ErrOverBurst]. It never waits. Reserve and Settle
// allocate nothing.
func (l *Limiter) Reserve(n float64) (Reservation, error) {
	now := l.clock.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.pace.fits(n) {
		return Reservation{}, l.misfit(n)
	}
	if at, _ := l.take(now, l.pace.cost(n)); at > now {
		return Reservation{}, l.refuse(time.Duration(at - now))
	}
	l.open++
	return Reservation{limiter: l, n: n}, nil
}

// Settle says how many units were used. What was reserved and not used is given back,
// at most until the bucket is full; what was used and not reserved is taken, free or not. A number
// that is negative, infinite or none counts as what was reserved.
//
// Only the first call does something; others are counted in [LimiterSnapshot].Misuses.
func (r *Reservation) Settle(actual float64) {
	switch {
	case r.limiter == nil:
	case r.settled.Swap(true):
		r.limiter.misuse()
	case actual >= 0 && actual <= math.MaxFloat64:
		r.limiter.settle(r.n, actual)
	default:
		r.limiter.settle(r.n, r.n)
	}
}

// Cancel gives everything back. After Settle it does nothing, so that it can be deferred.
func (r *Reservation) Cancel() {
	if r.limiter != nil && !r.settled.Swap(true) {
		r.limiter.settle(r.n, 0)
	}
}

// settle ends a reservation. The difference is taken between the rounded costs, so
// that the limiter is then where it would be if the right amount had been taken.
func (l *Limiter) settle(reserved, used float64) {
	now := l.clock.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	switch more := l.pace.cost(used) - l.pace.cost(reserved); {
	case more < 0:
		l.credit(now, -more)
	case more > 0:
		l.charge(now, more)
	}
}

func (l *Limiter) misuse() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.misuses++
}
