package trysail_test

import (
	"math"
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
		"open for longer":   {trips, 30 * time.Second, trysail.Open, 0},
		"open for as long":  {trips, time.Minute, trysail.Open, 0},
		"open for less":     {trips, time.Minute + 1, trysail.Open, time.Minute + 1},
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
