package trysail_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// A dependency that has asked to be spared gets no further attempts beside those that run.
func TestNoHedgeAfterARefusalForTheLoad(t *testing.T) {
	for name, tc := range map[string]struct {
		first  error
		hedges uint64
	}{
		"a rate limit":          {trysail.RateLimited(errDown, 0), 1},
		"no capacity":           {errFull, 1},
		"a wait":                {trysail.WithClass(errDown, trysail.ClassTransient, time.Second), 1},
		"a fault that may pass": {errDown, 3},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, hedging(trysail.HedgePolicy{After: 2 * time.Second, Max: 3}))
			winner, took, err := raced(t, op, runner{3 * time.Second, tc.first}, runner{20 * time.Second, nil})
			if m := op.Metrics(); winner != 1 || took != 22*time.Second || err != nil || m.Hedges != tc.hedges {
				t.Errorf("the winner is %d in %v with %v after %d hedges, want the second in 22s after %d", winner, took, err, m.Hedges, tc.hedges)
			}
		})
	}
}

// A breaker that has just closed lets only some calls through, each of them once.
func TestNoHedgeDuringTheRamp(t *testing.T) {
	for name, tc := range map[string]struct {
		before time.Duration // the end of the ramp, when the call begins that may be hedged after 2s
		hedges uint64
	}{
		"at its begin":            {time.Minute, 0},
		"a moment before the end": {2*time.Second + 1, 0},
		"at its end":              {2 * time.Second, 1},
	} {
		bubble(t, name, func(t *testing.T) {
			policy := hedging(after2s())
			policy.Breaker.RampUp = time.Minute
			op := newOperation(t, policy)
			halfOpen(t, op)
			if err := call(t, op, nil); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute - tc.before)
			slow := runner{10 * time.Second, nil}
			_, _, err := raced(t, op, slow, slow)
			for errors.Is(err, trysail.ErrOpen) { // not among those that are let through already
				_, _, err = raced(t, op, slow, slow)
			}
			if m := op.Metrics(); err != nil || m.Hedges != tc.hedges {
				t.Errorf("raced() = %v with %d hedges, want %d", err, m.Hedges, tc.hedges)
			}
		})
	}
}

// While a throttle drops calls, those that it lets through are made once.
func TestNoHedgeWhileTheThrottleDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := hedging(after2s())
		policy.Breaker.Disabled = true
		policy.Throttle.Factor = 2
		op := newOperation(t, policy)
		slow := runner{10 * time.Second, nil}
		_, _, _ = raced(t, op, slow, slow)
		hedges := op.Metrics().Hedges
		for range 20 {
			_ = call(t, op, errFull)
		}
		for made := 0; made < 3; {
			if _, _, err := raced(t, op, slow, slow); err == nil {
				made++
			}
		}
		if got := op.Metrics().Hedges; hedges != 1 || got != 1 {
			t.Errorf("%d hedges before and %d in all, want one and no more", hedges, got)
		}
	})
}
