package trysail

import (
	"errors"
	"time"
)

// A Rate is a number per second.
type Rate float64

// A Cost is an amount in a unit of the user's choice, such as microdollars or
// tokens. All operations that share a budget must use the same one.
type Cost int64

// maxCost bounds what one attempt may cost, so that the sum over a window cannot
// overflow.
const maxCost Cost = 1e12

// A RetryBudgetConfig sets up a [RetryBudget]. Its zero value is ready to use.
type RetryBudgetConfig struct {
	// Share is how many retries each call of the window allows: more than 0, at
	// most 1. Default 0.1.
	Share float64

	// Floor is how many retries are allowed whatever the number of calls, so that
	// operations with few calls can retry at all: more than 0, at most 1000 per
	// second. Up to Floor·Window of them may come at once. Default 0.2.
	Floor Rate

	// Window is the time that is looked back on: 1 s to 1 h. What is in it leaves
	// it up to a twelfth late. Default 1 min.
	Window time.Duration

	// CostShare is which part of the cost of the window's successful calls its
	// retries may cost: more than 0, at most 1. It applies to retries whose cost is known.
	// Default 0.1.
	CostShare float64

	// CostReserve is what the retries of a window may cost whatever has succeeded, up to
	// 10^12. With the default 0, what has a cost is not retried before something
	// succeeded.
	CostReserve Cost
}

func (c *RetryBudgetConfig) check() error {
	f := faults{where: "RetryBudgetConfig"}
	part := func(field string, x float64) {
		if !(x > 0 && x <= 1) { // written so that NaN fails too
			f.add(field, "%v, want more than 0 and at most 1", x)
		}
	}
	part("Share", c.Share)
	if !(c.Floor > 0 && c.Floor <= 1000) {
		f.add("Floor", "%v, want more than 0 and at most 1000 per second", c.Floor)
	}
	if c.Window < time.Second || c.Window > time.Hour {
		f.add("Window", "%v, want 1s to 1h", c.Window)
	}
	part("CostShare", c.CostShare)
	f.cost("CostReserve", c.CostReserve)
	return errors.Join(f.errs...)
}

// cost wants 0 to maxCost.
func (f *faults) cost(field string, c Cost) {
	if c < 0 || c > maxCost {
		f.add(field, "%d, want 0 to %d", c, maxCost)
	}
}
