package trysail_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// adaptive is a policy of one attempt with an adaptive bulkhead, whose breaker never opens.
func adaptive(p trysail.BulkheadPolicy) trysail.Policy {
	policy := once()
	policy.Breaker.Disabled = true
	policy.Bulkhead = p
	policy.Bulkhead.Adaptive = true
	return policy
}

func wantLimit(t *testing.T, op *trysail.Operation, want int) {
	t.Helper()
	if s, ok := op.Bulkhead(); !ok || s.Limit != want {
		t.Errorf("Bulkhead() = %+v, %t; want the limit %d", s, ok, want)
	}
}

// round makes n calls at once, which end a second later: a nanosecond apart, so that each finds the places of
// those before it free, whatever the scheduler does.
func round(t *testing.T, op *trysail.Operation, n int, outcome error) {
	t.Helper()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { _ = lasting(t, op, time.Second+time.Duration(i), outcome) })
	}
	all.Wait()
}

func TestAdaptiveLimitGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, adaptive(trysail.BulkheadPolicy{MaxConcurrent: 22}))
		wantLimit(t, op, 20)
		round(t, op, 20, nil) // the last half of those who end find less than half in use
		wantLimit(t, op, 20)
		round(t, op, 20, nil)
		wantLimit(t, op, 21)
		for range 10 {
			round(t, op, 22, nil)
		}
		wantLimit(t, op, 22)
	})
}

// Half of the places in use is enough, and it takes exactly as many successes as there are places;
// those before a cut do not count, not even where it could not take any place away.
func TestAdaptiveLimitCountsSuccesses(t *testing.T) {
	for name, refused := range map[string]bool{"in a row": false, "after a cut": true} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, adaptive(trysail.BulkheadPolicy{MaxConcurrent: 100, MinConcurrent: 20}))
			for range 19 {
				round(t, op, 10, nil) // of which one ends while half of the places are in use
			}
			if refused {
				_ = call(t, op, errFull)
				for range 19 {
					round(t, op, 10, nil)
				}
			}
			wantLimit(t, op, 20)
			round(t, op, 10, nil)
			wantLimit(t, op, 21)
		})
	}
}

// Who does not use half of the places learns nothing about more of them.
func TestAdaptiveLimitStaysWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, adaptive(trysail.BulkheadPolicy{MaxConcurrent: 100}))
		for range 50 {
			round(t, op, 9, nil)
		}
		wantLimit(t, op, 20)
	})
}

func TestAdaptiveLimitFalls(t *testing.T) {
	for name, tc := range map[string]struct {
		outcome error
		want    int
	}{
		"a rate limit":  {trysail.RateLimited(errDown, 0), 14},
		"no capacity":   {trysail.Unavailable(errDown), 14},
		"a fault":       {errDown, 20},
		"a bad request": {errBadRequest, 20},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, adaptive(trysail.BulkheadPolicy{MaxConcurrent: 100}))
			round(t, op, 20, tc.outcome) // twenty signs of one moment are one
			if tc.outcome != nil && tc.want == 20 {
				wantLimit(t, op, 20)
				return
			}
			wantLimit(t, op, tc.want)
			round(t, op, 14, tc.outcome)
			wantLimit(t, op, 9)
			for range 9 {
				round(t, op, 1, tc.outcome)
			}
			wantLimit(t, op, 1)
		})
	}
}

func TestAdaptiveLimitFallsWithTimeLimits(t *testing.T) {
	for name, limit := range map[string]func(*trysail.Policy){
		"of an attempt": func(p *trysail.Policy) { p.Attempt = time.Minute },
		"of the call":   func(p *trysail.Policy) { p.Total = time.Minute },
	} {
		bubble(t, name, func(t *testing.T) {
			policy := adaptive(trysail.BulkheadPolicy{MaxConcurrent: 100, MinConcurrent: 17})
			limit(&policy)
			op := newOperation(t, policy)
			_, _ = trysail.Do(t.Context(), op, func(ctx context.Context) (int, error) { return 0, hang(ctx) })
			wantLimit(t, op, 17)
		})
	}
}

// A caller who leaves says nothing.
func TestAdaptiveLimitIgnoresCallersWhoLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, adaptive(trysail.BulkheadPolicy{MaxConcurrent: 100}))
		leaving(t, op, time.Hour)
		wantLimit(t, op, 20)
	})
}

// A caller with a deadline of a moment says nothing about the load, unless the dependency has said something before.
func TestAdaptiveLimitIgnoresTheDeadlinesOfCallers(t *testing.T) {
	for name, tc := range map[string]struct {
		first error // of an attempt before the one that hangs
		calls int   // that the throttle counts
		limit int
	}{
		"alone":              {nil, 0, 20},
		"after a fault":      {errDown, 1, 20},
		"after a rate limit": {trysail.RateLimited(errDown, 0), 1, 14},
	} {
		bubble(t, name, func(t *testing.T) {
			policy := adaptive(trysail.BulkheadPolicy{MaxConcurrent: 100})
			policy.Retry = trysail.RetryPolicy{Attempts: 2, Backoff: trysail.BackoffNone}
			policy.Throttle.Factor = 2
			op := newOperation(t, policy)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			attempts := 0
			_, err := trysail.Do(ctx, op, func(ctx context.Context) (int, error) {
				if attempts++; attempts == 1 && tc.first != nil {
					return 0, tc.first
				}
				return 0, hang(ctx)
			})
			if s, _ := op.Throttle(); !errors.Is(err, context.DeadlineExceeded) || s.Calls != tc.calls || s.Taken != 0 {
				t.Errorf("Do() = %v with %+v, want the deadline, and %d calls counted that were not taken", err, s, tc.calls)
			}
			wantLimit(t, op, tc.limit)
		})
	}
}

// A call that began before a cut says nothing about the places that there are since.
func TestAdaptiveLimitIsCutOncePerRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, adaptive(trysail.BulkheadPolicy{MaxConcurrent: 100}))
		old := hold(t, op)
		time.Sleep(time.Second)
		_ = call(t, op, errFull)
		wantLimit(t, op, 14)
		time.Sleep(time.Minute)
		_ = old.end(errFull)
		wantLimit(t, op, 14)
		_ = call(t, op, errFull)
		wantLimit(t, op, 9)
	})
}

// A dependency that takes so many calls at once and no more is found, from above and from below.
func TestAdaptiveLimitFindsTheCapacity(t *testing.T) {
	for name, tc := range map[string]struct {
		capacity int64
		refused  float64 // share of the calls, at most: the price of finding out
	}{
		"fewer than at first": {6, 0.3},
		"more":                {60, 0.1},
	} {
		capacity := tc.capacity
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, adaptive(trysail.BulkheadPolicy{MaxConcurrent: 500, MaxQueue: 1000, MaxWait: time.Hour}))
			var running, refused, made atomic.Int64
			ctx, cancel := context.WithTimeout(t.Context(), 40*time.Minute)
			defer cancel()
			var callers sync.WaitGroup
			for range 100 {
				callers.Go(func() {
					for ctx.Err() == nil {
						_, _ = trysail.Do(ctx, op, func(context.Context) (int, error) {
							defer running.Add(-1)
							full := running.Add(1) > capacity
							made.Add(1)
							time.Sleep(time.Second + rand.N(time.Second))
							if full {
								refused.Add(1)
								return 0, errFull
							}
							return 1, nil
						})
					}
				})
			}
			time.Sleep(20 * time.Minute)
			made.Store(0)
			refused.Store(0)
			var sum, n int
			for range 19 * 60 {
				time.Sleep(time.Second)
				s, _ := op.Bulkhead()
				sum, n = sum+s.Limit, n+1
			}
			if mean := float64(sum) / float64(n); mean < 0.7*float64(capacity) || mean > 1.2*float64(capacity) {
				t.Errorf("the limit is %.1f in the mean, want about %d", mean, capacity)
			}
			if share := float64(refused.Load()) / float64(made.Load()); share > tc.refused {
				t.Errorf("%.2f of the calls were refused, want at most %.1f", share, tc.refused)
			}
			cancel()
			callers.Wait()
		})
	}
}

func TestApplyKeepsAnAdaptiveLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc := newOrchestrator(t, trysail.Config{Default: adaptive(trysail.BulkheadPolicy{MaxConcurrent: 100})})
		op := orc.Operation("op")
		_ = call(t, op, errFull)
		wantLimit(t, op, 14)
		apply := func(p trysail.Policy) {
			t.Helper()
			if _, err := orc.Apply(trysail.Config{Default: p}); err != nil {
				t.Fatal(err)
			}
		}
		apply(adaptive(trysail.BulkheadPolicy{MaxConcurrent: 50}))
		wantLimit(t, op, 14)
		apply(adaptive(trysail.BulkheadPolicy{MaxConcurrent: 10}))
		wantLimit(t, op, 10)
		apply(adaptive(trysail.BulkheadPolicy{MaxConcurrent: 40, MinConcurrent: 30}))
		wantLimit(t, op, 30)
		fixed := once()
		fixed.Bulkhead.MaxConcurrent = 7
		apply(fixed)
		wantLimit(t, op, 7)
		_ = call(t, op, errFull)
		wantLimit(t, op, 7)
		apply(adaptive(trysail.BulkheadPolicy{MaxConcurrent: 50, Disabled: true}))
		_ = call(t, op, errFull)
		apply(adaptive(trysail.BulkheadPolicy{MaxConcurrent: 50}))
		wantLimit(t, op, 20)
		apply(fixed)
		apply(adaptive(trysail.BulkheadPolicy{MaxConcurrent: 10}))
		wantLimit(t, op, 10) // the search begins anew, with 20 or what there may be
	})
}

// Successes count for the number of places under which they came.
func TestApplyBeginsARound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc := newOrchestrator(t, trysail.Config{Default: adaptive(trysail.BulkheadPolicy{MaxConcurrent: 100})})
		op := orc.Operation("op")
		round(t, op, 20, nil) // eleven of these count
		for _, most := range []int{5, 100} {
			if _, err := orc.Apply(trysail.Config{Default: adaptive(trysail.BulkheadPolicy{MaxConcurrent: most})}); err != nil {
				t.Fatal(err)
			}
		}
		round(t, op, 5, nil)
		wantLimit(t, op, 5)
		round(t, op, 5, nil)
		wantLimit(t, op, 6)
	})
}

// A search that begins anew needs a whole round for its first place more: the successes of the search before do not count, not even
// when there was the same number of places throughout. Found by bench/model.
func TestAdaptiveSearchBeginsWithARound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc := newOrchestrator(t, trysail.Config{Default: adaptive(trysail.BulkheadPolicy{MaxConcurrent: 20})})
		op := orc.Operation("op")
		round(t, op, 20, nil) // eleven of these count
		fixed := adaptive(trysail.BulkheadPolicy{MaxConcurrent: 20})
		fixed.Bulkhead.Adaptive = false
		for _, policy := range []trysail.Policy{fixed, adaptive(trysail.BulkheadPolicy{MaxConcurrent: 100})} {
			if _, err := orc.Apply(trysail.Config{Default: policy}); err != nil {
				t.Fatal(err)
			}
		}
		round(t, op, 20, nil)
		wantLimit(t, op, 20)
		round(t, op, 20, nil)
		wantLimit(t, op, 21)
	})
}

// What is left of 170 places is 119, although 0.7 as a float is a little less than seven tenths. Found by bench/model.
func TestAdaptiveLimitFallsToSevenTenths(t *testing.T) {
	for before, want := range map[int]int{10: 7, 20: 14, 170: 119, 340: 238, 100_000: 70_000} {
		bubble(t, strconv.Itoa(before), func(t *testing.T) {
			orc := newOrchestrator(t, trysail.Config{Default: adaptive(trysail.BulkheadPolicy{MaxConcurrent: before, MinConcurrent: before})})
			op := orc.Operation("op")
			if _, err := orc.Apply(trysail.Config{Default: adaptive(trysail.BulkheadPolicy{MaxConcurrent: before})}); err != nil {
				t.Fatal(err)
			}
			wantLimit(t, op, before)
			_ = call(t, op, errFull)
			wantLimit(t, op, want)
		})
	}
}

func TestBadAdaptiveBulkhead(t *testing.T) {
	for name, tc := range map[string]struct {
		policy trysail.BulkheadPolicy
		want   string
	}{
		"no bound":             {trysail.BulkheadPolicy{Adaptive: true}, "Bulkhead.MaxConcurrent is 0, want a number, because Adaptive is true"},
		"a floor above":        {trysail.BulkheadPolicy{Adaptive: true, MaxConcurrent: 5, MinConcurrent: 6}, "Bulkhead.MinConcurrent is 6, want 1 to MaxConcurrent, which is 5"},
		"a negative floor":     {trysail.BulkheadPolicy{Adaptive: true, MaxConcurrent: 5, MinConcurrent: -1}, "Bulkhead.MinConcurrent is -1, want 1 to"},
		"a floor that is none": {trysail.BulkheadPolicy{MaxConcurrent: 5, MinConcurrent: 2}, "Bulkhead.MinConcurrent is 2, want Adaptive"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := trysail.New(trysail.Config{Default: trysail.Policy{Bulkhead: tc.policy}}); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("New() = %v, want %q in it", err, tc.want)
			}
		})
	}
}
