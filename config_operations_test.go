package trysail_test

import (
	"slices"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

func retries(attempts int) trysail.Policy {
	return trysail.Policy{Retry: trysail.RetryPolicy{Attempts: attempts}}
}

func TestConfiguredOperations(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{
		Default:    retries(4),
		Strategies: map[string]trysail.Strategy{"overruled": trysail.Critical},
		Operations: map[string]trysail.OperationConfig{
			"numbers":   {Policy: retries(9)},
			"strategy":  {Strategy: trysail.Aggressive},
			"both":      {Strategy: trysail.Aggressive, Policy: retries(8)},
			"overruled": {Strategy: trysail.Aggressive, Policy: retries(6)},
			"nothing":   {},
		},
	})
	for _, tc := range []struct {
		name     string
		strategy trysail.Strategy
		attempts int
		base     time.Duration // of the strategy
	}{
		{"numbers", trysail.Balanced, 9, time.Second},
		{"strategy", trysail.Aggressive, 2, 500 * time.Millisecond},
		{"both", trysail.Aggressive, 8, 500 * time.Millisecond},
		{"overruled", trysail.Critical, 6, 1500 * time.Millisecond},
		{"nothing", trysail.Balanced, 4, time.Second},
		{"other", trysail.Balanced, 4, time.Second},
	} {
		op := orc.Operation(tc.name)
		retry := op.Policy().Retry
		if op.Strategy() != tc.strategy || retry.Attempts != tc.attempts || retry.Base != tc.base {
			t.Errorf("%s: strategy %s with %d attempts and the base %v, want %s, %d, %v",
				tc.name, op.Strategy(), retry.Attempts, retry.Base, tc.strategy, tc.attempts, tc.base)
		}
	}
}

// Operators overrule code, but only in what they say.
func TestConfiguredOperationsGoBeforeRegistration(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{Operations: map[string]trysail.OperationConfig{"qa": {Policy: retries(9)}}})
	op, err := orc.Register("qa", trysail.OperationConfig{
		Strategy: trysail.Critical,
		Policy:   trysail.Policy{Attempt: time.Minute, Retry: trysail.RetryPolicy{Attempts: 2}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if p := op.Policy(); op.Strategy() != trysail.Critical || p.Attempt != time.Minute || p.Retry.Attempts != 9 {
		t.Errorf("strategy %s, attempt %v, %d attempts; want critical and 1m from Register, 9 attempts from the Config",
			op.Strategy(), p.Attempt, p.Retry.Attempts)
	}
	apply(t, orc, trysail.Config{})
	if got := op.Policy().Retry.Attempts; got != 2 {
		t.Errorf("%d attempts after the Config names the operation no more, want Register's 2", got)
	}
}

func TestChangeOfConfiguredOperations(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	chat := orc.Operation("chat")
	cfg := trysail.Config{Operations: map[string]trysail.OperationConfig{"chat": {Policy: retries(9)}, "new": {Policy: retries(8)}}}
	change := apply(t, orc, cfg)
	want := "new.Retry.Attempts: 0 -> 8\nchat.Retry.Attempts: 3 -> 9\n"
	if got := diff(change); got != want || !slices.Equal(change.Operations, []string{"chat"}) {
		t.Errorf("Apply() = %s%v, want\n%s[chat]", got, change.Operations, want)
	}
	if got := chat.Policy().Retry.Attempts; got != 9 {
		t.Errorf("%d attempts after Apply, want 9", got)
	}
	if change := apply(t, orc, cfg); len(change.Fields) != 0 {
		t.Errorf("Apply() of the same = %+v, want nothing", change)
	}
	got := orc.Configuration().Operations
	got["chat"] = trysail.OperationConfig{}
	if again := orc.Configuration().Operations; again["chat"].Policy.Retry.Attempts != 9 {
		t.Errorf("Configuration().Operations = %+v after a change to a copy, want what was configured", again)
	}
}

func TestBadConfiguredOperations(t *testing.T) {
	_, err := trysail.New(trysail.Config{Operations: map[string]trysail.OperationConfig{
		"":       {Policy: retries(5)},
		"brave":  {Strategy: "brave", Policy: retries(99)},
		"eager":  {Policy: retries(99)},
		"hasty":  {Policy: trysail.Policy{Total: -1}},
		"simple": {},
	}})
	wantFaults(t, err,
		"Operations: unusable operation name: it has 0 bytes, want 1 to 200",
		`Operations["brave"].Strategy: unknown strategy "brave", want one of [aggressive balanced conservative critical]`,
		`Operations["brave"].Policy.Retry.Attempts is 99, want 1 to 20`,
		`Operations["eager"].Policy.Retry.Attempts is 99, want 1 to 20`,
		`Operations["hasty"].Policy.Total is -1ns, want 0s, which is no limit, to 24h`,
	)
}
