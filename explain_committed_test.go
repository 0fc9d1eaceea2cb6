package trysail_test

import (
	"testing"

	"github.com/trysail-go/trysail"
)

// TestExplainOfCommittedErrors: what would not have been retried anyway is told by its class, whoever marked it.
func TestExplainOfCommittedErrors(t *testing.T) {
	op := newOperation(t, trysail.Policy{})
	_ = call(t, op, trysail.Committed(errBadRequest))
	_ = call(t, op, trysail.Committed(errDown))
	want := []string{
		"errors of class permanent are not retried",
		"the call was marked as one not to be repeated, as it is when a part of the answer is out",
	}
	got := op.Explain()
	if len(got) != len(want) {
		t.Fatalf("%d decisions, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		if got[i].Reason != want[i] {
			t.Errorf("decision %d: %q, want %q", i, got[i].Reason, want[i])
		}
	}
}
