package monitor

import (
	"fmt"
	"sync"
	"time"
)

// A Collector remembers events, and raises alerts. It is safe for concurrent use, starts no goroutine and need not be closed.
//
// Recording never waits for a reader and costs less than 100 ns; see docs/reference/monitoring.md for how that was
// measured. Whatever was recorded before a reader asks is in the answer. A reader's work grows with the events in its
// window: some 10 ns for each.
type Collector struct {
	config Config
	intake intake

	wake chan struct{} // tells Persist that much waits for it

	mu     sync.Mutex // guards what follows; recorders only ever try to get it
	names  names
	groups [groups]group
	hour   hour
	alerts alerts
	seq    uint64 // the newest number
	counts Counts

	restored, persisting bool
	saved                uint64 // the newest number that the Sink has stored
	savedAlerts          uint64 // the revision of the alerts that it has stored
}

// New returns an empty collector, or an error that names every bad field.
func New(cfg Config) (*Collector, error) {
	cfg = cfg.complete()
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("monitor config: %w", err)
	}
	return &Collector{
		config: cfg,
		intake: newIntake((cfg.MaxPending + batch - 1) / batch),
		alerts: alerts{max: cfg.MaxAlerts, coolDown: int64(cfg.CoolDown)},
		wake:   make(chan struct{}, 1),
	}, nil
}

// Counts says what became of events and alerts. Recorded + Restored = Held + Evicted + Expired + Removed at every
// moment.
type Counts struct {
	Recorded uint64 // taken in
	Dropped  uint64 // not taken in, because more than Config.MaxPending waited
	Restored uint64 // given to Restore and kept
	Held     int    // in memory
	Evicted  uint64 // gone because of Config.MaxEvents
	Expired  uint64 // gone because of Config.Retention
	Removed  uint64 // gone with Cleanup

	Alerts        int    // in memory
	AlertsEvicted uint64 // gone because of Config.MaxAlerts
}

// Counts returns what became of events and alerts since New.
func (c *Collector) Counts() Counts {
	c.lock()
	defer c.mu.Unlock()
	n := c.counts
	n.Dropped = c.intake.lost()
	for i := range c.groups {
		n.Held += c.groups[i].len()
	}
	n.Alerts, n.AlertsEvicted = c.alerts.held, c.alerts.evicted
	return n
}

// record queues e. A collector that is nil, or was not made by New, records nothing.
func (c *Collector) record(e *entry) {
	if c == nil || c.wake == nil || !c.intake.add(e) || !c.mu.TryLock() {
		return
	}
	defer c.mu.Unlock()
	for range 2 { // two, so that what has lagged behind a reader is made up for
		if !c.file(false) {
			return
		}
	}
}

// lock waits for c.mu, files what was recorded, lets go of what is too old, and returns the time.
func (c *Collector) lock() (now int64) {
	c.mu.Lock()
	for range c.intake.waiting() { // not until nothing waits: recorders may be faster
		c.file(true)
	}
	now = c.intake.moment()
	c.expire(now)
	return now
}

// file moves one batch from the queue to where it belongs, and reports whether there was one.
func (c *Collector) file(all bool) bool {
	entries := c.intake.take(all)
	if entries == nil {
		return false
	}
	for i := range entries {
		c.add(&entries[i])
	}
	c.intake.giveBack(entries)
	if c.seq-c.saved >= uint64(c.config.MaxEvents)/4 {
		select {
		case c.wake <- struct{}{}:
		default: // it is awake
		}
	}
	return true
}

// add files one event and looks whether it is an alert.
func (c *Collector) add(e *entry) {
	c.names.keepAll(e)
	c.seq++
	c.counts.Recorded++
	e.seq = c.seq
	where := e.place()
	c.put(where, e)
	if where == configuration {
		c.judge(e)
	}
}

// put adds e to its group, in the place of the oldest if there are enough.
func (c *Collector) put(where int, e *entry) {
	g := &c.groups[where]
	if g.len() >= c.config.MaxEvents {
		c.pop(where)
		c.counts.Evicted++
	}
	g.push(e)
	if where == configuration {
		c.hour.enter(g, e)
	}
}

// pop removes the oldest event of a group.
func (c *Collector) pop(where int) {
	g := &c.groups[where]
	if where == configuration && c.hour.from == g.head {
		c.hour.leave(g)
	}
	g.pop()
}

// expire removes what has reached the end of its retention.
func (c *Collector) expire(now int64) {
	edge := edgeOf(now, c.config.Retention)
	events, _ := c.remove(edge)
	c.counts.Expired += uint64(events)
}

// remove removes everything that is not younger than the edge.
func (c *Collector) remove(edge int64) (events, alerts int) {
	for i := range c.groups {
		for g := &c.groups[i]; g.len() > 0 && g.at(g.head).at <= edge; events++ {
			c.pop(i)
		}
	}
	return events, c.alerts.remove(edge)
}

// edgeOf returns the moment that something must be younger than to be in a window that ends now. A window that is not
// positive holds everything.
func edgeOf(now int64, window time.Duration) int64 {
	if window <= 0 {
		return -1 << 63
	}
	return now - int64(window)
}
