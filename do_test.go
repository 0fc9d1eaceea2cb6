package trysail_test

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

func TestDoReturnsTheValue(t *testing.T) {
	got, err := trysail.Do(t.Context(), newOperation(t, trysail.Policy{}),
		func(context.Context) (string, error) { return "answer", nil })
	if got != "answer" || err != nil {
		t.Errorf("Do() = %q, %v; want the answer", got, err)
	}
}

func TestDoPassesTheContextUnchanged(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "value")
	_, _ = trysail.Do(ctx, newOperation(t, trysail.Policy{}), func(got context.Context) (int, error) {
		if got != ctx {
			t.Errorf("the function got %v, want %v", got, ctx)
		}
		return 0, nil
	})
}

func TestWrap(t *testing.T) {
	op := newOperation(t, once())
	double := trysail.Wrap(op, func(_ context.Context, n int) (string, error) {
		if n < 0 {
			return "", errDown
		}
		return strings.Repeat("x", n), nil
	})
	if got, err := double(t.Context(), 3); got != "xxx" || err != nil {
		t.Errorf("wrapped(3) = %q, %v; want xxx", got, err)
	}
	if got, err := double(t.Context(), -1); got != "" || !errors.Is(err, errDown) {
		t.Errorf("wrapped(-1) = %q, %v; want %v", got, err, errDown)
	}
	if m := op.Metrics(); m.Succeeded != 1 || m.Failed != 1 {
		t.Errorf("Metrics() = %+v, want one success and one failure", m)
	}
}

func TestMisuse(t *testing.T) {
	fine := func(context.Context) (int, error) { return 1, nil }
	op := newOperation(t, trysail.Policy{})
	nameless := newOrchestrator(t, trysail.Config{}).Operation("")
	for name, tc := range map[string]struct {
		op        *trysail.Operation
		fn        func(context.Context) (int, error)
		want      error
		operation string
	}{
		"no operation": {nil, fine, trysail.ErrNoOperation, ""},
		"no function":  {op, nil, trysail.ErrNoFunction, "op"},
		"neither":      {nil, nil, trysail.ErrNoFunction, ""},
		"no name":      {nameless, fine, trysail.ErrName, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := trysail.Do(t.Context(), tc.op, tc.fn)
			wantError(t, err, trysail.Error{Operation: tc.operation, Class: permanent}, tc.want)
		})
	}
	_, err := trysail.Wrap[int, int](op, nil)(t.Context(), 1)
	wantError(t, err, trysail.Error{Operation: "op", Class: permanent}, trysail.ErrNoFunction)
	_, err = trysail.Wrap(nil, func(context.Context, int) (int, error) { return 1, nil })(t.Context(), 1)
	wantError(t, err, trysail.Error{Class: permanent}, trysail.ErrNoOperation)
	_, err = trysail.DoWithFallback(t.Context(), nil, fine, func(context.Context, error) (int, error) { return 2, nil })
	wantError(t, err, trysail.Error{Class: permanent}, trysail.ErrNoOperation)
	if m := op.Metrics(); m.Calls != 0 || op.Breaker().Snapshot().Failures != 0 {
		t.Errorf("Metrics() after misuse = %+v, want no calls", m)
	}
}

// explode is named so that it can be found in a stack.
func explode(context.Context) (int, error) { panic(errDown) }

func TestPanicKeepsItsValueAndItsStack(t *testing.T) {
	for name, op := range map[string]*trysail.Operation{
		"with a breaker":    newOperation(t, trysail.Policy{}),
		"without a breaker": newOperation(t, trysail.Policy{Breaker: trysail.BreakerPolicy{Disabled: true}}),
	} {
		t.Run(name, func(t *testing.T) {
			func() {
				defer func() {
					if r := recover(); r != errDown { //nolint:errorlint // identity is the point
						t.Errorf("recover() = %v, want %v", r, errDown)
					}
					if stack := string(debug.Stack()); !strings.Contains(stack, "trysail_test.explode") {
						t.Errorf("the stack does not show the function that panicked:\n%s", stack)
					}
				}()
				_, _ = trysail.Do(t.Context(), op, explode)
			}()
			if m := op.Metrics(); m.Calls != 1 || m.Failed != 1 || m.Panics != 1 {
				t.Errorf("Metrics() = %+v, want one failed call that panicked", m)
			}
			if b := op.Breaker(); b != nil && b.Snapshot().Failures != 1 {
				t.Errorf("Snapshot().Failures = %d, want 1", b.Snapshot().Failures)
			}
		})
	}
}

func TestPanicInASecondAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{NoJitter: true}})
		func() {
			defer func() { _ = recover() }()
			n := 0
			_, _ = trysail.Do(t.Context(), op, func(context.Context) (int, error) {
				if n++; n == 2 {
					panic("boom")
				}
				return 0, errDown
			})
		}()
		m := op.Metrics()
		if m.Calls != 1 || m.Panics != 1 || m.Retries != 1 || m.AverageResponse.Round(100*time.Millisecond) != 2*time.Second {
			t.Errorf("Metrics() = %+v, want one call of 2 s that panicked after a retry", m)
		}
	})
}

func TestGoexitIsSettled(t *testing.T) {
	for name, prepare := range map[string]func(testing.TB, *trysail.Operation){
		"closed":    func(testing.TB, *trysail.Operation) {},
		"half-open": halfOpen,
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, once())
			prepare(t, op)
			before := op.Breaker().Snapshot()
			var gone sync.WaitGroup
			gone.Go(func() {
				_, _ = trysail.Do(t.Context(), op, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
			})
			gone.Wait()
			if s := op.Breaker().Snapshot(); s.Failures != before.Failures+1 || s.Probes != 0 {
				t.Errorf("Snapshot() = %+v, want one failure more than %d and no probe", s, before.Failures)
			}
			if m := op.Metrics(); m.Panics != 1 || m.Calls != m.Succeeded+m.Failed {
				t.Errorf("Metrics() = %+v, want one call counted under Panics", m)
			}
		})
	}
}

func TestOperationsNest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc := newOrchestrator(t, trysail.Config{})
		outer, inner := orc.Operation("outer"), orc.Operation("inner")
		n := 0
		_, err := trysail.Do(t.Context(), outer, func(ctx context.Context) (int, error) {
			return trysail.Do(ctx, inner, func(context.Context) (int, error) { n++; return 0, errDown })
		})
		if n != 3 {
			t.Errorf("the function ran %d times, want 3: only the inner operation repeats", n)
		}
		want := `operation "outer": transient: operation "inner": transient after 3 attempts: down`
		if err.Error() != want || !errors.Is(err, errDown) {
			t.Errorf("Do() = %s, want %s", err, want)
		}
	})
}
