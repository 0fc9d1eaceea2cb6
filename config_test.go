package trysail_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

// wantFaults checks that err names all faults, and no others.
func wantFaults(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("error = nil, want %q", want)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error = %v, want it to say %q", err, w)
		}
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != len(want) {
		t.Errorf("error = %v, want %d faults, not %d", err, len(want), lines)
	}
}

func TestBadPolicyFields(t *testing.T) {
	type policy = trysail.Policy
	retry := func(r trysail.RetryPolicy) policy { return policy{Retry: r} }
	breaker := func(b trysail.BreakerPolicy) policy { return policy{Breaker: b} }
	for name, tc := range map[string]struct {
		policy policy
		want   string
	}{
		"no attempts":            {retry(trysail.RetryPolicy{Attempts: -1}), "Retry.Attempts is -1, want 1 to 20"},
		"too many attempts":      {retry(trysail.RetryPolicy{Attempts: 21}), "Retry.Attempts is 21, want 1 to 20"},
		"negative budget":        {retry(trysail.RetryPolicy{DelayBudget: -1}), "Retry.DelayBudget is -1ns, want more than 0s and at most 1h"},
		"long budget":            {retry(trysail.RetryPolicy{DelayBudget: time.Hour + 1}), "Retry.DelayBudget is 1h0m0.000000001s, want"},
		"negative base":          {retry(trysail.RetryPolicy{Base: -1}), "Retry.Base is -1ns, want"},
		"long base":              {retry(trysail.RetryPolicy{Base: 2 * time.Hour}), "Retry.Base is 2h0m0s, want"},
		"negative minimum":       {retry(trysail.RetryPolicy{MinDelay: -1}), "Retry.MinDelay is -1ns, want"},
		"minimum over maximum":   {retry(trysail.RetryPolicy{MinDelay: 11 * time.Second}), "Retry.MinDelay is 11s, want at most MaxDelay, which is 10s"},
		"long maximum":           {retry(trysail.RetryPolicy{MaxDelay: time.Hour + 1}), "Retry.MaxDelay is 1h0m0.000000001s, want"},
		"negative jitter":        {retry(trysail.RetryPolicy{Jitter: -time.Second}), "Retry.Jitter is -1s, want"},
		"long jitter":            {retry(trysail.RetryPolicy{Jitter: 25 * time.Hour}), "Retry.Jitter is 25h0m0s, want"},
		"unknown backoff":        {retry(trysail.RetryPolicy{Backoff: 9}), "Retry.Backoff is 9, want one of the 6 formulas, BackoffExponential to BackoffPollyV2"},
		"negative threshold":     {breaker(trysail.BreakerPolicy{FailureThreshold: -5}), "Breaker.FailureThreshold is -5, want 1 to 100"},
		"high threshold":         {breaker(trysail.BreakerPolicy{FailureThreshold: 101}), "Breaker.FailureThreshold is 101, want 1 to 100"},
		"negative recovery":      {breaker(trysail.BreakerPolicy{RecoveryTimeout: -1}), "Breaker.RecoveryTimeout is -1ns, want"},
		"long recovery":          {breaker(trysail.BreakerPolicy{RecoveryTimeout: time.Hour + 1, ProbeTimeout: 1}), "Breaker.RecoveryTimeout is 1h0m0.000000001s, want"},
		"negative probes":        {breaker(trysail.BreakerPolicy{HalfOpenMaxCalls: -1}), "Breaker.HalfOpenMaxCalls is -1, want 1 to 10"},
		"many probes":            {breaker(trysail.BreakerPolicy{HalfOpenMaxCalls: 11}), "Breaker.HalfOpenMaxCalls is 11, want 1 to 10"},
		"negative probe timeout": {breaker(trysail.BreakerPolicy{ProbeTimeout: -1}), "Breaker.ProbeTimeout is -1ns, want"},
		"long probe timeout":     {breaker(trysail.BreakerPolicy{ProbeTimeout: 90 * time.Minute}), "Breaker.ProbeTimeout is 1h30m0s, want"},
	} {
		t.Run(name, func(t *testing.T) {
			orc, err := trysail.New(trysail.Config{Default: tc.policy})
			wantFaults(t, err, "Default."+tc.want)
			if orc != nil || !strings.HasPrefix(err.Error(), "trysail config: ") {
				t.Errorf("New() = %v, %v; want nil and an error that begins with trysail config", orc, err)
			}
			_, err = newOrchestrator(t, trysail.Config{}).Register("op", trysail.OperationConfig{Policy: tc.policy})
			wantFaults(t, err, "Policy."+tc.want)
		})
	}
}

func TestPolicyLimitsAreIncluded(t *testing.T) {
	for name, policy := range map[string]trysail.Policy{
		"least": {
			Retry:   trysail.RetryPolicy{Attempts: 1, DelayBudget: 1, Base: 1, MinDelay: 1, MaxDelay: 1, Jitter: 1},
			Breaker: trysail.BreakerPolicy{FailureThreshold: 1, RecoveryTimeout: 1, HalfOpenMaxCalls: 1, ProbeTimeout: 1, Enforce: math.SmallestNonzeroFloat64},
		},
		"most": {
			Retry: trysail.RetryPolicy{
				Attempts: 20, DelayBudget: time.Hour, Base: time.Hour, MinDelay: time.Hour, MaxDelay: time.Hour,
				Jitter: time.Hour, Backoff: trysail.BackoffNone,
			},
			Breaker: trysail.BreakerPolicy{
				FailureThreshold: 100, RecoveryTimeout: time.Hour, HalfOpenMaxCalls: 10, ProbeTimeout: time.Hour, Enforce: 1,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := newOperation(t, policy).Policy(); got != policy {
				t.Errorf("Policy() = %+v, want %+v", got, policy)
			}
		})
	}
}

func TestAllFaultsAreNamedAtOnce(t *testing.T) {
	_, err := trysail.New(trysail.Config{
		DefaultStrategy: "brave",
		Default: trysail.Policy{
			Retry:   trysail.RetryPolicy{Attempts: 99, Jitter: -1},
			Breaker: trysail.BreakerPolicy{FailureThreshold: 999},
		},
		Strategies: map[string]trysail.Strategy{"qa": "reckless", "": trysail.Critical, "ok": trysail.Critical, "empty": ""},
		Classes: map[trysail.Class]trysail.Consequence{
			200: {}, 201: {}, trysail.ClassCanceled: {Retry: true}, trysail.ClassPermanent: {Retry: true},
		},
	})
	wantFaults(t, err,
		`DefaultStrategy: unknown strategy "brave", want one of [aggressive balanced conservative critical]`,
		"Default.Retry.Attempts is 99, want 1 to 20",
		"Default.Retry.Jitter is -1ns, want",
		"Default.Breaker.FailureThreshold is 999, want 1 to 100",
		"unusable operation name: it has 0 bytes, want 1 to 200",
		`Strategies["qa"]: unknown strategy "reckless", want one of`,
		`Strategies["empty"]: unknown strategy "", want one of`,
		"Classes has the key Class(200), want one of the 9 classes",
		"Classes has the key Class(201), want one of the 9 classes",
		"Classes[canceled].Retry is true, want false: the caller has gone",
	)
	if !errors.Is(err, trysail.ErrName) {
		t.Errorf("New() = %v, want one that is %v", err, trysail.ErrName)
	}
}

func TestRegisterNamesAllFaultsAtOnce(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	op, err := orc.Register("", trysail.OperationConfig{
		Strategy: "brave", Policy: trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 99}},
	})
	wantFaults(t, err,
		"unusable operation name: it has 0 bytes, want 1 to 200",
		`Strategy: unknown strategy "brave", want one of`,
		"Policy.Retry.Attempts is 99, want 1 to 20",
	)
	if op != nil || !errors.Is(err, trysail.ErrName) || !strings.HasPrefix(err.Error(), `register operation ""`) {
		t.Errorf("Register() = %v, %v; want nil and an error that names the operation", op, err)
	}
	if ops := orc.Operations(); len(ops) != 0 {
		t.Errorf("Operations() = %v, want none", ops)
	}
}

func TestRegisteringABadConfigurationChangesNothing(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	op, err := orc.Register("qa", trysail.OperationConfig{Strategy: trysail.Critical})
	if err != nil {
		t.Fatal(err)
	}
	before, breaker := op.Policy(), op.Breaker()
	for name, bad := range map[string]trysail.OperationConfig{
		"policy":   {Policy: trysail.Policy{Breaker: trysail.BreakerPolicy{FailureThreshold: 1, HalfOpenMaxCalls: 11}}},
		"strategy": {Strategy: "brave"},
	} {
		if _, err := orc.Register("qa", bad); err == nil {
			t.Errorf("Register() with a bad %s = nil, want an error", name)
		}
		if got := op.Policy(); got != before || op.Breaker() != breaker || op.Strategy() != trysail.Critical {
			t.Errorf("Policy() after a bad %s = %+v, want %+v", name, got, before)
		}
	}
	if s := breaker.Snapshot(); s.FailureThreshold != 10 {
		t.Errorf("Snapshot().FailureThreshold = %d, want 10", s.FailureThreshold)
	}
}

// What operators overrule must still be right: it takes effect again when they
// take their word back.
func TestOverruledStrategyMustExist(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{Strategies: map[string]trysail.Strategy{"qa": trysail.Critical}})
	if _, err := orc.Register("qa", trysail.OperationConfig{Strategy: "brave"}); err == nil {
		t.Errorf(`Register("qa", brave) under Strategies["qa"] = nil, want an error that names "brave"`)
	}
}

func TestOperationNames(t *testing.T) {
	for name, tc := range map[string]struct {
		name string
		ok   bool
	}{
		"a word":                           {"summarize", true},
		"one byte":                         {"x", true},
		"words of any language":            {"질문/answer question é", true},
		"200 bytes":                        {strings.Repeat("x", 200), true},
		"empty":                            {"", false},
		"201 bytes":                        {strings.Repeat("x", 201), false},
		"a line feed":                      {"a\nb", false},
		"a zero byte":                      {"a\x00", false},
		"a delete":                         {"\x7f", false},
		"a control character beyond ASCII": {"a\u0085b", false},
		"bytes that are not UTF-8":         {"a\xffb", false},
	} {
		t.Run(name, func(t *testing.T) {
			orc := newOrchestrator(t, trysail.Config{})
			_, err := orc.Register(tc.name, trysail.OperationConfig{})
			if got := err == nil; got != tc.ok || err != nil && !errors.Is(err, trysail.ErrName) {
				t.Errorf("Register(%q) = %v, want it accepted: %v", tc.name, err, tc.ok)
			}
			err = call(t, newOrchestrator(t, trysail.Config{}).Operation(tc.name), nil)
			if got := err == nil; got != tc.ok || err != nil && !errors.Is(err, trysail.ErrName) {
				t.Errorf("Do() under Operation(%q) = %v, want it to run: %v", tc.name, err, tc.ok)
			}
		})
	}
}
