package trysail

import "time"

// A BreakerSnapshot is a breaker at one moment.
type BreakerSnapshot struct {
	Operation        string
	State            State
	Generation       uint64        // grows with every transition
	Failures         int           // failed calls in a row, those that opened it included
	FailureThreshold int           // as configured
	RecoveryTimeout  time.Duration // as configured
	HalfOpenMaxCalls int           // as configured
	Probes           int           // probes under way
	LastFailure      time.Time     // zero if none since the last reset
	OpenedAt         time.Time     // zero unless open or half-open
	NextAttemptAt    time.Time     // when probes are let through; zero unless open
	Stale            uint64        // outcomes that came after a transition and were dropped
}

// Snapshot returns the breaker as it is now: an open breaker whose recovery
// timeout has passed is half-open, also when no call has come since.
func (b *Breaker) Snapshot() BreakerSnapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance(b.clock.now())
	return b.snapshot()
}

func (b *Breaker) snapshot() BreakerSnapshot {
	w := b.load()
	s := BreakerSnapshot{
		Operation:        b.name,
		State:            w.state(),
		Generation:       w.generation(),
		Failures:         w.failures(),
		FailureThreshold: b.policy.FailureThreshold,
		RecoveryTimeout:  b.policy.RecoveryTimeout,
		HalfOpenMaxCalls: b.policy.HalfOpenMaxCalls,
		Probes:           b.probes(),
		LastFailure:      b.clock.wall(b.lastFailure),
		Stale:            b.stale,
	}
	if s.State != Closed {
		s.OpenedAt = b.clock.wall(b.openedAt)
	}
	if s.State == Open {
		s.NextAttemptAt = b.clock.wall(b.until.Load())
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
	b.advance(b.clock.now())
}

// Reset closes the breaker, forgets its failures and returns the state it had.
// Calls that are under way no longer count. The counters of the operation stay;
// a reset is not counted as a close. The reason appears in the event.
func (b *Breaker) Reset(reason string) (was State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.now()
	b.advance(now)
	was = b.load().state()
	b.lastFailure, b.openedAt = 0, 0
	b.become(Closed, 0, now, "reset: "+reason)
	return was
}

// reconfigure puts the breaker under new numbers. State, count and the end of a
// running open period stay; a count that is over a lowered threshold opens the
// breaker with the next failure.
func (b *Breaker) reconfigure(policy BreakerPolicy) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance(b.clock.now()) // what was due was due under the old numbers
	b.policy = policy
}

// transitions returns how often the breaker opened, half-opened and closed.
func (b *Breaker) transitions() (opens, halfOpens, closes uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opens, b.halfOpens, b.closes
}

// A refusal is the error of a breaker that lets nobody through, and when it was
// made.
type refusal struct {
	at         int64
	generation uint64
	err        Error
}

// refusalStep is how far the RetryAfter of a refusal may lag behind. Sharing one
// error between the refusals of a moment keeps them free of allocations.
const refusalStep = int64(10 * time.Millisecond)

// refuse returns the error for a call that is refused at now. It is called with
// and without the lock.
func (b *Breaker) refuse(now int64) *Error {
	w := b.load()
	last := b.refusal.Load()
	if last != nil && last.generation == w.generation() && now >= last.at && now-last.at < refusalStep {
		return &last.err
	}
	return b.newRefusal(w, now)
}

func (b *Breaker) newRefusal(w word, now int64) *Error {
	r := &refusal{at: now, generation: w.generation()}
	r.err = Error{Operation: b.name, Class: ClassOverloaded, Err: ErrOpen}
	if w.state() == Open {
		r.err.RetryAfter = max(time.Duration(b.until.Load()-now), 0)
	}
	b.refusal.Store(r)
	return &r.err
}
