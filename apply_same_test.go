package trysail_test

import (
	"testing"

	"github.com/trysail-go/trysail"
)

// TestApplyReachesWhatFollowsANamedStrategy: what an operation is told to follow stays, and what that means changes.
func TestApplyReachesWhatFollowsANamedStrategy(t *testing.T) {
	follows := map[string]trysail.Strategy{"chat": trysail.Balanced}
	orc := newOrchestrator(t, trysail.Config{Strategies: follows})
	orc.Operation("chat")
	change, err := orc.Apply(trysail.Config{Strategies: follows, Default: trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 4}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := orc.Operation("chat").Policy().Retry.Attempts; got != 4 {
		t.Errorf("the operation makes %d attempts, want the default's 4", got)
	}
	if got := orc.Operation("chat").Strategy(); got != trysail.Balanced || len(change.Operations) != 1 {
		t.Errorf("it follows %q, %v have changed; want balanced still, and one", got, change.Operations)
	}
}

// TestApplyLeavesWhatAnOperationHasOfItsOwn: a default that changes where every operation has numbers of its own changes no operation.
func TestApplyLeavesWhatAnOperationHasOfItsOwn(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	own := trysail.OperationConfig{Policy: trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 7}}}
	if _, err := orc.Register("own", own); err != nil {
		t.Fatal(err)
	}
	change, err := orc.Apply(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 4}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(change.Operations) != 0 || len(change.Fields) != 1 {
		t.Errorf("operations %v, fields %v; want none, and the default's one", change.Operations, change.Fields)
	}
	if got := orc.Operation("own").Policy().Retry.Attempts; got != 7 {
		t.Errorf("the operation makes %d attempts, want its own 7", got)
	}
}
