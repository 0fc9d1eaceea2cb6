package monitor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/monitor"
)

func TestObserve(t *testing.T) {
	for name, tc := range map[string]struct {
		event trysail.Event
		value float64
		want  string
	}{
		"transition": {
			trysail.Event{Kind: trysail.EventTransition, From: trysail.Closed, To: trysail.Open, Generation: 3, Reason: "5 calls in a row failed"},
			3, `{"event":"breaker_transition","from":"closed","to":"open","generation":3,"reason":"5 calls in a row failed"}`,
		},
		"retry": {
			trysail.Event{Kind: trysail.EventRetry, Attempt: 2, Wait: 1500 * time.Millisecond, Err: errors.New("secret"), Class: trysail.ClassRateLimited},
			1500, `{"event":"retry","attempt":2,"class":"rate_limited","wait_ms":1500}`,
		},
		"hedge": {
			trysail.Event{Kind: trysail.EventHedge, Attempt: 1, Wait: time.Second},
			1000, `{"event":"hedge","attempt":1,"wait_ms":1000}`,
		},
		"fallback that answered": {
			trysail.Event{Kind: trysail.EventFallback},
			1, `{"event":"fallback","succeeded":true}`,
		},
		"fallback that failed": {
			trysail.Event{Kind: trysail.EventFallback, Err: errors.New("secret"), Class: trysail.ClassOverloaded},
			0, `{"event":"fallback","succeeded":false,"class":"overloaded"}`,
		},
		"call": {
			trysail.Event{Kind: trysail.EventCall, Attempt: 1, Took: 20 * time.Millisecond},
			20, `{"event":"call","attempt":1,"succeeded":true}`,
		},
		"call that failed": {
			trysail.Event{Kind: trysail.EventCall, Took: -1, Err: errors.New("secret"), Class: trysail.ClassTransient},
			0, `{"event":"call","attempt":0,"succeeded":false,"class":"transient"}`,
		},
		"a kind of later versions": {trysail.Event{Kind: 99}, 0, `{"event":"EventKind(99)"}`},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
				tc.event.Operation, tc.event.Time = "qa", time.Now().Add(-time.Second)
				c.Observe(tc.event)
				events, _ := c.After(0, 10)
				same(t, "the event", events[0], monitor.Event{
					Seq: 1, Time: time.Now().UTC().Add(-time.Second), Kind: monitor.PerformanceEvent, Operation: "qa", Value: tc.value,
					Metadata: monitor.Metadata(tc.want),
				})
			})
		})
	}
}

// An event that comes late is dated as the engine says, but not before the one it follows, and never in the future.
func TestObserveKeepsTheOrder(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		now := time.Now().UTC()
		for _, at := range []time.Time{now.Add(-2 * time.Second), now.Add(-3 * time.Second), now.Add(time.Hour), {}} {
			c.Observe(trysail.Event{Kind: trysail.EventCall, Time: at})
		}
		events, _ := c.After(0, 10)
		for i, want := range []time.Time{now.Add(-2 * time.Second), now.Add(-2 * time.Second), now, now} {
			same(t, "Time", events[i].Time, want)
		}
	})
}

// What the engine reports says nothing about configurations.
func TestObserveLeavesStatisticsAlone(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		c.RecordPresetUsage(monitor.Subject{Metadata: map[string]any{"config_type": "legacy"}})
		for range 100 {
			c.Observe(trysail.Event{Kind: trysail.EventCall, Err: errBroken, Took: time.Second})
		}
		s := c.Statistics(0)
		same(t, "LegacyRate", s.LegacyRate, 1)
		same(t, "ErrorRate", s.ErrorRate, 0)
		same(t, "alerts", len(s.ActiveAlerts), 0)
		same(t, "Samples", c.Performance(0).Samples, 0)
	})
}

// With the real engine: a breaker opens, and closes again after its time.
func TestObserverOfAnOrchestrator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := must(t, monitor.Config{})
		orc, err := trysail.New(trysail.Config{Observer: c, ObserveCalls: true})
		if err != nil {
			t.Fatal(err)
		}
		op := orc.Operation("qa")
		for op.Breaker().State() == trysail.Closed {
			_, _ = trysail.Do(t.Context(), op, func(context.Context) (int, error) { return 0, trysail.Transient(errBroken) })
		}
		time.Sleep(time.Hour)
		if _, err := trysail.Do(t.Context(), op, func(context.Context) (int, error) { return 1, nil }); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		seen := map[any]int{}
		var states []any
		events, _ := c.After(0, 1000)
		for _, e := range events {
			fields := e.Metadata.Map()
			seen[fields["event"]]++
			if fields["event"] == "breaker_transition" {
				states = append(states, fields["to"])
			}
		}
		if len(states) != 3 || states[0] != "open" || states[1] != "half-open" || states[2] != "closed" {
			t.Errorf("transitions to %v, want open, half-open, closed", states)
		}
		if seen["retry"] == 0 || seen["call"] != int(op.Metrics().Calls) {
			t.Errorf("events by name: %v, want some retries and %d calls", seen, op.Metrics().Calls)
		}
		same(t, "DroppedEvents", orc.DroppedEvents(), 0)
	})
}
