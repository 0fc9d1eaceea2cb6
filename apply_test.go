package trysail_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

func TestApplySaysWhatChanged(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	orc.Operation("chat")
	orc.Operation("qa")
	if _, err := orc.Register("own", trysail.OperationConfig{Strategy: trysail.Critical}); err != nil {
		t.Fatal(err)
	}
	if change, err := orc.Apply(trysail.Config{}); err != nil || len(change.Fields) != 0 || len(change.Operations) != 0 {
		t.Errorf("Apply(the same) = %+v, %v; want no change", change, err)
	}
	next := trysail.Config{
		Default:    trysail.Policy{Attempt: time.Minute, Retry: trysail.RetryPolicy{Attempts: 4}},
		Strategies: map[string]trysail.Strategy{"qa": trysail.Aggressive},
	}
	change, err := orc.Apply(next)
	if err != nil {
		t.Fatal(err)
	}
	want := []trysail.FieldChange{
		{"", "Attempt", "0s", "1m0s"},
		{"", "Retry.Attempts", "3", "4"},
		{"chat", "Attempt", "0s", "1m0s"},
		{"chat", "Retry.Attempts", "3", "4"},
		{"qa", "Strategy", "balanced", "aggressive"},
		{"qa", "Retry.Attempts", "3", "2"},
		{"qa", "Retry.DelayBudget", "1m0s", "10s"},
		{"qa", "Retry.Base", "1s", "500ms"},
		{"qa", "Retry.MinDelay", "2s", "1s"},
		{"qa", "Retry.MaxDelay", "10s", "5s"},
		{"qa", "Breaker.FailureThreshold", "5", "3"},
		{"qa", "Breaker.RecoveryTimeout", "1m0s", "30s"},
	}
	if !slices.Equal(change.Fields, want) || !slices.Equal(change.Operations, []string{"chat", "qa"}) {
		t.Errorf("Apply() = %v, operations %v\nwant      %v, [chat qa]", change.Fields, change.Operations, want)
	}
	if got := orc.Configuration(); got.Default.Retry.Attempts != 4 || got.Strategies["qa"] != trysail.Aggressive {
		t.Errorf("Configuration() = %+v, want the new one", got)
	}
	if got := orc.Operation("own").Strategy(); got != trysail.Critical {
		t.Errorf("the registered operation follows %q, want critical still", got)
	}
	if got := orc.Operation("new").Policy().Retry.Attempts; got != 4 {
		t.Errorf("a new operation makes %d attempts, want 4", got)
	}
}

func TestPreviewSaysWhatApplyWould(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	chat := orc.Operation("chat")
	next := trysail.Config{
		DefaultStrategy: trysail.Aggressive, Disabled: true,
		Classes:    map[trysail.Class]trysail.Consequence{trysail.ClassPermanent: {Count: true}},
		Operations: map[string]trysail.OperationConfig{"later": {Strategy: trysail.Critical}},
	}
	before := orc.Configuration()
	preview, err := orc.Preview(next)
	if err != nil {
		t.Fatal(err)
	}
	if after := orc.Configuration(); after.Default != before.Default || after.Disabled || chat.Strategy() != trysail.Balanced {
		t.Errorf("after Preview: %+v and strategy %s, want all as before", after, chat.Strategy())
	}
	change, err := orc.Apply(next)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(preview.Fields, change.Fields) || !slices.Equal(preview.Operations, change.Operations) || len(change.Fields) == 0 {
		t.Errorf("Preview() = %+v\nApply()   = %+v, want the same", preview, change)
	}
	const want = "DefaultStrategy: unknown strategy"
	if _, err := orc.Preview(trysail.Config{DefaultStrategy: "brave"}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Preview(a bad one) = %v, want %q in it", err, want)
	}
}

func TestPolicyOver(t *testing.T) {
	base := trysail.Policy{Attempt: time.Second, Retry: trysail.RetryPolicy{Attempts: 3, Disabled: true}}
	got := trysail.Policy{Attempt: time.Minute, Breaker: trysail.BreakerPolicy{FailureThreshold: 7}}.Over(base)
	want := trysail.Policy{
		Attempt: time.Minute, Retry: trysail.RetryPolicy{Attempts: 3, Disabled: true}, Breaker: trysail.BreakerPolicy{FailureThreshold: 7},
	}
	if got != want {
		t.Errorf("Over() = %+v, want %+v", got, want)
	}
}

func TestApplyRefusesWhole(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	op := orc.Operation("chat")
	before := op.Policy()
	_, err := orc.Apply(trysail.Config{Default: trysail.Policy{
		Total: -1, Retry: trysail.RetryPolicy{Attempts: 99}, Breaker: trysail.BreakerPolicy{FailureThreshold: 999},
	}})
	for _, want := range []string{"Default.Total is -1ns", "Default.Retry.Attempts is 99", "Default.Breaker.FailureThreshold is 999"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Apply() = %v, want %q in it", err, want)
		}
	}
	// What is good by itself may not fit an operation that was registered.
	policy := trysail.Policy{Attempt: 30 * time.Minute}
	if _, err := orc.Register("long", trysail.OperationConfig{Policy: policy}); err != nil {
		t.Fatal(err)
	}
	_, err = orc.Apply(trysail.Config{Default: trysail.Policy{Total: time.Minute, Retry: trysail.RetryPolicy{Attempts: 7}}})
	if err == nil || !strings.Contains(err.Error(), `apply to operation "long": Policy.Attempt is 30m0s, want at most Total`) {
		t.Errorf("Apply() = %v, want a fault of the operation long", err)
	}
	if op.Policy() != before || orc.Configuration().Default.Retry.Attempts != 3 {
		t.Errorf("a refused configuration changed %+v to %+v", before, op.Policy())
	}
}

func TestApplyKeepsWhatIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := trysail.Config{Default: once()}
		orc := newOrchestrator(t, cfg)
		open, failing := orc.Operation("open"), orc.Operation("failing")
		trip(t, open)
		_ = call(t, failing, errDown)
		under := hold(t, failing)
		cfg.Default.Breaker.FailureThreshold = 2
		cfg.Default.Breaker.RecoveryTimeout = 5 * time.Minute
		if _, err := orc.Apply(cfg); err != nil {
			t.Fatal(err)
		}
		if s := open.Breaker().Snapshot(); s.State != trysail.Open || time.Until(s.NextAttemptAt) != time.Minute {
			t.Errorf("the open breaker = %+v, want it open for the minute that it had", s)
		}
		if m := open.Metrics(); m.Failed != 5 {
			t.Errorf("metrics %+v, want the five failures kept", m)
		}
		_ = under.end(errDown)
		wantState(t, failing, trysail.Open)
	})
}

func TestApplyChangesWhatClassesDo(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{Default: once()})
	op := orc.Operation("chat")
	cfg := trysail.Config{Default: once(), Classes: map[trysail.Class]trysail.Consequence{trysail.ClassTransient: {}}}
	if _, err := orc.Apply(cfg); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		_ = call(t, op, errDown)
	}
	wantState(t, op, trysail.Closed)
	cfg.Disabled = true
	if _, err := orc.Apply(cfg); err != nil || op.Breaker() != nil {
		t.Errorf("Apply(Disabled): %v, breaker %v; want none", err, op.Breaker())
	}
	cfg.Disabled = false
	if _, err := orc.Apply(cfg); err != nil || op.Breaker() == nil {
		t.Errorf("Apply(not Disabled): %v, breaker %v; want it again", err, op.Breaker())
	}
}

func TestApplyUnderTraffic(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{Default: once()})
	op := orc.Operation("chat")
	var traffic sync.WaitGroup
	for g := range 4 {
		traffic.Go(func() {
			for i := range 3000 {
				outcome := error(nil)
				if i%7 == 0 {
					outcome = errBadRequest
				}
				_ = call(t, op, outcome)
				_ = call(t, op.For(fmt.Sprint(g)), outcome)
			}
		})
	}
	for i := range 200 {
		cfg := trysail.Config{Default: once()}
		cfg.Default.Breaker.FailureThreshold = 1 + i%5
		if _, err := orc.Apply(cfg); err != nil {
			t.Fatal(err)
		}
	}
	traffic.Wait()
	if m := op.Metrics(); m.Calls != 12000 || m.Calls != m.Succeeded+m.Failed {
		t.Errorf("metrics %+v, want 12000 calls", m)
	}
}

func TestExplainTellsWhichRuleDecided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{NoJitter: true, DelayBudget: 3 * time.Second}})
		if got := op.Explain(); len(got) != 0 {
			t.Errorf("Explain() at first = %+v, want nothing", got)
		}
		_ = call(t, op, errBadRequest)
		_ = call(t, op, errBadRequest)
		_ = call(t, op, trysail.RateLimited(errDown, time.Hour))
		for range 5 {
			_ = call(t, op, errDown)
		}
		_ = call(t, op, nil)
		var got []string
		for _, d := range op.Explain() {
			got = append(got, fmt.Sprintf("%s %d×: %s", d.Outcome, d.Times, d.Reason))
		}
		want := []string{
			"failed 2×: errors of class permanent are not retried",
			"failed 1×: the next wait fits neither into the budget, of which 3s of 3s are left, nor before the deadline",
			"failed 4×: the next wait fits neither into the budget, of which 1s of 3s are left, nor before the deadline",
			"open 1×: 5 calls in a row failed",
			"refused 1×: circuit breaker is open: 5 calls in a row failed",
		}
		if !slices.Equal(got, want) {
			t.Errorf("Explain():\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		op.Breaker().Reset("test")
		for i := range 100 {
			_ = call(t, op, trysail.WithClass(errors.New("x"), trysail.ClassContextLength+trysail.Class(i%3), 0))
		}
		if n := len(op.Explain()); n != 32 {
			t.Errorf("%d decisions are remembered, want 32", n)
		}
	})
}

func ExampleOrchestrator_Apply() {
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	orc.Operation("chat")
	change, err := orc.Apply(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 5}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range change.Fields {
		fmt.Printf("%q %s: %s -> %s\n", f.Operation, f.Field, f.Old, f.New)
	}
	// Output:
	// "" Retry.Attempts: 3 -> 5
	// "chat" Retry.Attempts: 3 -> 5
}

func TestExplainTellsWhenAttemptsAreUsedUp(t *testing.T) {
	op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone}})
	_ = call(t, op, errDown)
	if got := op.Explain(); len(got) != 1 || got[0].Reason != "all 3 attempts are used up" || got[0].Attempts != 3 {
		t.Errorf("Explain() = %+v, want that all 3 attempts are used up", got)
	}
}
