package trysail_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/trysail-go/trysail"
)

func TestFallbackAnswersOnEveryFailurePath(t *testing.T) {
	expired, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()
	for name, tc := range map[string]struct {
		ctx     context.Context // t.Context() where nil
		prepare func(*testing.T, *trysail.Operation)
		outcome error
		cause   error
	}{
		"retries exhausted": {nil, nil, errDown, errDown},
		"permanent":         {nil, nil, errBadRequest, errBadRequest},
		"refused":           {nil, func(t *testing.T, op *trysail.Operation) { trip(t, op) }, nil, trysail.ErrOpen},
		"out of time":       {expired, nil, nil, context.DeadlineExceeded},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, trysail.Policy{})
			if tc.prepare != nil {
				tc.prepare(t, op)
			}
			if tc.ctx == nil {
				tc.ctx = t.Context()
			}
			before, state := op.Metrics(), op.Breaker().Snapshot()
			var cause error
			got, err := trysail.DoWithFallback(tc.ctx, op,
				func(context.Context) (string, error) { return "broken", tc.outcome },
				func(_ context.Context, c error) (string, error) { cause = c; return "second best", nil },
			)
			if got != "second best" || err != nil {
				t.Errorf("DoWithFallback() = %q, %v; want the fallback's answer", got, err)
			}
			var e *trysail.Error
			if !errors.As(cause, &e) || !errors.Is(cause, tc.cause) {
				t.Errorf("the fallback got %v, want an Error with %v", cause, tc.cause)
			}
			m := op.Metrics()
			if m.Calls != before.Calls+1 || m.Failed != before.Failed+1 || m.Fallbacks != 1 || m.Succeeded != 0 {
				t.Errorf("Metrics() = %+v, want one more failed call, and one fallback", m)
			}
			if tc.prepare != nil && op.Breaker().Snapshot() != state {
				t.Errorf("Snapshot() = %+v, want %+v: a fallback moves no breaker", op.Breaker().Snapshot(), state)
			}
		})
	}
}

func TestFallbackDoesNotRun(t *testing.T) {
	left, leave := context.WithCancel(context.Background())
	leave()
	for name, tc := range map[string]struct {
		ctx     context.Context
		outcome error
		want    error
	}{
		"after a success":                     {context.Background(), nil, nil},
		"when the caller was gone before":     {left, errDown, context.Canceled},
		"when the function saw the caller go": {context.Background(), context.Canceled, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			op := newOperation(t, once())
			_, err := trysail.DoWithFallback(tc.ctx, op,
				func(context.Context) (int, error) { return 0, tc.outcome },
				func(context.Context, error) (int, error) { t.Error("the fallback ran"); return 0, nil },
			)
			if !errors.Is(err, tc.want) {
				t.Errorf("DoWithFallback() = %v, want %v", err, tc.want)
			}
			if m := op.Metrics(); m.Fallbacks != 0 {
				t.Errorf("Metrics().Fallbacks = %d, want 0", m.Fallbacks)
			}
		})
	}
}

func TestFallbackDoesNotRunWhenTheCallerLeavesDuringAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := trysail.DoWithFallback(ctx, newOperation(t, trysail.Policy{}),
			func(context.Context) (int, error) { go cancel(); return 0, errDown },
			func(context.Context, error) (int, error) { t.Error("the fallback ran"); return 0, nil },
		)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errDown) {
			t.Errorf("DoWithFallback() = %v, want both %v and %v", err, context.Canceled, errDown)
		}
	})
}

func TestFallbackThatFails(t *testing.T) {
	errSecond := errors.New("second is down too")
	op := newOperation(t, once())
	got, err := trysail.DoWithFallback(t.Context(), op,
		func(context.Context) (string, error) { return "", errDown },
		func(context.Context, error) (string, error) { return "half", errSecond },
	)
	var e *trysail.Error
	if got != "half" || !errors.Is(err, errDown) || !errors.Is(err, errSecond) || !errors.As(err, &e) {
		t.Errorf("DoWithFallback() = %q, %v; want the fallback's value, an Error, and both errors", got, err)
	}
	if want := `operation "op": transient: down (then second is down too)`; err.Error() != want {
		t.Errorf("DoWithFallback() = %s, want %s", err, want)
	}
	if s := op.Breaker().Snapshot(); s.Failures != 1 {
		t.Errorf("Snapshot().Failures = %d, want 1", s.Failures)
	}
}

func TestNilFallbackIsNone(t *testing.T) {
	_, err := trysail.DoWithFallback(t.Context(), newOperation(t, once()),
		func(context.Context) (int, error) { return 0, errDown }, nil)
	if !errors.Is(err, errDown) {
		t.Errorf("DoWithFallback(nil) = %v, want %v", err, errDown)
	}
}

// Fields are an error that cannot be compared with ==, as validators return them.
type fields []string

func (f fields) Error() string { return strings.Join(f, ", ") }

func TestErrorsThatCannotBeComparedDoNoHarm(t *testing.T) {
	op := newOperation(t, once())
	_, err := trysail.DoWithFallback(t.Context(), op,
		func(context.Context) (int, error) { return 0, fields{"temperature"} },
		func(context.Context, error) (int, error) { return 0, fields{"model"} },
	)
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("errors.Is(err, err) panics: %v", r)
		}
	}()
	if !errors.Is(err, err) {
		t.Errorf("errors.Is(%v, itself) = false, want true", err)
	}
}

// A call that cannot be made as written is a bug, not an outage: hiding it behind
// a fallback's answer, or counting fallbacks of calls that are not counted, helps
// nobody.
func TestFallbackOfACallThatCannotBeMade(t *testing.T) {
	op := newOperation(t, once())
	_, err := trysail.DoWithFallback(t.Context(), op, nil,
		func(context.Context, error) (int, error) { return 1, nil })
	if m := op.Metrics(); m.Fallbacks > m.Failed {
		t.Errorf("DoWithFallback(nil function) = %v with %+v, want no more fallbacks than failed calls", err, m)
	}
}

func TestFailedFallbackIsToldWithTheClassOfTheFirstError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, r := observed(t, once())
		_, err := trysail.DoWithFallback(t.Context(), op,
			func(context.Context) (int, error) { return 0, trysail.RateLimited(errDown, 0) },
			func(context.Context, error) (int, error) { return 0, errBadRequest })
		if heard := r.heard(); len(heard) != 1 || heard[0].Class != rateLimited || !errors.Is(heard[0].Err, err) {
			t.Errorf("heard %+v, want one fallback that failed, of class %v", heard, rateLimited)
		}
	})
}
