package trysail_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// Who makes attempts beside each other by itself takes them from the operation's budget, and they are in its counters.
func TestTakeHedge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{Share: 0.001, Floor: 0.05}) // 3 in a minute
		if err != nil {
			t.Fatal(err)
		}
		policy := once()
		policy.Retry.Budget = budget
		op := newOperation(t, policy)
		taken := 0
		for range 10 {
			if op.TakeHedge(t.Context(), 1, time.Second) {
				taken++
			}
		}
		op.HedgeWon()
		if m := op.Metrics(); taken != 3 || m.Hedges != 3 || m.Denied != 7 || m.HedgeWins != 1 {
			t.Errorf("%d of 10 were taken, counted as %d, %d denied, %d won; want 3, 3, 7, 1", taken, m.Hedges, m.Denied, m.HedgeWins)
		}
		if n := budget.Snapshot().Retries; n != 3 {
			t.Errorf("the budget holds %d, want 3", n)
		}
		time.Sleep(2 * time.Minute)
		if !op.TakeHedge(t.Context(), 1, time.Second) {
			t.Error("none was taken a window later")
		}
	})
}

// Without a budget there is one nevertheless: 12 in a minute.
func TestTakeHedgeWithoutBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		taken := 0
		for range 100 {
			if op.TakeHedge(t.Context(), 1, 0) {
				taken++
			}
		}
		if taken != 12 {
			t.Errorf("%d of 100 were taken, want 12", taken)
		}
	})
}

// None begins where a hedge of the engine's own would not.
func TestTakeHedgeRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		well, probed := newOperation(t, once()), newOperation(t, once())
		halfOpen(t, probed)
		for name, tc := range map[string]struct {
			op  *trysail.Operation
			ctx context.Context
		}{
			"the call has ended":       {well, ended},
			"the breaker is half-open": {probed, t.Context()},
			"no operation":             {nil, t.Context()},
			"one made by hand":         {&trysail.Operation{}, t.Context()},
		} {
			if tc.op.TakeHedge(tc.ctx, 1, 0) {
				t.Errorf("%s: it was taken", name)
			}
			tc.op.HedgeWon() // does no harm
		}
	})
}
