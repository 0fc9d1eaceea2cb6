package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// items are 0 to n-1.
func items(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func TestBatchIsNoWiderThanItsItems(t *testing.T) {
	for n, want := range map[int]time.Duration{
		0: 0, 1: time.Minute, 7: time.Minute, 8: time.Minute, 9: 2 * time.Minute, 16: 2 * time.Minute, 17: 3 * time.Minute,
	} {
		bubble(t, fmt.Sprint(n), func(t *testing.T) {
			start := time.Now()
			results := trysail.Batch(t.Context(), newOperation(t, once()), items(n), func(_ context.Context, i int) (int, error) {
				time.Sleep(time.Minute)
				return 2 * i, nil
			})
			if took := time.Since(start); results == nil || len(results) != n || took != want {
				t.Errorf("Batch(%d items) = %v in %v, want %d results in %v", n, results, took, n, want)
			}
			for i, r := range results {
				if r.Value != 2*i || r.Err != nil {
					t.Errorf("result %d = %+v, want %d", i, r, 2*i)
				}
			}
		})
	}
}

// Each item is a call with its own attempts; the value beside an error is kept.
func TestBatchRetriesEachItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{NoJitter: true}})
		var tries [20]atomic.Int64
		start := time.Now()
		results := trysail.Batch(t.Context(), op, items(20), func(_ context.Context, i int) (int64, error) {
			n := tries[i].Add(1)
			if n <= int64(i%4) {
				return n, errDown
			}
			return n, nil
		})
		for i, r := range results {
			if r.Value != int64(min(i%4+1, 3)) || errors.Is(r.Err, errDown) != (i%4 == 3) {
				t.Errorf("result %d = %+v, want %d attempts", i, r, min(i%4+1, 3))
			}
		}
		m := op.Metrics()
		if m.Calls != 20 || m.Failed != 5 || m.Retries != 5*(1+2+2) || time.Since(start) >= 20*time.Second {
			t.Errorf("Metrics() = %+v in %v, want 20 calls, 5 failed, 25 retries, side by side", m, time.Since(start))
		}
	})
}

// Those that have not begun are not tried, and not counted.
func TestBatchOfAnOpenBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		trip(t, op)
		before := op.Metrics()
		results := trysail.Batch(t.Context(), op, items(1000), func(context.Context, int) (int, error) {
			t.Error("fn ran")
			return 1, nil
		})
		for i, r := range results {
			var e *trysail.Error
			if !errors.As(r.Err, &e) || !errors.Is(r.Err, trysail.ErrOpen) || e.Attempts != 0 || e.RetryAfter != time.Minute || r.Value != 0 {
				t.Fatalf("result %d = %+v, want a refusal for 1m0s", i, r)
			}
		}
		m := op.Metrics()
		if asked := m.Rejected - before.Rejected; asked < 1 || asked > 8 || m.Calls-before.Calls != asked {
			t.Errorf("%d of 1000 items were counted, want 1 to 8: one for each worker at most", asked)
		}
	})
}

func TestBatchStopsEarlyButLetsItemsFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		results := trysail.Batch(t.Context(), op, items(100), func(_ context.Context, i int) (string, error) {
			if i == 0 {
				time.Sleep(time.Minute) // still under way when the breaker opens
				return "finished", nil
			}
			time.Sleep(time.Duration(i) * time.Second) // the fifth failure comes after 5 s
			return "", errDown
		})
		if r := results[0]; r.Value != "finished" || r.Err != nil {
			t.Errorf("result 0 = %+v, want it finished", r)
		}
		for i := 1; i < 12; i++ {
			if !errors.Is(results[i].Err, errDown) {
				t.Errorf("result %d = %+v, want %v: it had begun", i, results[i], errDown)
			}
		}
		for i := 12; i < 100; i++ {
			if !errors.Is(results[i].Err, trysail.ErrOpen) {
				t.Errorf("result %d = %+v, want %v", i, results[i], trysail.ErrOpen)
			}
		}
	})
}

// A refusal of another operation, which fn uses, says nothing about this one.
func TestBatchGoesOnWhenAnotherOperationRefuses(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{Default: once()})
	down := orc.Operation("down")
	trip(t, down)
	results := trysail.Batch(t.Context(), orc.Operation("batch"), items(50), func(ctx context.Context, i int) (int, error) {
		if i == 3 {
			return trysail.Do(ctx, down, succeeds)
		}
		runtime.Gosched()
		return 1, nil
	})
	for i, r := range results {
		if (r.Err != nil) != (i == 3) {
			t.Fatalf("result %d = %+v, want only result 3 refused, by the operation that it asked", i, r)
		}
	}
}

// An item that was not tried carries the context's error, and nothing of another item's.
func TestBatchWhoseCallerLeaves(t *testing.T) {
	for name, end := range map[string]error{"in their own words": errBadRequest, "as the context's error": nil} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, once())
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Minute, cancel)
			results := trysail.Batch(ctx, op, items(100), func(ctx context.Context, _ int) (int, error) {
				if err := hang(ctx); end == nil {
					return 0, err
				}
				return 0, end
			})
			for i, r := range results {
				if !errors.Is(r.Err, context.Canceled) || trysail.Classify(r.Err) != trysail.ClassCanceled {
					t.Fatalf("result %d = %+v, want %v", i, r, context.Canceled)
				}
				var e *trysail.Error
				if i >= 8 && (!errors.As(r.Err, &e) || e.Attempts != 0 || errors.Is(r.Err, errBadRequest)) {
					t.Fatalf("result %d = %+v, want it not called, and no other item's error", i, r)
				}
			}
			if m, s := op.Metrics(), op.Breaker().Snapshot(); m.Calls != 8 || m.Canceled != 8 || s.Failures != 0 {
				t.Errorf("Metrics() = %+v, %d failures; want the eight that had begun, and none", m, s.Failures)
			}
		})
	}
}

// panicked runs a Batch whose fn panics with v at item 20 of 100. It returns what
// arrived in the caller, and how many items ran.
func panicked(t *testing.T, op *trysail.Operation, v any) (got any, ran int64) {
	t.Helper()
	var n atomic.Int64
	defer func() { got, ran = recover(), n.Load() }()
	_ = trysail.Batch(t.Context(), op, items(100), func(_ context.Context, i int) (int, error) {
		n.Add(1)
		time.Sleep(time.Second / 2)
		if i == 20 {
			panic(v)
		}
		time.Sleep(time.Second / 2)
		return 0, nil
	})
	t.Error("Batch() returned")
	return nil, 0
}

func TestPanicInABatchGoesOnInTheCaller(t *testing.T) {
	for name, v := range map[string]any{"a text": "oops", "an error": status(503)} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, once())
			got, ran := panicked(t, op, v)
			err, ok := got.(error)
			if !ok || !strings.Contains(err.Error(), fmt.Sprint(v)) || !strings.Contains(err.Error(), "panicked.func") {
				t.Errorf("recovered %v, want %v with the stack of where it happened", got, v)
			}
			var s status
			if errors.As(err, &s) != (name == "an error") {
				t.Errorf("errors.As(%T, %T) = %v, want it for an error only", got, s, int(s))
			}
			m := op.Metrics()
			if ran != 24 || m.Panics != 1 || m.Failed != 1 || m.Succeeded != 23 {
				t.Errorf("%d items ran, %+v; want 24, of which one panicked", ran, m)
			}
		})
	}
}

// An item whose goroutine was ended has no answer, and must not look like a success; nor
// must those that no worker is left for.
func TestGoexitInABatchIsNoSuccess(t *testing.T) {
	for name, exits := range map[string]int{"one worker's": 1, "all workers'": 8, "and those of later items": 12} {
		bubble(t, name, func(t *testing.T) {
			var results []trysail.Result[int]
			ended := make(chan any, 1)
			go func() { // Batch may end or panic in the caller
				defer func() { ended <- recover() }()
				results = trysail.Batch(t.Context(), newOperation(t, once()), items(20), func(_ context.Context, i int) (int, error) {
					if time.Sleep(time.Second); i < exits {
						runtime.Goexit()
					}
					return 1, nil
				})
			}()
			<-ended
			for i, r := range results {
				if r.Value == 0 && r.Err == nil {
					t.Fatalf("result %d = %+v, want an error: fn gave no answer", i, r)
				}
			}
		})
	}
}

func TestBatchOfAnUnusableOperation(t *testing.T) {
	for name, op := range map[string]*trysail.Operation{"nil": nil, "bad name": newOrchestrator(t, trysail.Config{}).Operation("")} {
		for i, r := range trysail.Batch(t.Context(), op, items(20), func(context.Context, int) (int, error) { return 1, nil }) {
			if r.Err == nil {
				t.Errorf("Batch(%s operation)[%d] = %+v, want an error", name, i, r)
			}
		}
	}
}

// When fn has ended every worker's goroutine, Batch itself fills in the rest, if there is one.
func TestBatchWithoutWorkersLeft(t *testing.T) {
	for name, n := range map[string]int{"no rest": 8, "a rest": 20} {
		bubble(t, name, func(t *testing.T) {
			results := trysail.Batch(t.Context(), newOperation(t, once()), items(n), func(context.Context, int) (int, error) {
				time.Sleep(time.Second) // until all workers have an item
				runtime.Goexit()
				return 1, nil
			})
			for i, r := range results {
				if r.Err == nil {
					t.Errorf("result %d of %d = %+v, want an error", i, n, r)
				}
			}
			if len(results) != n {
				t.Errorf("%d results, want %d", len(results), n)
			}
		})
	}
}
