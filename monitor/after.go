package monitor

import "time"

// After returns the oldest events, at most limit, with a greater Seq than the given one, in the order of Seq; with 0 from the
// beginning. Missed is how many there were between that one and the last one returned which are gone. With it a
// program follows a collector: begin with the Seq that you have, and go on with that of the last event.
//
// The numbers 1, 2, 3 and so on count all events of a collector. They go on after [Collector.Restore].
func (c *Collector) After(seq uint64, limit int) (events []Event, missed uint64) {
	c.lock()
	defer c.mu.Unlock()
	return c.behind(seq, limit)
}

// Newest returns the number of the newest event, 0 before the first: where a follower begins that wants only what comes. The
// event itself may be gone.
func (c *Collector) Newest() uint64 {
	c.lock()
	defer c.mu.Unlock()
	return c.seq
}

func (c *Collector) behind(seq uint64, limit int) (events []Event, missed uint64) {
	var from [groups]int
	for i := range c.groups {
		from[i] = c.groups[i].behind(seq)
	}
	merge(&c.groups, from, func(e *entry) bool {
		if len(events) >= limit {
			return false
		}
		events = append(events, e.event())
		return true
	})
	if n := len(events); n > 0 {
		missed = events[n-1].Seq - seq - uint64(n)
	}
	return events, missed
}

func timeOf(at int64) time.Time { return time.Unix(0, at).UTC() }
