package trysail

import (
	"context"
	"testing"
)

// While somebody changes the configuration, everything that there is can be found and looked at. Were one of these to
// wait, the test would not end.
func TestNobodyWaitsForApply(t *testing.T) {
	o, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	chat := o.Operation("chat")
	o.changing.Lock()
	defer o.changing.Unlock()
	if got := o.Operation("chat"); got != chat {
		t.Errorf("Operation() = %p, want %p", got, chat)
	}
	if _, ok := o.Lookup("other"); ok {
		t.Error("Lookup() finds an operation that is not there")
	}
	if _, err := Do(t.Context(), chat, func(context.Context) (int, error) { return 1, nil }); err != nil {
		t.Errorf("a call: %v", err)
	}
	if len(o.Operations()) != 1 || len(o.Breakers()) != 1 || o.Configuration().Preset != "simple" {
		t.Error("what there is cannot be looked at")
	}
}
