package monitor

import (
	"fmt"
	"time"
)

// A Cleaned says what [Collector.Cleanup] did.
type Cleaned struct {
	EventsRemoved, AlertsRemoved     int
	EventsRemaining, AlertsRemaining int
	Time                             time.Time
}

// Cleanup removes all events and alerts that are as old as age or older; with 0 everything. The numbers are those of one
// moment: nothing is recorded, or read, in between. What was due to go because of Config.Retention is not counted.
// A negative age is an error, and removes nothing.
func (c *Collector) Cleanup(age time.Duration) (Cleaned, error) {
	if age < 0 {
		return Cleaned{}, fmt.Errorf("clean up what is older than %v: want 0 or more", age)
	}
	now := c.lock()
	defer c.mu.Unlock()
	done := Cleaned{Time: timeOf(now)}
	done.EventsRemoved, done.AlertsRemoved = c.remove(now - int64(age))
	c.counts.Removed += uint64(done.EventsRemoved)
	for i := range c.groups {
		done.EventsRemaining += c.groups[i].len()
	}
	done.AlertsRemaining = c.alerts.held
	return done, nil
}
