package gateway

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

func TestPurse(t *testing.T) {
	morning := time.Date(2026, 11, 25, 6, 0, 0, 0, time.UTC)
	var p purse
	for _, step := range []struct {
		at     time.Duration // after the morning
		amount float64
		wait   time.Duration
		left   float64
	}{
		{0, 4, 0, 10},
		{0, 4, 0, 6},
		{0, 4, soon, 2},            // those under way may leave enough
		{0, 11, 18 * time.Hour, 2}, // it never fits
		{0, 2, 0, 2},
	} {
		wait, left := p.hold(morning.Add(step.at), 10, step.amount)
		if wait != step.wait || left != step.left {
			t.Errorf("hold(%v) = %v, %v left; want %v, %v", step.amount, wait, left, step.wait, step.left)
		}
	}
	p.settle(morning, 4, 1)
	p.settle(morning, 4, 9)
	p.settle(morning, 2, 0.5)
	if wait, left := p.hold(morning, 10, 0.01); wait != 18*time.Hour || left != 0 {
		t.Errorf("after 10.5 of 10: %v, %v left; want nothing until midnight", wait, left)
	}
	if wait, left := p.hold(morning.Add(18*time.Hour), 10, 10); wait != 0 || left != 10 {
		t.Errorf("the next day: %v, %v left; want all of it", wait, left)
	}
	p.settle(morning.Add(17*time.Hour), 10, 3)
	if wait, left := p.hold(morning.Add(18*time.Hour), 10, 7); wait != 0 || left != 7 {
		t.Errorf("after a clock was set back: %v, %v left; want the day to go on", wait, left)
	}
}

// Whatever calls cost, as long as it is not more than they hold, the sum stays within the limit, and in the end nothing is held.
func TestPurseIsNeverOverdrawn(t *testing.T) {
	const limit = 1.0
	now := time.Date(2026, 11, 25, 6, 0, 0, 0, time.UTC)
	var p purse
	var all sync.WaitGroup
	for seed := range uint64(8) {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, 1))
			for range 500 {
				amount := r.Float64() / 10
				if wait, _ := p.hold(now, limit, amount); wait == 0 {
					p.settle(now, amount, amount*r.Float64()/20)
				}
			}
		})
	}
	all.Wait()
	if p.spent <= limit/2 || p.spent > limit || p.held != 0 || p.calls != 0 {
		t.Errorf("spent %v, held %v by %d calls; want up to %v, nothing", p.spent, p.held, p.calls, limit)
	}
}

func TestCeiling(t *testing.T) {
	for name, tc := range map[string]struct{ asked, ceiling, want trysail.Priority }{
		"none":            {trysail.PriorityInteractive, trysail.PriorityInteractive, trysail.PriorityInteractive},
		"it lowers":       {trysail.PriorityInteractive, trysail.PriorityBatch, trysail.PriorityBatch},
		"it never raises": {trysail.PriorityBackground, trysail.PriorityBatch, trysail.PriorityBackground},
	} {
		t.Run(name, func(t *testing.T) {
			e := exchange{route: &route{}, asker: &client{ClientKey: ClientKey{Ceiling: tc.ceiling}}, control: control{priority: tc.asked}}
			if bad := e.permit("chat"); bad != nil || e.control.priority != tc.want {
				t.Errorf("%v under %v becomes %v (%v), want %v", tc.asked, tc.ceiling, e.control.priority, bad, tc.want)
			}
		})
	}
}
