package model_test

import (
	"slices"
	"time"
)

// A bucket is a limiter as one would explain it: the rate fills it as long as it is not full, whatever else there is,
// and who finds too little in it waits in a line. What is in it is counted in the time that it takes to come.
type bucket struct {
	rate, burst int64         // in units; the rate is that of two seconds
	maxWait     time.Duration // of those who come
	now         time.Duration
	level       time.Duration // below 0 after more was used than there was
	penalty     time.Duration // nothing is given out before it
	shut        bool          // a breaker sends everybody away whose turn has come, who then takes nothing
	line        []turn
	verdicts    map[int]verdict

	waits, refused, open, misuses uint64
}

type turn struct {
	id     int
	amount int64 // in quarters of a unit
	latest time.Duration
}

const (
	unit        = 4 // quarters
	limited     = "rate_limited: limited"
	overBurst   = "permanent: over the burst"
	longestHint = 366 * 24 * time.Hour
)

// cost is how long an amount takes to come, rounded up.
func (m *bucket) cost(amount int64) time.Duration {
	return time.Duration((amount*2e9 + unit*m.rate - 1) / (unit * m.rate))
}

// depth is what the bucket holds: the burst, taken unit by unit.
func (m *bucket) depth() time.Duration { return time.Duration(m.burst) * m.cost(unit) }

func (m *bucket) fits(amount int64) bool { return amount <= unit*m.burst }

// due is when an amount could be had by somebody who comes now and stands behind those who are before.
func (m *bucket) due(before []turn, amount int64) time.Duration {
	at := max(m.now, m.penalty)
	level := min(m.level+at-m.now, m.depth())
	for _, t := range append(slices.Clone(before), turn{amount: amount}) {
		missing := max(m.cost(t.amount)-level, 0)
		at += missing
		level += missing - m.cost(t.amount)
	}
	return at
}

// take takes an amount if it is there and nobody waits.
func (m *bucket) take(amount int64) bool {
	if !m.fits(amount) || m.due(m.line, amount) > m.now {
		return false
	}
	m.level -= m.cost(amount)
	return true
}

// refusal counts a refusal and says why.
func (m *bucket) refusal(amount int64) verdict {
	m.refused++
	if !m.fits(amount) {
		return verdict{at: m.now, why: overBurst}
	}
	return verdict{at: m.now, why: limited, after: m.due(m.line, amount) - m.now}
}

// arrive gives an amount out, or has somebody wait who would have it before his patience ends, or sends him away.
func (m *bucket) arrive(id int, amount int64, patience time.Duration) {
	wait := m.maxWait
	if patience > 0 {
		wait = min(wait, patience-1) // at the end of it the amount would be of no use
	}
	switch {
	case m.take(amount):
		m.verdicts[id] = verdict{at: m.now, why: "in"}
	case !m.fits(amount) || m.due(m.line, amount) > m.now+wait:
		m.verdicts[id] = m.refusal(amount)
	default:
		m.waits++
		m.line = append(m.line, turn{id, amount, m.now + wait})
	}
}

// next is when the first in line gets what he waits for; 0 if nobody waits.
func (m *bucket) next() time.Duration {
	if len(m.line) == 0 {
		return 0
	}
	return m.due(nil, m.line[0].amount)
}

// serve gives out what is due.
func (m *bucket) serve() {
	for len(m.line) > 0 && m.next() <= m.now {
		first := m.line[0]
		m.line = m.line[1:]
		m.verdicts[first.id] = verdict{at: m.now, why: "in"}
		if m.shut {
			m.verdicts[first.id] = verdict{at: m.now, why: open}
			continue
		}
		m.level -= m.cost(first.amount)
	}
}

// look sends those away for whom it has become too late, or their amount too large, and serves.
func (m *bucket) look() {
	all := m.line
	m.line = nil
	for _, t := range all {
		if !m.fits(t.amount) || m.due(m.line, t.amount) > t.latest {
			m.verdicts[t.id] = m.refusal(t.amount)
			continue
		}
		m.line = append(m.line, t)
	}
	m.serve()
}

// give ends the wait of one who has left.
func (m *bucket) give(i int) {
	m.verdicts[m.line[i].id] = verdict{at: m.now, why: gone}
	m.line = slices.Delete(m.line, i, i+1)
	m.look()
}

// settle puts back what was not used, and takes what was used besides.
func (m *bucket) settle(reserved, used int64) {
	m.open--
	m.level = min(m.level+m.cost(reserved)-m.cost(used), m.depth())
	m.look()
}

func (m *bucket) penalize(until time.Duration) {
	m.penalty = max(m.penalty, min(until, m.now+longestHint))
	m.look()
}

// turnTo sets another rate and burst. What is missing in the bucket is missing afterwards, in units.
func (m *bucket) turnTo(rate, burst int64) {
	missing := m.depth() - m.level
	missing = (missing*time.Duration(m.rate) + time.Duration(rate) - 1) / time.Duration(rate)
	m.rate, m.burst = rate, burst
	m.level = m.depth() - missing
	m.look()
}

// pass moves the time on, from one turn to the next.
func (m *bucket) pass(to time.Duration) {
	for m.now < to {
		at := to
		if len(m.line) > 0 {
			at = min(at, m.next())
		}
		m.level = min(m.level+at-m.now, m.depth())
		m.now = at
		m.serve()
	}
}
