package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/trysail-go/trysail"
)

// What a class leads to, by default.
func TestConsequences(t *testing.T) {
	want := map[trysail.Class]trysail.Consequence{
		transient:                  {Retry: true, Count: true, Fallback: true},
		rateLimited:                {Retry: true, Count: true, Fallback: true},
		overloaded:                 {Retry: true, Count: true, Fallback: true},
		quota:                      {Retry: false, Count: true, Fallback: true},
		trysail.ClassContextLength: {Retry: false, Count: false, Fallback: true},
		trysail.ClassContentPolicy: {Retry: false, Count: false, Fallback: true},
		permanent:                  {Retry: false, Count: false, Fallback: true},
		canceled:                   {Retry: false, Count: false, Fallback: false},
		trysail.ClassBadAnswer:     {Retry: true, Count: true, Fallback: true},
	}
	orc := newOrchestrator(t, trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone}}})
	if got := orc.Configuration().Classes; len(got) != len(want) {
		t.Errorf("Configuration().Classes has %d rows, want %d", len(got), len(want))
	}
	for class, row := range want {
		t.Run(class.String(), func(t *testing.T) {
			if got := orc.Configuration().Classes[class]; got != row {
				t.Errorf("Configuration().Classes[%v] = %+v, want %+v", class, got, row)
			}
			if got := consequence(t, orc.Operation(class.String()), class); got != row {
				t.Errorf("a failure of class %v led to %+v, want %+v", class, got, row)
			}
		})
	}
}

// consequence sees what a failure of the class leads to.
func consequence(t *testing.T, op *trysail.Operation, class trysail.Class) (got trysail.Consequence) {
	t.Helper()
	failures := op.Breaker().Snapshot().Failures
	err := trysail.WithClass(errDown, class, 0)
	_, _ = trysail.DoWithFallback(t.Context(), op,
		func(context.Context) (int, error) { return 0, err },
		func(context.Context, error) (int, error) { got.Fallback = true; return 0, nil },
	)
	got.Count = op.Breaker().Snapshot().Failures > failures
	n := 0
	_, _ = trysail.Do(t.Context(), op, func(ctx context.Context) (int, error) {
		if n++; n == 1 {
			return 0, err
		}
		return 0, nil
	})
	got.Retry = n > 1
	return got
}

func TestClassesReplaceRows(t *testing.T) {
	rows := map[trysail.Class]trysail.Consequence{
		rateLimited: {Retry: true},                 // a gateway's target: neutral
		permanent:   {Count: true},                 // whoever counts bad keys as an outage
		canceled:    {Count: true, Fallback: true}, // odd, but allowed
		transient:   {},
	}
	orc := newOrchestrator(t, trysail.Config{
		Classes: rows, Default: trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone}},
	})
	for class, want := range rows {
		if got := consequence(t, orc.Operation(class.String()), class); got != want {
			t.Errorf("a failure of class %v led to %+v, want %+v", class, got, want)
		}
	}
	clear(rows) // the orchestrator must not care
	if got := consequence(t, orc.Operation("later"), permanent); !got.Count {
		t.Errorf("after the map was cleared a permanent failure led to %+v, want it counted", got)
	}
	if got, want := orc.Configuration().Classes[quota], (trysail.Consequence{Count: true, Fallback: true}); got != want {
		t.Errorf("Configuration().Classes[quota_exhausted] = %+v, want %+v as before", got, want)
	}
}

// A model that answers badly twice will do so again.
func TestBadAnswersAreRepeatedOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		retry trysail.RetryPolicy
		want  int
	}{
		"once":               {trysail.RetryPolicy{Attempts: 5}, 2},
		"never":              {trysail.RetryPolicy{Attempts: 1}, 1},
		"as the policy says": {trysail.RetryPolicy{Attempts: 5, Classes: trysail.ClassRetries{trysail.ClassBadAnswer: {Attempts: 4}}}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			tc.retry.Backoff = trysail.BackoffNone
			n, _, err := attempts(t.Context(), newOperation(t, trysail.Policy{Retry: tc.retry}),
				func(int) error { return trysail.BadAnswer(errDown) })
			if n != tc.want || trysail.Classify(err) != trysail.ClassBadAnswer {
				t.Errorf("%d attempts and %v, want %d", n, err, tc.want)
			}
		})
	}
}

// An error that is worth one retry gets no second, whatever else went wrong between.
func TestOnce(t *testing.T) {
	gateway := trysail.Once(errors.New("504"))
	for name, tc := range map[string]struct {
		retry    trysail.RetryPolicy
		attempts []error
		want     int
	}{
		"again and again":         {trysail.RetryPolicy{Attempts: 5}, []error{gateway}, 2},
		"then another":            {trysail.RetryPolicy{Attempts: 5}, []error{gateway, errDown}, 5},
		"another before it":       {trysail.RetryPolicy{Attempts: 5}, []error{errDown, errDown, gateway}, 4},
		"another between":         {trysail.RetryPolicy{Attempts: 5}, []error{gateway, errDown, gateway}, 3},
		"wrapped and joined":      {trysail.RetryPolicy{Attempts: 5}, []error{errors.Join(errDown, fmt.Errorf("post: %w", gateway))}, 2},
		"inside another mark":     {trysail.RetryPolicy{Attempts: 5}, []error{trysail.RateLimited(gateway, 0)}, 2},
		"around another mark":     {trysail.RetryPolicy{Attempts: 5}, []error{trysail.Once(trysail.Unavailable(errDown))}, 2},
		"not against the policy":  {trysail.RetryPolicy{Attempts: 1}, []error{gateway}, 1},
		"not against its class":   {trysail.RetryPolicy{Attempts: 5}, []error{trysail.Once(trysail.Permanent(errDown))}, 1},
		"not against a row of it": {trysail.RetryPolicy{Attempts: 5, Classes: trysail.ClassRetries{transient: {Attempts: 4}}}, []error{gateway}, 2},
		"success after it":        {trysail.RetryPolicy{Attempts: 5}, []error{gateway, nil}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			tc.retry.Backoff = trysail.BackoffNone
			op := newOperation(t, trysail.Policy{Retry: tc.retry})
			last := func(n int) error { return tc.attempts[min(n, len(tc.attempts))-1] }
			n, _, err := attempts(t.Context(), op, last)
			if n != tc.want || !errors.Is(err, last(n)) || (err == nil) != (last(n) == nil) {
				t.Errorf("%d attempts and %v, want %d and the last one's error", n, err, tc.want)
			}
			if s := op.Breaker().Snapshot(); err != nil && trysail.Classify(err) != permanent && s.Failures != 1 {
				t.Errorf("%d failures, want the call counted once", s.Failures)
			}
		})
	}
	op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 5, Backoff: trysail.BackoffNone}})
	_, _, _ = attempts(t.Context(), op, always(gateway))
	if got := op.Explain(); len(got) != 1 || got[0].Reason != "an error that is worth one retry came twice" {
		t.Errorf("Explain() = %+v, want that it was worth one retry", got)
	}
}

func TestFirstClassThatDoesNotExist(t *testing.T) {
	const none = trysail.ClassBadAnswer + 1
	_, err := trysail.New(trysail.Config{Classes: map[trysail.Class]trysail.Consequence{none: {}}})
	wantFaults(t, err, "Classes has the key Class(9), want one of the 9 classes")
	if got := trysail.Classify(trysail.WithClass(errDown, none, 0)); got != transient {
		t.Errorf("Classify() of an error of class %v = %v, want %v", none, got, transient)
	}
}
