package trysail

import (
	"time"
)

// A Health tells which breakers keep calls from being made.
type Health struct {
	Healthy    bool     // no breaker is open, by its rules or by force; half-open counts as healthy
	Open       []string // operations with an open or forced-open breaker, sorted
	HalfOpen   []string // operations with a half-open breaker, sorted
	Breakers   int
	Operations int
	Time       time.Time
}

// Health returns the state of all breakers. It takes no snapshots: an operation with a closed breaker costs a few loads, and only
// the names of others are allocated.
func (o *Orchestrator) Health() Health {
	h := Health{Time: o.common.clock.wall(o.common.clock.now())}
	o.each(h.count)
	h.Healthy = len(h.Open) == 0
	return h
}

// count adds an operation.
func (h *Health) count(op *Operation) {
	h.Operations++
	b := op.Breaker()
	if b == nil {
		return
	}
	h.Breakers++
	switch b.State() {
	case Open, ForcedOpen:
		h.Open = append(h.Open, op.name)
	case HalfOpen:
		h.HalfOpen = append(h.HalfOpen, op.name)
	default: // calls run
	}
}

// Metrics returns the counters of all operations, those of keys included, sorted by name.
func (o *Orchestrator) Metrics() []OperationMetrics {
	all := []OperationMetrics{}
	o.each(func(op *Operation) { all = append(all, op.Metrics()) })
	return all
}

// Breakers returns all breakers, those of keys included, sorted by operation. Operations
// without one are not in it.
func (o *Orchestrator) Breakers() []BreakerSnapshot {
	all := []BreakerSnapshot{}
	o.each(func(op *Operation) {
		if b := op.Breaker(); b != nil {
			all = append(all, b.Snapshot())
		}
	})
	return all
}

// Configuration returns what the orchestrator works with: the Config of New,
// with every default filled in. The caller may change the copy.
func (o *Orchestrator) Configuration() Config {
	o.mu.RLock()
	rules := o.rules
	o.mu.RUnlock()
	c := rules.config
	c.Default.complete()
	c.Strategies, c.Operations = rules.strategies(), rules.operations()
	c.Classes = make(map[Class]Consequence, classes)
	for class, row := range rules.table {
		c.Classes[Class(class)] = row
	}
	return c
}

// DroppedEvents returns how many events the Observer missed because it was too
// slow or panicked.
func (o *Orchestrator) DroppedEvents() uint64 {
	if o.events == nil {
		return 0
	}
	return o.events.lost()
}
