package trysail

import (
	"fmt"
	"time"
)

// The numbers of the breakers whose histories are checked. A probe outlives its lease before
// the next open period would end, so that both edges are met.
const (
	linearOpen  = 10 * time.Second
	linearLease = 7 * time.Second
)

// breakerRules is the sequential model of a breaker under the rule of failed calls in a row:
// what the doc comments of BreakerPolicy, Breaker and Override say, and nothing else. It
// holds no pointer, so that the search can remember it.
type breakerRules struct {
	threshold, most int  // FailureThreshold, HalfOpenMaxCalls
	lenient         bool // Enforce is less than 1

	now        time.Duration
	state      State
	generation uint64
	failures   int
	until      time.Duration // when the open period, or the operator's word, ends; 0: never
	leases     [4]leaseRules // of the probes under way
	stale      uint64
}

// A leaseRules is the place of a probe; the ids of calls begin with 1.
type leaseRules struct {
	id    int
	until time.Duration
}

func (m *breakerRules) become(s State, failures int, until time.Duration) {
	m.state, m.failures, m.until, m.leases = s, failures, until, [4]leaseRules{}
	m.generation++
}

func (m *breakerRules) open(at time.Duration) { m.become(Open, m.failures+1, at+linearOpen) }

// due returns when time alone makes the next transition, and the lease that ends then, if
// it is one.
func (m *breakerRules) due() (at time.Duration, place int) {
	place = -1
	if m.state != HalfOpen {
		return m.until, place
	}
	for i, l := range m.leases {
		if l.id > 0 && (place < 0 || l.until < at) {
			at, place = l.until, i
		}
	}
	return at, place
}

// pass lets time go by. A probe that outlives its lease has failed.
func (m *breakerRules) pass(d time.Duration) {
	m.now += d
	for at, place := m.due(); at > 0 && at <= m.now; at, place = m.due() {
		switch {
		case place >= 0:
			m.open(at)
		case m.state == Open:
			m.become(HalfOpen, m.failures, 0)
		default:
			m.become(Closed, 0, 0)
		}
	}
}

func (m *breakerRules) probes() (n int) {
	for _, l := range m.leases {
		if l.id > 0 {
			n++
		}
	}
	return n
}

// admit reports whether call id may run, and whether as a probe.
func (m *breakerRules) admit(id int) (ok, probe bool) {
	switch m.state {
	case Closed:
		return true, false
	case HalfOpen:
		if m.probes() >= m.most {
			return false, false
		}
		for i := range m.leases {
			if m.leases[i].id == 0 {
				m.leases[i] = leaseRules{id, m.now + linearLease}
				return true, true
			}
		}
		return false, false
	default:
		return false, false
	}
}

// settle takes the outcome of call id, which was admitted in a generation. What is left
// of a generation that has ended changes nothing.
func (m *breakerRules) settle(id int, generation uint64, o outcome) {
	if generation != m.generation {
		m.stale++
		return
	}
	for i := range m.leases {
		if m.leases[i].id == id {
			m.leases[i] = leaseRules{}
		}
	}
	switch {
	case o == outcomeNeutral, o == outcomeLeft: // no rule is about slow calls
	case m.state == HalfOpen && o == outcomeFailure:
		m.open(m.now)
	case m.state == HalfOpen:
		m.become(Closed, 0, 0)
	case o == outcomeSuccess:
		m.failures = 0
	default:
		if m.failures++; m.failures >= m.threshold {
			m.become(Open, m.failures, m.now+linearOpen)
		}
	}
}

// An admission is what a caller sees of it.
type admission struct {
	ok, probe  bool
	leaked     bool  // it would have been refused
	state      State // that refused
	generation uint64
	after      time.Duration // RetryAfter of the refusal
}

func (a admission) String() string {
	if a.leaked {
		return fmt.Sprintf("leaked in generation %d", a.generation)
	}
	if a.ok {
		return fmt.Sprintf("admitted in generation %d, as a probe: %v", a.generation, a.probe)
	}
	return fmt.Sprintf("refused by %v of generation %d for %v", a.state, a.generation, a.after)
}

// The steps of a history: what was done and what came of it, as a change of the model.
type breakerStep = func(breakerRules) (breakerRules, bool)

func admitted(id int, got admission) breakerStep {
	return func(m breakerRules) (breakerRules, bool) {
		want := admission{generation: m.generation}
		want.ok, want.probe = m.admit(id)
		switch {
		case want.ok:
		case got.leaked && m.lenient && m.state != ForcedOpen:
			want.ok, want.leaked = true, true
		default:
			want.state = m.state
			if m.until > 0 {
				want.after = m.until - m.now
			}
		}
		return m, got == want
	}
}

func settled(id int, generation uint64, o outcome) breakerStep {
	return func(m breakerRules) (breakerRules, bool) {
		m.settle(id, generation, o)
		return m, true
	}
}

// spilt is the end of a call that was leaked.
func spilt() breakerStep { return func(m breakerRules) (breakerRules, bool) { return m, true } }

func overruled(to State, hold time.Duration, was State) breakerStep {
	return func(m breakerRules) (breakerRules, bool) {
		before := m.state
		until := time.Duration(0)
		if hold > 0 {
			until = m.now + hold
		}
		m.become(to, 0, until)
		return m, was == before
	}
}

func seen(s BreakerSnapshot) breakerStep {
	return func(m breakerRules) (breakerRules, bool) {
		return m, s.State == m.state && s.Generation == m.generation && s.Failures == m.failures &&
			s.Probes == m.probes() && s.Stale == m.stale
	}
}

func passed(d time.Duration) breakerStep {
	return func(m breakerRules) (breakerRules, bool) {
		m.pass(d)
		return m, true
	}
}
