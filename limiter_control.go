package trysail

import (
	"errors"
	"math"
	"time"
)

// Until returns how long it is until one unit is free, or a whole burst if that is
// less: 0 if it is free now. Those who wait are counted as served.
func (l *Limiter) Until() time.Duration {
	now := l.clock.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	at, _ := l.next(now, min(l.pace.unit, l.pace.depth))
	return time.Duration(at - now)
}

// SetRate changes rate and burst; the ranges are those of [LimiterConfig], and a bad value is
// refused and changes nothing. Units in use stay in use, rounded up to the new rate's
// nanosecond. Those who wait are served by the new rate, and refused
// if it makes them wait too long.
func (l *Limiter) SetRate(rate, burst float64) error {
	f := faults{where: "SetRate"}
	f.pace("", rate, burst)
	if len(f.errs) > 0 {
		return errors.Join(f.errs...)
	}
	now := l.clock.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.setPace(now, newPace(rate, burst))
	return nil
}

// reconfigure puts the limiter under a checked and active policy. What is in use and
// who waits stays; MaxWait is that of those who come from now on.
func (l *Limiter) reconfigure(p LimiterPolicy) {
	now := l.clock.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.maxWait = p.MaxWait
	if p.Rate != l.pace.rate || p.Burst != l.pace.burst {
		l.setPace(now, newPace(p.Rate, p.Burst))
	}
}

func (l *Limiter) setPace(now int64, p pace) {
	l.serve(now) // what is due is due by the old rate
	base := l.base
	if base > now {
		debt := math.Ceil(float64(base-now) * (l.pace.rate / p.rate))
		base = now + int64(min(debt, longestDebt))
	}
	l.pace = p
	l.rebase(now, base)
}

// Penalize admits nothing before the instant until, such as the end of a server's
// Retry-After. An instant before that of an earlier penalty changes nothing, and one
// more than 366 days ahead counts as 366 days. The bucket fills meanwhile.
func (l *Limiter) Penalize(until time.Time) {
	ahead := min(time.Until(until), longestHint)
	now := l.clock.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := now + int64(ahead); ahead > 0 && at > l.notBefore {
		l.serve(now)
		l.notBefore = at
		l.rebase(now, l.base)
	}
}

// giveBack returns n units that were taken and not used.
func (l *Limiter) giveBack(n float64) {
	now := l.clock.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.credit(now, l.pace.cost(n))
}

// A LimiterSnapshot is a limiter at one moment.
type LimiterSnapshot struct {
	Rate, Burst float64       // as configured
	MaxWait     time.Duration // as configured

	Available float64   // units that are free; 0 while a penalty lasts
	NotBefore time.Time // end of the last penalty; zero if there was none

	Waiting int    // callers who wait
	Open    uint64 // reservations that are not settled

	Waits   uint64 // callers who had to wait
	Refused uint64 // callers who were refused by Wait or Reserve
	Misuses uint64 // reservations that were settled more than once
}

// Snapshot returns the limiter as it is now.
func (l *Limiter) Snapshot() LimiterSnapshot {
	now := l.clock.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.serve(now)
	s := LimiterSnapshot{
		Rate: l.pace.rate, Burst: l.pace.burst, MaxWait: l.maxWait,
		Waiting: l.line.turns.Len(), Open: l.open,
		Waits: l.waits, Refused: l.refused, Misuses: l.misuses,
	}
	if l.notBefore > longAgo {
		s.NotBefore = l.clock.wall(l.notBefore)
	}
	if free := now + l.pace.depth - max(l.full, now); free > 0 && l.notBefore <= now {
		s.Available = min(l.pace.units(free), l.pace.burst)
	}
	return s
}
