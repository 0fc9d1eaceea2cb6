package trysail_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

func TestBadRetryFieldsOfAClass(t *testing.T) {
	retry := trysail.RetryPolicy{Attempts: 21, Cost: -1}
	retry.Classes = trysail.ClassRetries{
		trysail.ClassTransient:   {Attempts: 20, Base: time.Hour},
		trysail.ClassRateLimited: {Attempts: -1, Base: -1},
		trysail.ClassOverloaded:  {Attempts: 21, Base: time.Hour + 1},
		trysail.ClassCanceled:    {Attempts: 2},
	}
	_, err := trysail.New(trysail.Config{Default: trysail.Policy{Retry: retry}})
	wantFaults(t, err,
		"Default.Retry.Attempts is 21, want 1 to 20",
		"Default.Retry.Classes[rate_limited].Attempts is -1, want 1 to 20",
		"Default.Retry.Classes[rate_limited].Base is -1ns, want more than 0s and at most 1h",
		"Default.Retry.Classes[overloaded].Attempts is 21, want 1 to 20",
		"Default.Retry.Classes[overloaded].Base is 1h0m0.000000001s, want",
		"Default.Retry.Classes[canceled] is set, want no row: the caller has gone",
		"Default.Retry.Cost is -1, want 0 to 1000000000000",
	)
}

// A row's zero fields come from the row of the default policy, then from the policy.
func TestClassRetriesAreInherited(t *testing.T) {
	budget, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{})
	if err != nil {
		t.Fatal(err)
	}
	orc := newOrchestrator(t, trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{
		Budget: budget, Cost: 7, Backoff: trysail.BackoffFullJitter,
		Classes: trysail.ClassRetries{
			trysail.ClassOverloaded:  {Attempts: 2, Base: time.Second},
			trysail.ClassRateLimited: {Base: 5 * time.Second},
		},
	}}})
	op, err := orc.Register("op", trysail.OperationConfig{Policy: trysail.Policy{Retry: trysail.RetryPolicy{
		Classes: trysail.ClassRetries{trysail.ClassOverloaded: {Attempts: 4}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	got := op.Policy().Retry
	want := trysail.ClassRetries{
		trysail.ClassOverloaded:  {Attempts: 4, Base: time.Second},
		trysail.ClassRateLimited: {Base: 5 * time.Second},
	}
	if got.Classes != want || got.Budget != budget || got.Cost != 7 || got.Backoff != trysail.BackoffFullJitter {
		t.Errorf("Policy().Retry = %+v, want classes %v, the default's budget, cost 7 and full jitter", got, want)
	}
	if other := orc.Operation("other").Policy().Retry.Classes[trysail.ClassOverloaded]; other.Attempts != 2 {
		t.Errorf("attempts of another operation = %d, want 2: policies share no rows", other.Attempts)
	}
}

func TestBaseOfAClass(t *testing.T) {
	for name, tc := range map[string]struct {
		outcome error
		want    []time.Duration
	}{
		"a class with its own base": {trysail.Unavailable(errDown), seconds(5, 10, 20)},
		"any other class":           {errDown, seconds(2, 2, 4)},
		"a rate limit, twice":       {trysail.RateLimited(errDown, 0), seconds(6, 12, 24)},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{
				Attempts: 4, NoJitter: true, MaxDelay: time.Minute,
				Classes: trysail.ClassRetries{
					trysail.ClassOverloaded:  {Base: 5 * time.Second},
					trysail.ClassRateLimited: {Base: 3 * time.Second},
				},
			}})
			if got := waits(t, op, tc.outcome); !slices.Equal(got, tc.want) {
				t.Errorf("waits = %v, want %v", got, tc.want)
			}
		})
	}
}

func TestBackoffNames(t *testing.T) {
	for formula, want := range map[trysail.Backoff]string{
		trysail.BackoffExponential:  "exponential",
		trysail.BackoffNone:         "none",
		trysail.BackoffFullJitter:   "full_jitter",
		trysail.BackoffEqualJitter:  "equal_jitter",
		trysail.BackoffDecorrelated: "decorrelated",
		trysail.BackoffPollyV2:      "polly_v2",
		6:                           "Backoff(6)",
		255:                         "Backoff(255)",
	} {
		if got := formula.String(); got != want {
			t.Errorf("Backoff(%d).String() = %q, want %q", uint8(formula), got, want)
		}
	}
}

// An overloaded provider is asked twice at most and left alone for a while first;
// everything else is repeated sooner and more often.
func ExampleClassRetries() {
	rows := trysail.ClassRetries{
		trysail.ClassTransient:   {Base: 50 * time.Millisecond},
		trysail.ClassRateLimited: {Attempts: 5},
		trysail.ClassOverloaded:  {Attempts: 2, Base: time.Second},
	}
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{
		Backoff: trysail.BackoffFullJitter,
		Classes: rows,
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(orc.Operation("summarize").Policy().Retry.Classes)
	// Output: transient: base 50ms; rate_limited: 5 attempts; overloaded: 2 attempts, base 1s
}

func TestFirstBackoffThatDoesNotExist(t *testing.T) {
	_, err := trysail.New(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffPollyV2 + 1}}})
	wantFaults(t, err, "Default.Retry.Backoff is 6, want one of the 6 formulas")
}
