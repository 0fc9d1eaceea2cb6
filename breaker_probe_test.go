package trysail_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// The letters are outcomes of probes, one after the other; the verdict must fall with
// the last one.
func TestR7RatioOverProbesDecides(t *testing.T) {
	type policy = trysail.BreakerPolicy
	failures := func(probes int, rate float64) policy { return policy{HalfOpenMaxCalls: probes, FailureRate: rate} }
	slow := policy{HalfOpenMaxCalls: 3, SlowRate: 0.5, SlowCall: 30 * time.Second, Window: time.Hour}
	both := slow
	both.FailureRate = 0.9
	for name, tc := range map[string]struct {
		policy policy
		probes string
		want   trysail.State
		reason string
	}{
		"half of 3: 2 good":         {failures(3, 0.5), "ss", trysail.Closed, "2 of 2 probes succeeded"},
		"half of 3: 2 bad":          {failures(3, 0.5), "ff", trysail.Open, "2 of 2 probes failed"},
		"half of 3: the last, good": {failures(3, 0.5), "sfs", trysail.Closed, "2 of 3 probes succeeded"},
		"half of 3: the last, bad":  {failures(3, 0.5), "fsf", trysail.Open, "2 of 3 probes failed"},
		"a third of 3: 1 bad":       {failures(3, 1.0/3), "f", trysail.Open, "a probe failed"},
		"a third of 3: 2 good are not enough": {
			failures(3, 1.0/3), "sss", trysail.Closed, "3 of 3 probes succeeded",
		},
		"a third of 3: the last is bad":                {failures(3, 1.0/3), "ssf", trysail.Open, "1 of 3 probes failed"},
		"34 % of 3: 2 good":                            {failures(3, 0.34), "fss", trysail.Closed, "2 of 3 probes succeeded"},
		"67 % of 3: 1 good":                            {failures(3, 0.67), "s", trysail.Closed, "a probe succeeded"},
		"66 % of 3: 2 bad":                             {failures(3, 0.66), "sff", trysail.Open, "2 of 3 probes failed"},
		"all of 3: 1 good":                             {failures(3, 1), "ffs", trysail.Closed, "1 of 3 probes succeeded"},
		"all of 3: 3 bad":                              {failures(3, 1), "fff", trysail.Open, "3 of 3 probes failed"},
		"1 % of 3: 1 bad":                              {failures(3, 0.01), "ssf", trysail.Open, "1 of 3 probes failed"},
		"half of 1: good":                              {failures(1, 0.5), "s", trysail.Closed, "a probe succeeded"},
		"half of 1: bad":                               {failures(1, 0.5), "f", trysail.Open, "a probe failed"},
		"half of 2: 1 bad":                             {failures(2, 0.5), "sf", trysail.Open, "1 of 2 probes failed"},
		"half of 10: 5 bad":                            {failures(10, 0.5), "fsfsfsfsf", trysail.Open, "5 of 9 probes failed"},
		"half of 10: 6 good":                           {failures(10, 0.5), "fsfsfsfsss", trysail.Closed, "6 of 10 probes succeeded"},
		"30 % of 10: 3 bad":                            {failures(10, 0.3), "fff", trysail.Open, "3 of 3 probes failed"},
		"neutral ones decide nothing":                  {failures(3, 0.5), "nnnsnnnfnnns", trysail.Closed, "2 of 3 probes succeeded"},
		"slow ones are bad":                            {slow, "SS", trysail.Open, ""},
		"as long as the limit is good":                 {slow, "ee", trysail.Closed, "2 of 2 probes succeeded"},
		"slow and failed is bad once":                  {slow, "Fss", trysail.Closed, "2 of 3 probes succeeded"},
		"slow or failed, the tighter share of the two": {both, "Sf", trysail.Open, ""},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, rated(tc.policy))
			probing(t, op)
			for i, probe := range tc.probes {
				if s := op.Breaker().Snapshot(); s.State != trysail.HalfOpen || s.Probes != 0 {
					t.Fatalf("before probe %d of %q: Snapshot() = %+v, want half-open", i+1, tc.probes, s)
				}
				calls(t, op, string(probe))
			}
			s := op.Breaker().Snapshot()
			if s.State != tc.want || tc.reason != "" && s.Reason != tc.reason {
				t.Errorf("after %q: %v because of %q, want %v because of %q", tc.probes, s.State, s.Reason, tc.want, tc.reason)
			}
			if s.WindowCalls != 0 {
				t.Errorf("after %q: the window holds %d calls, want none: probes are judged apart", tc.probes, s.WindowCalls)
			}
		})
	}
}

func TestR7WithoutRatesTheFirstProbeDecides(t *testing.T) {
	for letter, want := range map[string]trysail.State{"s": trysail.Closed, "f": trysail.Open} {
		bubble(t, letter, func(t *testing.T) {
			policy := once()
			policy.Breaker.HalfOpenMaxCalls = 3
			op := newOperation(t, policy)
			probing(t, op)
			calls(t, op, letter)
			wantState(t, op, want)
		})
	}
}

// Of any crowd exactly HalfOpenMaxCalls run, also when some have ended already.
func TestR7NeverMoreProbesThanAreJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 50 {
			op := newOperation(t, rated(trysail.BreakerPolicy{HalfOpenMaxCalls: 3, FailureRate: 0.9, RecoveryTimeout: time.Hour}))
			probing(t, op)
			var ran atomic.Int64
			var all sync.WaitGroup
			for range 200 {
				all.Go(func() {
					_, _ = trysail.Do(t.Context(), op, func(context.Context) (int, error) {
						ran.Add(1)
						return 0, errDown
					})
				})
			}
			all.Wait()
			if got := ran.Load(); got != 3 {
				t.Fatalf("%d of 200 calls ran, want 3", got)
			}
			wantState(t, op, trysail.Open)
		}
	})
}

func TestR7PlacesOfProbesUnderRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, rated(trysail.BreakerPolicy{HalfOpenMaxCalls: 3, FailureRate: 1}))
		probing(t, op)
		refused := func(when string) {
			t.Helper()
			if err := call(t, op, nil); !errors.Is(err, trysail.ErrOpen) {
				t.Errorf("%s: Do() = %v, want %v", when, err, trysail.ErrOpen)
			}
		}
		a, b, c := hold(t, op), hold(t, op), hold(t, op)
		refused("three under way")
		_ = a.end(errDown)
		refused("two under way, one judged")
		_ = b.end(errBadRequest)
		d := hold(t, op)
		refused("the place of a neutral one is taken")
		_ = c.end(errDown)
		refused("one under way, two judged")
		_ = d.end(nil)
		wantState(t, op, trysail.Closed)
	})
}

// A probe that outlives its lease is one bad probe. What it says later says nothing, and
// its place, which another has by now, stays that one's.
func TestR7LostProbeCountsOnce(t *testing.T) {
	for name, late := range map[string]error{"success": nil, "failure": errDown, "neutral": errBadRequest} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, rated(trysail.BreakerPolicy{HalfOpenMaxCalls: 3, FailureRate: 0.6}))
			probing(t, op)
			lost := hold(t, op)
			time.Sleep(2*time.Minute - 1)
			if s := op.Breaker().Snapshot(); s.Probes != 1 {
				t.Errorf("Probes before the lease ended = %d, want 1", s.Probes)
			}
			time.Sleep(time.Nanosecond)
			second := hold(t, op)
			if s := op.Breaker().Snapshot(); s.State != trysail.HalfOpen || s.Probes != 1 || s.LastFailure != time.Now().UTC() {
				t.Errorf("Snapshot() = %+v, want half-open with one probe, and a failure now", s)
			}
			_ = lost.end(late)
			if s := op.Breaker().Snapshot(); s.State != trysail.HalfOpen || s.Probes != 1 || s.Stale != 1 {
				t.Errorf("Snapshot() after the lost probe ended = %+v, want half-open with one probe, one stale", s)
			}
			third := hold(t, op)
			if err := call(t, op, nil); !errors.Is(err, trysail.ErrOpen) {
				t.Errorf("a fourth probe of three = %v, want %v", err, trysail.ErrOpen)
			}
			_ = second.end(nil)
			wantState(t, op, trysail.HalfOpen)
			_ = third.end(errDown)
			if s := op.Breaker().Snapshot(); s.State != trysail.Open || s.Reason != "2 of 3 probes failed" {
				t.Errorf("Snapshot() = %+v, want open because 2 of 3 probes failed", s)
			}
		})
	}
}

func TestR7AllProbesLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, rated(trysail.BreakerPolicy{HalfOpenMaxCalls: 3, FailureRate: 0.6, RecoveryTimeout: time.Minute}))
		probing(t, op)
		var lost []*held
		for range 3 {
			lost = append(lost, hold(t, op))
			time.Sleep(time.Second)
		}
		time.Sleep(2*time.Minute - 3*time.Second)
		wantState(t, op, trysail.HalfOpen)
		opened := time.Now().Add(time.Second).UTC() // when the second lease ends
		time.Sleep(time.Minute)                     // and nobody looks
		if s := op.Breaker().Snapshot(); s.State != trysail.Open || s.OpenedAt != opened || s.NextAttemptAt != opened.Add(time.Minute) {
			t.Errorf("Snapshot() = %+v, want open since %v for a minute", s, opened)
		}
		for _, h := range lost {
			_ = h.end(nil)
		}
		if s := op.Breaker().Snapshot(); s.Stale != 3 || s.State != trysail.Open {
			t.Errorf("Snapshot() = %+v, want open with 3 stale", s)
		}
	})
}
