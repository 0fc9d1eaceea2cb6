package trysail_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

func TestBadBudgets(t *testing.T) {
	type config = trysail.RetryBudgetConfig
	for name, tc := range map[string]struct {
		cfg  config
		want string
	}{
		"negative share":      {config{Share: -0.1}, "Share is -0.1, want more than 0 and at most 1"},
		"share over 1":        {config{Share: 1.01}, "Share is 1.01, want more than 0 and at most 1"},
		"share not a number":  {config{Share: math.NaN()}, "Share is NaN, want more than 0 and at most 1"},
		"infinite share":      {config{Share: math.Inf(1)}, "Share is +Inf, want more than 0 and at most 1"},
		"negative floor":      {config{Floor: -1}, "Floor is -1, want more than 0 and at most 1000 per second"},
		"high floor":          {config{Floor: 1001}, "Floor is 1001, want more than 0 and at most 1000 per second"},
		"floor not a number":  {config{Floor: trysail.Rate(math.NaN())}, "Floor is NaN, want more than 0 and at most 1000 per second"},
		"negative window":     {config{Window: -time.Minute}, "Window is -1m0s, want 1s to 1h"},
		"short window":        {config{Window: time.Second - 1}, "Window is 999.999999ms, want 1s to 1h"},
		"long window":         {config{Window: time.Hour + 1}, "Window is 1h0m0.000000001s, want 1s to 1h"},
		"negative cost share": {config{CostShare: -1}, "CostShare is -1, want more than 0 and at most 1"},
		"cost share over 1":   {config{CostShare: 2}, "CostShare is 2, want more than 0 and at most 1"},
		"negative reserve":    {config{CostReserve: -1}, "CostReserve is -1, want 0 to 1000000000000"},
		"high reserve":        {config{CostReserve: 1e12 + 1}, "CostReserve is 1000000000001, want 0 to 1000000000000"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := trysail.NewRetryBudget(tc.cfg)
			wantFaults(t, err, "RetryBudgetConfig."+tc.want)
			if b != nil || !strings.HasPrefix(err.Error(), "retry budget: ") {
				t.Errorf("NewRetryBudget() = %v, %v; want nil and an error that begins with retry budget", b, err)
			}
		})
	}
}

func TestAllFaultsOfABudgetAreNamedAtOnce(t *testing.T) {
	_, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{
		Share: 2, Floor: -1, Window: 1, CostShare: math.NaN(), CostReserve: -5,
	})
	wantFaults(t, err, "Share is 2", "Floor is -1", "Window is 1ns", "CostShare is NaN", "CostReserve is -5")
}

func TestBudgetLimitsAreIncluded(t *testing.T) {
	for name, cfg := range map[string]trysail.RetryBudgetConfig{
		"defaults": {},
		"least":    {Share: math.SmallestNonzeroFloat64, Floor: 1e-300, Window: time.Second, CostShare: 1e-300},
		"most":     {Share: 1, Floor: 1000, Window: time.Hour, CostShare: 1, CostReserve: 1e12},
	} {
		if _, err := trysail.NewRetryBudget(cfg); err != nil {
			t.Errorf("NewRetryBudget(%s) = %v, want nil", name, err)
		}
	}
}

func TestBudgetSaysWhatItAllows(t *testing.T) {
	b, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{Floor: 0.5, CostReserve: 3})
	if err != nil {
		t.Fatal(err)
	}
	want := trysail.RetryBudgetConfig{Share: 0.1, Floor: 0.5, Window: time.Minute, CostShare: 0.1, CostReserve: 3}
	if got := b.Config(); got != want {
		t.Errorf("Config() = %+v, want %+v", got, want)
	}
	if got, want := b.String(), "0.1 of the calls and 0.5/s, over 1m0s"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	if got := (*trysail.RetryBudget)(nil).String(); got != "none" {
		t.Errorf("String() of nil = %q, want none", got)
	}
}

// A budget may be made before the bubble in which a test uses it.
func TestBudgetMadeOutsideOfABubble(t *testing.T) {
	b, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		for range 3 {
			if got := b.Snapshot(); got != (trysail.BudgetSnapshot{Allowed: 12}) {
				t.Errorf("Snapshot() = %+v, want an empty window that allows 12", got)
			}
			time.Sleep(time.Minute)
		}
	})
}

func ExampleNewRetryBudget() {
	budget, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{
		Share:  0.2, // one retry for every five calls ...
		Floor:  0.5, // ... and one every two seconds, however few the calls are
		Window: 30 * time.Second,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("a quiet window allows", budget.Snapshot().Allowed, "retries")

	_, err = trysail.NewRetryBudget(trysail.RetryBudgetConfig{Share: 20, Floor: -1})
	fmt.Println(err)
	// Output:
	// a quiet window allows 15 retries
	// retry budget: RetryBudgetConfig.Share is 20, want more than 0 and at most 1
	// RetryBudgetConfig.Floor is -1, want more than 0 and at most 1000 per second
}
