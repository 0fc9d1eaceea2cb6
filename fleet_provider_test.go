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

	mu       sync.Mutex     // guards the fields of ledgers and accounts
	books    []ledger       // by operation
	accounts []fleetAccount // by budget
}

// A fleetAccount is what the provider has seen of those who have a budget.
type fleetAccount struct {
	calls int
	extra int // retries and hedges
}

// A ledger is what the provider has seen of an operation.
type ledger struct {
	calls, attempts int
	limited         int                 // calls through a limiter
	own             int                 // hedges that were taken from no budget of the fleet's
	runs            int                 // of functions: attempts, and hedges beside them
	running         int                 // also those that have lost and do not know
	visits          map[*visit]bool     // attempts under way
	under           map[*fleetCall]bool // calls under way, those between attempts included
}

// A visit is an attempt at the provider, and what it holds on to afterwards.
type visit struct {
	probe      bool
	generation uint64
	since      time.Time // when its lease began
	began      time.Time // when its call did
}

// A fleetCall is a call of the fleet's, with dice of its own: what it meets does not depend
// on who else is about.
type fleetCall struct {
	dice
	*fleetOperation
	began    time.Time
	attempts int
	visit    *visit
	deaf     bool          // the newest attempt does not heed its context, or a hedge of it does not
	left     time.Time     // when the attempt before had ended
	waited   time.Duration // between attempts
}

// under returns the policy that the call began with; two if it did so at the moment of a change.
func (c *fleetCall) under() []epoch { return c.epochs.at(c.began) }

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
		p.enter(c.number, 1)
		defer p.enter(c.number, -1)
		return ctx, p.answer(ctx, c, attempt)
	}
	if !c.hedged {
		return run(ctx, c, c)
	}
	var runs atomic.Uint64
	seed, budget := c.Uint64(), c.epochs.budgetAt(time.Now())
	return trysail.Hedged(c.op, func(ctx context.Context) (context.Context, error) {
		n := runs.Add(1)
		if n > 1 {
			p.hedge(c.number, budget)
		}
		return run(ctx, &fleetCall{dice: newDice(seed, n), fleetOperation: c.fleetOperation}, c)
	})(ctx)
}

// hedge enters a hedge into the account that it is taken from.
func (p *fleetProvider) hedge(operation, budget int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if budget < 0 {
		p.books[operation].own++
	} else {
		p.accounts[budget].extra++
	}
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

// arrive enters an attempt into the books. A half-open breaker that refuses all that it may lets nothing but probes
// through, and no time passes between its word and this. Of one that leaks, the breaker itself says how many are probes.
func (p *fleetProvider) arrive(c *fleetCall) {
	under := c.under()
	v := &visit{since: time.Now(), began: c.began}
	v.generation, v.probe = c.epochs.probing(under)
	p.mu.Lock()
	defer p.mu.Unlock()
	l := &p.books[c.number]
	p.account(l, c, under)
	c.deaf = false
	delete(l.visits, c.visit) // of a stream that began too late, and is not wanted any more
	c.visit = v
	l.visits[v] = true
	p.paced(c, under)
	if met := c.epochs.since(l.oldest()); all(met, bounded) && len(l.visits) > most(met, places) {
		p.blame("operation %d: %d calls at once, want at most %d", c.number, len(l.visits), most(met, places))
	}
	if n, met := l.probes(v.generation), c.epochs.since(l.oldestProbe(v.generation)); v.probe && all(met, enforces) && n > most(met, probes) {
		p.blame("operation %d: %d probes at once, want at most %d", c.number, n, most(met, probes))
	}
}

// account enters an attempt. What a call may use, and which budget, is settled when it begins.
func (p *fleetProvider) account(l *ledger, c *fleetCall, under []epoch) {
	budget := under[len(under)-1].budget
	l.attempts++
	if c.attempts++; c.attempts > 1 {
		if budget >= 0 {
			p.accounts[budget].extra++
		}
		return
	}
	l.calls++
	if budget >= 0 {
		p.accounts[budget].calls++
	}
	if all(under, limits) {
		l.limited++
	}
}

// timely checks that an attempt which heeds its context was ended in time.
func (p *fleetProvider) timely(c *fleetCall, since time.Time) {
	under := c.under()
	limited := all(under, func(p *trysail.Policy) bool { return p.Attempt > 0 })
	longest := most(under, func(p *trysail.Policy) time.Duration { return p.Attempt })
	p.mu.Lock()
	defer p.mu.Unlock()
	if took := time.Since(since); limited && took > longest && !c.deaf {
		p.blame("operation %d: an attempt took %v, want at most %v", c.number, took, longest)
	}
}

// paced checks how often and how late a call comes again.
func (p *fleetProvider) paced(c *fleetCall, under []epoch) {
	if n := most(under, tries); c.attempts > n {
		p.blame("operation %d: attempt %d, want at most %d", c.number, c.attempts, n)
	}
	if c.attempts > 1 {
		c.waited += time.Since(c.left)
	}
	if d := most(under, func(p *trysail.Policy) time.Duration { return p.Retry.DelayBudget }); c.waited > d {
		p.blame("operation %d: a call has waited %v between attempts, want at most %v", c.number, c.waited, d)
	}
}

// renew is the begin of an answer that goes on: a probe has its whole time for that.
func (p *fleetProvider) renew(c *fleetCall) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.visit.since, c.left = time.Now(), time.Now()
}

// begin and end say that a call is under way.
func (p *fleetProvider) begin(c *fleetCall) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.books[c.number].under[c] = true
}

func (p *fleetProvider) end(c *fleetCall) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.books[c.number].under, c)
}

// leave ends the visit, if there is one.
func (p *fleetProvider) leave(c *fleetCall) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.books[c.number].visits, c.visit)
	c.left = time.Now()
}

// oldest returns when the oldest call under way began.
func (l *ledger) oldest() time.Time {
	oldest := time.Now()
	for c := range l.under {
		if c.began.Before(oldest) {
			oldest = c.began
		}
	}
	return oldest
}

// oldestProbe returns when the oldest call began that is a probe of a generation.
func (l *ledger) oldestProbe(generation uint64) time.Time {
	oldest := time.Now()
	for v := range l.visits {
		if v.probe && v.generation == generation && v.began.Before(oldest) {
			oldest = v.began
		}
	}
	return oldest
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
