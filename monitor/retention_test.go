package monitor_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/monitor"
)

func TestNewNamesEveryBadField(t *testing.T) {
	_, err := monitor.New(monitor.Config{
		MaxEvents: -1, MaxAlerts: 100_001, Retention: time.Millisecond, CoolDown: -1, MinSamples: -1, MaxPending: 63,
		SlowLoad: -1, ErrorShare: 1.5, ChangesPerHour: -1, InvalidShare: -0.1,
	})
	want := `monitor config: MaxEvents is -1, want 1 to 10000000
MaxAlerts is 100001, want 1 to 100000
Retention is 1ms, want at least 1s
CoolDown is -1ns, want at least 1ms
MinSamples is -1, want 1 to 10000000
MaxPending is 63, want 64 to 1000000
SlowLoad is -1ns, want at least 1ns
ErrorShare is 1.5, want more than 0 and at most 1
ChangesPerHour is -1, want 1 to 10000000
InvalidShare is -0.1, want more than 0 and at most 1`
	if err == nil || err.Error() != want {
		t.Errorf("New() = %v, want %s", err, want)
	}
}

func TestRetentionEndsExactly(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		c.RecordConfigLoad(monitor.Subject{Session: "s"}, time.Second)
		time.Sleep(24*time.Hour - 1)
		same(t, "loads before", c.Statistics(0).Loads, 1)
		same(t, "events of the session before", len(c.Session("s").Events), 1)
		time.Sleep(time.Nanosecond)
		same(t, "loads after", c.Statistics(0).Loads, 0)
		same(t, "events of the session after", len(c.Session("s").Events), 0)
		same(t, "counts", c.Counts(), monitor.Counts{Recorded: 1, Expired: 1})
	})
}

func TestNewestEventsAreKept(t *testing.T) {
	bubble(t, monitor.Config{MaxEvents: 1000}, func(t *testing.T, c *monitor.Collector) {
		for i := range 5000 {
			c.RecordPresetUsage(of(fmt.Sprint(i)))
		}
		events, missed := c.After(0, 10_000)
		same(t, "events", len(events), 1000)
		same(t, "the oldest", events[0].Preset, "4000")
		same(t, "the newest", events[999].Preset, "4999")
		same(t, "missed", missed, 4000)
		same(t, "counts", c.Counts(), monitor.Counts{Recorded: 5000, Held: 1000, Evicted: 4000})
	})
}

// The engine's traffic may be a thousand times as much as what happens to the configuration.
func TestTrafficDoesNotCrowdOut(t *testing.T) {
	bubble(t, monitor.Config{MaxEvents: 100}, func(t *testing.T, c *monitor.Collector) {
		c.RecordConfigLoad(of("simple"), time.Millisecond)
		c.Observe(trysail.Event{Kind: trysail.EventTransition, Operation: "qa", From: trysail.Closed, To: trysail.Open})
		for range 10_000 {
			c.Observe(trysail.Event{Kind: trysail.EventCall, Operation: "qa"})
		}
		same(t, "loads", c.Statistics(0).Loads, 1)
		events, _ := c.After(0, 1000)
		same(t, "events", len(events), 102)
		same(t, "the second", events[1].Metadata.Map()["event"], any("breaker_transition"))
		same(t, "held", c.Counts().Held, 102)
	})
}

func TestCleanup(t *testing.T) {
	for name, tc := range map[string]struct {
		age  time.Duration
		want monitor.Cleaned // without Time
	}{
		"everything":                  {0, monitor.Cleaned{EventsRemoved: 4, AlertsRemoved: 3}},
		"what is as old":              {2 * time.Hour, monitor.Cleaned{EventsRemoved: 2, AlertsRemoved: 2, EventsRemaining: 2, AlertsRemaining: 1}},
		"what is a nanosecond older":  {2*time.Hour + 1, monitor.Cleaned{EventsRemoved: 1, AlertsRemoved: 1, EventsRemaining: 3, AlertsRemaining: 2}},
		"nothing, all is too young":   {4 * time.Hour, monitor.Cleaned{EventsRemaining: 4, AlertsRemaining: 3}},
		"more than any event can be":  {1 << 62, monitor.Cleaned{EventsRemaining: 4, AlertsRemaining: 3}},
		"the engine's events as well": {time.Nanosecond, monitor.Cleaned{EventsRemoved: 3, AlertsRemoved: 3, EventsRemaining: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
				for range 3 {
					c.RecordConfigError(monitor.Subject{Session: "s"}, errBroken)
					time.Sleep(time.Hour)
				}
				c.Observe(trysail.Event{Kind: trysail.EventRetry, Operation: "qa"})
				got, err := c.Cleanup(tc.age)
				tc.want.Time = time.Now().UTC()
				if got != tc.want || err != nil {
					t.Errorf("Cleanup(%v) = %+v, %v; want %+v", tc.age, got, err, tc.want)
				}
				n := c.Counts()
				same(t, "Held", n.Held, tc.want.EventsRemaining)
				same(t, "Removed", n.Removed, uint64(tc.want.EventsRemoved))
				same(t, "Alerts", n.Alerts, tc.want.AlertsRemaining)
				same(t, "events of the session", len(c.Session("s").Events), max(tc.want.EventsRemaining-1, 0))
			})
		})
	}
}

func TestCleanupRefusesANegativeAge(t *testing.T) {
	c := must(t, monitor.Config{})
	c.RecordPresetUsage(of("simple"))
	if got, err := c.Cleanup(-1); err == nil || err.Error() != "clean up what is older than -1ns: want 0 or more" {
		t.Errorf("Cleanup(-1) = %+v, %v; want an error", got, err)
	}
	same(t, "Held", c.Counts().Held, 1)
}

func TestSession(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		mine := monitor.Subject{Preset: "simple", Session: "mine"}
		c.RecordPresetUsage(mine)
		c.RecordConfigLoad(mine, 10*time.Millisecond)
		c.RecordConfigLoad(mine, 20*time.Millisecond)
		c.RecordConfigError(mine, errBroken)
		c.RecordConfigLoad(monitor.Subject{Session: "other"}, time.Second)
		c.RecordConfigLoad(of("simple"), time.Second)
		got := c.Session("mine")
		same(t, "events", len(got.Events), 4)
		same(t, "the last", got.Events[3].Kind, monitor.ConfigError)
		same(t, "Errors", got.Errors, 1)
		same(t, "ErrorRate", got.ErrorRate, 0.25)
		same(t, "AverageLoad", got.AverageLoad, 15*time.Millisecond)
		if want := map[string]int{"simple": 1}; !maps.Equal(got.PresetUsage, want) {
			t.Errorf("PresetUsage = %v, want %v", got.PresetUsage, want)
		}
		for _, id := range []string{"unknown", ""} {
			got := c.Session(id)
			if got.Events == nil || got.PresetUsage == nil || len(got.Events)+len(got.PresetUsage) > 0 || got.ErrorRate != 0 || got.AverageLoad != 0 {
				t.Errorf("Session(%q) = %+v, want an empty one", id, got)
			}
		}
	})
}
