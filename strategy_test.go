package trysail_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

// row is a line of the specification's table of strategies.
func row(attempts int, budget, base, least, most, jitter float64, threshold int, recovery float64) trysail.Policy {
	s := seconds(budget, base, least, most, jitter, recovery)
	return trysail.Policy{
		Retry: trysail.RetryPolicy{
			Attempts: attempts, DelayBudget: s[0], Base: s[1], MinDelay: s[2], MaxDelay: s[3], Jitter: s[4],
		},
		Breaker: trysail.BreakerPolicy{
			FailureThreshold: threshold, RecoveryTimeout: s[5], HalfOpenMaxCalls: 1,
		},
	}
}

func TestStrategies(t *testing.T) {
	want := map[trysail.Strategy]trysail.Policy{
		trysail.Aggressive:   row(2, 10, 0.5, 1, 5, 2, 3, 30),
		trysail.Balanced:     row(3, 30, 1, 2, 10, 2, 5, 60),
		trysail.Conservative: row(5, 120, 2, 4, 30, 2, 8, 120),
		trysail.Critical:     row(7, 300, 1.5, 3, 60, 5, 10, 300),
		"":                   row(3, 30, 1, 2, 10, 2, 5, 60),
		"unknown":            row(3, 30, 1, 2, 10, 2, 5, 60),
	}
	for strategy, policy := range want {
		if got := strategy.Policy(); got != policy {
			t.Errorf("Strategy(%q).Policy() = %+v, want %+v", strategy, got, policy)
		}
	}
	order := []trysail.Strategy{trysail.Aggressive, trysail.Balanced, trysail.Conservative, trysail.Critical}
	if got := trysail.Strategies(); !slices.Equal(got, order) {
		t.Errorf("Strategies() = %v, want %v", got, order)
	}
}

func TestParseStrategy(t *testing.T) {
	for _, want := range trysail.Strategies() {
		if got, err := trysail.ParseStrategy(string(want)); got != want || err != nil {
			t.Errorf("ParseStrategy(%q) = %q, %v; want itself", want, got, err)
		}
	}
	for _, name := range []string{"", "Balanced", "CRITICAL", " balanced", "default", "simple"} {
		got, err := trysail.ParseStrategy(name)
		if got != "" || err == nil || !strings.Contains(err.Error(), "want one of [aggressive balanced conservative critical]") {
			t.Errorf("ParseStrategy(%q) = %q, %v; want an error that lists the strategies", name, got, err)
		}
	}
}

func TestZeroConfigIsThePresetSimple(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	want := row(3, 60, 1, 2, 10, 2, 5, 60)
	want.Breaker.ProbeTimeout, want.Breaker.Enforce = 2*time.Minute, 1
	op := orc.Operation("op")
	if got := op.Policy(); got != want || op.Strategy() != trysail.Balanced || op.Name() != "op" {
		t.Errorf("%s: Policy() = %+v of %v, want %+v of balanced", op.Name(), got, op.Strategy(), want)
	}
	c := orc.Configuration()
	if c.Preset != "simple" || c.DefaultStrategy != trysail.Balanced || c.Default != want || c.Disabled || len(c.Strategies) != 0 {
		t.Errorf("Configuration() = %+v, want the preset simple", c)
	}
}

// The strategy of an operation is that of the operators, else that of the code,
// else the default; and only the default one has the configuration's numbers.
func TestStrategyOfAnOperation(t *testing.T) {
	cfg := trysail.Config{
		DefaultStrategy: trysail.Conservative,
		Default:         production(),
		Strategies:      map[string]trysail.Strategy{"qa": trysail.Critical, "summarize": trysail.Conservative},
	}
	for name, tc := range map[string]struct {
		operation string
		own       trysail.Strategy
		strategy  trysail.Strategy
		attempts  int
		budget    time.Duration
		threshold int
	}{
		"default":                            {"x", "", trysail.Conservative, 5, 100 * time.Second, 10},
		"the default, said aloud":            {"x", trysail.Conservative, trysail.Conservative, 5, 100 * time.Second, 10},
		"the code's":                         {"x", trysail.Aggressive, trysail.Aggressive, 2, 10 * time.Second, 3},
		"the operators'":                     {"qa", "", trysail.Critical, 7, 300 * time.Second, 10},
		"the operators' over the code's":     {"qa", trysail.Aggressive, trysail.Critical, 7, 300 * time.Second, 10},
		"the default, by the operators":      {"summarize", trysail.Aggressive, trysail.Conservative, 5, 100 * time.Second, 10},
		"names are told apart by their case": {"QA", "", trysail.Conservative, 5, 100 * time.Second, 10},
		"a name like a strategy's":           {"critical", "", trysail.Conservative, 5, 100 * time.Second, 10},
	} {
		t.Run(name, func(t *testing.T) {
			op, err := newOrchestrator(t, cfg).Register(tc.operation, trysail.OperationConfig{Strategy: tc.own})
			if err != nil {
				t.Fatal(err)
			}
			p := op.Policy()
			if op.Strategy() != tc.strategy || p.Retry.Attempts != tc.attempts || p.Retry.DelayBudget != tc.budget ||
				p.Breaker.FailureThreshold != tc.threshold {
				t.Errorf("Register(%q, %q) = %v %+v, want %v with %d attempts, %v, threshold %d",
					tc.operation, tc.own, op.Strategy(), p, tc.strategy, tc.attempts, tc.budget, tc.threshold)
			}
		})
	}
}

func TestPolicySaysOnlyWhatDiffers(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{
		Default: trysail.Policy{
			Retry:   trysail.RetryPolicy{Attempts: 4, NoJitter: true},
			Breaker: trysail.BreakerPolicy{ProbeTimeout: 10 * time.Minute},
		},
	})
	for name, tc := range map[string]struct {
		own  trysail.OperationConfig
		want func(*trysail.Policy)
	}{
		"nothing":          {trysail.OperationConfig{}, func(*trysail.Policy) {}},
		"a number":         {trysail.OperationConfig{Policy: trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 9}}}, func(p *trysail.Policy) { p.Retry.Attempts = 9 }},
		"switches":         {trysail.OperationConfig{Policy: trysail.Policy{Retry: trysail.RetryPolicy{Disabled: true}}}, func(p *trysail.Policy) { p.Retry.Disabled = true }},
		"a formula":        {trysail.OperationConfig{Policy: trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone}}}, func(p *trysail.Policy) { p.Retry.Backoff = trysail.BackoffNone }},
		"probes":           {trysail.OperationConfig{Policy: trysail.Policy{Breaker: trysail.BreakerPolicy{HalfOpenMaxCalls: 3}}}, func(p *trysail.Policy) { p.Breaker.HalfOpenMaxCalls = 3 }},
		"recovery timeout": {trysail.OperationConfig{Policy: trysail.Policy{Breaker: trysail.BreakerPolicy{RecoveryTimeout: time.Second}}}, func(p *trysail.Policy) { p.Breaker.RecoveryTimeout = time.Second }},
	} {
		t.Run(name, func(t *testing.T) {
			want := row(4, 60, 1, 2, 10, 2, 5, 60)
			want.Retry.NoJitter, want.Breaker.ProbeTimeout, want.Breaker.Enforce = true, 10*time.Minute, 1
			tc.want(&want)
			op, err := orc.Register(name, tc.own)
			if err != nil {
				t.Fatal(err)
			}
			if got := op.Policy(); got != want {
				t.Errorf("Policy() = %+v, want %+v", got, want)
			}
		})
	}
}

// A probe timeout that nobody set follows the recovery timeout.
func TestDerivedProbeTimeoutFollowsAnOwnRecoveryTimeout(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{Default: trysail.Policy{Breaker: trysail.BreakerPolicy{RecoveryTimeout: 30 * time.Minute}}})
	for recovery, want := range map[time.Duration]time.Duration{0: 30 * time.Minute, time.Second: 2 * time.Minute, time.Hour: time.Hour} {
		own := trysail.OperationConfig{Policy: trysail.Policy{Breaker: trysail.BreakerPolicy{RecoveryTimeout: recovery}}}
		op, err := orc.Register("op", own)
		if err != nil {
			t.Fatal(err)
		}
		if got := op.Policy().Breaker.ProbeTimeout; got != want {
			t.Errorf("ProbeTimeout with an own RecoveryTimeout of %v = %v, want %v", recovery, got, want)
		}
	}
}

func TestDisabledConfigRunsEveryCallPlainly(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{Disabled: true})
	op, err := orc.Register("op", trysail.OperationConfig{Strategy: trysail.Critical})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		n := 0
		_, err := trysail.Do(t.Context(), op, func(context.Context) (int, error) { n++; return 0, errDown })
		if n != 1 || trysail.Classify(err) != transient {
			t.Fatalf("Do() = %v after %d attempts, want %v after 1", err, n, errDown)
		}
	}
	if op.Breaker() != nil || len(orc.Breakers()) != 0 {
		t.Errorf("Breaker() = %v, Breakers() = %v; want none", op.Breaker(), orc.Breakers())
	}
	if m := op.Metrics(); m.Calls != 20 || m.Failed != 20 || m.Retries != 0 {
		t.Errorf("Metrics() = %+v, want 20 failed calls without retries", m)
	}
	if h := orc.Health(); !h.Healthy || h.Operations != 1 || h.Breakers != 0 {
		t.Errorf("Health() = %+v, want healthy with 1 operation and no breaker", h)
	}
}
