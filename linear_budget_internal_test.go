package trysail

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
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

// counted compares a snapshot. What was spent is left out: it is read a moment after the calls,
// so that the two need not be of one moment. A decision is by one or the other, and stays right.
func counted(s BudgetSnapshot) budgetStep {
	return func(m budgetRules) (budgetRules, bool) {
		return m, s.Calls == uint64(m.calls) && s.Retries == uint64(m.retries) && s.Risked == Cost(m.risked) &&
			s.DeniedByCount == m.tooMany && s.DeniedByCost == m.tooExpensive
	}
}

// budgetUsers use a budget from several goroutines.
type budgetUsers struct {
	tape[budgetRules]
	crowd crowd
	b     *RetryBudget
	c     clock
}

// A heldRetry is one that a goroutine may still give back.
type heldRetry struct {
	cost   int
	bucket int64
}

// goroutine makes some steps. It gives back only what it was allowed, as a call does.
func (h *budgetUsers) goroutine(r *rand.Rand) {
	var allowed []heldRetry
	for range 6 {
		h.crowd.meet()
		cost, now := r.IntN(3), h.c.now()
		switch n := r.IntN(10); {
		case n < 2:
			h.record(func() (string, budgetStep) {
				h.b.begin(h.c, now)
				return "begin()", called
			})
		case n < 3:
			h.record(func() (string, budgetStep) {
				h.b.succeed(h.c, now, Cost(cost))
				return fmt.Sprintf("succeed(%d)", cost), paid(cost)
			})
		case n < 4:
			h.record(func() (string, budgetStep) {
				s := h.b.Snapshot()
				return fmt.Sprintf("Snapshot() = %+v", s), counted(s)
			})
		case n < 6 && len(allowed) > 0:
			last := len(allowed) - 1
			h.record(func() (string, budgetStep) {
				h.b.giveBack(allowed[last].bucket, Cost(allowed[last].cost))
				return fmt.Sprintf("giveBack(%d)", allowed[last].cost), gaveBack(allowed[last].cost)
			})
			allowed = allowed[:last]
		default:
			h.record(func() (string, budgetStep) {
				bucket, ok := h.b.take(h.c, now, Cost(cost))
				if ok {
					allowed = append(allowed, heldRetry{cost, bucket})
				}
				return fmt.Sprintf("allow(%d) = %v", cost, ok), asked(cost, ok)
			})
		}
	}
}

func TestRetryBudgetIsLinearizable(t *testing.T) {
	for seed := range *linearHistories {
		synctest.Test(t, func(t *testing.T) {
			b, err := NewRetryBudget(RetryBudgetConfig{
				Share: linearShare, Floor: linearFloor, Window: time.Second,
				CostShare: linearCostShare, CostReserve: linearReserve,
			})
			if err != nil {
				t.Fatal(err)
			}
			h := &budgetUsers{b: b, c: clock{base: time.Now()}}
			h.crowd.size = 2 + int64(seed%3)
			together(int(h.crowd.size), seed, h.goroutine)
			h.check(t, budgetRules{}, seed)
		})
		if t.Failed() {
			return
		}
	}
}
