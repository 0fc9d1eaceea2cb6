package trysail_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/trysail-go/trysail"
)

// The sorted list is kept between two looks, so it must neither miss who came since nor be changed by who got it.
func TestOperationsAreSortedAndComplete(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	if got := orc.Operations(); len(got) != 0 {
		t.Fatalf("Operations() = %v, want none", got)
	}
	for _, name := range []string{"m", "z", "a", "k"} {
		orc.Operation(name)
		names := namesOf(orc)
		if !slices.IsSorted(names) || !slices.Contains(names, name) {
			t.Errorf("Operations() = %q after %q, want it among them, sorted", names, name)
		}
	}
	slices.Reverse(orc.Operations())
	if got, want := namesOf(orc), []string{"a", "k", "m", "z"}; !slices.Equal(got, want) {
		t.Errorf("Operations() = %q after a caller turned its list around, want %q", got, want)
	}
}

// Whoever asks after an operation was made finds it, however many ask and make others at once.
func TestOperationsWhileOthersAreMade(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	var makers sync.WaitGroup
	for maker := range 4 {
		makers.Go(func() {
			for i := range 100 {
				name := fmt.Sprintf("operation-%d-%d", i, maker)
				orc.Operation(name)
				if names := namesOf(orc); !slices.Contains(names, name) || !slices.IsSorted(names) {
					t.Errorf("Operations() has %d names without %q, or not sorted", len(names), name)
					return
				}
				if h := orc.Health(); h.Operations < i+1 {
					t.Errorf("Health() knows %d operations, want at least %d", h.Operations, i+1)
				}
			}
		})
	}
	makers.Wait()
	if h := orc.Health(); h.Operations != 400 || len(orc.Metrics()) != 400 || len(orc.Breakers()) != 400 {
		t.Errorf("there are %d operations, %d metrics and %d breakers, want 400 of each", h.Operations, len(orc.Metrics()), len(orc.Breakers()))
	}
}

func namesOf(orc *trysail.Orchestrator) []string {
	names := []string{}
	for _, op := range orc.Operations() {
		names = append(names, op.Name())
	}
	return names
}
