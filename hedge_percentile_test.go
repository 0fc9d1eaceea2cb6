package trysail_test

import (
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
