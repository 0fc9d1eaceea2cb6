package trysail

import "time"

// advance makes the transitions that are due by time alone: the end of the open
// period, a probe that outlived its lease, an operator's word that has expired.
// Each happens at the instant at which it was due, however late somebody looks, so that
// a breaker that nobody watched is where it would be if somebody had.
func (b *Breaker) advance(now int64) {
	for b.step(now) {
	}
}

// step makes the next transition that is due and reports whether there was one.
func (b *Breaker) step(now int64) bool {
	w := b.load()
	switch w.state() {
	case Open:
		due := b.until.Load()
		if now < due {
			return false
		}
		b.halfOpens++
		b.become(HalfOpen, w.failures(), due, "the recovery timeout has passed")
		return true
	case HalfOpen:
		place, due := b.nextLease()
		if place < 0 || now < due {
			return false
		}
		b.leases[place].until = noLease
		b.lastFailure, b.cause = due, ClassTransient
		b.judgeProbe(probeOutcome{bad: true, how: "outlived its lease"}, due)
		return true
	case ForcedOpen, Disabled, MetricsOnly:
		due := b.override.until
		if due == 0 || now < due {
			return false
		}
		b.override = nil
		b.become(Closed, 0, due, "the operator's word has expired")
		return true
	default:
		return false // only an outcome opens a closed breaker
	}
}

// nextLease returns the place of the lease that ends first, or -1.
func (b *Breaker) nextLease() (place int, deadline int64) {
	place = -1
	for i, l := range b.leases {
		if l.until != noLease && (place < 0 || l.until < deadline) {
			place, deadline = i, l.until
		}
	}
	return place, deadline
}

func (b *Breaker) open(failures int, now int64, after time.Duration, reason string) {
	b.reopens = b.doublings(now)
	b.opens++
	b.openedAt = now
	wait := b.openFor(after)
	b.reopens++
	b.until.Store(now + int64(wait))
	b.become(Open, failures, now, reason)
	b.wake(wait)
}

// become changes the state, and tells of it.
func (b *Breaker) become(to State, failures int, now int64, reason string) {
	from := b.load().state()
	b.begin(to, failures, now, reason)
	b.announce(from, now)
}

// begin changes the state. Every transition begins a generation, which makes
// the permits and leases of the one before worthless, and empties the window.
func (b *Breaker) begin(to State, failures int, now int64, reason string) {
	w := b.load()
	b.freeLeases()
	b.probed, b.bad, b.reason = 0, 0, reason
	b.observe(now)
	b.store(packed(w.generation()+1, failures, to, b.flags(to)))
	b.op.refusal.Store(nil)
}

// announce tells of the change to the state that there is, under the lock, which keeps events in order; tell only
// queues, so no foreign code runs here.
func (b *Breaker) announce(from State, now int64) {
	w := b.load()
	b.op.explain(Decision{Time: b.op.clock.wall(now), Outcome: w.state().String(), Reason: b.reason})
	if b.op.tell != nil {
		b.op.tell(Event{
			Kind: EventTransition, Operation: b.op.name, Time: b.op.clock.wall(now),
			From: from, To: w.state(), Generation: w.generation(), Reason: b.reason,
		})
	}
}

// observe begins to look at calls anew, as far as there are rules that need it.
func (b *Breaker) observe(now int64) {
	b.window, b.calls = nil, nil
	if b.policy.rated() {
		b.window = newWindow(b.policy, now)
	}
	if b.policy.timed() {
		b.calls = newInFlight(b.policy.SlowCall, now)
	}
}

// flags returns the flags of a state under the policy.
func (b *Breaker) flags(s State) (f word) {
	if s == Open && b.policy.Enforce < 1 {
		f |= flagLenient
	}
	if b.window != nil {
		f |= flagRated
	}
	if b.calls != nil {
		f |= flagWatched
	}
	return f
}

// wake makes sure that observers hear of a transition that is due by time, also
// when no call comes. Without observers the next look at the breaker is early
// enough. Timers are never stopped: a stale one finds nothing due.
func (b *Breaker) wake(after time.Duration) {
	if b.op.tell != nil {
		time.AfterFunc(after, b.refresh)
	}
}
