package trysail

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// The numbers of the budget whose histories are checked: half a retry for each call, and two
// whatever the calls; half of what succeeded, and 3.
const (
	linearShare, linearFloor       = 0.5, 2
	linearCostShare, linearReserve = 0.5, 3
)

// budgetRules is the sequential model of a [RetryBudget] within a window: the two lines of
// its doc comment.
type budgetRules struct {
	calls, retries, spent, risked int
	tooMany, tooExpensive         uint64
}

type budgetStep = func(budgetRules) (budgetRules, bool)

func called(m budgetRules) (budgetRules, bool) {
	m.calls++
	return m, true
}

func paid(cost int) budgetStep {
	return func(m budgetRules) (budgetRules, bool) {
		m.spent += cost
		return m, true
	}
}

func asked(cost int, got bool) budgetStep {
	return func(m budgetRules) (budgetRules, bool) {
		switch {
		case float64(m.retries+1) > linearShare*float64(m.calls)+linearFloor:
			m.tooMany++
			return m, !got
		case cost > 0 && float64(m.risked+cost) > linearCostShare*float64(m.spent)+linearReserve:
			m.tooExpensive++
			return m, !got
		}
		m.retries++
		m.risked += cost
		return m, got
	}
}

func gaveBack(cost int) budgetStep {
	return func(m budgetRules) (budgetRules, bool) {
		m.retries--
		m.risked -= cost
		return m, true
	}
}

// counted compares a snapshot. What was spent is read a moment after the calls, so that the two need not be of one moment
// unless all is quiet. A decision is by one or the other, and stays right.
func counted(s BudgetSnapshot, quiet bool) budgetStep {
	return func(m budgetRules) (budgetRules, bool) {
		return m, s.Calls == uint64(m.calls) && s.Retries == uint64(m.retries) && s.Risked == Cost(m.risked) &&
			s.DeniedByCount == m.tooMany && s.DeniedByCost == m.tooExpensive && (!quiet || s.Spent == Cost(m.spent))
	}
}

// budgetUsers use a budget from several goroutines.
type budgetUsers struct {
	tape[budgetRules]
	b *RetryBudget
	c clock
}

// A heldRetry is one that a goroutine may still give back.
type heldRetry struct {
	cost   int
	bucket int64
}

// goroutine makes some steps. It gives back only what it was allowed, as a call does.
func (h *budgetUsers) goroutine(own *hand[budgetRules]) {
	var allowed []heldRetry
	for range own.steps {
		cost, now := own.IntN(3), h.c.now()
		switch n := own.IntN(10); {
		case n < 2:
			own.record(func() func() (string, budgetStep) {
				h.b.begin(h.c, now)
				return func() (string, budgetStep) { return "begin()", called }
			})
		case n < 3:
			own.record(func() func() (string, budgetStep) {
				h.b.succeed(h.c, now, Cost(cost))
				return func() (string, budgetStep) { return fmt.Sprintf("succeed(%d)", cost), paid(cost) }
			})
		case n < 4:
			own.record(func() func() (string, budgetStep) { return h.look(false) })
		case n < 6 && len(allowed) > 0:
			last := allowed[len(allowed)-1]
			allowed = allowed[:len(allowed)-1]
			own.record(func() func() (string, budgetStep) {
				h.b.giveBack(last.bucket, Cost(last.cost))
				return func() (string, budgetStep) { return fmt.Sprintf("giveBack(%d)", last.cost), gaveBack(last.cost) }
			})
		default:
			own.record(func() func() (string, budgetStep) {
				bucket, ok := h.b.take(h.c, now, Cost(cost))
				if ok {
					allowed = append(allowed, heldRetry{cost, bucket})
				}
				return func() (string, budgetStep) { return fmt.Sprintf("allow(%d) = %v", cost, ok), asked(cost, ok) }
			})
		}
	}
}

func (h *budgetUsers) look(quiet bool) func() (string, budgetStep) {
	s := h.b.Snapshot()
	return func() (string, budgetStep) { return fmt.Sprintf("Snapshot() = %+v", s), counted(s, quiet) }
}

func TestRetryBudgetIsLinearizable(t *testing.T) {
	histories(t, func(t *testing.T, seed uint64, r *rand.Rand) {
		b, err := NewRetryBudget(RetryBudgetConfig{
			Share: linearShare, Floor: linearFloor, Window: time.Second,
			CostShare: linearCostShare, CostReserve: linearReserve,
		})
		if err != nil {
			t.Fatal(err)
		}
		h := &budgetUsers{b: b, c: clock{base: time.Now()}}
		h.start(seed, budgetRules{})
		for range linearBouts {
			h.bout(t, crowdSize(r), func(_ int, own *hand[budgetRules]) { h.goroutine(own) })
			h.record(func() func() (string, budgetStep) { return h.look(true) })
		}
		h.end(t)
	})
}
