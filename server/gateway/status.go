package gateway

import (
	"time"

	"github.com/trysail-go/trysail"
)

// A TargetStatus says how a target stands at one moment. It holds no key.
type TargetStatus struct {
	Name     string
	Protocol Protocol
	Region   string

	Breaker  *trysail.BreakerSnapshot // nil if it has none
	Accounts []AccountStatus          // in the order of its credentials; none where clients bring theirs
	Calls    int64                    // that are there now

	Draining bool // by the plan
	Drained  bool // by an operator: see [Gateway.Drain]

	Limits    TargetLimits // 0: none
	Requests  float64      // how many are free now; 0 without a limit
	Tokens    float64      // how many are free now; 0 without a limit
	Spent     float64      // dollars of today
	Held      float64      // dollars that calls under way may spend
	Exhausted time.Time    // until when the provider says that the target's quota is used up; zero if it does not
}

// An AccountStatus says how a credential stands.
type AccountStatus struct {
	Name   string    // of the credential
	Closed time.Time // until when a short rate limit closes it; zero if none does
	Parked time.Time // until when nothing can be had of it; zero if that is not so
	Reason string    // why it is parked
}

// Left returns how many dollars may be spent today besides those that are held; 0 without a limit.
func (s *TargetStatus) Left() float64 { return max(s.Limits.Dollars-s.Spent-s.Held, 0) }

// Targets says how the targets of the plan in force stand, in its order. It is safe for concurrent use.
func (g *Gateway) Targets() []TargetStatus {
	targets := g.plan.Load().targets
	all := make([]TargetStatus, len(targets))
	for i, t := range targets {
		all[i] = g.statusOf(t)
	}
	return all
}

func (g *Gateway) statusOf(t *target) TargetStatus {
	now := g.now()
	s := TargetStatus{
		Name: t.Name, Protocol: t.Protocol, Region: t.Region, Calls: t.visits.Load(), Draining: t.Draining, Drained: t.drained.Load(), Limits: t.Limits,
		Exhausted: g.moment(t.exhausted.Load(), now),
	}
	if b := t.breaker(); b != nil {
		snapshot := b.Snapshot()
		s.Breaker = &snapshot
	}
	for _, k := range t.keys {
		a := AccountStatus{Name: k.name, Closed: g.moment(k.gate.Load(), now), Parked: g.moment(k.parked.Load(), now)}
		if !a.Parked.IsZero() {
			a.Reason = k.why()
		}
		s.Accounts = append(s.Accounts, a)
	}
	if l, ok := t.operation.Limiter(); ok {
		s.Requests = l.Available
	}
	if l := t.tokens.Load(); l != nil {
		s.Tokens = l.Snapshot().Available
	}
	s.Spent, s.Held = t.purse.today(time.Now())
	return s
}

// moment returns the time of an instant that is yet to come, and the zero time of another.
func (g *Gateway) moment(instant, now int64) time.Time {
	if instant <= now {
		return time.Time{}
	}
	return g.begun.Add(time.Duration(instant)).Round(0)
}

// Drain takes a target out of the choice for new calls, or puts it back; those under way finish. It reports whether it was out by such a word before, and
// whether the plan has a target of that name. The word holds over reloads, until it is taken back, the target is no more in the plan, or the program ends. What the
// plan itself drains stays so. It is safe for concurrent use.
func (g *Gateway) Drain(target string, drained bool) (was, known bool) {
	g.applying.Lock()
	defer g.applying.Unlock()
	s := g.standings[target]
	if s == nil {
		return false, false
	}
	return s.drained.Swap(drained), true
}

// out reports whether the target gets no new calls.
func (t *target) out() bool { return t.Draining || t.drained.Load() }
