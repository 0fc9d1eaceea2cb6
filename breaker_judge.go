package trysail

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// count applies a result under the lock.
func (b *Breaker) count(p permit, r result, start, now int64) {
	b.advance(now) // a probe that is over its time has failed already
	w := b.load()
	if w.generation() != p.generation {
		b.stale++
		return
	}
	if p.among != nil {
		p.among.end(start)
	}
	if p.probe && !b.holds(p) {
		b.stale++ // its place has been taken from it
		return
	}
	if p.probe {
		b.leases[p.place].until = noLease
	}
	if r.outcome == outcomeFailure {
		b.lastFailure, b.cause = now, r.class
	}
	slow := b.slow(start, now)
	if r.outcome == outcomeLeft && !slow {
		r.outcome = outcomeNeutral
	}
	switch {
	case r.outcome == outcomeNeutral || w.state() == Disabled:
	case w.state() == HalfOpen:
		b.judgeProbe(outcomeOf(r, slow), now)
	default:
		b.judgeCall(r, slow, now)
	}
}

// slow reports whether a call is over the limit, where there is a rule about that.
func (b *Breaker) slow(start, now int64) bool {
	return b.policy.timed() && now-start > int64(b.policy.SlowCall)
}

// judgeCall counts a call through a breaker that lets all through.
func (b *Breaker) judgeCall(r result, slow bool, now int64) {
	var e entry
	if slow {
		e = heldSlow
	}
	failures, w := 0, b.load()
	switch r.outcome {
	case outcomeFailure:
		e |= heldFailure
		failures = w.failures() + 1
		b.store(w.withFailures(failures))
	case outcomeLeft: // which neither goes on with the row nor ends it
		e |= heldLeft
	default:
		if w.failures() != 0 {
			b.store(w.withFailures(0))
		}
	}
	if b.window != nil {
		b.window.add(now, e)
	}
	b.trip(failures, now, r.after)
}

// trip opens the breaker if a rule is met, and reports whether it did. Only a call that has just
// failed comes with a number of failures.
func (b *Breaker) trip(failures int, now int64, after time.Duration) bool {
	reason := b.verdict(failures, now)
	switch {
	case reason == "":
		return false
	case b.load().state() == MetricsOnly:
		b.wouldTrip(now)
		return false
	default:
		b.open(b.load().failures(), now, after, reason)
		return true
	}
}

// verdict returns why the breaker must open, or nothing. It looks at every rule
// that there is; any of them suffices. What a window holds changes by time, too: when old successes leave it,
// the share of the failures can become too large with a success, or with none. That opens the breaker as well:
// the rule is about the share alone, and what a snapshot shows must not contradict the state.
func (b *Breaker) verdict(failures int, now int64) string {
	if !b.policy.RatesOnly && failures >= b.policy.FailureThreshold {
		return fmt.Sprintf("%d calls in a row failed", failures)
	}
	if b.window == nil {
		return ""
	}
	t, overdue := b.window.at(now), 0
	if b.calls != nil {
		overdue = b.calls.overdue(now)
	}
	bad, slow, calls := t.bad+overdue, t.slow+overdue, t.calls+overdue
	switch {
	case !b.policy.SlowFails && b.met(b.policy.FailureRate, t.failures, t.answered()):
		return fmt.Sprintf("%d of %d calls failed", t.failures, t.answered())
	case b.policy.SlowFails && b.met(b.policy.FailureRate, bad, calls):
		return fmt.Sprintf("%d of %d calls failed or took longer than %v, %d of them are still under way", bad, calls, b.policy.SlowCall, overdue)
	case b.met(b.policy.SlowRate, slow, calls):
		return fmt.Sprintf("%d of %d calls took longer than %v, %d of them are still under way", slow, calls, b.policy.SlowCall, overdue)
	default:
		return ""
	}
}

// met reports whether there is a rule with that share, and whether so many of so many calls meet it.
func (b *Breaker) met(share float64, part, calls int) bool {
	return share > 0 && calls >= b.policy.MinCalls && reaches(part, calls, share)
}

// reaches reports whether part is at least that share of whole. Dividing, and not multiplying,
// gives the float that the share was written as: 56 of 100 reach 0.56.
func reaches(part, whole int, share float64) bool {
	return part > 0 && float64(part)/float64(whole) >= share
}

// tripOverdue opens a closed breaker if the calls under way are reason enough:
// when all of them hang, none ends that could be counted.
func (b *Breaker) tripOverdue(now int64) bool {
	if b.calls == nil {
		return false
	}
	return b.trip(0, now, 0) // only the rules over the window can have become true by time
}

// judgeProbe counts an outcome of a half-open breaker. Without rate rules the
// first decides. With them the breaker opens when the share of bad ones that opens
// it is reached, and closes when it cannot be reached any more.
func (b *Breaker) judgeProbe(o probeOutcome, now int64) {
	b.probed++
	if o.bad {
		b.bad++
	}
	b.judgeProbes(o, now)
}

// judgeProbes looks at the outcomes so far, of which o is the newest.
func (b *Breaker) judgeProbes(o probeOutcome, now int64) {
	probes, needed := 1, 1
	if b.policy.rated() {
		probes = b.policy.HalfOpenMaxCalls
		for needed < probes && !reaches(needed, probes, b.tightestRate()) {
			needed++
		}
	}
	switch {
	case b.bad >= needed:
		b.open(b.load().failures()+o.failures(), now, o.after, probesText(b.bad, b.probed, how(o, b.probed)))
	case b.probed-b.bad > probes-needed:
		b.closes++
		b.closedAt = now
		b.become(Closed, 0, now, probesText(b.probed-b.bad, b.probed, "succeeded"))
		if b.policy.RampUp > 0 {
			b.store(b.load() | flagRamp)
		}
	}
}

// how says what a bad probe did. Of several there is one word for all.
func how(o probeOutcome, of int) string {
	if of == 1 && o.how != "" {
		return o.how
	}
	return "failed"
}

// A probeOutcome is how a probe ended.
type probeOutcome struct {
	bad   bool
	left  bool          // by its caller, so that nobody knows whether it would have failed
	how   string        // in place of "failed"
	after time.Duration // what the server asked to wait
}

// outcomeOf is how a probe ended that was not over its time.
func outcomeOf(r result, slow bool) probeOutcome {
	o := probeOutcome{bad: r.outcome == outcomeFailure || slow, left: r.outcome == outcomeLeft, after: r.after}
	if o.left {
		o.how = "was slow when its caller left"
	}
	return o
}

// failures is how many failed calls in a row the probe adds.
func (o probeOutcome) failures() int {
	if o.left {
		return 0
	}
	return 1
}

func probesText(n, of int, what string) string {
	if of == 1 {
		return "a probe " + what
	}
	return fmt.Sprintf("%d of %d probes %s", n, of, what)
}

// tightestRate is the smaller of the shares that open the breaker.
func (b *Breaker) tightestRate() float64 {
	switch f, s := b.policy.FailureRate, b.policy.SlowRate; {
	case f == 0:
		return s
	case s == 0:
		return f
	default:
		return min(f, s)
	}
}

// rampFloor is the share of calls that a breaker lets through when it has just closed.
const rampFloor = 0.1

// ramped reports whether a call is among those that a breaker which has closed
// lets through already.
func (b *Breaker) ramped(now int64) bool {
	w := b.load()
	if w&flagRamp == 0 {
		return true
	}
	passed := float64(now-b.closedAt) / float64(b.policy.RampUp)
	if passed >= 1 || b.policy.RampUp == 0 {
		b.store(w &^ flagRamp)
		return true
	}
	return rand.Float64() < rampFloor+(1-rampFloor)*passed
}

// holdsBack reports whether the breaker refuses calls, or has just closed and does not let every call through yet.
func (b *Breaker) holdsBack(now int64) bool {
	w := b.load()
	if w&flagRamp == 0 {
		return w.state().Refuses()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return now-b.closedAt < int64(b.policy.RampUp) // the flag goes with the next call only
}

// openFor returns how long the breaker stays open this time.
func (b *Breaker) openFor(after time.Duration) time.Duration {
	p := b.policy
	d := doubled(p.RecoveryTimeout, b.reopens, max(p.MaxRecovery, p.RecoveryTimeout))
	if p.RecoveryJitter > 0 {
		d = time.Duration(float64(d) * (1 + p.RecoveryJitter*(2*rand.Float64()-1)))
	}
	if p.HonorRetryAfter {
		d = max(d, min(after, max(p.MaxRecovery, time.Hour)))
	}
	return d
}

// doublings returns how often the open time doubles if the breaker opens now: once
// for each time that it opened, less one for each RecoveryTimeout that it was closed since.
func (b *Breaker) doublings(now int64) int {
	if b.reopens == 0 || b.load().state() != Closed {
		return b.reopens
	}
	well := max(now-b.closedAt, 0) / int64(b.policy.RecoveryTimeout)
	return b.reopens - int(min(well, int64(b.reopens)))
}
