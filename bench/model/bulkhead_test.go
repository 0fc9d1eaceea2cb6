package model_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trysail-go/trysail"
)

// A bulkheadMachine drives an operation with a bulkhead beside a hall.
type bulkheadMachine struct {
	*callers
	orc     *trysail.Orchestrator
	op      *trysail.Operation
	permits map[int]*trysail.Permit // guarded by mu
	model   hall
}

func TestBulkheadAgreesWithModel(t *testing.T) {
	play(t, func(t *rapid.T) {
		m := newBulkheadMachine(t)
		defer m.home()
		t.Repeat(map[string]func(*rapid.T){
			"call":    m.begin,
			"end":     m.end,
			"leave":   m.giveUp,
			"apply":   m.apply,
			"breaker": func(t *rapid.T) { m.turn(pick(t, "shut", false, false, true)) },
			"wait":    m.pass,
			"":        m.check,
		})
	})
}

// drawHall draws a bulkhead. No two of the limits of a wait are equal: which of them is named then would be chance.
func drawHall(t *rapid.T) trysail.Policy {
	return trysail.Policy{
		Total: pick(t, "total", 0, 0, 15*time.Second),
		Bulkhead: trysail.BulkheadPolicy{
			MaxConcurrent: pick(t, "places", 1, 2, 3),
			MaxQueue:      pick(t, "queue", 0, 1, 2, 4),
			MaxWait:       pick(t, "longest wait", 10*time.Second, 30*time.Second),
			Disabled:      pick(t, "disabled", false, false, false, false, true),
		},
		Retry: trysail.RetryPolicy{Disabled: true},
	}
}

func newBulkheadMachine(t *rapid.T) *bulkheadMachine {
	policy := drawHall(t)
	orc, err := trysail.New(trysail.Config{Default: policy})
	if err != nil {
		t.Fatal(err)
	}
	return &bulkheadMachine{
		callers: newCallers(), orc: orc, op: orc.Operation("chat"), permits: map[int]*trysail.Permit{},
		model: hall{policy: policy, limit: policy.Bulkhead.MaxConcurrent, inside: map[int]bool{}, verdicts: map[int]verdict{}},
	}
}

func (m *bulkheadMachine) begin(t *rapid.T) {
	id := len(m.leave)
	p := pick(t, "priority", trysail.PriorityInteractive, trysail.PriorityBatch, trysail.PriorityBackground)
	patience := pick(t, "patience", 0, 0, 5*time.Second, 20*time.Second, 45*time.Second)
	m.model.arrive(id, p, patience)
	m.call(trysail.WithPriority(context.Background(), p), id, patience, func(ctx context.Context) error {
		permit, err := m.op.Acquire(ctx)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.permits[id] = permit
		return err
	})
}

// end gives a permit back, sometimes twice.
func (m *bulkheadMachine) end(t *rapid.T) {
	inside := slices.Sorted(maps.Keys(m.model.inside))
	if len(inside) == 0 {
		return
	}
	id := rapid.SampledFrom(inside).Draw(t, "which")
	outcome := pick(t, "outcome", nil, trysail.Permanent(errors.New("wrong")))
	m.mu.Lock()
	permit := m.permits[id]
	m.mu.Unlock()
	permit.Done(outcome)
	if pick(t, "twice", false, false, true) {
		permit.Done(nil)
		m.model.counts.Misuses++
	}
	m.model.end(id, outcome == nil)
}

// giveUp has a caller leave, sometimes in the very moment in which his turn comes: the place is then the next one's.
func (m *bulkheadMachine) giveUp(t *rapid.T) {
	if len(m.model.line) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.model.line)-1).Draw(t, "which")
	m.leave[m.model.line[i].id]()
	m.model.give(i, gone)
	if pick(t, "a place comes free", true, false) {
		m.end(t)
	}
}

func (m *bulkheadMachine) apply(t *rapid.T) {
	m.model.policy = drawHall(t)
	if _, err := m.orc.Apply(trysail.Config{Default: m.model.policy}); err != nil {
		t.Fatal(err)
	}
	m.model.limit = m.model.policy.Bulkhead.MaxConcurrent
	m.model.serve()
}

// turn shuts the breaker's door, or opens it again.
func (m *bulkheadMachine) turn(shut bool) {
	m.model.shut = shut
	if shut {
		m.op.Breaker().ForceOpen(trysail.Override{})
	} else {
		m.op.Breaker().Close(trysail.Override{})
	}
}

func (m *bulkheadMachine) pass(t *rapid.T) {
	d := nextTime(t, m.model.due(), m.model.now, 1, time.Second, time.Minute)
	time.Sleep(d)
	m.model.pass(m.model.now + d)
}

func (m *bulkheadMachine) check(t *rapid.T) {
	m.agree(t, m.model.verdicts)
	m.model.compare(t, m.op)
}
