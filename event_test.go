package trysail_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// observed returns an operation under the policy, and what its observer hears.
func observed(t *testing.T, policy trysail.Policy) (*trysail.Operation, *recorder) {
	t.Helper()
	r := &recorder{}
	return newOrchestrator(t, trysail.Config{Default: policy, Observer: r}).Operation("op"), r
}

// transition is what a test of transitions compares.
type transition struct {
	at         time.Duration // since the test began
	from, to   trysail.State
	generation uint64
	reason     string
}

func wantTransitions(t *testing.T, start time.Time, got []trysail.Event, want []transition) {
	t.Helper()
	var have []transition
	for _, e := range got {
		if e.Kind == trysail.EventTransition {
			have = append(have, transition{e.Time.Sub(start), e.From, e.To, e.Generation, e.Reason})
		}
		if e.Operation != "op" {
			t.Errorf("event of %q, want op", e.Operation)
		}
	}
	if !slices.Equal(have, want) {
		t.Errorf("transitions:\n got %v\nwant %v", have, want)
	}
}

const (
	closed = trysail.Closed
	opened = trysail.Open
	half   = trysail.HalfOpen
)

func TestTransitionsAreToldOnTimeWithoutTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		op, r := observed(t, once())
		time.Sleep(time.Second)
		for range 5 {
			_ = call(t, op, errDown)
		}
		want := []transition{{time.Second, closed, opened, 1, "5 calls in a row failed"}}
		time.Sleep(time.Minute - 1)
		wantTransitions(t, start, r.heard(), want)
		time.Sleep(time.Nanosecond)
		want = append(want, transition{61 * time.Second, opened, half, 2, "the recovery timeout has passed"})
		wantTransitions(t, start, r.heard(), want)

		time.Sleep(time.Hour) // nothing is due while no probe runs
		wantTransitions(t, start, r.heard(), want)
		_ = call(t, op, errDown)
		want = append(want, transition{time.Hour + 61*time.Second, half, opened, 3, "a probe failed"})
		wantTransitions(t, start, r.heard(), want)

		op.Breaker().Reset("the operator said so")
		want = append(want, transition{time.Hour + 61*time.Second, opened, closed, 4, "reset: the operator said so"})
		wantTransitions(t, start, r.heard(), want)
		time.Sleep(time.Hour) // the timer of the open period finds nothing due
		wantTransitions(t, start, r.heard(), want)
	})
}

// A probe may begin long after half-open did; its lease is what is due then.
func TestEndOfALeaseIsToldOnTimeWithoutTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		op, r := observed(t, once())
		time.Sleep(time.Second)
		halfOpen(t, op)
		time.Sleep(30 * time.Second)
		probe := hold(t, op) // at 91 s
		want := r.heard()
		time.Sleep(2*time.Minute - 1)
		if got := r.heard(); len(got) != len(want) {
			t.Errorf("heard %d events before the lease ended, want %d", len(got), len(want))
		}
		time.Sleep(time.Nanosecond)
		got := r.heard()
		if len(got) != len(want)+1 {
			t.Fatalf("heard %d events when the lease had ended, want %d", len(got), len(want)+1)
		}
		wantTransitions(t, start, got[len(want):], []transition{{211 * time.Second, half, opened, 3, "a probe outlived its lease"}})
		_ = probe.end(nil)
	})
}

func TestCloseIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		op, r := observed(t, once())
		time.Sleep(time.Second)
		halfOpen(t, op)
		_ = call(t, op, nil)
		_ = call(t, op, nil)
		wantTransitions(t, start, r.heard()[2:], []transition{{61 * time.Second, half, closed, 3, "a probe succeeded"}})
	})
}

func TestRetriesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, r := observed(t, trysail.Policy{Retry: trysail.RetryPolicy{NoJitter: true, Attempts: 4}})
		limited := trysail.RateLimited(errDown, 5*time.Second)
		start := time.Now().UTC()
		_, _, _ = attempts(t.Context(), op, func(attempt int) error {
			return []error{limited, errDown, errBadRequest}[attempt-1]
		})
		want := []trysail.Event{{
			Kind: trysail.EventRetry, Operation: "op", Time: start,
			Attempt: 1, Class: trysail.ClassRateLimited, Wait: 5 * time.Second, Err: limited,
		}, {
			Kind: trysail.EventRetry, Operation: "op", Time: start.Add(5 * time.Second),
			Attempt: 2, Class: trysail.ClassTransient, Wait: 2 * time.Second, Err: errDown,
		}}
		if got := r.heard(); !slices.Equal(got, want) {
			t.Errorf("events:\n got %+v\nwant %+v", got, want)
		}
	})
}

func TestSlowObserverDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []uint64
		op := newOrchestrator(t, trysail.Config{Observer: observer(func(e trysail.Event) {
			time.Sleep(time.Minute)
			order = append(order, e.Generation)
		})}).Operation("op")
		start := time.Now()
		for range 100 {
			op.Breaker().Reset("test")
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("100 transitions took %v with a slow observer, want 0s", took)
		}
		time.Sleep(100 * time.Minute)
		synctest.Wait()
		if len(order) != 100 || !slices.IsSorted(order) {
			t.Errorf("the observer heard %d events in the order %v, want 100 by generation", len(order), order)
		}
	})
}

func TestEventQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const queue, more = 4096, 100
		block, heard := make(chan struct{}), 0
		orc := newOrchestrator(t, trysail.Config{Observer: observer(func(trysail.Event) {
			<-block
			heard++
		})})
		b := orc.Operation("op").Breaker()
		b.Reset("the observer is busy with this one")
		synctest.Wait()
		for range queue {
			b.Reset("waits")
		}
		if got := orc.DroppedEvents(); got != 0 {
			t.Errorf("DroppedEvents() with a full queue = %d, want 0", got)
		}
		for range more {
			b.Reset("dropped")
		}
		if got := orc.DroppedEvents(); got != more {
			t.Errorf("DroppedEvents() = %d, want %d", got, more)
		}
		close(block)
		synctest.Wait()
		if heard != queue+1 {
			t.Errorf("the observer heard %d events, want %d", heard, queue+1)
		}
		b.Reset("there is room again")
		synctest.Wait()
		if got := orc.DroppedEvents(); heard != queue+2 || got != more {
			t.Errorf("heard %d and dropped %d, want %d and %d", heard, got, queue+2, more)
		}
	})
}

func TestPanickingObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard := 0
		orc := newOrchestrator(t, trysail.Config{Observer: observer(func(trysail.Event) {
			if heard++; heard%2 == 1 {
				panic(errors.New("observer is broken"))
			}
		})})
		for range 6 {
			orc.Operation("op").Breaker().Reset("test")
		}
		synctest.Wait()
		if got := orc.DroppedEvents(); heard != 6 || got != 3 {
			t.Errorf("heard %d events and dropped %d, want 6 and 3", heard, got)
		}
	})
}

func TestWithoutObserverNothingIsDropped(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	orc.Operation("op").Breaker().Reset("test")
	if got := orc.DroppedEvents(); got != 0 {
		t.Errorf("DroppedEvents() = %d, want 0", got)
	}
}
