package trysail_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/trysail-go/trysail"
)

func TestKeysAreApart(t *testing.T) {
	op := newOperation(t, once())
	for range 5 {
		_ = call(t, op.For("a"), errDown)
	}
	if err := call(t, op.For("a"), nil); !errors.Is(err, trysail.ErrOpen) {
		t.Errorf("key a after five failures: %v, want ErrOpen", err)
	}
	if err := call(t, op.For("b"), nil); err != nil {
		t.Errorf("key b: %v, want its own breaker", err)
	}
	if err := call(t, op, nil); err != nil {
		t.Errorf("the operation itself: %v, want its own breaker", err)
	}
	if m := op.Metrics(); m.Calls != 1 {
		t.Errorf("the operation counts %d calls, want the one without a key", m.Calls)
	}
	if got := op.For("a").Name(); got != "op[a]" {
		t.Errorf("Name() = %q, want op[a]", got)
	}
	if first, second := op.For("a"), op.For("a"); first != second {
		t.Error("two uses of a key give two operations")
	}
}

func TestKeysAreShown(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{Default: once()})
	child := orc.Operation("op").For("a[b]")
	trip(t, child)
	if got, ok := orc.Lookup("op[a[b]]"); !ok || got != child {
		t.Errorf("Lookup(op[a[b]]) = %v, %t; want the operation of the key", got, ok)
	}
	for _, name := range []string{"op[b]", "other[a]", "op[", "[a[b]]"} {
		if _, ok := orc.Lookup(name); ok {
			t.Errorf("Lookup(%q) finds something", name)
		}
	}
	if h := orc.Health(); h.Operations != 2 || len(h.Open) != 1 || h.Open[0] != "op[a[b]]" {
		t.Errorf("Health() = %+v, want the key's breaker open", h)
	}
	if len(orc.Metrics()) != 2 || len(orc.Breakers()) != 2 || len(orc.Operations()) != 1 {
		t.Error("want the key among metrics and breakers, and not among the operations")
	}
}

func TestUnusableKey(t *testing.T) {
	op := newOperation(t, once())
	for _, key := range []string{"", "a\nb", "\xff"} {
		if err := call(t, op.For(key), nil); !errors.Is(err, trysail.ErrName) {
			t.Errorf("For(%q): %v, want ErrName", key, err)
		}
	}
	if n := len(op.Keys()); n != 0 {
		t.Errorf("%d keys are remembered, want none", n)
	}
}

// What an operation forgets first is what is missed the least.
func TestForgottenKeys(t *testing.T) {
	op := newOperation(t, once())
	for range 5 {
		_ = call(t, op.For("open"), errDown)
	}
	_ = call(t, op.For("failing"), errDown)
	_ = call(t, op.For("oldest"), nil)
	for i := range 997 {
		_ = call(t, op.For(fmt.Sprint(i)), nil)
	}
	_ = op.For("oldest") // used again: 0 is the oldest now
	_ = op.For("one more")
	names := map[string]bool{}
	for _, child := range op.Keys() {
		names[child.Name()] = true
	}
	for name, want := range map[string]bool{
		"op[open]": true, "op[failing]": true, "op[oldest]": true, "op[one more]": true, "op[1]": true, "op[0]": false,
	} {
		if names[name] != want {
			t.Errorf("%s is remembered: %t, want %t", name, names[name], want)
		}
	}
	if len(names) != 1000 {
		t.Errorf("%d keys are remembered, want 1000", len(names))
	}
	for i := range 2000 {
		_ = op.For(fmt.Sprint("more", i))
	}
	if err := call(t, op.For("open"), nil); !errors.Is(err, trysail.ErrOpen) {
		t.Errorf("after 2000 more keys: %v, want the open breaker kept", err)
	}
}

func TestKeysFollowTheirOperation(t *testing.T) {
	orc, err := trysail.New(trysail.Config{Default: once()})
	if err != nil {
		t.Fatal(err)
	}
	op := orc.Operation("op")
	a := op.For("a")
	_ = call(t, a, errDown)
	policy := once()
	policy.Breaker.FailureThreshold = 2
	if _, err := orc.Register("op", trysail.OperationConfig{Policy: policy}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "b"} {
		if got := op.For(key).Policy().Breaker.FailureThreshold; got != 2 {
			t.Errorf("key %s: threshold %d, want 2", key, got)
		}
	}
	_ = call(t, a, errDown)
	wantState(t, a, trysail.Open) // its first failure was kept
}

func TestKeysUnderManyCallers(t *testing.T) {
	op := newOperation(t, once())
	var callers sync.WaitGroup
	for g := range 8 {
		callers.Go(func() {
			for i := range 3000 {
				_ = call(t, op.For(fmt.Sprint(g*i%1500)), nil)
			}
		})
	}
	callers.Wait()
	if n := len(op.Keys()); n > 1000 {
		t.Errorf("%d keys are remembered, want at most 1000", n)
	}
}

func ExampleOperation_For() {
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	chat := orc.Operation("chat")
	fmt.Println(chat.For("tenant-7").Name())
	// Output: chat[tenant-7]
}

func BenchmarkFor(b *testing.B) {
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		b.Fatal(err)
	}
	op := orc.Operation("op")
	b.ReportAllocs()
	for b.Loop() {
		if op.For("key") == nil {
			b.Fatal("nil")
		}
	}
}
