package monitor_test

import (
	"testing"
	"time"

	"github.com/trysail-go/trysail/monitor"
)

// A follower that begins with the newest number hears of what comes, and of nothing before.
func TestNewestIsWhereAFollowerBegins(t *testing.T) {
	c := must(t, monitor.Config{MaxEvents: 2})
	same(t, "Newest() of nothing", c.Newest(), 0)
	for range 3 {
		c.RecordPresetUsage(monitor.Subject{Preset: "simple"})
	}
	same(t, "Newest()", c.Newest(), 3)
	if _, err := c.Cleanup(0); err != nil {
		t.Fatal(err)
	}
	from := c.Newest()
	same(t, "Newest() after its event has gone", from, 3)
	events, missed := c.After(from, 10)
	same(t, "events at first", len(events), 0)
	same(t, "missed at first", missed, 0)
	c.RecordConfigLoad(monitor.Subject{Preset: "production"}, time.Millisecond)
	events, missed = c.After(from, 10)
	if len(events) != 1 || events[0].Seq != 4 || missed != 0 {
		t.Errorf("After(%d) = %+v, %d missed; want the event 4 and none missed", from, events, missed)
	}
}
