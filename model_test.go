package trysail_test

import (
	"slices"
	"time"

	"github.com/trysail-go/trysail"
)

// A model is the breaker as the rules say it, one line at a time: no locks, no
// atomics, no packing, and transitions in the very moment in which they are due.
type model struct {
	policy     trysail.BreakerPolicy
	now        time.Duration
	state      trysail.State
	generation uint64
	failures   int
	until      time.Duration // when open: the end of it
	probes     []modelCall   // under way in this generation
	stale      uint64

	opens, halfOpens, closes uint64
}

// A modelCall is a call under way.
type modelCall struct {
	id         int
	generation uint64
	deadline   time.Duration // of a probe
}

// outcome is how a call of the property test ends.
type outcome int

const (
	success outcome = iota
	failure
	neutral
)

// err is what the function of such a call returns.
func (o outcome) err() error { return []error{nil, errDown, errBadRequest}[o] }

// become begins a generation.
func (m *model) become(s trysail.State) {
	m.state, m.probes = s, nil
	m.generation++
}

func (m *model) open(at time.Duration) {
	m.opens++
	m.until = at + m.policy.RecoveryTimeout
	m.become(trysail.Open)
}

// due returns when time alone makes the next transition.
func (m *model) due() (time.Duration, bool) {
	switch {
	case m.state == trysail.Open:
		return m.until, true
	case len(m.probes) > 0:
		return slices.MinFunc(m.probes, func(a, b modelCall) int { return int(a.deadline - b.deadline) }).deadline, true
	default:
		return 0, false
	}
}

// pass moves the time on and makes what falls due meanwhile.
func (m *model) pass(to time.Duration) {
	for at, ok := m.due(); ok && at <= to; at, ok = m.due() {
		if m.state == trysail.Open {
			m.halfOpens++
			m.become(trysail.HalfOpen)
			continue
		}
		m.failures++
		m.open(at)
	}
	m.now = to
}

// admit begins a call, if it may run.
func (m *model) admit(id int) (modelCall, bool) {
	c := modelCall{id: id, generation: m.generation, deadline: m.now + m.policy.ProbeTimeout}
	switch {
	case m.state == trysail.Closed:
		return c, true
	case m.state == trysail.Open, len(m.probes) >= m.policy.HalfOpenMaxCalls:
		return c, false
	default:
		m.probes = append(m.probes, c)
		return c, true
	}
}

// settle ends a call.
func (m *model) settle(c modelCall, o outcome) {
	if c.generation != m.generation {
		m.stale++
		return
	}
	switch {
	case o == neutral:
		m.probes = slices.DeleteFunc(m.probes, func(p modelCall) bool { return p.id == c.id })
	case o == success && m.state == trysail.HalfOpen:
		m.failures = 0
		m.closes++
		m.become(trysail.Closed)
	case o == success:
		m.failures = 0
	default:
		m.failures++
		if m.state == trysail.HalfOpen || m.failures >= m.policy.FailureThreshold {
			m.open(m.now)
		}
	}
}

// reset closes the breaker by hand.
func (m *model) reset() trysail.State {
	was := m.state
	m.failures = 0
	m.become(trysail.Closed)
	return was
}
