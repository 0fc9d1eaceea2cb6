package trysail

import "unsafe"

// A spread is where the successes of an operation are counted that several processors call at the same
// time. With one bucket for all they would hand its cache line to and fro, which takes longer than
// all else that a call costs. Most operations never have one: it is made when two calls meet in a bucket.
type spread [8]histogram

// mine returns the histogram of the calling goroutine. Goroutines are told apart by where
// their stacks are; those that share one are slower, not wrong.
func (c *spread) mine() *histogram {
	var here byte
	stack := uint64(uintptr(unsafe.Pointer(&here))) >> 11 //nolint:gosec // the address is not used as one
	return &c[stack*0x9e3779b97f4a7c15>>61]               // Fibonacci hashing, to 3 bits
}

// spreadOut returns the spread, which it makes if need be.
func (c *counters) spreadOut() *spread {
	if c.spread.Load() == nil {
		c.spread.CompareAndSwap(nil, new(spread))
	}
	return c.spread.Load()
}

// successes adds all histograms of successful calls to the given ones.
func (c *counters) successes(all []*histogram) []*histogram {
	all = append(all, &c.succeeded)
	if spread := c.spread.Load(); spread != nil {
		for i := range spread {
			all = append(all, &spread[i])
		}
	}
	return all
}
