package trysail

import "time"

// A BreakerSnapshot is a breaker at one moment.
type BreakerSnapshot struct {
	Operation        string
	State            State
	Reason           string        // why it is in that state; empty at first
	Generation       uint64        // grows with every transition
	Failures         int           // failed calls in a row, those that opened it included
	FailureThreshold int           // as configured
	RecoveryTimeout  time.Duration // as configured
	HalfOpenMaxCalls int           // as configured
	Enforce          float64       // as configured
	Probes           int           // probes under way
	LastFailure      time.Time     // zero if none since the last reset
	OpenedAt         time.Time     // zero unless open or half-open
	NextAttemptAt    time.Time     // when probes are let through; zero unless open
	Reopens          int           // how often it opened without having been well since; see MaxRecovery
	Stale            uint64        // outcomes that came after a transition and were dropped

	// What the window of the rate rules holds; 0 without such rules.
	WindowCalls, WindowFailures, WindowSlow int
	WindowLeft                              int // of the slow ones, those whose caller left; FailureRate is one of the others
	Overdue                                 int // calls under way that are slow already

	// Of an operator's word, while it holds.
	Override  Override
	ExpiresAt time.Time // zero if it does not expire

	// What the rules would have done while the state was metrics-only.
	WouldOpen, WouldReject uint64
}

// Snapshot returns the breaker as it is now: an open breaker whose recovery
// timeout has passed is half-open, also when no call has come since.
func (b *Breaker) Snapshot() BreakerSnapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.op.clock.now()
	b.advance(now)
	return b.snapshot(now)
}

func (b *Breaker) snapshot(now int64) BreakerSnapshot {
	w := b.load()
	s := BreakerSnapshot{
		Operation:        b.op.name,
		State:            w.state(),
		Reason:           b.reason,
		Generation:       w.generation(),
		Failures:         w.failures(),
		FailureThreshold: b.policy.FailureThreshold,
		RecoveryTimeout:  b.policy.RecoveryTimeout,
		HalfOpenMaxCalls: b.policy.HalfOpenMaxCalls,
		Enforce:          b.policy.Enforce,
		Probes:           b.probes(),
		LastFailure:      b.op.clock.wall(b.lastFailure),
		Reopens:          b.doublings(now),
		Stale:            b.stale,
		WouldOpen:        b.wouldOpen,
		WouldReject:      b.wouldReject,
	}
	if s.State == Open || s.State == HalfOpen {
		s.OpenedAt = b.op.clock.wall(b.openedAt)
	}
	if s.State == Open {
		s.NextAttemptAt = b.op.clock.wall(b.until.Load())
	}
	if b.override != nil {
		s.Override, s.ExpiresAt = b.override.Override, b.op.clock.wall(b.override.until)
	}
	if b.window != nil {
		t := b.window.at(now)
		s.WindowCalls, s.WindowFailures, s.WindowSlow, s.WindowLeft = t.calls, t.failures, t.slow, t.left
	}
	if b.calls != nil {
		s.Overdue = b.calls.overdue(now)
	}
	return s
}

// State returns the state as [Breaker.Snapshot] does. Of a closed breaker it costs
// one load.
func (b *Breaker) State() State {
	if b.load().state() == Closed {
		return Closed
	}
	b.refresh()
	return b.load().state()
}

// refresh makes the transitions that are due by time.
func (b *Breaker) refresh() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance(b.op.clock.now())
}

// Reset closes the breaker, forgets its failures and ends an operator's word. It returns
// the state that the breaker had. Calls that are under way no longer count. The counters of the
// operation stay; a reset is not counted as a close. The reason appears in the event.
func (b *Breaker) Reset(reason string) (was State) {
	before, _ := b.Renew(reason)
	return before.State
}

// Renew is Reset, and returns the breaker as it was and as it is then: nothing else happens to it in between, so that each of several
// operators who act at once learns what they themselves have ended.
func (b *Breaker) Renew(reason string) (was, is BreakerSnapshot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.op.clock.now()
	b.advance(now)
	was = b.snapshot(now)
	b.lastFailure, b.cause, b.openedAt, b.reopens, b.closedAt = 0, ClassTransient, 0, 0, now
	b.override = nil
	b.become(Closed, 0, now, "reset: "+reason)
	return was, b.snapshot(now)
}

// reconfigure puts the breaker under new numbers. State, count and the end of a
// running open period stay, and so does the window unless its shape changes; a count
// that is over a lowered threshold opens the breaker with the next failure.
func (b *Breaker) reconfigure(policy *BreakerPolicy) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.op.clock.now()
	b.advance(now) // what was due was due under the old numbers
	b.adopt(policy, now)
}

func (b *Breaker) adopt(policy *BreakerPolicy, now int64) {
	window, calls, old := b.window, b.calls, b.policy
	b.policy = policy
	b.observe(now)
	if b.window != nil && window != nil && window.fits(policy) {
		b.window = window
	}
	if b.calls != nil && calls != nil && old.SlowCall == policy.SlowCall {
		b.calls = calls
	}
	w := b.load()
	b.store(packed(w.generation(), w.failures(), w.state(), b.flags(w.state())|w&flagRamp))
	if w.state() == HalfOpen && b.probed > 0 {
		b.judgeProbes(probeOutcome{}, now) // fewer outcomes may suffice now
	}
}

// transitions returns how often the breaker opened, half-opened and closed.
func (b *Breaker) transitions() (opens, halfOpens, closes uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opens, b.halfOpens, b.closes
}
