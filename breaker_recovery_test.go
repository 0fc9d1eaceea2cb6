package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// openTime returns for how long from now on the breaker is open.
func openTime(t testing.TB, op *trysail.Operation) time.Duration {
	t.Helper()
	s := op.Breaker().Snapshot()
	if s.State != trysail.Open {
		t.Fatalf("State() = %v, want open", s.State)
	}
	return s.NextAttemptAt.Sub(s.OpenedAt)
}

// reopen waits until probes are let through and fails one.
func reopen(t testing.TB, op *trysail.Operation) {
	t.Helper()
	time.Sleep(time.Until(op.Breaker().Snapshot().NextAttemptAt))
	_ = call(t, op, errDown)
	wantState(t, op, trysail.Open)
}

// recovers waits until probes are let through and lets one succeed.
func recovers(t testing.TB, op *trysail.Operation) {
	t.Helper()
	time.Sleep(time.Until(op.Breaker().Snapshot().NextAttemptAt))
	_ = call(t, op, nil)
	wantState(t, op, trysail.Closed)
}

// breaking is a policy under which each failure opens the breaker.
func breaking(breaker trysail.BreakerPolicy) trysail.Policy {
	policy := once()
	policy.Breaker = breaker
	policy.Breaker.FailureThreshold, policy.Breaker.RecoveryTimeout = 1, time.Minute
	return policy
}

func TestR6OpenTimeGrows(t *testing.T) {
	for name, tc := range map[string]struct {
		most time.Duration
		want []int // in minutes
	}{
		"not without MaxRecovery":                {0, []int{1, 1, 1, 1}},
		"not with a MaxRecovery that is no more": {time.Minute, []int{1, 1, 1, 1}},
		"to a power of two":                      {4 * time.Minute, []int{1, 2, 4, 4, 4}},
		"to what is none":                        {5 * time.Minute, []int{1, 2, 4, 5, 5}},
		"to a day":                               {24 * time.Hour, []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440, 1440}},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, breaking(trysail.BreakerPolicy{MaxRecovery: tc.most}))
			_ = call(t, op, errDown)
			for i, want := range tc.want {
				if got := openTime(t, op).Minutes(); got != float64(want) {
					t.Errorf("open time %d = %v min, want %v", i+1, got, want)
				}
				if s := op.Breaker().Snapshot(); s.Reopens != i+1 {
					t.Errorf("Reopens after opening %d times = %d, want that", i+1, s.Reopens)
				}
				time.Sleep(openTime(t, op) - 1)
				wantState(t, op, trysail.Open)
				time.Sleep(time.Nanosecond)
				reopen(t, op)
			}
		})
	}
}

func TestR6OpenTimeGrowsForAsLongAsItTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, breaking(trysail.BreakerPolicy{MaxRecovery: 5 * time.Minute}))
		_ = call(t, op, errDown)
		for range 200 { // more doublings than a number has bits
			reopen(t, op)
		}
		if got := openTime(t, op); got != 5*time.Minute {
			t.Errorf("the 201st open time = %v, want 5m0s", got)
		}
	})
}

// The open time halves with each RecoveryTimeout for which the breaker was closed.
func TestR6GrowthDecays(t *testing.T) {
	for name, tc := range map[string]struct {
		well time.Duration
		left int // of four
		want time.Duration
	}{
		"not at once":                {0, 4, 16 * time.Minute},
		"not before a minute":        {time.Minute - 1, 4, 16 * time.Minute},
		"by one after a minute":      {time.Minute, 3, 8 * time.Minute},
		"not by two before two":      {2*time.Minute - 1, 3, 8 * time.Minute},
		"by two after two":           {2 * time.Minute, 2, 4 * time.Minute},
		"by all after four":          {4 * time.Minute, 0, time.Minute},
		"by no more after two years": {2 * 365 * 24 * time.Hour, 0, time.Minute},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, breaking(trysail.BreakerPolicy{MaxRecovery: time.Hour}))
			_ = call(t, op, errDown)
			for range 3 {
				reopen(t, op)
			}
			recovers(t, op)
			time.Sleep(tc.well)
			if s := op.Breaker().Snapshot(); s.Reopens != tc.left {
				t.Errorf("Reopens after %v of health = %d, want %d", tc.well, s.Reopens, tc.left)
			}
			_ = call(t, op, errDown)
			if got := openTime(t, op); got != tc.want {
				t.Errorf("open time after %v of health = %v, want %v", tc.well, got, tc.want)
			}
			if s := op.Breaker().Snapshot(); s.Reopens != tc.left+1 {
				t.Errorf("Reopens after opening again = %d, want %d", s.Reopens, tc.left+1)
			}
		})
	}
}

// What has decayed stays so, also when an operator's OpenUntil comes in between.
func TestR6GrowthThatDecayedDoesNotComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, breaking(trysail.BreakerPolicy{MaxRecovery: time.Hour}))
		_ = call(t, op, errDown)
		for range 3 {
			reopen(t, op)
		}
		recovers(t, op)
		time.Sleep(24 * time.Hour)
		op.Breaker().OpenUntil(time.Now().Add(time.Second), "quota")
		if s := op.Breaker().Snapshot(); s.Reopens != 0 {
			t.Errorf("Reopens after a day of health and OpenUntil = %d, want 0", s.Reopens)
		}
		reopen(t, op)
		if got := openTime(t, op); got != time.Minute {
			t.Errorf("open time after a day of health, OpenUntil and a failed probe = %v, want 1m0s", got)
		}
	})
}

func TestR6ResetAndOverridesEndTheGrowth(t *testing.T) {
	for name, lift := range map[string]func(*trysail.Breaker){
		"Reset":     func(b *trysail.Breaker) { b.Reset("test") },
		"Close":     func(b *trysail.Breaker) { b.Close(trysail.Override{}) },
		"ForceOpen": func(b *trysail.Breaker) { b.ForceOpen(trysail.Override{}); b.Close(trysail.Override{}) },
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, breaking(trysail.BreakerPolicy{MaxRecovery: time.Hour}))
			_ = call(t, op, errDown)
			reopen(t, op)
			lift(op.Breaker())
			if s := op.Breaker().Snapshot(); s.Reopens != 0 {
				t.Errorf("Reopens = %d, want 0", s.Reopens)
			}
			_ = call(t, op, errDown)
			if got := openTime(t, op); got != time.Minute {
				t.Errorf("open time = %v, want 1m0s", got)
			}
		})
	}
}

func TestR6JitterIsBounded(t *testing.T) {
	const jitter, n = 0.2, 2000
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, breaking(trysail.BreakerPolicy{RecoveryJitter: jitter, MaxRecovery: 2 * time.Minute}))
		least, most, sum := time.Duration(math.MaxInt64), time.Duration(0), time.Duration(0)
		_ = call(t, op, errDown)
		for range n {
			reopen(t, op) // for two minutes from the second time on
			d := openTime(t, op)
			least, most, sum = min(least, d), max(most, d), sum+d
			wait := time.Until(op.Breaker().Snapshot().NextAttemptAt)
			time.Sleep(wait - 1)
			wantState(t, op, trysail.Open)
		}
		if low, high := 96*time.Second, 144*time.Second; least < low || most > high {
			t.Errorf("open times from %v to %v, want %v to %v", least, most, low, high)
		}
		if low, high := 97*time.Second, 143*time.Second; least > low || most < high {
			t.Errorf("%d open times from %v to %v, want some under %v and some over %v", n, least, most, low, high)
		}
		// The mean of n has a deviation of 48 s/sqrt(12 n), which is 0.31 s: this is six of them.
		if mean := sum / n; mean < 118*time.Second || mean > 122*time.Second {
			t.Errorf("mean open time = %v, want about 2m0s", mean)
		}
	})
}

func TestR6HonorRetryAfter(t *testing.T) {
	for name, tc := range map[string]struct {
		policy trysail.BreakerPolicy
		after  time.Duration
		want   time.Duration
	}{
		"it is a floor":            {trysail.BreakerPolicy{HonorRetryAfter: true}, 90 * time.Second, 90 * time.Second},
		"it does not shorten":      {trysail.BreakerPolicy{HonorRetryAfter: true}, 10 * time.Second, time.Minute},
		"without one":              {trysail.BreakerPolicy{HonorRetryAfter: true}, 0, time.Minute},
		"not unless told to":       {trysail.BreakerPolicy{}, 90 * time.Second, time.Minute},
		"an hour at most":          {trysail.BreakerPolicy{HonorRetryAfter: true}, 100 * 24 * time.Hour, time.Hour},
		"an hour beside less":      {trysail.BreakerPolicy{HonorRetryAfter: true, MaxRecovery: 2 * time.Minute}, 100 * 24 * time.Hour, time.Hour},
		"MaxRecovery where more":   {trysail.BreakerPolicy{HonorRetryAfter: true, MaxRecovery: 24 * time.Hour}, 100 * 24 * time.Hour, 24 * time.Hour},
		"never undercut by jitter": {trysail.BreakerPolicy{HonorRetryAfter: true, RecoveryJitter: 0.5}, 95 * time.Second, 95 * time.Second},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, breaking(tc.policy))
			_ = call(t, op, trysail.RateLimited(errDown, tc.after))
			if got := openTime(t, op); got != tc.want {
				t.Errorf("open time after a hint of %v = %v, want %v", tc.after, got, tc.want)
			}
			time.Sleep(tc.want - 1)
			wantState(t, op, trysail.Open)
			time.Sleep(time.Nanosecond)
			_ = call(t, op, trysail.RateLimited(errDown, tc.after)) // a probe's hint counts as well
			if got := openTime(t, op); tc.policy.MaxRecovery == 0 && got != tc.want {
				t.Errorf("open time after a probe's hint of %v = %v, want %v", tc.after, got, tc.want)
			}
		})
	}
}

// The hint of the failure that meets a rate counts, too; one of an earlier failure does not.
func TestR6HonorRetryAfterUnderARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, rated(trysail.BreakerPolicy{FailureRate: 1, MinCalls: 2, HonorRetryAfter: true}))
		_ = call(t, op, trysail.RateLimited(errDown, 30*time.Minute))
		_ = call(t, op, trysail.RateLimited(errDown, 20*time.Minute))
		if got := openTime(t, op); got != 20*time.Minute {
			t.Errorf("open time = %v, want 20m0s", got)
		}
	})
}

func TestOpenUntil(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(*testing.T, *trysail.Operation)
		until   time.Duration
		was     trysail.State
		want    time.Duration // 0: nothing changes
	}{
		"closed":            {nothing, time.Hour, trysail.Closed, time.Hour},
		"a nanosecond":      {nothing, 1, trysail.Closed, 1},
		"now":               {nothing, 0, trysail.Closed, 0},
		"in the past":       {nothing, -time.Hour, trysail.Closed, 0},
		"31 days":           {nothing, 31 * 24 * time.Hour, trysail.Closed, 31 * 24 * time.Hour},
		"longer":            {nothing, 31*24*time.Hour + 1, trysail.Closed, 31 * 24 * time.Hour},
		"for ever":          {nothing, math.MaxInt64, trysail.Closed, 31 * 24 * time.Hour},
		"open":              {trips, time.Hour, trysail.Open, time.Hour},
		"open, in the past": {trips, -1, trysail.Open, 0},
		"half-open":         {halfOpens, time.Hour, trysail.HalfOpen, time.Hour},
		"forced open": {
			func(_ *testing.T, op *trysail.Operation) { op.Breaker().ForceOpen(trysail.Override{}) },
			time.Hour, trysail.ForcedOpen, 0,
		},
		"disabled": {
			func(_ *testing.T, op *trysail.Operation) { op.Breaker().Disable(trysail.Override{}) },
			time.Hour, trysail.Disabled, 0,
		},
		"metrics only": {
			func(_ *testing.T, op *trysail.Operation) { op.Breaker().MetricsOnly(trysail.Override{}) },
			time.Hour, trysail.MetricsOnly, 0,
		},
	} {
		bubble(t, name, func(t *testing.T) {
			op, r := observed(t, once())
			time.Sleep(time.Second)
			tc.prepare(t, op)
			before, opens, told := op.Breaker().Snapshot(), op.Metrics().Opens, len(r.heard())
			if got := op.Breaker().OpenUntil(time.Now().Add(tc.until), "quota is used up"); got != tc.was {
				t.Errorf("OpenUntil() = %v, want %v", got, tc.was)
			}
			if tc.want == 0 {
				if got := op.Breaker().Snapshot(); got != before || len(r.heard()) != told {
					t.Errorf("Snapshot() = %+v, want %+v", got, before)
				}
				return
			}
			now := time.Now().UTC()
			want := before
			want.State, want.Reason, want.Generation = trysail.Open, "quota is used up", before.Generation+1
			want.OpenedAt, want.NextAttemptAt = now, now.Add(tc.want)
			if got := op.Breaker().Snapshot(); got != want || op.Metrics().Opens != opens+1 {
				t.Errorf("Snapshot() = %+v, want %+v", got, want)
			}
			if e := r.heard()[told]; e.From != tc.was || e.To != trysail.Open || e.Reason != "quota is used up" {
				t.Errorf("event %+v, want %v to open because quota is used up", e, tc.was)
			}
			time.Sleep(tc.want - 1)
			wantState(t, op, trysail.Open)
			time.Sleep(time.Nanosecond)
			if heard := r.heard(); heard[len(heard)-1].To != trysail.HalfOpen {
				t.Errorf("events %+v, want the last one half-open, without a look", heard)
			}
			_ = call(t, op, nil)
			wantState(t, op, trysail.Closed)
		})
	}
}

func nothing(*testing.T, *trysail.Operation)        {}
func trips(t *testing.T, op *trysail.Operation)     { trip(t, op) }
func halfOpens(t *testing.T, op *trysail.Operation) { halfOpen(t, op) }

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

func TestR8RampLetsMoreAndMoreThrough(t *testing.T) {
	const n = 20_000
	for name, tc := range map[string]struct {
		after time.Duration
		want  float64
	}{
		"when it has just closed": {0, 0.1},
		"after a tenth":           {6 * time.Second, 0.19},
		"half way":                {30 * time.Second, 0.55},
		"shortly before the end":  {59 * time.Second, 0.985},
		"at the end":              {time.Minute, 1},
		"an hour later":           {time.Hour, 1},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, breaking(trysail.BreakerPolicy{RampUp: time.Minute}))
			_ = call(t, op, errDown)
			recovers(t, op)
			time.Sleep(tc.after)
			through := 0
			for range n {
				switch err := call(t, op, nil); {
				case err == nil:
					through++
				case !errors.Is(err, trysail.ErrOpen):
					t.Fatalf("Do() = %v, want success or %v", err, trysail.ErrOpen)
				}
			}
			got, bound := float64(through)/n, 6*math.Sqrt(tc.want*(1-tc.want)/n) // six deviations
			if math.Abs(got-tc.want) > bound {
				t.Errorf("%v after the close %.4f of the calls came through, want %.4f ± %.4f", tc.after, got, tc.want, bound)
			}
			wantState(t, op, trysail.Closed)
		})
	}
}

func TestR8RampEndsForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, breaking(trysail.BreakerPolicy{RampUp: time.Minute}))
		_ = call(t, op, errDown)
		recovers(t, op)
		_ = call(t, op, nil)
		time.Sleep(time.Minute)
		for range 1000 {
			if err := call(t, op, nil); err != nil {
				t.Fatalf("Do() after the ramp = %v, want success", err)
			}
		}
	})
}

func TestR8NoRampUnlessClosedByARule(t *testing.T) {
	for name, closes := range map[string]func(*testing.T, *trysail.Operation){
		"new":              nothing,
		"Reset":            func(t *testing.T, op *trysail.Operation) { trip(t, op); op.Breaker().Reset("test") },
		"Close":            func(t *testing.T, op *trysail.Operation) { trip(t, op); op.Breaker().Close(trysail.Override{}) },
		"Reset, half-open": func(t *testing.T, op *trysail.Operation) { halfOpen(t, op); op.Breaker().Reset("test") },
		"Close, half-open": func(t *testing.T, op *trysail.Operation) { halfOpen(t, op); op.Breaker().Close(trysail.Override{}) },
		"an override that ends": func(t *testing.T, op *trysail.Operation) {
			halfOpen(t, op)
			op.Breaker().ForceOpen(trysail.Override{For: time.Minute})
			time.Sleep(time.Minute)
		},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, breaking(trysail.BreakerPolicy{RampUp: time.Hour}))
			closes(t, op)
			for i := range 200 {
				if err := call(t, op, nil); err != nil {
					t.Fatalf("call %d = %v, want success", i+1, err)
				}
			}
		})
	}
}

// A failure during the ramp opens as ever, and the next close begins a ramp of its own.
func TestR8RampBeginsAnewWithEachClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, breaking(trysail.BreakerPolicy{RampUp: time.Hour}))
		_ = call(t, op, errDown)
		for range 3 {
			recovers(t, op)
			refused := 0
			for range 200 {
				if call(t, op, nil) != nil {
					refused++
				}
			}
			if refused < 100 {
				t.Errorf("%d of 200 calls were refused right after the close, want most", refused)
			}
			for op.Breaker().State() == trysail.Closed {
				_ = call(t, op, errDown)
			}
		}
	})
}

func TestR8RampUnderNewNumbers(t *testing.T) {
	for name, tc := range map[string]struct {
		rampUp time.Duration
		all    bool
	}{"kept": {time.Hour, false}, "switched off": {0, true}, "shorter than what has passed": {time.Second, true}} {
		bubble(t, name, func(t *testing.T) {
			orc := newOrchestrator(t, trysail.Config{Default: once()})
			policy := breaking(trysail.BreakerPolicy{RampUp: time.Hour}).Breaker
			register(t, orc, policy)
			op := orc.Operation("op")
			_ = call(t, op, errDown)
			recovers(t, op)
			time.Sleep(time.Minute)
			policy.RampUp = tc.rampUp
			register(t, orc, policy)
			through := 0
			for range 200 {
				if call(t, op, nil) == nil {
					through++
				}
			}
			if got := through == 200; got != tc.all {
				t.Errorf("%d of 200 calls came through, want all: %v", through, tc.all)
			}
		})
	}
}

// Without a breaker that lets fewer through, whoever comes first would get it all. The
// share must be spread over callers and time: no long run of refusals or admissions.
func TestR8RampIsSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, breaking(trysail.BreakerPolicy{RampUp: time.Hour}))
		_ = call(t, op, errDown)
		recovers(t, op)
		time.Sleep(26*time.Minute + 40*time.Second) // a half comes through
		var runs strings.Builder
		for range 2000 {
			fmt.Fprintf(&runs, "%d", map[bool]int{true: 1}[call(t, op, nil) == nil])
		}
		for _, run := range []string{strings.Repeat("0", 40), strings.Repeat("1", 40)} { // 2 in 10^9 each
			if strings.Contains(runs.String(), run) {
				t.Errorf("40 calls in a row had the same luck: %s", runs.String())
			}
		}
	})
}
