package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

type fallback = func(context.Context, error) (string, error)

// chain makes fallbacks that note their names and reasons; those of a nil outcome answer.
func chain(asked *[]string, reasons *[]error, outcomes ...error) (all []fallback) {
	for i, outcome := range outcomes {
		name := fmt.Sprint("f", i+1)
		all = append(all, func(_ context.Context, reason error) (string, error) {
			*asked, *reasons = append(*asked, name), append(*reasons, reason)
			return name, outcome
		})
	}
	return all
}

func TestFallbacksAnswerInTurn(t *testing.T) {
	err1, err2, err3 := errors.New("f1 is down"), errors.New("f2 is down"), errors.New("f3 is down")
	for name, tc := range map[string]struct {
		outcomes []error
		value    string
		asked    []string
		err      string // "" when one answered
	}{
		"the first answers":  {[]error{nil, nil}, "f1", []string{"f1"}, ""},
		"the second answers": {[]error{err1, nil, nil}, "f2", []string{"f1", "f2"}, ""},
		"the last answers":   {[]error{err1, err2, nil}, "f3", []string{"f1", "f2", "f3"}, ""},
		"none answers": {
			[]error{err1, err2, err3},
			"f3",
			[]string{"f1", "f2", "f3"},
			`operation "op": transient: down (then f3 is down)`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			var reasons []error
			op := newOperation(t, once())
			value, err := trysail.DoWithFallback(t.Context(), op,
				func(context.Context) (string, error) { return "broken", errDown }, chain(&asked, &reasons, tc.outcomes...)...)
			if value != tc.value || !slices.Equal(asked, tc.asked) {
				t.Errorf("DoWithFallback() = %q from %v, want %q from %v", value, asked, tc.value, tc.asked)
			}
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || err.Error() != tc.err) {
				t.Errorf("DoWithFallback() = %v, want %q", err, tc.err)
			}
			for i, reason := range reasons {
				var e *trysail.Error
				if !errors.As(reason, &e) || !errors.Is(reason, errDown) || i > 0 && !errors.Is(reason, tc.outcomes[i-1]) {
					t.Errorf("the reason of fallback %d = %v, want %v and the error of the one before", i+1, reason, errDown)
				}
			}
			m, s := op.Metrics(), op.Breaker().Snapshot()
			if m.Fallbacks != 1 || m.Calls != 1 || m.Failed != 1 || s.Failures != 1 {
				t.Errorf("Metrics() = %+v, %d failures; want one failed call, handed on once", m, s.Failures)
			}
		})
	}
}

func TestAllFallbacksFailed(t *testing.T) {
	errLast := errors.New("the last is down")
	_, err := trysail.DoWithFallback(t.Context(), newOperation(t, once()),
		func(context.Context) (string, error) { return "", errLimit },
		func(context.Context, error) (string, error) { return "", errDown },
		func(context.Context, error) (string, error) { return "", errLast },
	)
	wantError(t, err, trysail.Error{
		Operation: "op", Class: trysail.ClassRateLimited, Attempts: 1, RetryAfter: 3 * time.Second,
	}, errLast)
	if !errors.Is(err, errLimit) || trysail.Classify(err) != trysail.ClassRateLimited {
		t.Errorf("DoWithFallback() = %v (%v), want the first error and its class", err, trysail.Classify(err))
	}
}

func TestNilFallbacksAreSkipped(t *testing.T) {
	for name, tc := range map[string]struct {
		fallbacks []fallback
		value     string
		err       error
		counted   uint64
	}{
		"before one":     {[]fallback{nil, nil, func(context.Context, error) (string, error) { return "answer", nil }}, "answer", nil, 1},
		"after one":      {[]fallback{func(context.Context, error) (string, error) { return "half", errBusy }, nil}, "half", errDown, 1},
		"nothing else":   {[]fallback{nil, nil}, "broken", errDown, 0},
		"nothing at all": {nil, "broken", errDown, 0},
	} {
		t.Run(name, func(t *testing.T) {
			op := newOperation(t, once())
			value, err := trysail.DoWithFallback(t.Context(), op,
				func(context.Context) (string, error) { return "broken", errDown }, tc.fallbacks...)
			if value != tc.value || !errors.Is(err, tc.err) || op.Metrics().Fallbacks != tc.counted {
				t.Errorf("DoWithFallback() = %q, %v, %d counted; want %q, %v, %d",
					value, err, op.Metrics().Fallbacks, tc.value, tc.err, tc.counted)
			}
		})
	}
}

// Who has left gets nothing more, also when he leaves while a fallback runs.
func TestNoFurtherFallbackWhenTheCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		_, err := trysail.DoWithFallback(ctx, newOperation(t, once()),
			func(context.Context) (string, error) { return "", errDown },
			func(ctx context.Context, _ error) (string, error) { return "", hang(ctx) },
			func(context.Context, error) (string, error) { t.Error("the second fallback ran"); return "", errBusy },
		)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errDown) {
			t.Errorf("DoWithFallback() = %v, want both %v and %v", err, context.Canceled, errDown)
		}
	})
}

// The limits are the call's, not the fallback's: that may begin when they have passed.
func TestFallbackAfterALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, within(30*time.Second, 0))
		start := time.Now()
		value, err := trysail.DoWithFallback(t.Context(), op,
			func(ctx context.Context) (string, error) { return "", hang(ctx) },
			func(ctx context.Context, reason error) (string, error) {
				if _, limited := ctx.Deadline(); limited || ctx.Err() != nil || !errors.Is(reason, trysail.ErrTotalTimeout) {
					t.Errorf("the fallback got %v with a context that is %v, want %v and the caller's context", reason, ctx.Err(), trysail.ErrTotalTimeout)
				}
				time.Sleep(time.Minute)
				return "slow but sure", nil
			})
		if value != "slow but sure" || err != nil || time.Since(start) != 90*time.Second {
			t.Errorf("DoWithFallback() = %q, %v in %v; want the fallback's answer in 1m30s", value, err, time.Since(start))
		}
	})
}

func TestPanicInAFallbackIsCountedOnce(t *testing.T) {
	op := newOperation(t, once())
	defer func() {
		if got := recover(); got != "oops" {
			t.Errorf("recovered %v, want oops", got)
		}
		if m := op.Metrics(); m.Fallbacks != 1 || m.Failed != 1 || m.Panics != 0 {
			t.Errorf("Metrics() = %+v, want one failed call and no panic of the call", m)
		}
	}()
	_, _ = trysail.DoWithFallback(t.Context(), op, func(context.Context) (string, error) { return "", errDown },
		func(context.Context, error) (string, error) { return "", errBusy },
		func(context.Context, error) (string, error) { panic("oops") })
}

// The table of classes decides, also about a caller who has left: a fallback may tidy up.
func TestFallbackOfACanceledCallWhereTheTableSaysSo(t *testing.T) {
	op := newOrchestrator(t, trysail.Config{
		Default: once(),
		Classes: map[trysail.Class]trysail.Consequence{trysail.ClassCanceled: {Fallback: true}},
	}).Operation("op")
	ctx, cancel := context.WithCancel(t.Context())
	value, err := trysail.DoWithFallback(ctx, op,
		func(ctx context.Context) (string, error) { cancel(); return "", hang(ctx) },
		func(context.Context, error) (string, error) { return "a part of the answer", nil },
	)
	if value != "a part of the answer" || err != nil {
		t.Errorf("DoWithFallback() = %q, %v; want the fallback's answer", value, err)
	}
}
