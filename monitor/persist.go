package monitor

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Batch is what a [Sink] stores at once.
type Batch struct {
	Events []Event // in the order of Seq, at most 1000

	// Alerts are those that are new, and those that were stored before and have repeated since: an alert's ID is its
	// identity.
	Alerts []Alert

	// Missed is how many events between the last batch and this one were gone before they could be stored.
	Missed uint64
}

// A Sink stores events and alerts. After an error the same come again, perhaps with more: storing an event, known by its
// Seq, or an alert, known by its ID, twice must be the same as storing it once.
type Sink interface {
	Save(context.Context, Batch) error
}

const (
	maxBatch  = 1000            // events
	lastWords = 5 * time.Second // for storing what is left when the context has ended
)

// ErrPersisting says that a collector has a [Collector.Persist] that runs already.
var ErrPersisting = errors.New("the collector is being persisted already")

// Persist hands what is recorded to sink until ctx ends: as often as every says, and sooner when a quarter of
// Config.MaxEvents waits. What it cannot store stays and is tried again at the next time. When ctx has ended, it
// stores what is left, for at most 5 seconds, and returns nil, or why that failed and how much was lost.
func (c *Collector) Persist(ctx context.Context, sink Sink, every time.Duration) error {
	if every <= 0 {
		return fmt.Errorf("persist monitoring every %v: want more than 0", every)
	}
	if err := c.begin(); err != nil {
		return err
	}
	defer c.end()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	wake := c.wake
	for {
		select {
		case <-ticker.C:
		case <-wake:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
			defer cancel()
			if err := c.save(last, sink); err != nil {
				return fmt.Errorf("persist monitoring: %d events not stored: %w", c.unsaved(), err)
			}
			return nil
		}
		wake = c.wake
		if c.save(ctx, sink) != nil {
			wake = nil // a sink in trouble is not asked again before the time
		}
	}
}

// save stores everything that is not stored.
func (c *Collector) save(ctx context.Context, sink Sink) error {
	for {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		b, seq, revision := c.unstored()
		if len(b.Events)+len(b.Alerts) == 0 {
			return nil
		}
		if err := sink.Save(ctx, b); err != nil {
			return err
		}
		c.mu.Lock()
		c.saved, c.savedAlerts = seq, revision
		c.mu.Unlock()
	}
}

// unstored returns the next batch, and how far the sink is with it.
func (c *Collector) unstored() (b Batch, seq, revision uint64) {
	c.lock()
	defer c.mu.Unlock()
	b.Events, b.Missed = c.behind(c.saved, maxBatch)
	b.Alerts = c.alerts.changed(c.savedAlerts)
	seq = c.saved
	if n := len(b.Events); n > 0 {
		seq = b.Events[n-1].Seq
	}
	return b, seq, c.alerts.revision
}

func (c *Collector) unsaved() uint64 {
	c.lock()
	defer c.mu.Unlock()
	return c.seq - c.saved
}

func (c *Collector) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.persisting {
		return ErrPersisting
	}
	c.persisting = true
	return nil
}

func (c *Collector) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.persisting = false
}
