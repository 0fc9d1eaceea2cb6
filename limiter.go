package trysail

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// Reasons for which a limiter refuses; match them with [errors.Is]. They come wrapped
// in an [*Error].
var (
	// ErrLimited means that the rate is used up for now. The Error's RetryAfter says
	// when the same amount would fit.
	ErrLimited = errors.New("rate limit is reached")

	// ErrOverBurst means that more units were asked for at once than the limiter's
	// burst. That can never fit; waiting is no help.
	ErrOverBurst = errors.New("more than the burst of the rate limit")
)

// A LimiterConfig sets up a [Limiter].
type LimiterConfig struct {
	// Rate is how many units come free in a second: 1e-6 to 1e9. It must be given. A
	// budget of 90,000 tokens a minute is a Rate of 1500.
	Rate float64

	// Burst is how many units may be used at once after a silence: more than 0, at most
	// what Rate brings in ten years. Default: what Rate brings in a second, at least 1.
	Burst float64

	// MaxWait is how long [Limiter.Wait] may wait: up to 1 h. Default 0: it does not wait.
	MaxWait time.Duration
}

// A Limiter admits units at a rate: calls, tokens, cents. It is a generic cell rate
// algorithm (ITU-T I.371), which is a bucket of Burst units, full at first, that Rate
// fills. What is used and what is reserved is never more than Burst + Rate·t, the Burst to
// a thousandth or what the rate brings in 10 us.
//
// An amount is rounded up to whole nanoseconds of the rate; that is the resolution, and
// nothing drifts: unit by unit the rate is short of a nanosecond for each. That is nothing at 3 units a second, and
// much at 300 million; take so many in larger amounts. Those who wait are served in the order in which they came, and nobody
// overtakes them. A Limiter is safe for concurrent use. An admission costs about 50 ns
// and allocates nothing.
type Limiter struct {
	name  string // of the operation; empty if the limiter belongs to none
	clock clock

	mu        sync.Mutex // guards what follows
	pace      pace
	maxWait   time.Duration
	base      int64 // instant at which the bucket would be full if nobody waited, whatever penalty there is
	full      int64 // the same after those who wait, if nobody comes after them
	notBefore int64 // nothing is admitted before this instant
	line      line

	open, waits, refused, misuses uint64
}

// longAgo is an instant before all others, also before those of a synctest bubble.
const longAgo = -1 << 62

// NewLimiter returns a limiter with a full bucket, or an error that names every bad
// field of cfg.
func NewLimiter(cfg LimiterConfig) (*Limiter, error) {
	if cfg.Burst == 0 {
		cfg.Burst = defaultBurst(cfg.Rate)
	}
	f := faults{where: "LimiterConfig"}
	f.pace("", cfg.Rate, cfg.Burst)
	f.wait("MaxWait", cfg.MaxWait)
	if len(f.errs) > 0 {
		return nil, errors.Join(f.errs...)
	}
	return newLimiter("", clock{base: time.Now()}, LimiterPolicy{Rate: cfg.Rate, Burst: cfg.Burst, MaxWait: cfg.MaxWait}), nil
}

// newLimiter returns the limiter of a checked and active policy.
func newLimiter(name string, c clock, p LimiterPolicy) *Limiter {
	return &Limiter{
		name: name, clock: c, pace: newPace(p.Rate, p.Burst), maxWait: p.MaxWait,
		base: longAgo, full: longAgo, notBefore: longAgo,
	}
}

// Allow takes n units if they are free at this moment, and reports whether they were. It never
// waits. n may be any part of a unit; a negative n, one that is not a number and one
// over the burst are never free.
func (l *Limiter) Allow(n float64) bool { return l.allow(l.clock.now(), n) }

func (l *Limiter) allow(now int64, n float64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.pace.fits(n) {
		return false
	}
	at, _ := l.take(now, l.pace.cost(n))
	return at <= now
}

// Wait takes n units, as soon as they are free.
//
// A wait that would be longer than MaxWait, or would not end before ctx's deadline, is not
// begun: Wait returns [ErrLimited] at once, with RetryAfter. It does so later, too, if a
// settlement, a penalty or a lower rate makes the wait that long. When ctx ends,
// Wait returns, and those behind move up; nothing has been taken.
func (l *Limiter) Wait(ctx context.Context, n float64) error {
	if ctx.Err() != nil {
		return goneWaiting(ctx, &Error{Operation: l.name})
	}
	if l.Allow(n) {
		return nil
	}
	return l.queue(ctx, n)
}

// take takes what costs so much if it is free now, which is when at is not after now.
// Otherwise it takes nothing. It is called under the lock, as all that follows.
func (l *Limiter) take(now, cost int64) (at, full int64) {
	if l.line.turns.Len() > 0 {
		l.serve(now) // what is due goes first, so that nobody is left in the line when something is free
	}
	at, full = l.next(now, cost)
	if at <= now { // then nobody waits
		l.base, l.full = full, full
	}
	return at, full
}

// next returns when an amount that costs so much would be admitted, and when the
// bucket would be full again after it.
func (l *Limiter) next(now, cost int64) (at, full int64) {
	from := max(now, l.notBefore)
	full = max(l.full, from) + cost
	return max(full-l.pace.depth, from), full
}

// misfit is the error for an amount that can never be had.
func (l *Limiter) misfit(n float64) *Error {
	l.refused++
	err := fmt.Errorf("%w: %v units at once can never fit into a burst of %v; ask for less, or raise the burst",
		ErrOverBurst, n, l.pace.burst)
	if n < 0 || math.IsNaN(n) {
		err = fmt.Errorf("take %v units: want 0 or more", n)
	}
	return &Error{Operation: l.name, Class: ClassPermanent, Err: err}
}

// refuse is the error for an amount that cannot be had for so long.
func (l *Limiter) refuse(wait time.Duration) *Error {
	l.refused++
	return &Error{Operation: l.name, Class: ClassRateLimited, RetryAfter: wait, Err: ErrLimited}
}

// goneWaiting turns the refusal of a caller who waited into the error of one whose
// context ended meanwhile. After a deadline it can be matched as either.
func goneWaiting(ctx context.Context, refusal *Error) *Error {
	switch ended := gateLimit(ctx); {
	case errors.Is(ended, context.Canceled):
		refusal.Class, refusal.Err = ClassCanceled, ended
	case refusal.Err == nil:
		refusal.Err = ended
	default:
		refusal.Err = &both{refusal.Err, ended}
	}
	return refusal
}
