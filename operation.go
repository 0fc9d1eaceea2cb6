package trysail

import "sync/atomic"

// An Operation is a name under which calls are made: a strategy, a breaker, a
// policy and counters. It is a stable handle; get it once and keep it. An
// Operation comes from [Orchestrator.Operation] or [Orchestrator.Register].
type Operation struct {
	name     string
	table    *consequences
	clock    clock
	tell     func(Event) // nil when nobody observes
	bad      error       // why calls cannot be made, such as an unusable name
	settings atomic.Pointer[settings]
	counters counters
}

// settings are what may change while an operation lives. A call works with those
// that it began with.
type settings struct {
	strategy Strategy
	policy   Policy
	breaker  *Breaker // kept while the policy has none, for the case that it gets one again
}

// active returns the breaker that calls go through, or nil.
func (s *settings) active() *Breaker {
	if s.policy.Breaker.Disabled {
		return nil
	}
	return s.breaker
}

// configure puts the operation under a checked policy. The breaker keeps its
// state and its count.
func (op *Operation) configure(strategy Strategy, policy Policy) {
	next := &settings{strategy: strategy, policy: policy}
	if old := op.settings.Load(); old != nil {
		next.breaker = old.breaker
	}
	switch {
	case policy.Breaker.Disabled:
	case next.breaker == nil:
		next.breaker = newBreaker(op.name, op.clock, policy.Breaker, op.tell)
	default:
		next.breaker.reconfigure(policy.Breaker)
	}
	op.settings.Store(next)
}

// Name returns the operation's name.
func (op *Operation) Name() string { return op.name }

// Strategy returns the strategy that the operation follows.
func (op *Operation) Strategy() Strategy { return op.settings.Load().strategy }

// Policy returns what the operation does about failures, every field filled in.
func (op *Operation) Policy() Policy { return op.settings.Load().policy }

// Breaker returns the operation's breaker, or nil when its policy has none.
func (op *Operation) Breaker() *Breaker { return op.settings.Load().active() }

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
	return op != nil && op.bad == nil && op.table[Classify(err)].Fallback
}
