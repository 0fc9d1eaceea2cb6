package trysail_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// waits makes a call that fails until the attempts run out and returns the waits
// between them. It works in a bubble only, where nothing else takes time.
func waits(t *testing.T, op *trysail.Operation, outcome error) []time.Duration {
	t.Helper()
	var all []time.Duration
	last := time.Now()
	_, _, err := attempts(t.Context(), op, func(attempt int) error {
		if attempt > 1 {
			all = append(all, time.Since(last))
		}
		last = time.Now()
		return outcome
	})
	if !errors.Is(err, outcome) {
		t.Errorf("Do() = %v, want %v", err, outcome)
	}
	return all
}

func seconds(s ...float64) []time.Duration {
	var all []time.Duration
	for _, n := range s {
		all = append(all, time.Duration(n*float64(time.Second)))
	}
	return all
}

// production and development are the numbers of those presets; those of
// "simple" are the default.
func production() trysail.Policy {
	return trysail.Policy{
		Retry: trysail.RetryPolicy{
			Attempts: 5, DelayBudget: 100 * time.Second, Base: 1500 * time.Millisecond,
			MinDelay: 2 * time.Second, MaxDelay: 30 * time.Second, Jitter: 2 * time.Second,
		},
		Breaker: trysail.BreakerPolicy{FailureThreshold: 10, RecoveryTimeout: 120 * time.Second},
	}
}

func development() trysail.Policy {
	return trysail.Policy{
		Retry: trysail.RetryPolicy{
			Attempts: 2, DelayBudget: 40 * time.Second, Base: 500 * time.Millisecond,
			MinDelay: time.Second, MaxDelay: 5 * time.Second, Jitter: 2 * time.Second,
		},
		Breaker: trysail.BreakerPolicy{FailureThreshold: 3, RecoveryTimeout: 30 * time.Second},
	}
}

// numbers are the policies of all strategies and presets, with their waits.
func numbers() map[string]struct {
	policy trysail.Policy
	want   []time.Duration
} {
	return map[string]struct {
		policy trysail.Policy
		want   []time.Duration
	}{
		"aggressive":   {trysail.Aggressive.Policy(), seconds(1)},
		"balanced":     {trysail.Balanced.Policy(), seconds(2, 2)},
		"conservative": {trysail.Conservative.Policy(), seconds(4, 4, 8, 16)},
		"critical":     {trysail.Critical.Policy(), seconds(3, 3, 6, 12, 24, 48)},
		"simple":       {trysail.Policy{}, seconds(2, 2)},
		"development":  {development(), seconds(1)},
		"production":   {production(), seconds(2, 3, 6, 12)},
	}
}

func TestWaitsWithoutJitter(t *testing.T) {
	for name, tc := range numbers() {
		bubble(t, name, func(t *testing.T) {
			policy := tc.policy
			policy.Retry.NoJitter = true
			op := newOperation(t, policy)
			if got := waits(t, op, errDown); !slices.Equal(got, tc.want) {
				t.Errorf("waits = %v, want %v", got, tc.want)
			}
			if m := op.Metrics(); m.Calls != 1 || m.Retries != uint64(len(tc.want)) {
				t.Errorf("Metrics() = %+v, want one call with %d retries", m, len(tc.want))
			}
			if s := op.Breaker().Snapshot(); s.Failures != 1 {
				t.Errorf("Snapshot().Failures = %d, want 1: a call counts once", s.Failures)
			}
		})
	}
}

// Jitter comes after the clamp: a wait is at least the base and may exceed
// MaxDelay by Jitter.
func TestJitterIsAddedAfterTheClamp(t *testing.T) {
	for name, tc := range numbers() {
		bubble(t, name, func(t *testing.T) {
			policy := tc.policy
			policy.Breaker.Disabled = true
			policy.Retry.DelayBudget = time.Hour
			op := newOperation(t, policy)
			jitter := op.Policy().Retry.Jitter
			var least, most time.Duration = jitter, 0
			for range 300 {
				got := waits(t, op, errDown)
				if len(got) != len(tc.want) {
					t.Fatalf("%d waits, want %d", len(got), len(tc.want))
				}
				for i, base := range tc.want {
					if got[i] < base || got[i] > base+jitter {
						t.Fatalf("wait %d = %v, want %v to %v", i+1, got[i], base, base+jitter)
					}
					least, most = min(least, got[i]-base), max(most, got[i]-base)
				}
			}
			// The chance that 300 draws miss a tenth at one end is below 10^-13.
			if least > jitter/10 || most < jitter*9/10 {
				t.Errorf("jitter went from %v to %v, want it spread over 0s to %v", least, most, jitter)
			}
		})
	}
}

func TestJitterMayExceedMaxDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := once()
		policy.Retry = trysail.RetryPolicy{
			Attempts: 20, DelayBudget: time.Hour, Base: 10 * time.Second, MaxDelay: 10 * time.Second, Jitter: 2 * time.Second,
		}
		if got := slices.Max(waits(t, newOperation(t, policy), errDown)); got <= 10*time.Second || got > 12*time.Second {
			t.Errorf("longest wait = %v, want more than 10s and at most 12s", got)
		}
	})
}

func TestDelayBudget(t *testing.T) {
	for name, tc := range map[string]struct {
		budget time.Duration
		want   []time.Duration
	}{
		"exactly enough for all":            {32 * time.Second, seconds(4, 4, 8, 16)},
		"one nanosecond short of the last":  {32*time.Second - 1, seconds(4, 4, 8)},
		"exactly enough for the first":      {4 * time.Second, seconds(4)},
		"one nanosecond short of the first": {4*time.Second - 1, nil},
	} {
		bubble(t, name, func(t *testing.T) {
			policy := trysail.Conservative.Policy()
			policy.Retry.NoJitter, policy.Retry.DelayBudget = true, tc.budget
			op := newOperation(t, policy)
			start := time.Now()
			if got := waits(t, op, errDown); !slices.Equal(got, tc.want) {
				t.Errorf("waits under a budget of %v = %v, want %v", tc.budget, got, tc.want)
			}
			if took := time.Since(start); took > tc.budget {
				t.Errorf("Do() waited %v under a budget of %v", took, tc.budget)
			}
		})
	}
}

// The budget is for waits: time that the function itself takes is its own.
func TestDelayBudgetDoesNotCountTheFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := trysail.Policy{Retry: trysail.RetryPolicy{NoJitter: true, DelayBudget: 4 * time.Second}}
		n, took, _ := attempts(t.Context(), newOperation(t, policy), func(int) error {
			time.Sleep(time.Minute)
			return errDown
		})
		if n != 3 || took != 184*time.Second {
			t.Errorf("Do() made %d attempts in %v, want 3 in 3m4s", n, took)
		}
	})
}

func TestBackoffNoneRepeatsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone, Attempts: 4}})
		if got, want := waits(t, op, errDown), seconds(0, 0, 0); !slices.Equal(got, want) {
			t.Errorf("waits = %v, want %v", got, want)
		}
	})
}

func TestSuccessAfterFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, trysail.Policy{})
		n := 0
		got, err := trysail.Do(t.Context(), op, func(context.Context) (string, error) {
			if n++; n < 3 {
				return "", errDown
			}
			return "answer", nil
		})
		if got != "answer" || err != nil {
			t.Errorf("Do() = %q, %v; want the answer", got, err)
		}
		if m := op.Metrics(); m.Succeeded != 1 || m.Failed != 0 || m.Retries != 2 {
			t.Errorf("Metrics() = %+v, want one success with two retries", m)
		}
		if s := op.Breaker().Snapshot(); s.Failures != 0 {
			t.Errorf("Snapshot().Failures = %d, want 0", s.Failures)
		}
	})
}

func TestValueOfTheLastAttemptComesBesideTheError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		got, err := trysail.Do(t.Context(), newOperation(t, trysail.Policy{}), func(context.Context) (int, error) {
			n++
			return n, errDown
		})
		if got != 3 || !errors.Is(err, errDown) {
			t.Errorf("Do() = %d, %v; want 3 and %v", got, err, errDown)
		}
	})
}
