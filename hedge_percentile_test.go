package trysail_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// percentile is a policy that hedges what takes longer than 95 of 100 attempts, with a budget that
// allows it.
func percentile(t *testing.T, p trysail.HedgePolicy) trysail.Policy {
	t.Helper()
	p.Percentile = 0.95
	policy := hedging(p)
	var err error
	if policy.Retry.Budget, err = trysail.NewRetryBudget(trysail.RetryBudgetConfig{Share: 1, Floor: 1000}); err != nil {
		t.Fatal(err)
	}
	return policy
}

// wantHedgeAfter finds when a slow call is hedged: never too early, and at most 5 % late.
func wantHedgeAfter(t *testing.T, op *trysail.Operation, want time.Duration) {
	t.Helper()
	_, took, err := raced(t, op, runner{time.Hour, nil}, runner{0, nil})
	if off := float64(took-want) / float64(want); err != nil || off < 0 || off > 0.05 {
		t.Errorf("hedged after %v (%v), want %v", took, err, want)
	}
}

func TestHedgeAfterAPercentile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, percentile(t, trysail.HedgePolicy{}))
		for i := range 400 { // 10 ms to 1 s, in no order
			if _, _, err := raced(t, op, runner{time.Duration(i*37%100+1) * 10 * time.Millisecond, nil}); err != nil {
				t.Fatal(err)
			}
		}
		wantHedgeAfter(t, op, 950*time.Millisecond)
	})
}

func TestNoHedgeBeforeEnoughIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, percentile(t, trysail.HedgePolicy{}))
		for i := range 20 {
			if _, took, _ := raced(t, op, runner{10 * time.Second, nil}); took != 10*time.Second {
				t.Fatalf("call %d took %v, want 10s", i, took)
			}
		}
		wantHedgeAfter(t, op, 10*time.Second)
	})
}

func TestHedgeAfterAtLeast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, percentile(t, trysail.HedgePolicy{After: 3 * time.Second}))
		for range 40 {
			_, _, _ = raced(t, op, runner{time.Second, nil})
		}
		wantHedgeAfter(t, op, 3*time.Second)
	})
}

// The slow attempts that were overtaken are a part of what is measured: if they were left out,
// the percentile would sink with every hedge.
func TestHedgesDoNotLowerThePercentile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, percentile(t, trysail.HedgePolicy{}))
		for i := range 2000 {
			takes := time.Duration(i*37%100+1) * 10 * time.Millisecond
			_, _, _ = raced(t, op, runner{takes, nil}, runner{0, nil})
		}
		if m := op.Metrics(); m.Hedges < 15 || m.Hedges > 110 {
			t.Errorf("%d of 2000 calls were hedged, want about the slowest twentieth", m.Hedges)
		}
	})
}

// A dependency that has become faster, or slower, is one that was never different.
func TestHedgeForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, percentile(t, trysail.HedgePolicy{}))
		for range 1000 {
			_, _, _ = raced(t, op, runner{10 * time.Second, nil}, runner{time.Hour, nil})
		}
		wantHedgeAfter(t, op, 10*time.Second)
		for range 1000 {
			_, _, _ = raced(t, op, runner{time.Second, nil})
		}
		wantHedgeAfter(t, op, time.Second)
		time.Sleep(20 * time.Minute) // what is older than that is worth nothing
		if _, took, _ := raced(t, op, runner{time.Minute, nil}); took != time.Minute {
			t.Errorf("after a silence a call took %v, want no hedge", took)
		}
	})
}

func TestApplyChangesHedges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc := newOrchestrator(t, trysail.Config{Default: percentile(t, trysail.HedgePolicy{})})
		op := orc.Operation("op")
		for i := range 400 {
			_, _, _ = raced(t, op, runner{time.Duration(i*37%100+1) * 10 * time.Millisecond, nil})
		}
		next := percentile(t, trysail.HedgePolicy{})
		next.Hedge.Percentile = 0.5
		if _, err := orc.Apply(trysail.Config{Default: next}); err != nil {
			t.Fatal(err)
		}
		wantHedgeAfter(t, op, 500*time.Millisecond)
		if _, err := orc.Apply(trysail.Config{Default: once()}); err != nil {
			t.Fatal(err)
		}
		if _, took, _ := raced(t, op, runner{time.Minute, nil}); took != time.Minute {
			t.Errorf("without hedging a call took %v, want 1m0s", took)
		}
	})
}

// What a time limit cut off was at least that slow. Without it nothing would be left but the fast ones.
func TestPercentileCountsWhatWasCutOff(t *testing.T) {
	for name, tc := range map[string]struct {
		attempt, caller time.Duration // limits; 0 for none
		want            time.Duration // hedged after; 0 for not at all
	}{
		"by the limit of an attempt":         {attempt: 10 * time.Second}, // the percentile is that limit
		"by a caller who waited long enough": {caller: 10 * time.Second, want: 10 * time.Second},
		"by an impatient caller":             {caller: 500 * time.Millisecond, want: time.Second},
	} {
		bubble(t, name, func(t *testing.T) {
			policy := percentile(t, trysail.HedgePolicy{})
			policy.Attempt = tc.attempt
			policy.Breaker.Disabled = true
			op := newOperation(t, policy)
			for range 400 {
				_, _, _ = raced(t, op, runner{time.Second, nil})
			}
			for range 60 { // more than one of twenty hangs; its hedges do so, too
				ctx, cancel := context.WithCancel(t.Context())
				if tc.caller > 0 {
					ctx, cancel = context.WithTimeout(t.Context(), tc.caller)
				}
				_, err := trysail.Do(ctx, op, trysail.Hedged(op, func(ctx context.Context) (int, error) { return 0, hang(ctx) }))
				if err == nil {
					t.Fatal("a call that hangs succeeds")
				}
				cancel()
			}
			if tc.want > 0 {
				wantHedgeAfter(t, op, tc.want)
				return
			}
			before := op.Metrics().Hedges
			if _, _, err := raced(t, op, runner{time.Hour, nil}, runner{0, nil}); !errors.Is(err, trysail.ErrAttemptTimeout) || op.Metrics().Hedges != before {
				t.Errorf("raced() = %v with %d hedges, want none: the limit comes first", err, op.Metrics().Hedges-before)
			}
		})
	}
}

// That counts from the beginning on, when nothing is known yet that could be slower than anything.
func TestPercentileOfAttemptsThatAreCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := percentile(t, trysail.HedgePolicy{})
		policy.Attempt = 10 * time.Second
		policy.Breaker.Disabled = true
		op := newOperation(t, policy)
		for range 50 {
			_, _, _ = raced(t, op, runner{time.Hour, nil})
		}
		for range 20 {
			_, _, _ = raced(t, op, runner{time.Second, nil})
		}
		if _, _, err := raced(t, op, runner{time.Hour, nil}, runner{0, nil}); !errors.Is(err, trysail.ErrAttemptTimeout) {
			t.Errorf("raced() = %v with %d hedges, want none: most attempts take as long as they may", err, op.Metrics().Hedges)
		}
	})
}
