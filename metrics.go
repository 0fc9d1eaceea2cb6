package trysail

import (
	"sync/atomic"
	"time"
)

// OperationMetrics are an operation's counters at one moment. A call is one Do
// with all its attempts, a refused one included. It is counted when it ends, its
// retries when they are made. The sums always agree: Calls = Succeeded + Failed.
type OperationMetrics struct {
	Operation string
	Calls     uint64
	Succeeded uint64
	Failed    uint64 // those below included

	Rejected  uint64 // refused by the breaker
	Leaked    uint64 // begun although the breaker would have refused them: see BreakerPolicy.Enforce
	Throttled uint64 // dropped by the throttle
	Limited   uint64 // refused by the limiter
	Full      uint64 // refused by the bulkhead
	Canceled  uint64 // ended because the caller gave up
	Panics    uint64 // the function panicked, or left its goroutine
	Fallbacks uint64 // failed calls that were handed to a fallback
	Retries   uint64 // attempts after the first
	Hedges    uint64 // attempts beside a slow one
	HedgeWins uint64 // calls that a hedge answered
	Denied    uint64 // retries and hedges that were not made because the budget was used up
	Misuses   uint64 // permits that were given back twice or never

	Opens, HalfOpens, Closes uint64 // transitions of the breaker by its own rule

	LastSuccess, LastFailure time.Time // zero if none

	// Of calls that ran, waits included; up to 1.6 % off.
	AverageResponse, P95Response time.Duration
}

// SuccessRate returns the share of calls that succeeded, 0 when there were none.
func (m OperationMetrics) SuccessRate() float64 { return share(m.Succeeded, m.Calls) }

// FailureRate returns the share of calls that failed, 0 when there were none.
func (m OperationMetrics) FailureRate() float64 { return share(m.Failed, m.Calls) }

func share(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// counters are what an operation counts. A successful call writes to nothing but
// succeeded, which is its count and its latency in one, and lastSuccess.
type counters struct {
	succeeded   histogram
	spread      atomic.Pointer[spread] // of successes, too; nil until several processors call at once
	lastSuccess atomic.Int64
	rejected    atomic.Uint64
	mishaps     atomic.Pointer[mishaps] // nil until there is one
}

// mishaps are the counters that a successful call does not touch. Most operations do not need
// them for long, and idle ones never.
type mishaps struct {
	failed      histogram     // calls that ran
	unstarted   atomic.Uint64 // ended before the first attempt because the caller was already gone
	leaked      atomic.Uint64
	throttled   atomic.Uint64
	limited     atomic.Uint64
	full        atomic.Uint64
	canceled    atomic.Uint64
	panics      atomic.Uint64
	fallbacks   atomic.Uint64
	retries     atomic.Uint64
	hedges      atomic.Uint64
	hedgeWins   atomic.Uint64
	denied      atomic.Uint64
	misuses     atomic.Uint64
	lastFailure atomic.Int64
	explained   atomic.Int64 // when a refusal at the gates was noted last
}

// lastStep is how far lastSuccess may lag behind: storing it with every call would
// cost more than all other bookkeeping of a success.
const lastStep = int64(time.Millisecond)

func (c *counters) success(start, end int64) {
	h, d := &c.succeeded, time.Duration(end-start)
	if spread := c.spread.Load(); spread != nil {
		h = spread.mine()
	}
	if !h.tryAdd(d) {
		c.spreadOut().mine().add(d)
	}
	if last := c.lastSuccess.Load(); end-last > lastStep || last == 0 {
		c.lastSuccess.Store(end)
	}
}

func (c *counters) failure(start, end int64) {
	m := c.rare()
	m.failed.add(time.Duration(end - start))
	m.lastFailure.Store(end)
}

// rare returns the counters of mishaps.
func (c *counters) rare() *mishaps {
	if c.mishaps.Load() == nil {
		c.mishaps.CompareAndSwap(nil, new(mishaps))
	}
	return c.mishaps.Load()
}

func (c *counters) snapshot(clk clock) OperationMetrics {
	m := OperationMetrics{
		Rejected:    c.rejected.Load(),
		LastSuccess: clk.wall(c.lastSuccess.Load()),
	}
	m.Failed = m.Rejected
	var room [len(spread{}) + 2]*histogram // so that none of it is garbage
	ran := c.successes(room[:0])
	var s summary
	for _, h := range ran {
		m.Succeeded += s.add(h)
	}
	if rare := c.mishaps.Load(); rare != nil {
		rare.snapshot(clk, &m)
		m.Failed += s.add(&rare.failed)
		ran = append(ran, &rare.failed)
	}
	m.Calls = m.Succeeded + m.Failed
	m.AverageResponse, m.P95Response = s.mean(), s.quantile(0.95, ran...)
	return m
}

// snapshot adds the mishaps to m, but for those that ran. What is a part of something else is read before it.
func (s *mishaps) snapshot(clk clock, m *OperationMetrics) {
	m.Canceled, m.Panics, m.Fallbacks = s.canceled.Load(), s.panics.Load(), s.fallbacks.Load()
	m.HedgeWins, m.Leaked = s.hedgeWins.Load(), s.leaked.Load()
	m.Throttled, m.Limited, m.Full = s.throttled.Load(), s.limited.Load(), s.full.Load()
	m.Retries, m.Hedges, m.Denied, m.Misuses = s.retries.Load(), s.hedges.Load(), s.denied.Load(), s.misuses.Load()
	m.LastFailure = clk.wall(s.lastFailure.Load())
	m.Failed += m.Throttled + m.Limited + m.Full + s.unstarted.Load()
}
