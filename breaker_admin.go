package trysail

import (
	"cmp"
	"fmt"
	"time"
)

// An Override is an operator's word about a breaker.
type Override struct {
	Reason string        // why, for those who look later
	Author string        // who says so
	For    time.Duration // how long it holds, at most 366 days; 0: until it is lifted
}

// override is an Override that is in force.
type override struct {
	Override
	since int64 // 0: unknown, as after a restart
	until int64 // 0: it does not expire
}

// text is the reason of the transition.
func (o Override) text() string {
	reason := cmp.Or(o.Reason, "no reason given")
	if o.Author != "" {
		reason += " (" + o.Author + ")"
	}
	return reason
}

// ForceOpen refuses every call, until Close or Reset, or until the word expires. It returns
// the state that the breaker had.
func (b *Breaker) ForceOpen(o Override) (was State) { return b.overruled(ForcedOpen, o) }

// Disable lets every call run and judges none, until Close or Reset, or until the
// word expires. It returns the state that the breaker had.
func (b *Breaker) Disable(o Override) (was State) { return b.overruled(Disabled, o) }

// MetricsOnly lets every call run and counts what the rules would have done: see
// [BreakerSnapshot]. It lasts until Close or Reset, or until the word expires. It returns the
// state that the breaker had.
func (b *Breaker) MetricsOnly(o Override) (was State) { return b.overruled(MetricsOnly, o) }

// Close ends an operator's word, and an open period, and gives the breaker back to
// its rules. The Override's For has no meaning here. It returns the state that the breaker had.
func (b *Breaker) Close(o Override) (was State) { return b.overruled(Closed, o) }

// Overrule is ForceOpen, Disable, MetricsOnly or Close, by the state to lead to, and returns the breaker as it was and as it is
// then: nothing else happens to it in between, so that each of several operators who act at once learns what they themselves have ended.
// Another state is an error, and changes nothing.
func (b *Breaker) Overrule(to State, o Override) (was, now BreakerSnapshot, err error) {
	switch to {
	case ForcedOpen, Disabled, MetricsOnly, Closed:
		was, now = b.overrule(to, o)
		return was, now, nil
	default:
		return was, now, fmt.Errorf("overrule breaker %q: state is %v, want %v, %v, %v or %v", b.op.name, to, ForcedOpen, Disabled, MetricsOnly, Closed)
	}
}

// OpenUntil opens the breaker until t, as when a quota is known to be used up until
// then: at most 31 days. It then lets probes through as ever. It changes nothing while
// an operator's word holds, if t has passed, or if the breaker is open until t or longer anyway: of several waits the
// longest holds, and Close ends it. It returns the state that the breaker had.
func (b *Breaker) OpenUntil(t time.Time, reason string) (was State) {
	wait := min(time.Until(t), longestOpen)
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.op.clock.now()
	b.advance(now)
	w := b.load()
	was = w.state()
	if wait <= 0 || was == ForcedOpen || was == Disabled || was == MetricsOnly {
		return was
	}
	if was == Open && now+int64(wait) <= b.until.Load() {
		return was
	}
	b.reopens = b.doublings(now)
	b.opens++
	b.openedAt = now
	b.until.Store(now + int64(wait))
	b.become(Open, w.failures(), now, reason)
	b.wake(wait)
	return was
}

func (b *Breaker) overruled(to State, o Override) State {
	was, _ := b.overrule(to, o)
	return was.State
}

func (b *Breaker) overrule(to State, o Override) (was, is BreakerSnapshot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.op.clock.now()
	b.advance(now)
	was = b.snapshot(now)
	b.override = nil
	if to != Closed {
		b.override = &override{Override: o, since: now}
	}
	if to != Closed && o.For != 0 {
		holds := max(min(o.For, longestHint), 0)
		b.override.until = now + int64(holds)
		b.wake(holds)
	}
	b.reopens, b.closedAt = 0, now
	b.until.Store(now) // of an earlier open period
	b.become(to, 0, now, o.text())
	return was, b.snapshot(now)
}

// wouldTrip notes that the rules would have opened the breaker, and for how long.
func (b *Breaker) wouldTrip(now int64) {
	if now < b.until.Load() {
		return // it would be open already
	}
	b.wouldOpen++
	b.until.Store(now + int64(b.policy.RecoveryTimeout))
	b.observe(now)
	b.store(b.load().withFailures(0))
}

// shadow notes that the rules would have refused a call.
func (b *Breaker) shadow(now int64) {
	if now < b.until.Load() {
		b.wouldReject++
	}
}
