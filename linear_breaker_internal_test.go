package trysail

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// A breakerHistory drives a breaker from several goroutines.
type breakerHistory struct {
	tape[breakerRules]
	b *Breaker
}

func newBreakerHistory(t *testing.T, rules breakerRules) *breakerHistory {
	t.Helper()
	policy := BreakerPolicy{
		FailureThreshold: rules.threshold, HalfOpenMaxCalls: rules.most, RecoveryTimeout: linearOpen, ProbeTimeout: linearLease,
	}
	if rules.lenient {
		policy.Enforce = 0.5
	}
	orc, err := New(Config{Default: Policy{Breaker: policy}})
	if err != nil {
		t.Fatal(err)
	}
	return &breakerHistory{b: orc.Operation("op").Breaker()}
}

// A heldPermit is one that a goroutine has not given back yet.
type heldPermit struct {
	id int
	permit
}

// goroutine makes some steps; ids of calls are from base on. What it holds in the end it
// returns, for the bouts after this one.
func (h *breakerHistory) goroutine(own *hand[breakerRules], base int, open []heldPermit) []heldPermit {
	for i := range own.steps {
		switch n := own.IntN(20); {
		case n < 8 && len(open) > 0:
			last := open[len(open)-1]
			open = open[:len(open)-1]
			h.settle(own, last, outcome(own.IntN(4)))
		case n < 17:
			if p, ok := h.admit(own, base+i); ok {
				open = append(open, heldPermit{base + i, p})
			}
		case n < 19:
			own.record(h.look)
		default:
			h.operate(own)
		}
	}
	return open
}

func (h *breakerHistory) look() func() (string, breakerStep) {
	s := h.b.Snapshot()
	return func() (string, breakerStep) {
		return fmt.Sprintf("Snapshot() = %v, generation %d, %d failures, %d probes", s.State, s.Generation, s.Failures, s.Probes), seen(s)
	}
}

func (h *breakerHistory) admit(own *hand[breakerRules], id int) (p permit, ok bool) {
	own.record(func() func() (string, breakerStep) {
		var refused *Error
		p, refused = h.b.admit(h.b.op.clock.now())
		ok = refused == nil
		return func() (string, breakerStep) {
			got := admission{ok: ok, probe: p.probe, leaked: p.leaked, generation: p.generation}
			var why *OpenError
			if refused != nil && errors.As(refused, &why) {
				got.state, got.generation, got.after = why.State, why.Generation, refused.RetryAfter
			}
			return fmt.Sprintf("admit call %d: %v", id, got), admitted(id, got)
		}
	})
	return p, ok
}

func (h *breakerHistory) settle(own *hand[breakerRules], p heldPermit, o outcome) {
	own.record(func() func() (string, breakerStep) {
		if now := h.b.op.clock.now(); o == outcomeSuccess {
			h.b.succeed(p.permit, now, now)
		} else {
			h.b.settle(p.permit, result{outcome: o}, now, now)
		}
		return func() (string, breakerStep) {
			if p.leaked {
				return fmt.Sprintf("settle call %d, which was leaked", p.id), spilt()
			}
			return fmt.Sprintf("settle call %d of generation %d: %v", p.id, p.generation, []string{"success", "failure", "neutral", "left"}[o]),
				settled(p.id, p.generation, o)
		}
	})
}

func (h *breakerHistory) operate(own *hand[breakerRules]) {
	hold := []time.Duration{0, 3 * time.Second}[own.IntN(2)]
	which := own.IntN(3)
	own.record(func() func() (string, breakerStep) {
		var was State
		switch which {
		case 0:
			was = h.b.ForceOpen(Override{For: hold})
		case 1:
			was = h.b.Reset("test")
		default:
			was = h.b.Close(Override{})
		}
		return func() (string, breakerStep) {
			if which == 0 {
				return fmt.Sprintf("ForceOpen(%v) = %v", hold, was), overruled(ForcedOpen, hold, was)
			}
			return fmt.Sprintf("%s() = %v", []string{"", "Reset", "Close"}[which], was), overruled(Closed, 0, was)
		}
	})
}

// run makes bouts of steps by several goroutines. Time passes between them, often until probes are let through.
func (h *breakerHistory) run(t *testing.T, r *rand.Rand) {
	t.Helper()
	var held [4][]heldPermit
	for bout := range linearBouts {
		h.bout(t, crowdSize(r), func(i int, own *hand[breakerRules]) {
			held[i] = h.goroutine(own, 1+100*bout+20*i, held[i])
		})
		h.record(h.look)
		d := []time.Duration{time.Second, 3 * time.Second, linearLease, linearOpen, linearOpen, linearOpen}[r.IntN(6)]
		h.record(func() func() (string, breakerStep) {
			time.Sleep(d)
			return func() (string, breakerStep) { return fmt.Sprintf("%v pass", d), passed(d) }
		})
	}
	h.record(h.look)
	h.end(t)
}

func TestBreakerIsLinearizable(t *testing.T) {
	histories(t, func(t *testing.T, seed uint64, r *rand.Rand) {
		rules := breakerRules{threshold: 1 + r.IntN(3), most: 1 + r.IntN(3), lenient: r.IntN(2) == 0}
		h := newBreakerHistory(t, rules)
		h.start(seed, rules)
		h.run(t, r)
	})
}
