package model_test

import (
	"cmp"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/trysail-go/trysail"
)

// A hall is a bulkhead as one would explain it: so many places, and a line before the door, the most urgent first and
// those of one priority in the order in which they came.
type hall struct {
	policy   trysail.Policy // that calls begin with
	limit    int            // places, if there is a bound
	now      time.Duration
	shut     bool         // the breaker refuses whoever gets in
	inside   map[int]bool // calls that run, and whether each has a place
	line     []waiter
	verdicts map[int]verdict

	waits, refused uint64
	counts         trysail.OperationMetrics
}

type waiter struct {
	id       int
	priority trysail.Priority
	until    time.Duration // the end of the wait
	why      string        // it says then
}

const (
	full    = "overloaded: full"
	open    = "overloaded: open"
	gone    = "canceled: gone"
	atDoor  = full + " deadline"
	tooLate = full + " total"
	forever = time.Duration(1 << 61)
)

// places is how many calls may have a place.
func (m *hall) places() int {
	if m.policy.Bulkhead.Disabled {
		return 1 << 20
	}
	return m.limit
}

func (m *hall) taken() (n int) {
	for _, place := range m.inside {
		if place {
			n++
		}
	}
	return n
}

// arrive lets a call in, sends it away, or has it wait.
func (m *hall) arrive(id int, p trysail.Priority, patience time.Duration) {
	switch b := m.policy.Bulkhead; {
	case m.shut || b.Disabled || m.taken() < m.limit:
		m.enter(id, !b.Disabled)
	case len(m.line) < b.MaxQueue || m.gaveWay(p):
		m.waits++
		behind := slices.IndexFunc(m.line, func(w waiter) bool { return w.priority > p })
		if behind < 0 {
			behind = len(m.line)
		}
		m.line = slices.Insert(m.line, behind, m.patient(id, p, patience))
	default:
		m.refuse(id, full)
	}
}

// patient returns a waiter whose wait ends with the first of its limits.
func (m *hall) patient(id int, p trysail.Priority, patience time.Duration) waiter {
	first := waiter{id, p, m.policy.Bulkhead.MaxWait, full}
	if d := cmp.Or(patience, forever); d < first.until {
		first.until, first.why = d, atDoor
	}
	if d := cmp.Or(m.policy.Total, forever); d < first.until {
		first.until, first.why = d, tooLate
	}
	first.until += m.now
	return first
}

// gaveWay reports whether somebody less urgent has made room: the last in line.
func (m *hall) gaveWay(p trysail.Priority) bool {
	if len(m.line) == 0 || m.line[len(m.line)-1].priority <= p {
		return false
	}
	m.refuse(m.line[len(m.line)-1].id, full)
	m.line = m.line[:len(m.line)-1]
	return true
}

// enter has a call run, unless the breaker is in the way.
func (m *hall) enter(id int, place bool) {
	if m.shut {
		m.counts.Rejected++
		m.fail(id, open)
		return
	}
	m.inside[id] = place
	m.verdicts[id] = verdict{at: m.now, why: "in"}
}

// refuse counts a call that got no place.
func (m *hall) refuse(id int, why string) {
	m.refused++
	if why == gone {
		m.counts.Canceled++
	} else {
		m.counts.Full++
	}
	m.fail(id, why)
}

func (m *hall) fail(id int, why string) {
	m.counts.Failed++
	m.verdicts[id] = verdict{at: m.now, why: why}
}

// serve hands out what is free. Whom the breaker refuses needs no place.
func (m *hall) serve() {
	for len(m.line) > 0 && m.taken() < m.places() {
		first := m.line[0]
		m.line = m.line[1:]
		m.enter(first.id, true)
	}
}

// end takes a call out that runs.
func (m *hall) end(id int, ok bool) {
	delete(m.inside, id)
	if ok {
		m.counts.Succeeded++
	} else {
		m.counts.Failed++
	}
	m.serve()
}

// give ends the wait of one who waits no longer.
func (m *hall) give(i int, why string) {
	m.refuse(m.line[i].id, why)
	m.line = slices.Delete(m.line, i, i+1)
}

// due is when the next wait ends.
func (m *hall) due() time.Duration {
	if len(m.line) == 0 {
		return 0
	}
	return slices.MinFunc(m.line, func(a, b waiter) int { return cmp.Compare(a.until, b.until) }).until
}

// compare wants an operation's snapshot and counters to be those of the hall.
func (m *hall) compare(t *rapid.T, op *trysail.Operation) {
	b := m.policy.Bulkhead
	want := trysail.BulkheadSnapshot{
		MaxConcurrent: b.MaxConcurrent, MaxQueue: b.MaxQueue, Limit: m.limit,
		Running: m.taken(), Waiting: len(m.line), Waits: m.waits, Refused: m.refused,
	}
	if b.Disabled {
		want = trysail.BulkheadSnapshot{}
	}
	if got, ok := op.Bulkhead(); got != want || ok == b.Disabled {
		t.Fatalf("Bulkhead() = %+v, %t; want %+v, %t", got, ok, want, !b.Disabled)
	}
	counts := m.counts
	counts.Calls = counts.Succeeded + counts.Failed
	if got := counted(op); got != counts {
		t.Fatalf("Metrics() = %+v, want %+v", got, counts)
	}
}

// pass moves the time on.
func (m *hall) pass(to time.Duration) {
	for due := m.due(); due != 0 && due <= to; due = m.due() {
		i := slices.IndexFunc(m.line, func(w waiter) bool { return w.until == due })
		m.now = due
		m.give(i, m.line[i].why)
	}
	m.now = to
}
