package trysail_test

import (
	"slices"
	"time"
)

// A bucketModel is the limiter as a bucket of tokens, one rule at a time. Its unit is
// the nanosecond: a token is as many of them as it takes to come.
type bucketModel struct {
	rate  int64 // a power of two times a token each 8 s, so that everything comes out even
	burst int64 // tokens
	most  int64 // longest wait

	now       int64
	penalty   int64 // nothing is served before it
	level     int64 // below 0 after an overrun
	waiting   []waitBegin
	done      []waitEnd
	penalized bool
}

type waitBegin struct {
	id     int
	tokens int64
	latest int64
}

// A waitEnd is what comes of a wait.
type waitEnd struct {
	id      int
	at      int64
	refused bool
	after   time.Duration
}

func (m *bucketModel) cost(tokens int64) int64 { return tokens * (8e9 / m.rate) }
func (m *bucketModel) depth() int64            { return m.cost(m.burst) }
func (m *bucketModel) from() int64             { return max(m.now, m.penalty) }

// fill lets time bring tokens.
func (m *bucketModel) fill(d int64) { m.level = min(m.level+d, m.depth()) }

// due returns when the level would reach what is asked for after those who wait.
func (m *bucketModel) due(behind int, tokens int64) int64 {
	need := m.cost(tokens) - min(m.level+m.from()-m.now, m.depth()) // the bucket fills while a penalty lasts
	for _, w := range m.waiting[:behind] {
		need += m.cost(w.tokens)
	}
	return m.from() + max(need, 0)
}

// serve serves the first of the queue for as long as he is due.
func (m *bucketModel) serve() {
	for len(m.waiting) > 0 && m.due(0, m.waiting[0].tokens) <= m.now {
		m.level -= m.cost(m.waiting[0].tokens)
		m.done = append(m.done, waitEnd{id: m.waiting[0].id, at: m.now})
		m.waiting = m.waiting[1:]
	}
}

// pass moves the time on, from one turn to the next.
func (m *bucketModel) pass(to int64) {
	for m.now < to {
		next := to
		if len(m.waiting) > 0 {
			next = min(next, m.due(0, m.waiting[0].tokens))
		}
		m.fill(next - m.now)
		m.now = next
		m.serve()
	}
}

// take takes tokens if they are there and nobody waits; else it says how long it would be.
func (m *bucketModel) take(tokens int64) (wait time.Duration) {
	at := m.due(len(m.waiting), tokens)
	if at > m.now {
		return time.Duration(at - m.now)
	}
	m.level -= m.cost(tokens)
	return 0
}

// wait queues up.
func (m *bucketModel) wait(id int, tokens int64) {
	switch wait := m.take(tokens); {
	case wait == 0:
		m.done = append(m.done, waitEnd{id: id, at: m.now})
	case int64(wait) > m.most:
		m.done = append(m.done, waitEnd{id: id, at: m.now, refused: true, after: wait})
	default:
		m.waiting = append(m.waiting, waitBegin{id, tokens, m.now + m.most})
	}
}

// leave takes one out of the queue.
func (m *bucketModel) leave(id int) {
	m.waiting = slices.DeleteFunc(m.waiting, func(w waitBegin) bool { return w.id == id })
	m.look()
}

// settle reconciles a reservation.
func (m *bucketModel) settle(reserved, used int64) {
	m.level = min(m.level+m.cost(reserved)-m.cost(used), m.depth())
	m.look()
}

func (m *bucketModel) penalize(until int64) {
	if until <= m.now || m.penalized && until <= m.penalty {
		return
	}
	m.penalty, m.penalized = until, true
	m.look()
}

// setRate keeps what is missing in the bucket, counted in tokens.
func (m *bucketModel) setRate(rate, burst int64) {
	missing := m.depth() - m.level
	missing = (missing*m.rate + rate - 1) / rate // rounded up
	m.rate, m.burst = rate, burst
	m.level = m.depth() - missing
	m.look()
}

// look serves who is due, and refuses those for whom it has become too late.
func (m *bucketModel) look() {
	for i := 0; i < len(m.waiting); {
		w := m.waiting[i]
		if at := m.due(i, w.tokens); at > w.latest {
			m.done = append(m.done, waitEnd{w.id, m.now, true, time.Duration(at - m.now)})
			m.waiting = slices.Delete(m.waiting, i, i+1)
			continue
		}
		i++
	}
	m.serve()
}
