package trysail

import (
	"sync/atomic"
	"time"
)

// An Operation is a name under which calls are made: a strategy, a breaker, a
// policy and counters. It is a stable handle; get it once and keep it. An
// Operation comes from [Orchestrator.Operation] or [Orchestrator.Register].
type Operation struct {
	*common
	name      string
	bad       error            // why calls cannot be made, such as an unusable name
	own       *OperationConfig // of Register; nil if there was none. Guarded by the orchestrator's mutex
	settings  atomic.Pointer[settings]
	keys      atomic.Pointer[keyed]       // nil until For is used
	decisions atomic.Pointer[decisions]   // nil until there is one
	refusal   atomic.Pointer[refusal]     // one that every call gets at present; mostly nil
	purse     atomic.Pointer[RetryBudget] // of TakeHedge, where the policy has no budget; mostly nil
	counters  counters
}

// common is what all operations of an orchestrator have in common. It is never changed.
type common struct {
	clock     clock
	tell      func(Event) // nil when nobody observes
	tellCalls func(Event) // nil when nobody observes single calls
}

// settings are what may change while an operation lives. A call works with those
// that it began with.
type settings struct {
	strategy Strategy
	policy   *Policy       // shared, never changed
	table    *consequences // shared, never changed
	breaker  *Breaker      // kept while the policy has none, for the case that it gets one again
	active   *Breaker      // the one that calls go through, or nil
	gates    *gates        // nil when there are none
	account  *RetryBudget  // of retries and hedges, or of hedges alone; nil when there is neither
	hedging  *hedging      // nil when there is and was none
	limited  bool          // there is a time limit
}

// configure puts the operation under a checked policy. The breaker keeps its
// state and its count.
func (op *Operation) configure(strategy Strategy, policy *Policy, table *consequences) {
	next := &settings{strategy: strategy, policy: policy, table: table}
	if old := op.settings.Load(); old != nil {
		next.breaker, next.gates, next.hedging = old.breaker, old.gates, old.hedging
	}
	next.gates = op.gatesFor(policy, next.gates)
	next.account = policy.Retry.Budget
	if policy.Hedge.active() {
		next.hedge(op.clock)
	}
	next.limited = policy.Total > 0 || policy.Attempt > 0
	switch {
	case policy.Breaker.Disabled:
	case next.breaker == nil:
		next.breaker = newBreaker(op, &policy.Breaker)
	default:
		next.breaker.reconfigure(&policy.Breaker)
	}
	if !policy.Breaker.Disabled {
		next.active = next.breaker
	}
	op.settings.Store(next)
	op.refusal.Store(nil)
	op.reconfigureKeys()
}

// hedge gets ready for a policy that hedges.
func (s *settings) hedge(c clock) {
	if s.hedging == nil {
		s.hedging = newHedging(c)
	}
	s.hedging.refresh()
	if s.account == nil {
		s.account = s.hedging.purse
	}
}

// now is the time of day, by the clock by which all is measured: whatever is done to the system's clock, events keep
// their order, and the time between two of them is how long it was.
func (op *Operation) now() time.Time { return op.clock.wall(op.clock.now()) }

// Name returns the operation's name.
func (op *Operation) Name() string { return op.name }

// Strategy returns the strategy that the operation follows.
func (op *Operation) Strategy() Strategy { return op.settings.Load().strategy }

// Policy returns what the operation does about failures, every field filled in.
func (op *Operation) Policy() Policy { return *op.settings.Load().policy }

// Breaker returns the operation's breaker, or nil when its policy has none.
func (op *Operation) Breaker() *Breaker { return op.settings.Load().active }

// Metrics returns the operation's counters.
func (op *Operation) Metrics() OperationMetrics {
	m := op.counters.snapshot(op.clock)
	m.Operation = op.name
	if b := op.settings.Load().breaker; b != nil {
		m.Opens, m.HalfOpens, m.Closes = b.transitions()
	}
	return m
}

// fallsBack reports whether a fallback may answer instead of err. A call that
// cannot be made as written is a bug, which no fallback should hide.
func (op *Operation) fallsBack(err error) bool {
	return op != nil && op.bad == nil && op.settings.Load().table[Classify(err)].Fallback
}
