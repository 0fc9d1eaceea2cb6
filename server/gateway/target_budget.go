package gateway

import (
	"fmt"
	"time"
)

// purseOf returns the purse of a target. g.applying is held.
func (g *Gateway) purseOf(target string) *purse {
	if g.purses == nil {
		g.purses = map[string]*purse{}
	}
	p := g.purses[target]
	if p == nil {
		p = &purse{}
		g.purses[target] = p
	}
	return p
}

// broke returns how long it is until the target has the money for the call, 0 if it has it now, or needs none.
func (e *exchange) broke(t *target) time.Duration {
	if t.Limits.Dollars == 0 || !e.billable() {
		return 0
	}
	return t.purse.wait(time.Now(), t.Limits.Dollars, e.mayCostAt(t))
}

// fund holds what the next send may cost, unless that is held already. It fails if the money is not there.
func (v *visit) fund(e *exchange) error {
	limit := v.target.Limits.Dollars
	if limit == 0 || v.funded || !e.billable() {
		return nil
	}
	amount := e.mayCostAt(v.target)
	wait, left := v.target.purse.hold(time.Now(), limit, amount)
	if wait > 0 {
		return &budgetError{target: v.target.Name, limit: limit, left: left, amount: amount, wait: wait}
	}
	v.held, v.funded = amount, true
	return nil
}

// spend takes what a send has cost, and gives back what was held for it. What is spent counts also where there is no limit: there may be one later that day.
func (v *visit) spend(dollars float64) {
	switch {
	case v.funded:
		v.target.purse.settle(time.Now(), v.held, dollars)
	case dollars > 0:
		v.target.purse.spend(time.Now(), dollars)
	}
	v.held, v.funded = 0, false
}

// A budgetError is the refusal of a target that has no money for a call.
type budgetError struct {
	target              string
	limit, left, amount float64 // dollars: of a day, of those left, and what the call may cost
	wait                time.Duration
}

// Error says what is missing.
func (b *budgetError) Error() string {
	return fmt.Sprintf("target %q: the dollars of the day are used up: of %v are %v left, and the call may cost %v",
		b.target, b.limit, nanodollars(b.left), nanodollars(b.amount))
}

// RetryAfter returns how long it is until there may be enough: to midnight UTC, or less where calls under way may leave some.
func (b *budgetError) RetryAfter() time.Duration { return b.wait }

// message is what a client reads.
func (b *budgetError) message() string {
	return fmt.Sprintf("Target %q may cost %v dollars a day, of which %v are left, and this request may cost %v.",
		b.target, b.limit, nanodollars(b.left), nanodollars(b.amount))
}
