package trysail_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trysail-go/trysail"
)

// A fleetProvider is the dependency: it answers as the phase of the moment wants, and keeps
// book of who is with it, which is the other side of what the engine says.
type fleetProvider struct {
	plan  *fleetPlan
	start time.Time
	blame func(format string, args ...any)

	mu    sync.Mutex // guards the fields of ledgers
	books []ledger   // by operation
}

// A ledger is what the provider has seen of an operation.
type ledger struct {
	calls, attempts int
	runs            int             // of functions: attempts, and hedges beside them
	running         int             // also those that have lost and do not know
	visits          map[*visit]bool // attempts under way
}

// A visit is an attempt at the provider, and what it holds on to afterwards.
type visit struct {
	probe      bool
	generation uint64
	since      time.Time // when its lease began
}

// A fleetCall is a call of the fleet's, with dice of its own: what it meets does not depend
// on who else is about.
type fleetCall struct {
	dice
	operation int
	op        *trysail.Operation
	attempts  int
	visit     *visit
	hedged    bool          // its function may have hedges
	deaf      bool          // the newest attempt does not heed its context, or a hedge of it does not
	left      time.Time     // when the attempt before had ended
	waited    time.Duration // between attempts
}

// serve is an attempt that ends with its answer.
func (p *fleetProvider) serve(ctx context.Context, c *fleetCall) (err error) {
	p.arrive(c)
	defer p.leave(c)
	defer p.timely(c, time.Now())
	_, err = p.answers(ctx, c)
	return err
}

// answers is what an attempt meets, with hedges if the operation's function has them. It returns the
// context under which the answer came.
func (p *fleetProvider) answers(ctx context.Context, c *fleetCall) (context.Context, error) {
	run := func(ctx context.Context, c, attempt *fleetCall) (context.Context, error) {
		p.enter(c.operation, 1)
		defer p.enter(c.operation, -1)
		return ctx, p.answer(ctx, c, attempt)
	}
	if !c.hedged {
		return run(ctx, c, c)
	}
	var runs atomic.Uint64
	seed := c.Uint64()
	return trysail.Hedged(c.op, func(ctx context.Context) (context.Context, error) {
		return run(ctx, &fleetCall{dice: newDice(seed, runs.Add(1)), operation: c.operation, op: c.op}, c)
	})(ctx)
}

// enter counts those who come and go.
func (p *fleetProvider) enter(operation, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := &p.books[operation]
	l.running += n
	l.runs += max(n, 0)
}

// open is an attempt after which, if it succeeds, the call stays until leave.
func (p *fleetProvider) open(ctx context.Context, c *fleetCall) (own context.Context, err error) {
	p.arrive(c)
	opened := false
	defer func() {
		if opened {
			p.renew(c)
		} else {
			p.leave(c)
		}
	}()
	defer p.timely(c, time.Now())
	own, err = p.answers(ctx, c)
	opened = err == nil
	return own, err
}

// arrive enters an attempt into the books. A half-open breaker lets nothing but probes through,
// and no time passes between its word and this.
func (p *fleetProvider) arrive(c *fleetCall) {
	v := &visit{since: time.Now()}
	if b := c.op.Breaker(); b != nil && b.State() == trysail.HalfOpen {
		s := b.Snapshot()
		v.probe, v.generation = s.State == trysail.HalfOpen, s.Generation
	}
	policy := c.op.Policy()
	p.mu.Lock()
	defer p.mu.Unlock()
	l := &p.books[c.operation]
	if c.attempts++; c.attempts == 1 {
		l.calls++
	}
	l.attempts++
	c.deaf = false
	delete(l.visits, c.visit) // of a stream that began too late, and is not wanted any more
	c.visit = v
	l.visits[v] = true
	p.paced(c, policy.Retry)
	if most := policy.Bulkhead.MaxConcurrent; most > 0 && len(l.visits) > most {
		p.blame("operation %d: %d calls at once, want at most %d", c.operation, len(l.visits), most)
	}
	if n := l.probes(v.generation); v.probe && n > policy.Breaker.HalfOpenMaxCalls {
		p.blame("operation %d: %d probes at once, want at most %d", c.operation, n, policy.Breaker.HalfOpenMaxCalls)
	}
}

// timely checks that an attempt which heeds its context was ended in time.
func (p *fleetProvider) timely(c *fleetCall, since time.Time) {
	most := c.op.Policy().Attempt
	p.mu.Lock()
	defer p.mu.Unlock()
	if took := time.Since(since); most > 0 && took > most && !c.deaf {
		p.blame("operation %d: an attempt took %v, want at most %v", c.operation, took, most)
	}
}

// paced checks how often and how late a call comes again.
func (p *fleetProvider) paced(c *fleetCall, r trysail.RetryPolicy) {
	most := r.Attempts
	for _, row := range r.Classes {
		most = max(most, row.Attempts)
	}
	if r.Disabled {
		most = 1
	}
	if c.attempts > most {
		p.blame("operation %d: attempt %d, want at most %d", c.operation, c.attempts, most)
	}
	if c.attempts > 1 {
		c.waited += time.Since(c.left)
	}
	if c.waited > r.DelayBudget {
		p.blame("operation %d: a call has waited %v between attempts, want at most %v", c.operation, c.waited, r.DelayBudget)
	}
}

// renew is the begin of an answer that goes on: a probe has its whole time for that.
func (p *fleetProvider) renew(c *fleetCall) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.visit.since, c.left = time.Now(), time.Now()
}

// leave ends the visit, if there is one.
func (p *fleetProvider) leave(c *fleetCall) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.books[c.operation].visits, c.visit)
	c.left = time.Now()
}

// probes returns how many probes of a generation are under way.
func (l *ledger) probes(generation uint64) (n int) {
	for v := range l.visits {
		if v.probe && v.generation == generation {
			n++
		}
	}
	return n
}

// leased returns how many of them can still have a lease.
func (l *ledger) leased(generation uint64, timeout time.Duration) (n int) {
	for v := range l.visits {
		if v.probe && v.generation == generation && time.Since(v.since) < timeout {
			n++
		}
	}
	return n
}

// answer is what a run of the function meets. Where there are hedges, it is one of those of the attempt.
func (p *fleetProvider) answer(ctx context.Context, c, attempt *fleetCall) error {
	phase := p.plan.at(time.Since(p.start))
	if c.Float64() >= phase.share {
		phase = fleetPhase{mood: well}
	}
	p.mu.Lock()
	attempt.deaf = attempt.deaf || phase.deaf
	p.mu.Unlock()
	quick := c.between(quickest, slowest)
	switch phase.mood {
	case down:
		return linger(ctx, quick, errDown)
	case mixed:
		return linger(ctx, quick, c.mixed(phase.hint))
	case hanging:
		if phase.deaf {
			time.Sleep(deafFor)
			return cmp.Or(ctx.Err(), errDown)
		}
		return linger(ctx, patience, errDown)
	case slow:
		d := c.between(slowest, slowestSlow)
		if phase.deaf {
			time.Sleep(d)
			return nil
		}
		return linger(ctx, d, nil)
	case limiting:
		return linger(ctx, quick, trysail.RateLimited(errors.New("429"), phase.hint))
	case busy:
		return linger(ctx, quick, trysail.Unavailable(errors.New("503")))
	case panicking:
		if err := linger(ctx, quick, nil); err != nil {
			return err
		}
		if c.one(2) {
			runtime.Goexit()
		}
		panic(errFleet)
	default:
		return linger(ctx, quick, nil)
	}
}

// errFleet is what panics.
var errFleet = errors.New("panic of the fleet's")

// mixed is any outcome.
func (d dice) mixed(hint time.Duration) error {
	switch class := trysail.Class(d.IntN(int(trysail.ClassCanceled) + 1)); class {
	case trysail.ClassCanceled:
		return nil
	default:
		return trysail.WithClass(fmt.Errorf("%w: %v", errDown, class), class, hint)
	}
}

// linger takes d and returns err, unless ctx ends before.
func linger(ctx context.Context, d time.Duration, err error) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
