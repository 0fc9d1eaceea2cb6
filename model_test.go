package trysail_test

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/trysail-go/trysail"
)

// A model is the breaker as the rules say it, one line at a time: no locks, no
// atomics, no packing, no buckets, and transitions in the very moment in which they are
// due. It remembers every call.
type model struct {
	policy     trysail.BreakerPolicy
	now        time.Duration
	state      trysail.State
	generation uint64
	failures   int
	until      time.Duration // when open, or as good as open in metrics-only: the end of it
	openedAt   time.Duration // of the last time
	closedAt   time.Duration
	failed     bool          // there is a last failure
	failedAt   time.Duration // of it
	stale      uint64
	reopens    int
	ramp       bool // not every call is let through yet

	probes      []modelCall // under way in this generation
	probed, bad int
	ended       []modelEnd  // what the window may look at
	under       []modelCall // what may be overdue

	override trysail.Override
	expires  time.Duration // 0: it does not

	opens, halfOpens, closes, wouldOpen, wouldReject, leaked uint64
}

// A modelCall is a call under way.
type modelCall struct {
	id         int
	generation uint64
	start      time.Duration
	deadline   time.Duration // of a probe
	probe      bool
	leaked     bool // the breaker would have refused it
}

// A modelEnd is a call that has ended.
type modelEnd struct {
	at           time.Duration
	failed, slow bool
	left         bool // nobody knows whether it would have failed
}

// outcome is how a call of the property test ends.
type outcome int

const (
	success outcome = iota
	failure
	neutral
	limited  // a failure with a hint
	left     // the caller has gone
	outcomes // how many there are
)

// asked is what the server asks for with the outcome limited.
const asked = 7 * time.Minute

// err is what the function of such a call returns.
func (o outcome) err() error {
	return []error{nil, errDown, errBadRequest, trysail.RateLimited(errDown, asked), context.Canceled}[o]
}

func (o outcome) after() time.Duration {
	if o == limited {
		return asked
	}
	return 0
}

func (m *model) timed() bool { return m.policy.SlowRate > 0 || m.policy.SlowFails }

func (m *model) rated() bool { return m.policy.FailureRate > 0 || m.policy.SlowRate > 0 }

// become begins a generation.
func (m *model) become(s trysail.State) {
	m.state, m.probes, m.probed, m.bad, m.ended, m.under, m.ramp = s, nil, 0, 0, nil, nil, false
	m.generation++
}

// again returns how many of the times that the breaker opened are not made good yet.
func (m *model) again(at time.Duration) int {
	if m.state != trysail.Closed {
		return m.reopens
	}
	return max(0, m.reopens-int((at-m.closedAt)/m.policy.RecoveryTimeout))
}

func (m *model) open(at, after time.Duration) {
	m.reopens = m.again(at)
	d := m.policy.RecoveryTimeout
	for range m.reopens {
		d = min(2*d, max(m.policy.MaxRecovery, m.policy.RecoveryTimeout))
	}
	if m.policy.HonorRetryAfter {
		d = max(d, min(after, max(m.policy.MaxRecovery, time.Hour)))
	}
	m.opens++
	m.reopens++
	m.openedAt, m.until = at, at+d
	m.become(trysail.Open)
}

// due returns when time alone makes the next transition.
func (m *model) due() (time.Duration, bool) {
	switch {
	case m.state == trysail.Open:
		return m.until, true
	case len(m.probes) > 0:
		return slices.MinFunc(m.probes, func(a, b modelCall) int { return int(a.deadline - b.deadline) }).deadline, true
	case m.expires > 0:
		return m.expires, true
	default:
		return 0, false
	}
}

// pass moves the time on and makes what falls due meanwhile.
func (m *model) pass(to time.Duration) {
	for at, ok := m.due(); ok && at <= to; at, ok = m.due() {
		switch m.state {
		case trysail.Open:
			m.halfOpens++
			m.become(trysail.HalfOpen)
		case trysail.HalfOpen:
			i := slices.IndexFunc(m.probes, func(c modelCall) bool { return c.deadline == at })
			m.probes = slices.Delete(m.probes, i, i+1)
			m.failed, m.failedAt = true, at
			m.judgeProbe(true, at, 0)
		default: // the operator's word has expired
			m.override, m.expires, m.failures = trysail.Override{}, 0, 0
			m.become(trysail.Closed)
		}
	}
	m.now = to
}

// window returns what the window holds: times are cut into twelfths.
func (m *model) window() (calls, failed, slow, bad, left int) {
	if !m.rated() {
		return 0, 0, 0, 0, 0
	}
	held := m.ended
	if m.policy.WindowCalls > 0 {
		held = held[max(0, len(held)-m.policy.WindowCalls):]
	}
	for _, e := range held {
		if m.policy.WindowCalls == 0 && m.part(m.now, m.policy.Window/12)-m.part(e.at, m.policy.Window/12) >= 12 {
			continue
		}
		calls++
		if e.failed {
			failed++
		}
		if e.slow {
			slow++
		}
		if e.failed || e.slow {
			bad++
		}
		if e.left {
			left++
		}
	}
	return calls, failed, slow, bad, left
}

// overdue returns how many calls under way are noticed as slow: times are cut into
// sixteenths.
func (m *model) overdue() (n int) {
	for _, c := range m.under {
		if m.part(m.now, m.policy.SlowCall/16)-m.part(c.start, m.policy.SlowCall/16) > 16 {
			n++
		}
	}
	return n
}

// part is the number of the slice of time; the first instant of a clock is 1.
func (m *model) part(at, width time.Duration) time.Duration { return (at + 1) / width }

// verdict reports whether a rule over the window is met.
func (m *model) verdict() bool {
	calls, failed, slow, bad, left := m.window()
	met := func(part, whole int, share float64) bool {
		return share > 0 && whole >= m.policy.MinCalls && part > 0 && float64(part)/float64(whole) >= share
	}
	overdue := m.overdue()
	if m.policy.SlowFails && met(bad+overdue, calls+overdue, m.policy.FailureRate) {
		return true
	}
	return !m.policy.SlowFails && met(failed, calls-left, m.policy.FailureRate) || met(slow+overdue, calls+overdue, m.policy.SlowRate)
}

// An answer is whether a call may run.
type answer int

const (
	no answer = iota
	yes
	either // chance decides
	seldom // chance decides whether it is leaked
)

// of a call that the rules refuse.
func (m *model) refusal() answer {
	if m.policy.Enforce < 1 && m.state != trysail.ForcedOpen {
		return seldom
	}
	return no
}

// allows reports whether the answer may come out like this.
func (a answer) allows(admitted, leaked, lenient bool) bool {
	switch a {
	case no:
		return !admitted && !leaked
	case yes:
		return admitted && !leaked
	case either:
		return !leaked || admitted && lenient
	default:
		return admitted == leaked
	}
}

// admit asks whether a call may run.
func (m *model) admit(id int) (modelCall, answer) {
	if m.state == trysail.Closed && m.timed() && m.verdict() {
		m.open(m.now, 0)
	}
	c := modelCall{id: id, generation: m.generation, start: m.now, deadline: m.now + m.policy.ProbeTimeout}
	switch m.state {
	case trysail.Closed:
		m.ramp = m.ramp && m.now-m.closedAt < m.policy.RampUp
		if m.ramp {
			return c, either
		}
	case trysail.HalfOpen:
		if m.probed+len(m.probes) >= m.policy.HalfOpenMaxCalls {
			return c, m.refusal()
		}
		c.probe = true
	case trysail.MetricsOnly:
		if m.timed() && m.verdict() {
			m.wouldTrip()
		}
		if m.now < m.until {
			m.wouldReject++
		}
	case trysail.Open, trysail.ForcedOpen:
		return c, m.refusal()
	default: // disabled
	}
	return c, yes
}

// begin begins a call that runs.
func (m *model) begin(c modelCall) {
	if c.leaked {
		m.leaked++
		return
	}
	if c.probe {
		m.probes = append(m.probes, c)
	}
	if m.timed() {
		m.under = append(m.under, c)
	}
}

// settle ends a call.
func (m *model) settle(c modelCall, o outcome) {
	if c.leaked {
		return
	}
	is := func(p modelCall) bool { return p.id == c.id }
	if c.generation != m.generation || c.probe && !slices.ContainsFunc(m.probes, is) {
		m.under = slices.DeleteFunc(m.under, is)
		m.stale++
		return
	}
	m.probes = slices.DeleteFunc(m.probes, is)
	m.under = slices.DeleteFunc(m.under, is)
	failed := o == failure || o == limited
	slow := m.timed() && m.now-c.start > m.policy.SlowCall
	if failed {
		m.failed, m.failedAt = true, m.now
	}
	switch {
	case o == neutral || o == left && !slow || m.state == trysail.Disabled:
		return
	case m.state == trysail.HalfOpen:
		inARow := m.failures
		m.judgeProbe(failed || slow, m.now, o.after())
		if o == left && m.state == trysail.Open {
			m.failures = inARow // it has not failed
		}
		return
	case o == left:
	case failed:
		m.failures++
	default:
		m.failures = 0
	}
	m.ended = append(m.ended, modelEnd{m.now, failed, slow, o == left})
	inARow := failed && !m.policy.RatesOnly && m.failures >= m.policy.FailureThreshold
	switch met := inARow || m.verdict(); {
	case met && m.state == trysail.MetricsOnly:
		m.wouldTrip()
	case met:
		m.open(m.now, o.after())
	}
}

func (m *model) judgeProbe(bad bool, at, after time.Duration) {
	m.probed++
	if bad {
		m.bad++
	}
	m.judgeProbes(at, after)
}

// judgeProbes comes to a verdict if there is one.
func (m *model) judgeProbes(at, after time.Duration) {
	probes, most := 1, 0 // most bad ones with which it may close
	if m.rated() {
		share := 1.0
		for _, s := range []float64{m.policy.FailureRate, m.policy.SlowRate} {
			if s > 0 {
				share = min(share, s)
			}
		}
		probes = m.policy.HalfOpenMaxCalls
		most = int(math.Ceil(share*float64(probes))) - 1
	}
	switch {
	case m.bad > most:
		m.failures++
		m.open(at, after)
	case m.probed-m.bad >= probes-most:
		m.failures, m.closedAt = 0, at
		m.closes++
		m.become(trysail.Closed)
		m.ramp = m.policy.RampUp > 0
	}
}

// wouldTrip counts that the breaker would open.
func (m *model) wouldTrip() {
	if m.now >= m.until {
		m.wouldOpen++
		m.until, m.failures, m.ended, m.under = m.now+m.policy.RecoveryTimeout, 0, nil, nil
	}
}

// overrule puts the breaker under an operator's word, or lifts it.
func (m *model) overrule(to trysail.State, o trysail.Override) trysail.State {
	was := m.state
	m.override, m.expires = o, 0
	if o.For > 0 {
		m.expires = m.now + o.For
	}
	m.until, m.closedAt, m.reopens, m.failures = m.now, m.now, 0, 0
	m.become(to)
	return was
}

// reset closes the breaker by hand.
func (m *model) reset() trysail.State {
	m.failed = false
	return m.overrule(trysail.Closed, trysail.Override{})
}

// openUntil opens the breaker by hand.
func (m *model) openUntil(at time.Duration) trysail.State {
	was := m.state
	if was == trysail.Open && at <= m.until {
		return was // the longest wait holds
	}
	if at > m.now && (was == trysail.Closed || was == trysail.Open || was == trysail.HalfOpen) {
		m.reopens = m.again(m.now)
		m.opens++
		m.openedAt, m.until = m.now, at
		m.become(trysail.Open)
	}
	return was
}

// adopt puts the breaker under another policy.
func (m *model) adopt(p trysail.BreakerPolicy) {
	old := m.policy
	wasRated, wasTimed := m.rated(), m.timed()
	m.policy = p
	sameShape := old.WindowCalls == p.WindowCalls && (p.WindowCalls > 0 || old.Window == p.Window)
	if !wasRated || !m.rated() || !sameShape {
		m.ended = nil
	}
	if !wasTimed || !m.timed() || old.SlowCall != p.SlowCall {
		m.under = nil
	}
	if m.state == trysail.HalfOpen && m.probed > 0 {
		m.judgeProbes(m.now, 0)
	}
}
