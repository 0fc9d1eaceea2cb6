package trysail_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

func TestMetricsAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		start := time.Now().UTC()
		if got, want := op.Metrics(), (trysail.OperationMetrics{Operation: "op"}); got != want {
			t.Errorf("Metrics() of a new operation = %+v, want %+v", got, want)
		}
		for range 3 {
			time.Sleep(time.Second)
			_ = call(t, op, nil)
		}
		time.Sleep(time.Second)
		_ = call(t, op, errBadRequest)
		_ = call(t, op, context.Canceled)
		for range 5 {
			_ = call(t, op, errDown)
		}
		time.Sleep(time.Second)
		_ = call(t, op, nil) // refused
		want := trysail.OperationMetrics{
			Operation: "op", Calls: 11, Succeeded: 3, Failed: 8, Rejected: 1, Canceled: 1, Opens: 1,
			LastSuccess: start.Add(3 * time.Second), LastFailure: start.Add(4 * time.Second),
		}
		m := op.Metrics()
		if m != want {
			t.Errorf("Metrics() = %+v, want %+v", m, want)
		}
		if s, f := m.SuccessRate(), m.FailureRate(); s != 3.0/11 || f != 8.0/11 {
			t.Errorf("SuccessRate(), FailureRate() = %v, %v; want 3/11, 8/11", s, f)
		}
	})
}

func TestRatesWithoutCallsAreZero(t *testing.T) {
	var m trysail.OperationMetrics
	if s, f := m.SuccessRate(), m.FailureRate(); s != 0 || f != 0 {
		t.Errorf("SuccessRate(), FailureRate() of nothing = %v, %v; want 0, 0", s, f)
	}
}

func TestResponseTimes(t *testing.T) {
	const longest = 1<<40 - 1<<33 // what stands for everything over 18 minutes
	for name, tc := range map[string]struct {
		took         map[time.Duration]int // calls by duration
		p95, average time.Duration
	}{
		"instant":             {map[time.Duration]int{0: 3}, 0, 0},
		"one":                 {map[time.Duration]int{time.Second: 1}, time.Second, time.Second},
		"one in twenty":       {map[time.Duration]int{time.Second: 19, time.Minute: 1}, time.Second, 3950 * time.Millisecond},
		"two in twenty":       {map[time.Duration]int{time.Second: 18, time.Minute: 2}, time.Minute, 6900 * time.Millisecond},
		"longer than buckets": {map[time.Duration]int{time.Hour: 1}, longest, longest},
	} {
		bubble(t, name, func(t *testing.T) {
			op, n := newOperation(t, once()), 0
			for d, calls := range tc.took {
				for range calls {
					_, _ = trysail.Do(t.Context(), op, func(context.Context) (int, error) {
						time.Sleep(d)
						n++
						return 0, []error{nil, errDown, errBadRequest}[n%3] // both kinds count
					})
				}
			}
			m := op.Metrics()
			if d := (m.P95Response - tc.p95).Abs(); d > tc.p95/62 {
				t.Errorf("P95Response = %v, want %v within 1.6 %%", m.P95Response, tc.p95)
			}
			if d := (m.AverageResponse - tc.average).Abs(); d > tc.average/62 {
				t.Errorf("AverageResponse = %v, want %v within 1.6 %%", m.AverageResponse, tc.average)
			}
		})
	}
}

func TestRefusedCallsTakeNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		_ = hold(t, op)
		for range 5 {
			_, _ = trysail.Do(t.Context(), op, func(context.Context) (int, error) { time.Sleep(time.Second); return 0, errDown })
		}
		before := op.Metrics()
		for range 100 {
			_ = call(t, op, nil)
		}
		if m := op.Metrics(); m.AverageResponse != before.AverageResponse || m.Rejected != 100 {
			t.Errorf("Metrics() = %+v, want 100 rejected and an average of %v as before", m, before.AverageResponse)
		}
	})
}

func TestHealthAndLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc := newOrchestrator(t, trysail.Config{Default: once()})
		if h, want := orc.Health(), (trysail.Health{Healthy: true, Time: time.Now().UTC()}); fmt.Sprint(h) != fmt.Sprint(want) {
			t.Errorf("Health() of nothing = %+v, want %+v", h, want)
		}
		if b := orc.Breakers(); b == nil || len(b) != 0 {
			t.Errorf("Breakers() of nothing = %#v, want an empty list", b)
		}
		for _, name := range []string{"qa", "b", "a"} {
			_ = orc.Operation(name)
		}
		if _, err := orc.Register("plain", trysail.OperationConfig{Policy: trysail.Policy{Breaker: trysail.BreakerPolicy{Disabled: true}}}); err != nil {
			t.Fatal(err)
		}
		trip(t, orc.Operation("qa"))
		time.Sleep(30 * time.Second)
		trip(t, orc.Operation("b"))
		trip(t, orc.Operation("a"))
		time.Sleep(30 * time.Second)

		h := orc.Health()
		if h.Healthy || !slices.Equal(h.Open, []string{"a", "b"}) || !slices.Equal(h.HalfOpen, []string{"qa"}) ||
			h.Breakers != 3 || h.Operations != 4 || !h.Time.Equal(time.Now()) {
			t.Errorf("Health() = %+v, want a and b open, qa half-open, 3 breakers, 4 operations", h)
		}
		var names []string
		for _, op := range orc.Operations() {
			names = append(names, op.Name())
		}
		var metrics []string
		for _, m := range orc.Metrics() {
			metrics = append(metrics, m.Operation)
		}
		var breakers []string
		for _, b := range orc.Breakers() {
			breakers = append(breakers, b.Operation)
		}
		all := []string{"a", "b", "plain", "qa"}
		if !slices.Equal(names, all) || !slices.Equal(metrics, all) || !slices.Equal(breakers, []string{"a", "b", "qa"}) {
			t.Errorf("Operations(), Metrics(), Breakers() = %v, %v, %v; want each sorted", names, metrics, breakers)
		}
		time.Sleep(30 * time.Second)
		if h := orc.Health(); !h.Healthy || len(h.HalfOpen) != 3 {
			t.Errorf("Health() = %+v, want healthy: half-open is", h)
		}
	})
}

func TestReadingCreatesNothing(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	if op, ok := orc.Lookup("ghost"); ok || op != nil {
		t.Errorf("Lookup(ghost) = %v, %v; want nil, false", op, ok)
	}
	_ = orc.Operation("bad\n") // cannot be used, and is not kept
	if ops := orc.Operations(); len(ops) != 0 {
		t.Errorf("Operations() = %v, want none", ops)
	}
	op := orc.Operation("real")
	if again, ok := orc.Lookup("real"); !ok || again != op || orc.Operation("real") != op {
		t.Errorf("Lookup(real) = %v, %v; want the handle %v", again, ok, op)
	}
}

func TestOperationIsCreatedOnce(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	for i := range 300 {
		var handles [8]*trysail.Operation
		var all sync.WaitGroup
		start := make(chan struct{})
		for j := range handles {
			all.Go(func() {
				<-start
				handles[j] = orc.Operation(fmt.Sprint("op ", i))
			})
		}
		close(start)
		all.Wait()
		for _, op := range handles {
			if op != handles[0] {
				t.Fatalf("Operation() gave two handles for one name: %p and %p", op, handles[0])
			}
		}
	}
}

func TestConfigurationIsACopy(t *testing.T) {
	strategies := map[string]trysail.Strategy{"qa": trysail.Critical}
	orc := newOrchestrator(t, trysail.Config{Preset: "mine", Strategies: strategies})
	strategies["qa"] = trysail.Aggressive
	c := orc.Configuration()
	c.Strategies["qa"], c.Classes[permanent] = trysail.Aggressive, trysail.Consequence{Count: true}
	again := orc.Configuration()
	if again.Preset != "mine" || again.Strategies["qa"] != trysail.Critical || again.Classes[permanent].Count {
		t.Errorf("Configuration() = %+v, want it untouched", again)
	}
	if got := orc.Operation("qa").Strategy(); got != trysail.Critical {
		t.Errorf("Strategy() = %v, want %v", got, trysail.Critical)
	}
}

// Names are few, but a gateway has one for each target and tenant.
func TestMemoryOfAnIdleOperation(t *testing.T) {
	const operations, most = 10_000, 1024
	orc := newOrchestrator(t, trysail.Config{})
	names := make([]string, operations)
	for i := range names {
		names[i] = fmt.Sprintf("operation-%05d", i)
	}
	var before, after runtime.MemStats
	goroutines := runtime.NumGoroutine()
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, name := range names {
		_ = orc.Operation(name)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (after.HeapAlloc - before.HeapAlloc) / operations
	t.Logf("%d bytes and %d objects for each idle operation", each, (after.HeapObjects-before.HeapObjects)/operations)
	if each > most {
		t.Errorf("an idle operation takes %d bytes, want at most %d", each, most)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines more than before, want none", n-goroutines)
	}
	runtime.KeepAlive(orc)
}

func TestCallsTurnedAwayAtTheGatesHaveFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, gated(trysail.LimiterPolicy{Rate: 1, Burst: 2}, trysail.BulkheadPolicy{MaxConcurrent: 1}))
		first := hold(t, op)
		_ = call(t, op, nil) // there is no place
		_ = first.end(nil)
		for range 3 {
			_ = call(t, op, nil) // one unit is left, which the call without a place gave back
		}
		if m := op.Metrics(); m.Full != 1 || m.Limited != 2 || m.Failed != 3 || m.Calls != 5 {
			t.Errorf("Metrics() = %+v, want 5 calls, of which 2 + 1 were turned away and failed", m)
		}
	})
}
