package trysail_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

func TestRetriesByContext(t *testing.T) {
	for name, tc := range map[string]struct {
		under func(context.Context) context.Context
		want  int
	}{
		"the policy's own": {func(ctx context.Context) context.Context { return ctx }, 3},
		"fewer":            {func(ctx context.Context) context.Context { return trysail.WithAttempts(ctx, 2) }, 2},
		"none":             {func(ctx context.Context) context.Context { return trysail.WithAttempts(ctx, 0) }, 1},
		"more than the policy has are not made": {func(ctx context.Context) context.Context {
			return trysail.WithAttempts(ctx, 9)
		}, 3},
		"another strategy": {func(ctx context.Context) context.Context { return trysail.WithStrategy(ctx, trysail.Critical) }, 7},
		"both, in any order": {func(ctx context.Context) context.Context {
			return trysail.WithStrategy(trysail.WithAttempts(ctx, 5), trysail.Critical)
		}, 5},
		"a strategy that does not exist": {func(ctx context.Context) context.Context {
			return trysail.WithStrategy(ctx, "heroic")
		}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				op := newOrchestrator(t, trysail.Config{}).Operation("chat")
				ctx := tc.under(t.Context())
				attempts := 0
				_, err := trysail.Do(ctx, op, func(context.Context) (int, error) {
					attempts++
					return 0, errors.New("down")
				})
				if attempts != tc.want || err == nil {
					t.Errorf("%d attempts, %v; want %d and an error", attempts, err, tc.want)
				}
				if got := op.RetryPolicy(ctx).Attempts; got != tc.want {
					t.Errorf("RetryPolicy(ctx).Attempts = %d, want %d", got, tc.want)
				}
			})
		})
	}
}

// A strategy of the context brings its waits, and leaves the operation's breaker alone.
func TestStrategyByContextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOrchestrator(t, trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{NoJitter: true}}}).Operation("chat")
		began := time.Now()
		_, _ = trysail.Do(trysail.WithStrategy(t.Context(), trysail.Aggressive), op, func(context.Context) (int, error) {
			return 0, errors.New("down")
		})
		if took := time.Since(began); took != time.Second {
			t.Errorf("two attempts took %v, want 1s, the least wait of the strategy", took)
		}
		if got := op.Breaker().Snapshot().Failures; got != 1 {
			t.Errorf("the operation's breaker counts %d failures, want 1", got)
		}
	})
}

func TestNeutral(t *testing.T) {
	if trysail.Neutral(nil) != nil {
		t.Error("Neutral(nil) is an error")
	}
	op := newOrchestrator(t, trysail.Config{}).Operation("chat")
	cause := errors.New("limited")
	for range 20 {
		_, err := trysail.Do(t.Context(), op, func(context.Context) (int, error) {
			return 0, trysail.Committed(trysail.Neutral(trysail.RateLimited(cause, time.Second)))
		})
		if !errors.Is(err, cause) || trysail.Classify(err) != trysail.ClassRateLimited {
			t.Fatalf("Do = %v, want a rate limit", err)
		}
	}
	if s := op.Breaker().Snapshot(); s.State != trysail.Closed || s.Failures != 0 {
		t.Errorf("the breaker is %v with %d failures, want closed with none", s.State, s.Failures)
	}
	if m := op.Metrics(); m.Failed != 20 {
		t.Errorf("%d calls failed, want 20", m.Failed)
	}
}

// What has been paid for is not taken again, and what has not is not made.
func TestPaid(t *testing.T) {
	if trysail.Paid(nil) != nil {
		t.Error("Paid(nil) is an error")
	}
	b, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{Floor: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 3, Backoff: trysail.BackoffNone, Budget: b}})
	for b.Take(0) {
	}
	taken := b.Snapshot().Retries
	for paid, want := range map[bool]int{true: 3, false: 1} {
		attempts := 0
		_, err := trysail.Do(t.Context(), op, func(context.Context) (int, error) {
			attempts++
			down := errors.New("down")
			if paid {
				return 0, trysail.Paid(down)
			}
			return 0, down
		})
		if attempts != want || errors.Is(err, trysail.ErrBudget) == paid {
			t.Errorf("paid %t: %d attempts, %v; want %d", paid, attempts, err, want)
		}
	}
	if now := b.Snapshot().Retries; now != taken {
		t.Errorf("the budget holds %d retries, want %d as before", now, taken)
	}
}

func TestBudgetTake(t *testing.T) {
	var none *trysail.RetryBudget
	if !none.Take(0) {
		t.Error("no budget allows nothing")
	}
	b, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{Floor: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for b.Take(0) {
		taken++
	}
	if s := b.Snapshot(); taken != 3 || s.Retries != 3 || s.DeniedByCount != 1 {
		t.Errorf("%d taken, snapshot %+v; want 3, and one denied", taken, s)
	}
}
