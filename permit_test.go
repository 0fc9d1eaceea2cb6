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

func TestPermitIsJudgedWhenItIsGivenBack(t *testing.T) {
	for name, tc := range map[string]struct {
		outcome   error
		succeeded uint64
		failures  int // of the breaker
	}{
		"a success":              {nil, 1, 0},
		"a failure":              {errDown, 0, 1},
		"the caller's mistake":   {errBadRequest, 0, 0},
		"a stream that broke":    {trysail.Committed(errDown), 0, 1},
		"somebody's cancelation": {context.Canceled, 0, 0},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, once())
			p, err := op.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Minute)
			if m := op.Metrics(); m.Calls != 0 {
				t.Errorf("a call under way is counted: %+v", m)
			}
			p.Done(tc.outcome)
			m, s := op.Metrics(), op.Breaker().Snapshot()
			if m.Calls != 1 || m.Succeeded != tc.succeeded || s.Failures != tc.failures || m.P95Response < 9*time.Minute {
				t.Errorf("metrics %+v, %d failures; want %d succeeded, %d failures, 10 min", m, s.Failures, tc.succeeded, tc.failures)
			}
			p.Done(errDown)
			if m := op.Metrics(); m.Calls != 1 || m.Misuses != 1 || op.Breaker().Snapshot().Failures != tc.failures {
				t.Errorf("after a second Done: %+v, want nothing but a misuse", m)
			}
		})
	}
}

func TestPermitsOfAnOpenBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		trip(t, op)
		if p, err := op.Acquire(t.Context()); p != nil || !errors.Is(err, trysail.ErrOpen) {
			t.Errorf("Acquire() = %v, %v; want a refusal", p, err)
		}
		time.Sleep(time.Minute)
		probe, err := op.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := op.Acquire(t.Context()); !errors.Is(err, trysail.ErrOpen) {
			t.Errorf("a second probe: %v, want a refusal", err)
		}
		probe.Done(nil)
		wantState(t, op, trysail.Closed)
	})
}

// A permit that nobody can give back any more is taken back.
func TestLostPermit(t *testing.T) {
	op := newOperation(t, once())
	func() {
		if _, err := op.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
	}()
	for range 200 {
		runtime.GC()
		if m := op.Metrics(); m.Misuses == 1 {
			if m.Failed != 1 {
				t.Errorf("metrics %+v, want the lost permit as a failure", m)
			}
			return
		}
		runtime.Gosched()
	}
	t.Error("the lost permit was not taken back")
}

func TestStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, trysail.Policy{Attempt: time.Minute, Retry: trysail.RetryPolicy{NoJitter: true}})
		attempts := 0
		var own context.Context
		started := time.Now()
		stream, permit, err := trysail.Start(t.Context(), op, func(ctx context.Context) (string, error) {
			attempts++
			own = ctx
			if attempts == 1 {
				<-ctx.Done() // its first token never comes
				return "", ctx.Err()
			}
			return "stream", nil
		})
		if stream != "stream" || err != nil || attempts != 2 || time.Since(started) != time.Minute+2*time.Second {
			t.Fatalf("Start() = %q, %v after %d attempts and %v; want the second attempt after 1m2s", stream, err, attempts, time.Since(started))
		}
		time.Sleep(time.Hour)
		if own.Err() != nil || op.Metrics().Calls != 0 {
			t.Errorf("an hour into the stream: context %v, %d calls counted; want it alive and none", own.Err(), op.Metrics().Calls)
		}
		permit.Done(trysail.Committed(errDown))
		if m := op.Metrics(); own.Err() == nil || m.Failed != 1 || m.Retries != 1 || op.Breaker().Snapshot().Failures != 1 {
			t.Errorf("at the end: context %v, metrics %+v; want it ended, one failure, one retry", own.Err(), m)
		}
	})
}

func TestStartThatFails(t *testing.T) {
	op := newOperation(t, once())
	_, permit, err := trysail.Start(t.Context(), op, func(context.Context) (int, error) { return 0, errDown })
	if permit != nil || !errors.Is(err, errDown) || op.Metrics().Failed != 1 {
		t.Errorf("Start() = %v, %v; want no permit and the error", permit, err)
	}
	if _, _, err := trysail.Start[int](t.Context(), op, nil); !errors.Is(err, trysail.ErrNoFunction) {
		t.Errorf("Start(nil) = %v, want ErrNoFunction", err)
	}
	func() {
		defer func() {
			if recover() != "oops" {
				t.Error("the panic did not go on its way")
			}
		}()
		_, _, _ = trysail.Start(t.Context(), op, func(context.Context) (int, error) { panic("oops") })
	}()
	if m := op.Metrics(); m.Panics != 1 || m.Failed != 2 {
		t.Errorf("metrics %+v, want the panic counted", m)
	}
	trip(t, op)
	if _, _, err := trysail.Start(t.Context(), op, func(context.Context) (int, error) { return 1, nil }); !errors.Is(err, trysail.ErrOpen) {
		t.Errorf("Start() of an open breaker = %v, want a refusal", err)
	}
}

func TestBatchKeepsOrderAndWidth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		var running, most atomic.Int64
		items := make([]int, 50)
		for i := range items {
			items[i] = i
		}
		results := trysail.Batch(t.Context(), op, items, func(_ context.Context, i int) (string, error) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			time.Sleep(time.Duration(50-i) * time.Second)
			if i == 7 {
				return "", errBadRequest
			}
			return fmt.Sprint(i), nil
		})
		for i, r := range results {
			if i == 7 {
				if !errors.Is(r.Err, errBadRequest) {
					t.Errorf("item 7: %v, want its own error", r.Err)
				}
				continue
			}
			if r.Value != fmt.Sprint(i) || r.Err != nil {
				t.Errorf("item %d: %q, %v", i, r.Value, r.Err)
			}
		}
		if len(results) != 50 || most.Load() != 8 {
			t.Errorf("%d results, at most %d at once; want 50 and 8", len(results), most.Load())
		}
	})
}

func TestBatchStopsWhenTheBreakerOpens(t *testing.T) {
	op := newOperation(t, once())
	var ran atomic.Int64
	results := trysail.Batch(t.Context(), op, make([]int, 1000), func(context.Context, int) (int, error) {
		ran.Add(1)
		return 0, errDown
	})
	refused := 0
	for _, r := range results {
		if errors.Is(r.Err, trysail.ErrOpen) {
			refused++
		}
	}
	if m := op.Metrics(); refused < 980 || int(ran.Load())+refused != 1000 || m.Calls > 40 {
		t.Errorf("%d ran, %d refused, %d counted; want a few, the rest, and a few", ran.Load(), refused, m.Calls)
	}
}

func TestBatchOddities(t *testing.T) {
	op := newOperation(t, once())
	if got := trysail.Batch(t.Context(), op, nil, func(context.Context, int) (int, error) { return 0, nil }); len(got) != 0 {
		t.Errorf("Batch(nothing) = %v, want nothing", got)
	}
	if got := trysail.Batch[int, int](t.Context(), op, []int{1}, nil); !errors.Is(got[0].Err, trysail.ErrNoFunction) {
		t.Errorf("Batch(nil function) = %v, want ErrNoFunction", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, r := range trysail.Batch(ctx, op, make([]int, 20), func(context.Context, int) (int, error) { return 1, nil }) {
		if !errors.Is(r.Err, context.Canceled) {
			t.Errorf("after a cancellation: %v, want context.Canceled", r.Err)
		}
	}
	defer func() {
		err, ok := recover().(error)
		if !ok || !errors.Is(err, errDown) || !strings.Contains(err.Error(), "permit_test.go") {
			t.Errorf("recovered %v, want errDown with the stack of where it happened", err)
		}
	}()
	trysail.Batch(t.Context(), op, make([]int, 20), func(context.Context, int) (int, error) { panic(errDown) })
}

func ExampleStart() {
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	op := orc.Operation("chat")
	stream, permit, err := trysail.Start(context.Background(), op, func(context.Context) ([]string, error) {
		return []string{"fair", "wind"}, nil // opened, and its first token has come
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.Join(stream, " "), op.Metrics().Calls)
	permit.Done(nil)
	fmt.Println(op.Metrics().Calls)
	// Output:
	// fair wind 0
	// 1
}

func ExampleBatch() {
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range trysail.Batch(context.Background(), orc.Operation("double"), []int{1, 2, 3},
		func(_ context.Context, n int) (int, error) { return 2 * n, nil }) {
		fmt.Print(r.Value, " ")
	}
	// Output: 2 4 6
}
