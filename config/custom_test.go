package config_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

func allFields() config.Custom {
	return config.Custom{
		RetryAttempts: new(4), CircuitBreakerThreshold: new(8), RecoveryTimeout: new(90), DefaultStrategy: new(trysail.Critical),
		OperationOverrides:    map[string]trysail.Strategy{"answer_question": trysail.Balanced, "batch": trysail.Aggressive},
		ExponentialMultiplier: new(1.25), ExponentialMin: new(2.5), ExponentialMax: new(40.0),
		JitterEnabled: new(true), JitterMax: new(3.5), MaxDelaySeconds: new(70), TimeoutSeconds: new(25),
	}
}

func text(t testing.TB, custom config.Custom) string {
	t.Helper()
	text, err := json.Marshal(custom)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWith(t *testing.T) {
	preset, err := config.Find("production")
	if err != nil {
		t.Fatal(err)
	}
	const s = time.Second
	orc, err := trysail.New(preset.With(allFields()))
	if err != nil {
		t.Fatal(err)
	}
	op := orc.Operation("chat")
	want := trysail.Policy{
		Attempt: 25 * s,
		Retry:   trysail.RetryPolicy{Attempts: 4, DelayBudget: 70 * s, Base: 1250 * time.Millisecond, MinDelay: 2500 * time.Millisecond, MaxDelay: 40 * s, Jitter: 3500 * time.Millisecond},
		Breaker: trysail.BreakerPolicy{FailureThreshold: 8, RecoveryTimeout: 90 * s, HalfOpenMaxCalls: 1, ProbeTimeout: 120 * s, Enforce: 1},
	}
	if got := op.Policy(); got != want {
		t.Errorf("policy = %+v\nwant     %+v", got, want)
	}
	for name, want := range map[string]trysail.Strategy{
		"chat": trysail.Critical, "batch": trysail.Aggressive, "sentiment": trysail.Aggressive,
		"answer_question": trysail.Balanced, "qa": trysail.Balanced, // one operation
	} {
		if got := orc.Operation(name).Strategy(); got != want {
			t.Errorf("strategy of %s = %s, want %s", name, got, want)
		}
	}
}

func TestWithNothing(t *testing.T) {
	for _, preset := range config.Presets() {
		got, want := preset.With(config.Custom{}), preset.Config()
		if got.Default != want.Default || got.DefaultStrategy != want.DefaultStrategy || fmt.Sprint(got.Strategies) != fmt.Sprint(want.Strategies) {
			t.Errorf("With(nothing) of %s = %+v, want %+v", preset.Key, got, want)
		}
	}
}

func TestWithJitterOff(t *testing.T) {
	preset := config.Preset{Key: "own", RetryAttempts: 2, CircuitBreakerThreshold: 3, RecoveryTimeout: time.Minute, DefaultStrategy: trysail.Balanced}
	cfg := preset.With(config.Custom{
		JitterEnabled: new(false), JitterMax: new(5.0), OperationOverrides: map[string]trysail.Strategy{"qa": trysail.Critical},
	})
	if retry := cfg.Default.Retry; retry.Jitter != 0 || !retry.NoJitter {
		t.Errorf("jitter = %v, off %t, want 0, true", retry.Jitter, retry.NoJitter)
	}
	if got := cfg.Strategies["answer_question"]; got != trysail.Critical {
		t.Errorf("strategy of answer_question on a preset without overrides = %q, want critical", got)
	}
}

func TestOver(t *testing.T) {
	base := allFields()
	if got, want := text(t, config.Custom{}.Over(base)), text(t, base); got != want {
		t.Errorf("nothing over base = %s, want %s", got, want)
	}
	if got, want := text(t, base.Over(config.Custom{})), text(t, base); got != want {
		t.Errorf("base over nothing = %s, want %s", got, want)
	}
	top := config.Custom{
		RetryAttempts: new(9), CircuitBreakerThreshold: new(19), RecoveryTimeout: new(29), DefaultStrategy: new(trysail.Aggressive),
		OperationOverrides:    map[string]trysail.Strategy{"qa": trysail.Conservative, "summarize": trysail.Critical},
		ExponentialMultiplier: new(3.0), ExponentialMin: new(4.0), ExponentialMax: new(50.0),
		JitterEnabled: new(false), JitterMax: new(6.0), MaxDelaySeconds: new(7), TimeoutSeconds: new(8),
	}
	want := top
	want.OperationOverrides = map[string]trysail.Strategy{"qa": trysail.Conservative, "summarize": trysail.Critical, "batch": trysail.Aggressive}
	if got, want := text(t, top.Over(base)), text(t, want); got != want {
		t.Errorf("top over base = %s, want %s", got, want)
	}
	if got, want := text(t, base), text(t, allFields()); got != want {
		t.Errorf("Over changed its base to %s", got)
	}
}
