package trysail

import (
	"context"
	"time"
)

// TakeHedge reports whether an attempt may begin beside one that takes long, and counts it as a hedge of the operation if so. It is for code that
// makes its attempts beside each other by itself, such as at another server, where [Hedged] would ask the same one. number is that of the
// attempt, from 1, and waited how long the one before has taken; both are for observers.
//
// The attempt is taken from Retry.Budget; without one, from a budget of the operation's own that allows 12 in a minute. None may begin when ctx
// has ended, while the breaker refuses calls or lets more and more through, and while the throttle drops some. Policy.Hedge does not matter.
func (op *Operation) TakeHedge(ctx context.Context, number int, waited time.Duration) bool {
	if op == nil || op.common == nil || op.bad != nil {
		return false
	}
	h := hedger{op: op, set: op.settings.Load()}
	if h.set.account == nil {
		own := *h.set
		own.account = op.ownPurse()
		h.set = &own
	}
	return h.hedge(ctx, number, waited)
}

// HedgeWon counts a call that an attempt taken by [Operation.TakeHedge] has answered.
func (op *Operation) HedgeWon() {
	if op != nil && op.common != nil {
		op.counters.rare().hedgeWins.Add(1)
	}
}

// ownPurse returns the budget of an operation whose policy has none. Calls do not count in it, so that it allows what its floor does.
func (op *Operation) ownPurse() *RetryBudget {
	if b := op.purse.Load(); b != nil {
		return b
	}
	fresh, _ := NewRetryBudget(RetryBudgetConfig{}) // the defaults are good
	op.purse.CompareAndSwap(nil, fresh)
	return op.purse.Load()
}
