package model_test

import (
	"time"

	"github.com/trysail-go/trysail"
)

// A search is a hall that finds out how many places it may have, as one would explain it: a list of what has happened, and
// one way through it from the first entry to the last.
type search struct {
	hall
	guests map[int]*guest
	past   []happening
}

// A guest is a call, and how it may end.
type guest struct {
	lasts time.Duration // until a limit ends it; 0: never
	own   bool          // that limit is the deadline of the caller
	deaf  bool          // its function does not heed limits
	gone  bool          // its caller has left, and it is deaf
}

// A happening is the end of a call that had a place, or a new policy.
type happening struct {
	policy    *trysail.BulkheadPolicy // nil if it is the end of a call
	began, at time.Duration
	used      int // places at the end of the call, its own included
	says      sign
}

// A sign is what the end of a call says about the load.
type sign int

const (
	nothing sign = iota
	room         // the dependency took the call, whatever its answer was
	tooMuch      // it takes no more, or takes too long
)

// signOf is what an outcome says; late is whether a limit of the policy had passed, which says nothing about the load where the
// dependency has said what was wrong.
func signOf(outcome error, late bool) sign {
	switch class := trysail.Classify(outcome); {
	case outcome == nil, class == trysail.ClassPermanent, class == trysail.ClassBadAnswer:
		return room
	case class == trysail.ClassRateLimited, class == trysail.ClassOverloaded, class == trysail.ClassTransient && late:
		return tooMuch
	default:
		return nothing
	}
}

// found is how many places the past has led to.
func (m *search) found() int {
	var p trysail.BulkheadPolicy
	places, successes, cut := 0, 0, time.Duration(-1)
	for _, h := range m.past {
		before, searching := places, p.Adaptive && !p.Disabled
		switch {
		case h.policy != nil:
			p = *h.policy
			if !searching || !p.Adaptive || p.Disabled { // what an earlier search knew is forgotten
				places, successes = 20, 0
			}
			places = min(max(places, p.MinConcurrent), p.MaxConcurrent)
			if !p.Adaptive {
				places = p.MaxConcurrent
			}
		case !searching:
		case h.says == tooMuch && h.began >= cut:
			places, successes, cut = max(places*7/10, p.MinConcurrent), 0, h.at
		case h.says == room && 2*h.used >= places:
			if successes++; successes == places {
				places, successes = min(places+1, p.MaxConcurrent), 0
			}
		}
		if places != before {
			successes = 0
		}
	}
	return places
}

// adopt puts the hall under a new policy. Those whose turn that makes it come in.
func (m *search) adopt(p trysail.Policy) {
	m.policy = p
	m.past = append(m.past, happening{policy: &p.Bulkhead})
	m.limit = m.found()
	m.serve()
}

// until is when a limit ends a call that runs and heeds limits; 0: never.
func (m *search) until(id int) time.Duration {
	g := m.guests[id]
	if g.lasts == 0 || g.deaf {
		return 0
	}
	return m.verdicts[id].at + g.lasts
}

// over ends a call that runs, with an outcome, and learns from it.
func (m *search) over(id int, outcome error) {
	g, began := m.guests[id], m.verdicts[id].at
	says := signOf(outcome, !g.own && g.lasts > 0 && m.now >= began+g.lasts)
	if g.gone && outcome != nil {
		says = nothing
		m.counts.Canceled++
	}
	if m.inside[id] {
		m.past = append(m.past, happening{began: began, at: m.now, used: m.taken(), says: says})
		m.limit = m.found()
	}
	m.end(id, outcome == nil)
}

// nextEnd is the call that a limit ends first, and when; 0: none.
func (m *search) nextEnd() (first int, at time.Duration) {
	for id := range m.inside {
		if until := m.until(id); until > 0 && (at == 0 || until < at) {
			first, at = id, until
		}
	}
	return first, at
}

// elapse moves the time on, and returns the calls that limits have ended.
func (m *search) elapse(to time.Duration, ended error) (ids []int) {
	for id, at := m.nextEnd(); at > 0 && at <= to; id, at = m.nextEnd() {
		m.pass(at)
		m.over(id, ended)
		ids = append(ids, id)
	}
	m.pass(to)
	return ids
}
