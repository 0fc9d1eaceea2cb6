package trysailtest_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/trysailtest"
)

// bubble runs f as a subtest in a bubble of its own.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// once is a policy whose calls are one attempt each.
func once() trysail.Policy { return trysail.Policy{Retry: trysail.RetryPolicy{Disabled: true}} }

// together makes n calls at the same time, and returns them in their order.
func together(t *testing.T, op *trysail.Operation, n int, script string) []trysailtest.Call {
	t.Helper()
	calls := make([]trysailtest.Call, n)
	var all sync.WaitGroup
	for i := range calls {
		all.Go(func() { calls[i] = trysailtest.Run(t, op, script) })
		synctest.Wait() // the queues are in the order of the calls
	}
	all.Wait()
	return calls
}

func wantCalls(t *testing.T, calls []trysailtest.Call, want ...string) {
	t.Helper()
	for i, call := range calls {
		call.Want(t, want[i])
	}
}

// A fakeT takes down what a test would be told.
type fakeT struct {
	testing.TB
	said     []string
	cleanups []func()
}

// stopped is what a fakeT panics with where a test would end.
const stopped = "the test has ended"

func (f *fakeT) Helper()                      {}
func (f *fakeT) Failed() bool                 { return len(f.said) > 0 }
func (f *fakeT) Cleanup(g func())             { f.cleanups = append(f.cleanups, g) }
func (f *fakeT) Errorf(form string, a ...any) { f.said = append(f.said, fmt.Sprintf(form, a...)) }
func (f *fakeT) Logf(form string, a ...any)   { f.said = append(f.said, "log: "+fmt.Sprintf(form, a...)) }
func (f *fakeT) Fatalf(form string, a ...any) { f.Errorf(form, a...); panic(stopped) }

// failing runs a test with a t that takes down what it says.
func failing(t *testing.T, test func(t testing.TB)) string {
	t.Helper()
	f := &fakeT{TB: t}
	func() {
		defer func() {
			if v := recover(); v != nil && v != stopped {
				panic(v)
			}
		}()
		test(f)
	}()
	for _, cleanup := range f.cleanups {
		cleanup()
	}
	return strings.Join(f.said, "\n")
}

func wantSaid(t *testing.T, got, want string) {
	t.Helper()
	if strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("the test was told\n%s\nwant\n%s", got, want)
	}
}
