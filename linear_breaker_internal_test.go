package trysail

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A breakerHistory drives a breaker from several goroutines.
type breakerHistory struct {
	tape[breakerRules]
	crowd crowd
	b     *Breaker
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
// returns, for the goroutines after it.
func (h *breakerHistory) goroutine(r *rand.Rand, base, steps int, open []heldPermit) []heldPermit {
	for i := range steps {
		h.crowd.meet()
		switch n := r.IntN(20); {
		case n < 8 && len(open) > 0:
			last := len(open) - 1
			h.settle(open[last], outcome(r.IntN(4)))
			open = open[:last]
		case n < 15:
			if p, ok := h.admit(base + i); ok {
				open = append(open, heldPermit{base + i, p})
			}
		case n < 17:
			h.record(func() (string, breakerStep) {
				s := h.b.Snapshot()
				return fmt.Sprintf("Snapshot() = %v, generation %d", s.State, s.Generation), seen(s)
			})
		default:
			h.operate(r)
		}
	}
	return open
}

func (h *breakerHistory) admit(id int) (p permit, ok bool) {
	h.record(func() (string, breakerStep) {
		var refused *Error
		p, refused = h.b.admit(h.b.op.clock.now())
		got := admission{ok: refused == nil, probe: p.probe, leaked: p.leaked, generation: p.generation}
		var why *OpenError
		if refused != nil && errors.As(refused, &why) {
			got.state, got.generation, got.after = why.State, why.Generation, refused.RetryAfter
		}
		ok = got.ok
		return fmt.Sprintf("admit call %d: %v", id, got), admitted(id, got)
	})
	return p, ok
}

func (h *breakerHistory) settle(p heldPermit, o outcome) {
	h.record(func() (string, breakerStep) {
		if now := h.b.op.clock.now(); o == outcomeSuccess {
			h.b.succeed(p.permit, now, now)
		} else {
			h.b.settle(p.permit, result{outcome: o}, now, now)
		}
		if p.leaked {
			return fmt.Sprintf("settle call %d, which was leaked", p.id), spilt()
		}
		return fmt.Sprintf("settle call %d of generation %d: %v", p.id, p.generation, []string{"success", "failure", "neutral", "left"}[o]),
			settled(p.id, p.generation, o)
	})
}

func (h *breakerHistory) operate(r *rand.Rand) {
	hold := []time.Duration{0, 3 * time.Second}[r.IntN(2)]
	h.record(func() (string, breakerStep) {
		switch r.IntN(3) {
		case 0:
			was := h.b.ForceOpen(Override{For: hold})
			return fmt.Sprintf("ForceOpen(%v) = %v", hold, was), overruled(ForcedOpen, hold, was)
		case 1:
			was := h.b.Reset("test")
			return fmt.Sprintf("Reset() = %v", was), overruled(Closed, 0, was)
		default:
			was := h.b.Close(Override{})
			return fmt.Sprintf("Close() = %v", was), overruled(Closed, 0, was)
		}
	})
}

// run makes rounds of steps by several goroutines. Time passes between the rounds, while nobody
// does anything: a bubble's clock stands still as long as a goroutine runs.
func (h *breakerHistory) run(r *rand.Rand) {
	goroutines, steps := 2+r.IntN(3), 3+r.IntN(2)
	h.crowd.size = int64(goroutines)
	held := make([][]heldPermit, goroutines)
	for round := range 3 {
		var all sync.WaitGroup
		for i := range goroutines {
			own := rand.New(rand.NewPCG(r.Uint64(), r.Uint64()))
			all.Go(func() {
				held[i] = h.goroutine(own, 1+100*round+10*i, steps, held[i])
			})
		}
		all.Wait()
		d := []time.Duration{time.Second, 3 * time.Second, linearLease, linearOpen, linearOpen}[r.IntN(5)]
		h.record(func() (string, breakerStep) {
			time.Sleep(d)
			return fmt.Sprintf("%v pass", d), passed(d)
		})
	}
}

func TestBreakerIsLinearizable(t *testing.T) {
	for seed := range *linearHistories {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			start := breakerRules{threshold: 1 + r.IntN(3), most: 1 + r.IntN(3), lenient: r.IntN(2) == 0}
			h := newBreakerHistory(t, start)
			h.run(r)
			h.check(t, start, seed)
		})
		if t.Failed() {
			return
		}
	}
}
