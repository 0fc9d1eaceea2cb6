package model_test

import (
	"slices"
	"time"

	"github.com/trysail-go/trysail"
)

// A purse is a retry budget as its two lines say it. It remembers everything, and looks back on a window that is cut into
// twelfths: on the twelve before that of now, so that nothing leaves it early.
type purse struct {
	cfg    trysail.RetryBudgetConfig
	origin time.Duration // where the twelfths begin
	last   time.Duration // when it was used last
	events []*spending

	denied [2]uint64 // by number, by cost
}

// A spending is one thing that has happened.
type spending struct {
	at             time.Duration
	calls, retries int
	spent, risked  trysail.Cost
}

func (p *purse) width() time.Duration { return (p.cfg.Window + 11) / 12 }

// twelfth is the number of the twelfth in which an instant is.
func (p *purse) twelfth(at time.Duration) int64 { return int64((at - p.origin) / p.width()) }

// use begins a grid of twelfths with the first use, and a new one after a time in which nobody has used it and after
// which nothing is left of the one before.
func (p *purse) use(now time.Duration) {
	if p.last < 0 || p.twelfth(now)-p.twelfth(p.last) > 13 {
		p.origin = now
	}
	p.last = now
}

// window adds up what the window holds.
func (p *purse) window(now time.Duration) (sum spending) {
	p.use(now)
	for _, e := range p.events {
		if e.at >= p.origin && p.twelfth(now)-p.twelfth(e.at) <= 12 {
			sum.calls += e.calls
			sum.retries += e.retries
			sum.spent += e.spent
			sum.risked += e.risked
		}
	}
	return sum
}

// allowed is how many retries a window allows.
func (p *purse) allowed(w spending) float64 {
	return p.cfg.Share*float64(w.calls) + float64(p.cfg.Floor)*p.cfg.Window.Seconds()
}

func (p *purse) begin(now time.Duration) {
	p.use(now)
	p.events = append(p.events, &spending{at: now, calls: 1})
}

func (p *purse) succeed(now time.Duration, cost trysail.Cost) {
	if cost > 0 { // what costs nothing does not use it
		p.use(now)
		p.events = append(p.events, &spending{at: now, spent: cost})
	}
}

// allow notes a retry or a hedge that costs so much and returns it, or nil if it may not be made.
func (p *purse) allow(now time.Duration, cost trysail.Cost) *spending {
	w := p.window(now)
	switch {
	case float64(w.retries+1) > p.allowed(w):
		p.denied[0]++
		return nil
	case cost > 0 && float64(w.risked+cost) > p.cfg.CostShare*float64(w.spent)+float64(p.cfg.CostReserve):
		p.denied[1]++
		return nil
	}
	e := &spending{at: now, retries: 1, risked: cost}
	p.events = append(p.events, e)
	return e
}

// takeBack takes back a retry that was not made after all: it is as if nobody had asked for it.
func (p *purse) takeBack(e *spending) {
	p.events = slices.DeleteFunc(p.events, func(other *spending) bool { return other == e })
}

func (p *purse) snapshot(now time.Duration) trysail.BudgetSnapshot {
	w := p.window(now)
	return trysail.BudgetSnapshot{
		Calls: uint64(w.calls), Retries: uint64(w.retries), Allowed: p.allowed(w), Spent: w.spent, Risked: w.risked,
		DeniedByCount: p.denied[0], DeniedByCost: p.denied[1],
	}
}
