package trysail_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
)

// A fleetPlan is what a seed stands for: a provider's bad time, and those who call it.
type fleetPlan struct {
	seed       uint64
	phases     []fleetPhase
	heal       time.Duration // when the provider is well for good
	budgets    []trysail.RetryBudgetConfig
	operations []*operationPlan
}

// A fleetPhase is a time in which the provider behaves in one way.
type fleetPhase struct {
	until time.Duration
	mood  mood
	share float64       // of the attempts that feel the mood; the others are well
	hint  time.Duration // what a limit asks to wait
	deaf  bool          // attempts do not heed their context
}

// An operationPlan is an operation and its callers.
type operationPlan struct {
	orchestrator int
	budget       int  // of the fleet's; -1: none
	watched      bool // an observer hears of it, and the test looks at its breaker all the time
	told         bool // the observer hears of its calls, too; those who are told are watched
	hedged       bool // its functions are given to Hedged, whatever the policy says
	applied      bool // its policy is the default of an orchestrator of its own, and comes by Apply
	policy       trysail.Policy
	changes      []changePlan // in the order of their times
	callers      []callerPlan
}

// A callerPlan is a caller who makes a call about every so often, in one way.
type callerPlan struct {
	habit habit
	every time.Duration
	lasts time.Duration // limit, patience, or length of the stream
}

// A mood is how the provider behaves.
type mood int

const (
	well mood = iota
	down
	mixed    // failures of every class
	hanging  // no answer until the context ends, or the provider's own patience
	slow     // good answers, late
	limiting // 429 with a hint
	busy
	panicking // what the caller's own code does with such answers
	moods
)

func (m mood) String() string {
	return [moods]string{"well", "down", "mixed", "hanging", "slow", "limiting", "busy", "panicking"}[m]
}

// A habit is what a caller does.
type habit int

const (
	plain     habit = iota
	hurried         // has a deadline
	impatient       // cancels
	streaming       // Start, and reads on
	holding         // Acquire, and keeps the permit for long
	habits
)

func (h habit) String() string {
	return [habits]string{"plain", "hurried", "impatient", "streaming", "holding"}[h]
}

// What the provider takes for an answer.
const (
	quickest, slowest = 20 * time.Millisecond, 300 * time.Millisecond // when it is well
	patience          = 45 * time.Second                              // the longest that it hangs
	deafFor           = 15 * time.Second                              // an attempt that heeds no context
	slowestSlow       = 8 * time.Second                               // when it is slow
	longestAsked      = 40 * time.Second                              // hint of a limit
)

// dice throws for a plan.
type dice struct{ *rand.Rand }

func newDice(seed, stream uint64) dice { return dice{rand.New(rand.NewPCG(seed, stream))} }

func (d dice) one(in int) bool { return d.IntN(in) == 0 }

func (d dice) from(low, high int) int { return low + d.IntN(high-low+1) }

// between returns a time of that range, with odd nanoseconds, so that things seldom fall together.
func (d dice) between(low, high time.Duration) time.Duration {
	return low + time.Duration(d.Int64N(int64(high-low)))
}

func newFleetPlan(seed uint64) *fleetPlan {
	d := newDice(seed, 0)
	p := &fleetPlan{seed: seed}
	for range d.from(2, 5) {
		phase := fleetPhase{mood: mood(d.IntN(int(moods))), share: 1, deaf: d.one(4)}
		if d.one(3) {
			phase.share = 0.1 + 0.8*d.Float64()
		}
		if d.one(2) {
			phase.hint = d.between(0, longestAsked)
		}
		p.heal += d.between(5*time.Second, 40*time.Second)
		phase.until = p.heal
		p.phases = append(p.phases, phase)
	}
	for range d.IntN(3) {
		p.budgets = append(p.budgets, trysail.RetryBudgetConfig{
			Share: []float64{0.05, 0.1, 0.5, 1}[d.IntN(4)], Floor: trysail.Rate([]float64{0.01, 0.1, 1}[d.IntN(3)]),
			Window: d.between(time.Second, time.Minute), CostReserve: trysail.Cost(d.IntN(100)),
		})
	}
	for range d.from(1, 3) {
		p.operations = append(p.operations, d.operation(len(p.budgets)))
	}
	d = newDice(seed, 1) // the rest of the plan stays as it is, with changes and without
	for _, o := range p.operations {
		d.changes(o, p)
	}
	return p
}

func (d dice) operation(budgets int) *operationPlan {
	o := &operationPlan{orchestrator: d.IntN(2), budget: d.IntN(budgets+1) - 1, watched: d.one(2), hedged: d.one(2)}
	o.told = o.watched && o.orchestrator == 1
	o.policy = d.policy()
	for range d.from(1, 6) {
		c := callerPlan{habit: habit(d.IntN(int(habits))), every: d.between(300*time.Millisecond, 4*time.Second), lasts: d.between(time.Second, 15*time.Second)}
		if c.habit == holding {
			c.every *= 5
		}
		if c.habit == holding && d.one(2) && bearsHolders(o.policy) {
			c.lasts = veryLong
		}
		o.callers = append(o.callers, c)
	}
	return o
}

// veryLong is how long some keep their permits.
const veryLong = 20 * time.Minute

// bearsHolders reports whether others are as well when a permit is kept for very long. Else that takes
// a place of the bulkhead, or counts as a slow call.
func bearsHolders(p trysail.Policy) bool {
	return p.Bulkhead.MaxConcurrent == 0 && p.Breaker.SlowCall == 0
}

func (d dice) policy() (p trysail.Policy) {
	p.Retry = d.retry()
	if d.one(2) {
		p.Attempt = d.between(time.Second, 10*time.Second)
	}
	d.gates(&p)
	if !d.one(3) {
		p.Hedge = d.hedge(p.Attempt)
	}
	d.total(&p)
	p.Breaker = d.breaker(p.Attempt)
	return p
}

// total draws a limit of the call, never so short that a wait at the gates leaves nothing for a good answer.
func (d dice) total(p *trysail.Policy) {
	if p.Total = 0; d.one(3) {
		p.Total = p.Limiter.MaxWait + p.Bulkhead.MaxWait + max(p.Attempt, 5*time.Second) + d.between(0, 20*time.Second)
	}
}

// gates draws limiter, bulkhead and throttle.
func (d dice) gates(p *trysail.Policy) {
	p.Limiter, p.Bulkhead, p.Throttle = trysail.LimiterPolicy{}, trysail.BulkheadPolicy{}, trysail.ThrottlePolicy{}
	if d.one(3) {
		p.Limiter = trysail.LimiterPolicy{Rate: float64(d.from(1, 20)), Burst: float64(d.from(1, 10)), MaxWait: time.Duration(d.IntN(2)) * d.between(1, 5*time.Second)}
	}
	if d.one(3) {
		p.Bulkhead = trysail.BulkheadPolicy{MaxConcurrent: d.from(1, 8), MaxQueue: d.IntN(8), MaxWait: d.between(time.Second, 8*time.Second)}
	}
	if p.Bulkhead.MaxConcurrent > 0 && d.one(2) {
		p.Bulkhead.Adaptive, p.Bulkhead.MaxConcurrent = true, d.from(3, 30)
		p.Bulkhead.MinConcurrent = d.from(1, 3)
	}
	if d.one(3) {
		p.Throttle = trysail.ThrottlePolicy{
			Factor: []float64{1.5, 2, 3}[d.IntN(3)], Window: d.between(time.Second, 5*time.Second),
			MinCalls: d.from(1, 10), MaxShare: 0.3 + 0.5*d.Float64(),
		}
	}
}

// hedge is a policy that hedges attempts which may take so long.
func (d dice) hedge(attempt time.Duration) trysail.HedgePolicy {
	h := trysail.HedgePolicy{After: d.between(50*time.Millisecond, 2*time.Second), Max: d.from(1, 3)}
	if attempt > 0 {
		h.After = min(h.After, attempt/2)
	}
	if d.one(2) {
		h.Percentile = 0.5 + 0.49*d.Float64()
	}
	return h
}

func (d dice) retry() trysail.RetryPolicy {
	r := trysail.RetryPolicy{
		Attempts: d.from(1, 5), DelayBudget: d.between(time.Second, 30*time.Second),
		Backoff: trysail.Backoff(d.IntN(int(trysail.BackoffPollyV2) + 1)),
		Base:    d.between(10*time.Millisecond, time.Second), MinDelay: d.between(1, time.Second), MaxDelay: d.between(time.Second, 10*time.Second),
		Jitter: d.between(1, 2*time.Second), NoJitter: d.one(4), Disabled: d.one(8),
	}
	if d.one(3) {
		r.Classes[trysail.ClassOverloaded].Attempts = d.from(1, 8)
	}
	if d.one(3) {
		r.Cost = trysail.Cost(d.from(1, 5))
	}
	return r
}

func (d dice) breaker(attempt time.Duration) trysail.BreakerPolicy {
	b := trysail.BreakerPolicy{
		FailureThreshold: d.from(1, 8), RecoveryTimeout: d.between(time.Second, 20*time.Second), HalfOpenMaxCalls: d.from(1, 5),
		ProbeTimeout:    attempt + d.between(3*time.Second, 20*time.Second),
		HonorRetryAfter: d.one(2), RecoveryJitter: []float64{0, 0.2, 0.5}[d.IntN(3)], Disabled: d.one(10),
	}
	if d.one(2) {
		b.MaxRecovery = b.RecoveryTimeout * time.Duration(d.from(1, 4))
	}
	if d.one(2) {
		b.RampUp = d.between(time.Second, 15*time.Second)
	}
	if d.one(3) {
		b.FailureRate = 0.2 + 0.8*d.Float64()
	}
	if d.one(4) {
		b.SlowRate, b.SlowCall = 0.2+0.8*d.Float64(), d.between(time.Second, 5*time.Second)
	}
	if b.FailureRate > 0 || b.SlowRate > 0 {
		b.RatesOnly, b.MinCalls, b.Window = d.one(2), d.from(1, 10), d.between(time.Second, 20*time.Second)
		if d.one(3) {
			b.WindowCalls = b.MinCalls + d.IntN(10)
		}
	}
	if b.FailureRate > 0 && d.one(3) {
		b.SlowFails, b.SlowCall = true, cmp.Or(b.SlowCall, d.between(time.Second, 5*time.Second))
	}
	if d.one(3) {
		b.Enforce = []float64{0.05, 0.5, 0.9}[d.IntN(3)]
	}
	return b
}

// at returns the phase of an instant.
func (p *fleetPlan) at(since time.Duration) fleetPhase {
	for _, phase := range p.phases {
		if since < phase.until {
			return phase
		}
	}
	return fleetPhase{mood: well}
}

// String is the plan for people.
func (p *fleetPlan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "plan of seed %d", p.seed)
	for _, f := range p.phases {
		fmt.Fprintf(&b, "\n  until %v: %v, share %.2f, hint %v, deaf %v", f.until, f.mood, f.share, f.hint, f.deaf)
	}
	for i, c := range p.budgets {
		fmt.Fprintf(&b, "\n  budget %d: %+v", i, c)
	}
	for i, o := range p.operations {
		fmt.Fprintf(&b, "\n  operation %d: orchestrator %d, budget %d, watched %v, told %v, hedged %v, applied %v",
			i, o.orchestrator, o.budget, o.watched, o.told, o.hedged, o.applied)
		describe(&b, o.policy)
		for _, c := range o.changes {
			fmt.Fprintf(&b, "\n   from %v on: budget %d, disabled %v", c.at, c.budget, c.disabled)
			describe(&b, c.policy)
		}
		for _, c := range o.callers {
			fmt.Fprintf(&b, "\n    a %v caller about every %v, for %v", c.habit, c.every, c.lasts)
		}
	}
	return b.String()
}

func describe(b *strings.Builder, p trysail.Policy) {
	fmt.Fprintf(b, "\n    total %v, attempt %v\n    %+v\n    %+v\n    %+v\n    %+v\n    %+v\n    %+v",
		p.Total, p.Attempt, p.Throttle, p.Limiter, p.Bulkhead, p.Retry, p.Breaker, p.Hedge)
}
