package trysail_test

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/trysail-go/trysail"
)

// A changePlan is another policy for an operation, while calls are under way.
type changePlan struct {
	at       time.Duration
	budget   int // as of an operationPlan
	disabled bool
	policy   trysail.Policy
}

// afterwards is how long after the provider is well the last change may come.
const afterwards = 5 * time.Second

// changes draws how an operation's policy changes.
func (d dice) changes(o *operationPlan, p *fleetPlan) {
	o.applied = d.one(2)
	times := make([]time.Duration, d.IntN(4))
	for i := range times {
		times[i] = d.between(0, p.heal+afterwards)
	}
	slices.Sort(times)
	c := changePlan{budget: o.budget, policy: o.policy}
	for _, c.at = range times {
		// What is switched off keeps its numbers: a breaker goes by them until it is switched on again.
		c.disabled = o.applied && d.one(6)
		if !c.disabled {
			c.policy = d.another(c.policy)
			c.budget = d.IntN(len(p.budgets)+1) - 1
		}
		if o.holdsLong() {
			c.policy = withoutPlaces(c.policy)
		}
		o.changes = append(o.changes, c)
	}
}

// holdsLong reports whether a caller keeps permits for very long.
func (o *operationPlan) holdsLong() bool {
	return slices.ContainsFunc(o.callers, func(c callerPlan) bool { return c.lasts == veryLong })
}

// withoutPlaces is p without what those suffer from who meet somebody who keeps a permit for very long.
func withoutPlaces(p trysail.Policy) trysail.Policy {
	p.Bulkhead = trysail.BulkheadPolicy{}
	if p.Breaker.SlowCall > 0 {
		p.Breaker.SlowRate, p.Breaker.SlowCall, p.Breaker.SlowFails = 0, 0, false
		p.Breaker.RatesOnly = p.Breaker.RatesOnly && p.Breaker.FailureRate > 0
	}
	return p
}

// another is a policy that differs from p in some part, or in all.
func (d dice) another(p trysail.Policy) trysail.Policy {
	switch d.IntN(7) {
	case 0:
		p.Breaker.Disabled = !p.Breaker.Disabled
	case 1:
		off := p.Breaker.Disabled // and stays so, with its numbers
		if !off {
			p.Breaker = d.breaker(p.Attempt)
		}
		p.Breaker.Disabled = off
	case 2:
		p.Retry = d.retry()
	case 3:
		if p.Limiter.Rate > 0 && d.one(2) {
			p.Limiter.Rate, p.Limiter.Burst = float64(d.from(1, 20)), float64(d.from(1, 10))
		} else {
			d.gates(&p)
			d.total(&p)
		}
	case 4:
		if p.Hedge.After == 0 {
			p.Hedge = d.hedge(p.Attempt)
		} else {
			p.Hedge.Disabled = !p.Hedge.Disabled
		}
	default:
		before := p.Breaker
		if p = d.policy(); p.Breaker.Disabled {
			p.Breaker, p.Attempt, p.Hedge = before, 0, trysail.HedgePolicy{}
			p.Breaker.Disabled = true
		}
	}
	return p
}

// from is when an operation has the policy that it keeps, and the provider is well.
func (o *operationPlan) from(heal time.Duration) time.Duration {
	if n := len(o.changes); n > 0 {
		return max(heal, o.changes[n-1].at)
	}
	return heal
}

// epochs are the policies that an operation has had.
type epochs struct {
	mu      sync.RWMutex // guards what follows; held while the policy changes
	all     []epoch
	breaker *trysail.Breaker // which calls that began with it meet also while the policy has none
}

// An epoch is the time of one policy.
type epoch struct {
	from, until time.Time // until is zero while it lasts
	policy      trysail.Policy
	budget      int
}

// begin notes the policy that put leaves the operation with.
func (e *epochs) begin(op *trysail.Operation, budget int, put func()) (before, after trysail.Policy) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before = op.Policy()
	put()
	after = op.Policy()
	now := time.Now()
	if n := len(e.all); n > 0 {
		e.all[n-1].until = now
	}
	e.all = append(e.all, epoch{from: now, policy: after, budget: budget})
	if b := op.Breaker(); b != nil {
		e.breaker = b
	}
	return before, after
}

// inForce returns the epochs of a time, both ends included: at the moment of a change, either policy may
// be the one that a call finds.
func (e *epochs) inForce(from, to time.Time) []epoch {
	e.mu.RLock()
	defer e.mu.RUnlock()
	first := slices.IndexFunc(e.all, func(e epoch) bool { return e.until.IsZero() || !e.until.Before(from) })
	last := first
	for last < len(e.all) && !e.all[last].from.After(to) {
		last++
	}
	return slices.Clone(e.all[first:last])
}

// probing returns the generation of the half-open breaker that a call meets which began under these policies. If it
// is let through, it is a probe, or leaked.
func (e *epochs) probing(under []epoch) (generation uint64, ok bool) {
	e.mu.RLock()
	b := e.breaker
	e.mu.RUnlock()
	if b == nil || !all(under, hasBreaker) {
		return 0, false
	}
	s := b.Snapshot()
	return s.Generation, s.State == trysail.HalfOpen
}

// at returns the epochs of an instant, of which there is mostly one.
func (e *epochs) at(t time.Time) []epoch { return e.inForce(t, t) }

// since returns the epochs from t until now.
func (e *epochs) since(t time.Time) []epoch { return e.inForce(t, time.Now()) }

// budgetAt returns the budget of those who look at t.
func (e *epochs) budgetAt(t time.Time) int {
	then := e.at(t)
	return then[len(then)-1].budget
}

// most returns the largest that the policies of these epochs allow.
func most[T cmp.Ordered](of []epoch, what func(p *trysail.Policy) T) (m T) {
	for i := range of {
		m = max(m, what(&of[i].policy))
	}
	return m
}

// all reports whether something is so with every policy of these epochs.
func all(of []epoch, what func(p *trysail.Policy) bool) bool {
	return !slices.ContainsFunc(of, func(e epoch) bool { return !what(&e.policy) })
}

func limits(p *trysail.Policy) bool { return p.Limiter.Rate > 0 && !p.Limiter.Disabled }

func bounded(p *trysail.Policy) bool { return p.Bulkhead.MaxConcurrent > 0 && !p.Bulkhead.Disabled }

func places(p *trysail.Policy) int { return p.Bulkhead.MaxConcurrent }

func probes(p *trysail.Policy) int { return p.Breaker.HalfOpenMaxCalls }

func probeTimeout(p *trysail.Policy) time.Duration { return p.Breaker.ProbeTimeout }

// enforces reports whether the breaker lets nothing through but what its rules do.
func enforces(p *trysail.Policy) bool { return p.Breaker.Enforce == 1 }

func hasBreaker(p *trysail.Policy) bool { return !p.Breaker.Disabled }

// admitted returns how many calls the limiters have let through at most until now: what was in use when a
// limiter changed stays in use, and while there is none the bucket of the last one fills.
func (e *epochs) admitted() float64 {
	units, rate, burst := 0.0, 0.0, 0.0
	for _, in := range e.since(time.Time{}) {
		if p := in.policy; limits(&p) {
			rate, burst = p.Limiter.Rate, max(burst, p.Limiter.Burst)
		}
		end := in.until
		if end.IsZero() {
			end = time.Now()
		}
		units += rate * end.Sub(in.from).Seconds()
	}
	return units + burst
}

// change puts an operation under another policy, in its time.
func (f *fleet) change(o *fleetOperation, c changePlan) {
	f.sleepUntil(c.at)
	policy := f.under(c.policy, c.budget)
	var change trysail.Change
	var err error
	before, after := o.epochs.begin(o.op, c.budget, func() {
		if o.applied {
			change, err = o.orchestrator.Apply(trysail.Config{Default: policy, Disabled: c.disabled})
		} else {
			_, err = o.orchestrator.Register(o.op.Name(), trysail.OperationConfig{Policy: policy})
		}
	})
	if err != nil {
		f.blame("operation %d: change at %v: %v", o.number, c.at, err)
	}
	if named := slices.Contains(change.Operations, o.op.Name()); o.applied && named != (before != after) {
		f.blame("operation %d: Apply() = %+v, want the operation among the changed if it has changed", o.number, change)
	}
	if o.applied && c.disabled != after.Breaker.Disabled && !c.policy.Breaker.Disabled {
		f.blame("operation %d: Policy() = %+v, want all of it switched off, or nothing", o.number, after)
	}
	f.note("operation %d has another policy, applied %v, budget %d, disabled %v: %v",
		o.number, o.applied, c.budget, c.disabled, o.differs(before, after))
}

// under is a policy with one of the fleet's budgets, or with none.
func (f *fleet) under(p trysail.Policy, budget int) trysail.Policy {
	if budget >= 0 {
		p.Retry.Budget = f.budgets[budget]
	}
	return p
}

// differs names the parts of a policy that are others.
func (o *fleetOperation) differs(before, after trysail.Policy) string {
	var parts []string
	for what, differs := range map[string]bool{
		"limits": before.Total != after.Total || before.Attempt != after.Attempt, "throttle": before.Throttle != after.Throttle,
		"limiter": before.Limiter != after.Limiter, "bulkhead": before.Bulkhead != after.Bulkhead,
		"breaker": before.Breaker != after.Breaker, "retry": before.Retry != after.Retry, "hedge": before.Hedge != after.Hedge,
	} {
		if differs {
			parts = append(parts, what)
		}
	}
	slices.Sort(parts)
	return fmt.Sprint(parts)
}
