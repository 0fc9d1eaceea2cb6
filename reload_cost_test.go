package trysail_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

// thousand is a configuration that names a thousand operations, each with numbers of its own.
func thousand() trysail.Config {
	cfg := trysail.Config{Strategies: map[string]trysail.Strategy{}, Operations: map[string]trysail.OperationConfig{}}
	for i := range 1000 {
		name := fmt.Sprint("operation-", i)
		cfg.Strategies[name] = trysail.Strategies()[i%4]
		cfg.Operations[name] = trysail.OperationConfig{Policy: trysail.Policy{Attempt: time.Duration(i+1) * time.Second}}
	}
	return cfg
}

// A reload costs what it changes: operations that stay as they are cost no memory, whether they were registered or not.
func TestApplyCostsWhatItChanges(t *testing.T) {
	orc := newOrchestrator(t, thousand())
	for i := range 1000 {
		name := fmt.Sprint("operation-", i)
		if i%2 == 0 {
			orc.Operation(name)
		} else if _, err := orc.Register(name, trysail.OperationConfig{Policy: retries(3)}); err != nil {
			t.Fatal(err)
		}
	}
	both := [2]trysail.Config{thousand(), thousand()}
	both[1].Operations["operation-7"] = trysail.OperationConfig{Policy: retries(9)}
	turn, kept := 0, orc.Operation("operation-8").Policy()
	changes := 0
	got := testing.AllocsPerRun(10, func() {
		turn++
		changes += len(apply(t, orc, both[turn%2]).Operations)
	})
	if most := 60.0; got > most { // 38 when this was written; 4,000 if all were made anew
		t.Errorf("Apply() that changes one of a thousand operations allocates %v times, want at most %v", got, most)
	}
	if changes != turn || orc.Operation("operation-8").Policy() != kept {
		t.Errorf("%d changes in %d turns, want one each, and another operation as before", changes, turn)
	}
	same := testing.AllocsPerRun(10, func() { apply(t, orc, both[turn%2]) })
	if same > got {
		t.Errorf("Apply() of the same allocates %v times, want at most %v", same, got)
	}
}

// What is taken over is taken over by what it says, not by its place: the map that was given may be another one, and changed later.
func TestApplyTakesOverWhatIsTheSameOnly(t *testing.T) {
	cfg := trysail.Config{Operations: map[string]trysail.OperationConfig{"chat": {Policy: retries(9)}, "qa": {Policy: retries(9)}}}
	orc := newOrchestrator(t, cfg)
	chat, qa := orc.Operation("chat"), orc.Operation("qa")
	cfg.Operations["chat"] = trysail.OperationConfig{Policy: retries(4)} // the same map
	if got := apply(t, orc, cfg).Operations; len(got) != 1 || chat.Policy().Retry.Attempts != 4 || qa.Policy().Retry.Attempts != 9 {
		t.Errorf("Apply() changes %q, attempts are %d and %d; want chat alone, 4 and 9", got, chat.Policy().Retry.Attempts, qa.Policy().Retry.Attempts)
	}
	cfg.Default.Attempt = time.Minute // below all of them
	if got := apply(t, orc, cfg).Operations; len(got) != 2 || qa.Policy().Attempt != time.Minute {
		t.Errorf("Apply() changes %q and leaves qa with %v, want both with 1m", got, qa.Policy().Attempt)
	}
	cfg.Disabled = true
	if apply(t, orc, cfg); chat.Breaker() != nil || qa.Policy().Attempt != 0 {
		t.Errorf("an operation has the policy %+v while all is switched off", qa.Policy())
	}
	cfg.Disabled = false
	if apply(t, orc, cfg); chat.Breaker() == nil || qa.Policy().Attempt != time.Minute {
		t.Errorf("an operation has the policy %+v after all was off and on, want the one of before", qa.Policy())
	}
}

// Config.Strategies overrules a strategy in Config.Operations, which is no change as long as it has no effect.
func TestChangeOfAnOverruledStrategy(t *testing.T) {
	cfg := trysail.Config{
		Strategies: map[string]trysail.Strategy{"later": trysail.Critical},
		Operations: map[string]trysail.OperationConfig{"later": {Strategy: trysail.Balanced}},
	}
	orc := newOrchestrator(t, cfg)
	for _, tc := range []struct {
		given, own trysail.Strategy
		want       string
	}{
		{trysail.Critical, trysail.Aggressive, ""},
		{trysail.Balanced, trysail.Aggressive, ".Strategies[later]: critical -> balanced\n"},
		{"", trysail.Aggressive, ".Strategies[later]: balanced -> \nlater.Strategy:  -> aggressive\n"},
		{"", trysail.Critical, "later.Strategy: aggressive -> critical\n"},
	} {
		next := trysail.Config{Strategies: maps.Clone(cfg.Strategies), Operations: map[string]trysail.OperationConfig{"later": {Strategy: tc.own}}}
		if next.Strategies["later"] = tc.given; tc.given == "" {
			delete(next.Strategies, "later")
		}
		if got := diff(apply(t, orc, next)); got != tc.want {
			t.Errorf("Apply() with %q over %q = %q, want %q", tc.given, tc.own, got, tc.want)
		}
	}
}
