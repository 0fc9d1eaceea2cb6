package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// budgeted is a policy without a breaker, so that the budget alone decides.
func budgeted(t testing.TB, cfg trysail.RetryBudgetConfig) trysail.Policy {
	t.Helper()
	budget, err := trysail.NewRetryBudget(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return trysail.Policy{
		Retry:   trysail.RetryPolicy{Backoff: trysail.BackoffNone, Budget: budget},
		Breaker: trysail.BreakerPolicy{Disabled: true},
	}
}

func TestAttemptsOfAClass(t *testing.T) {
	limited := trysail.RateLimited(errors.New("429"), 0)
	for name, tc := range map[string]struct {
		outcomes []error // the last one is that of all later attempts
		want     int
	}{
		"fewer":                       {[]error{errBusy}, 2},
		"more":                        {[]error{limited}, 5},
		"as the policy says":          {[]error{errDown}, 3},
		"the newest failure decides":  {[]error{errDown, errBusy}, 2},
		"all attempts count":          {[]error{limited, limited, limited, errDown}, 4},
		"a second class may go on":    {[]error{errBusy, limited}, 5},
		"a class that is not retried": {[]error{errBadRequest}, 1},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{Classes: trysail.ClassRetries{
				trysail.ClassOverloaded:  {Attempts: 2},
				trysail.ClassRateLimited: {Attempts: 5},
				trysail.ClassPermanent:   {Attempts: 5},
			}}})
			n, _, _ := attempts(t.Context(), op, func(attempt int) error {
				return tc.outcomes[min(attempt, len(tc.outcomes))-1]
			})
			if n != tc.want {
				t.Errorf("Do() made %d attempts, want %d", n, tc.want)
			}
		})
	}
}

// What the formulas remember lasts for a call, and no longer.
func TestWaitsAreRememberedWithinACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, trysail.Policy{
			Retry: trysail.RetryPolicy{
				Backoff: trysail.BackoffDecorrelated, Attempts: 20, DelayBudget: time.Hour, Base: time.Second, MaxDelay: time.Minute,
			},
			Breaker: trysail.BreakerPolicy{Disabled: true},
		})
		var longest time.Duration
		for range 50 {
			got := waits(t, op, errDown)
			longest = max(longest, slices.Max(got))
			for i, before := range append([]time.Duration{time.Second}, got...)[:len(got)] {
				if got[i] < time.Second || got[i] > min(3*before, time.Minute) {
					t.Fatalf("wait %d = %v after %v, want 1s to three times that", i+1, got[i], before)
				}
			}
		}
		if longest < 30*time.Second {
			t.Errorf("longest of 950 waits = %v, want them to grow", longest)
		}
	})
}

func TestBudgetDeniesRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := budgeted(t, trysail.RetryBudgetConfig{})
		policy.Retry.Attempts = 20
		op, r := observed(t, policy)
		n, took, err := attempts(t.Context(), op, always(trysail.RateLimited(errDown, time.Second)))
		if n != 13 || took < 12*time.Second {
			t.Errorf("Do() made %d attempts in %v, want 13 in at least 12s: the floor is 0.2/s for a minute", n, took)
		}
		wantError(t, err, trysail.Error{
			Operation: "op", Class: trysail.ClassRateLimited, Attempts: 13, RetryAfter: time.Second,
		}, errDown)
		if !errors.Is(err, trysail.ErrBudget) {
			t.Errorf("Do() = %v, want one that is %v too", err, trysail.ErrBudget)
		}
		start := time.Now()
		if err := call(t, op, errDown); !errors.Is(err, trysail.ErrBudget) || time.Since(start) != 0 {
			t.Errorf("Do() = %v after %v, want %v at once", err, time.Since(start), trysail.ErrBudget)
		}
		if got := len(r.heard()); got != 12 {
			t.Errorf("%d events, want 12: a retry that is not made is not announced", got)
		}
		if s := policy.Retry.Budget.Snapshot(); s.Calls != 2 || s.Retries != 12 || s.DeniedByCount != 2 {
			t.Errorf("Snapshot() = %+v, want 2 calls, 12 retries and 2 denials", s)
		}
	})
}

// Nothing is asked of the budget when there would be no retry anyway, and a
// success or a permanent error has nothing to do with it.
func TestBudgetIsAskedLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := budgeted(t, trysail.RetryBudgetConfig{})
		op := newOperation(t, policy)
		for _, outcome := range []error{nil, errBadRequest, trysail.Committed(errDown), trysail.RateLimited(errDown, time.Hour)} {
			if err := call(t, op, outcome); errors.Is(err, trysail.ErrBudget) {
				t.Errorf("Do() = %v, want no %v", err, trysail.ErrBudget)
			}
		}
		if s := policy.Retry.Budget.Snapshot(); s.Calls != 4 || s.Retries != 0 || s.DeniedByCount != 0 {
			t.Errorf("Snapshot() = %+v, want 4 calls and nothing else", s)
		}
	})
}

func TestBudgetIsGivenBackWhenTheCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := budgeted(t, trysail.RetryBudgetConfig{})
		op := newOperation(t, policy)
		for range 50 {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			_, _, err := attempts(ctx, op, always(trysail.RateLimited(errDown, 2*time.Second)))
			if errors.Is(err, trysail.ErrBudget) {
				t.Fatalf("Do() = %v, want no %v", err, trysail.ErrBudget)
			}
		}
		if s := policy.Retry.Budget.Snapshot(); s.Retries != 0 {
			t.Errorf("Snapshot() = %+v, want no retries", s)
		}
	})
}

func TestBudgetCountsNoRefusedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := budgeted(t, trysail.RetryBudgetConfig{})
		policy.Breaker = trysail.BreakerPolicy{}
		op := newOperation(t, policy)
		trip(t, op)
		before := policy.Retry.Budget.Snapshot().Calls
		for range 100 {
			_ = call(t, op, nil)
		}
		if got := policy.Retry.Budget.Snapshot().Calls; got != before {
			t.Errorf("calls = %d after 100 refusals, want %d", got, before)
		}
	})
}

func TestBudgetOfCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := budgeted(t, trysail.RetryBudgetConfig{Floor: 1000})
		policy.Retry.Cost, policy.Retry.Attempts = 10, 20
		op := newOperation(t, policy)
		if err := call(t, op, errDown); !errors.Is(err, trysail.ErrBudget) {
			t.Errorf("Do() before any success = %v, want %v", err, trysail.ErrBudget)
		}
		for range 30 {
			_ = call(t, op, nil)
		}
		if n, _, err := attempts(t.Context(), op, always(errDown)); n != 4 || !errors.Is(err, trysail.ErrBudget) {
			t.Errorf("Do() = %v after %d attempts, want %v after 4: three are a tenth of 30", err, n, trysail.ErrBudget)
		}
	})
}

// TestBudgetBoundsAnOutage lets everything fail, for callers of two
// orchestrators that share a budget: an hour of attempts at every pace.
func TestBudgetBoundsAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := budgeted(t, trysail.RetryBudgetConfig{})
		policy.Retry.Backoff, policy.Retry.Attempts, policy.Retry.DelayBudget = trysail.BackoffFullJitter, 7, time.Hour
		first := newOperation(t, policy)
		time.Sleep(time.Hour)
		ops := []*trysail.Operation{first, newOperation(t, policy)}
		start := time.Now()
		var calls, tries atomic.Int64
		var wg sync.WaitGroup
		for id := range uint64(40) {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(id, 2))
				for time.Since(start) < 20*time.Minute {
					calls.Add(1)
					_, _, _ = attempts(t.Context(), ops[id%2], func(int) error {
						tries.Add(1)
						time.Sleep(time.Duration(r.Int64N(int64(time.Second))))
						if r.IntN(20) == 0 {
							return nil
						}
						return errDown
					})
					time.Sleep(time.Duration(r.Int64N(int64(20 * time.Second))))
				}
			})
		}
		wg.Wait()
		retries := float64(tries.Load() - calls.Load())
		most := 0.1*float64(calls.Load()) + 0.2*time.Since(start).Seconds() + 12
		if retries > most || retries < most*8/10 {
			t.Errorf("%v retries for %d calls in %v, want at most %v, and most of them", retries, calls.Load(), time.Since(start), most)
		}
	})
}

// One budget for everything that goes to a provider keeps retries from
// multiplying its load in an outage, however many operations there are.
func ExampleRetryBudget() {
	budget, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{Share: 0.1, Floor: 0.05})
	if err != nil {
		fmt.Println(err)
		return
	}
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{
		Retry:   trysail.RetryPolicy{Backoff: trysail.BackoffNone, Budget: budget},
		Breaker: trysail.BreakerPolicy{Disabled: true},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	down := func(context.Context) (string, error) { return "", errors.New("connection refused") }
	for range 100 {
		_, err = trysail.Do(context.Background(), orc.Operation("summarize"), down)
	}
	fmt.Println(err)
	fmt.Println(errors.Is(err, trysail.ErrBudget), budget.Snapshot().Retries, "retries for 100 calls")
	// Output:
	// operation "summarize": transient after 2 attempts: connection refused (then retry budget is used up)
	// true 13 retries for 100 calls
}
