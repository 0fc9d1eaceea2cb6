package gateway

import (
	"math"
	"math/rand/v2"
	"time"
)

// An option is a target as it stands for one call at one moment.
type option struct {
	priority int
	draw     float64       // its turn among those of its priority, lower first
	out      bool          // it is not for this call
	shut     bool          // an operator keeps it shut: it is not even asked for want of a better one
	wait     time.Duration // until it is likely to take calls; 0: it takes them now
	brief    bool          // it waits for nothing but a limit's next moment
}

// before reports whether a is asked before b, if both take calls.
func (o option) before(b option) bool {
	if o.priority != b.priority {
		return o.priority < b.priority
	}
	return o.draw < b.draw
}

// choose returns the option to take: the first by priority and draw of those that take calls now, or -1.
func choose(options []option) int {
	best := -1
	for i, o := range options {
		if !o.out && !o.shut && o.wait <= 0 && (best < 0 || o.before(options[best])) {
			best = i
		}
	}
	return best
}

// soonest returns the option that takes calls again first of those that a call may wait for, or be sent to, or -1.
func soonest(options []option, fit func(option) bool) int {
	best := -1
	for i, o := range options {
		if o.out || !fit(o) {
			continue
		}
		if best < 0 || o.wait < options[best].wait || o.wait == options[best].wait && o.before(options[best]) {
			best = i
		}
	}
	return best
}

// drawOf draws a target's turn among those of its priority: sorted by it, they are drawn by weight without replacement
// (Efraimidis and Spirakis, Weighted random sampling with a reservoir, 2006).
func drawOf(weight float64) float64 {
	return -math.Log(1-rand.Float64()) / weight
}
