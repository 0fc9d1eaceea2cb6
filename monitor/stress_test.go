package monitor_test

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/monitor"
)

// Everything at once, under the race detector: each reader finds what was recorded before it asked, and in the end
// nothing is unaccounted for.
func TestStress(t *testing.T) {
	const recorders, each = 4, 3000
	c := must(t, monitor.Config{MaxEvents: 500, MaxAlerts: 20, MaxPending: 1_000_000})
	var recorded, finished atomic.Int64
	var group sync.WaitGroup
	for r := range recorders {
		group.Go(func() {
			defer finished.Add(1)
			s := monitor.Subject{Preset: fmt.Sprint("preset-", r), Session: fmt.Sprint("session-", r)}
			for i := range each {
				switch i % 5 {
				case 0:
					c.RecordPresetUsage(s)
				case 1:
					c.RecordConfigLoad(s, time.Duration(i)*time.Millisecond)
				case 2:
					c.RecordConfigError(s, fmt.Errorf("error %d", i))
				case 3:
					c.RecordValidation(s, false, "fault")
				default:
					c.Observe(trysail.Event{Kind: trysail.EventTransition, Operation: "qa", Time: time.Now()})
				}
				recorded.Add(1)
			}
		})
	}
	for r := range 2 {
		group.Go(func() {
			for i := 0; finished.Load() < recorders; i++ {
				read(t, c, r+i)
				before := recorded.Load()
				n := c.Counts()
				if n.Recorded < uint64(before) {
					t.Errorf("Recorded = %d, want at least %d: they were recorded before", n.Recorded, before)
				}
				if n.Recorded != uint64(n.Held)+n.Evicted+n.Expired+n.Removed {
					t.Errorf("Counts() = %+v do not add up", n)
				}
			}
		})
	}
	group.Wait()
	n := c.Counts()
	if n.Recorded != recorders*each || n.Dropped != 0 || n.Alerts > 20 || n.Held > 1000 {
		t.Errorf("Counts() = %+v, want %d recorded, none dropped, within the bounds", n, recorders*each)
	}
}

// read asks c for one thing after another.
func read(t *testing.T, c *monitor.Collector, i int) {
	t.Helper()
	var err error
	switch i % 8 {
	case 0:
		c.Statistics(time.Hour)
	case 1:
		c.Performance(0)
	case 2:
		_, err = c.Trend("preset-1", 24)
	case 3:
		c.Session("session-2")
	case 4:
		c.Alerts(monitor.LevelError, 10)
	case 5:
		_, err = c.Export(context.Background(), io.Discard, monitor.CSV, 0)
	case 6:
		_, err = c.Cleanup(time.Millisecond)
	default:
		c.After(100, 100)
	}
	if err != nil {
		t.Error(err)
	}
}
