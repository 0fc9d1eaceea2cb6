package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/monitor"
)

var errDisk = errors.New("disk full")

// disk is a Sink as a store would be: what has been stored is there, whatever is stored twice.
type disk struct {
	mu     sync.Mutex // guards what follows
	events map[uint64]monitor.Event
	alerts map[uint64]monitor.Alert
	missed uint64
	saves  int
	given  int // events, again ones included
	full   bool
}

func (d *disk) Save(_ context.Context, b monitor.Batch) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.saves++
	if d.full {
		return errDisk
	}
	if d.events == nil {
		d.events, d.alerts = map[uint64]monitor.Event{}, map[uint64]monitor.Alert{}
	}
	for _, e := range b.Events {
		d.events[e.Seq] = e
	}
	for _, a := range b.Alerts {
		d.alerts[a.ID] = a
	}
	d.missed += b.Missed
	d.given += len(b.Events)
	return nil
}

func (d *disk) set(full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = full
}

func (d *disk) counts() (events, alerts, saves int, missed uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.events), len(d.alerts), d.saves, d.missed
}

// stored returns what is on the disk, in order.
func (d *disk) stored() (events []monitor.Event, alerts []monitor.Alert) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, seq := range slices.Sorted(maps.Keys(d.events)) {
		events = append(events, d.events[seq])
	}
	for _, id := range slices.Sorted(maps.Keys(d.alerts)) {
		alerts = append(alerts, d.alerts[id])
	}
	return events, alerts
}

// persisting runs Persist until the returned function is called, which returns what Persist did.
func persisting(c *monitor.Collector, sink monitor.Sink, every time.Duration) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- c.Persist(ctx, sink, every) }()
	synctest.Wait()
	return func() error {
		cancel()
		return <-ended
	}
}

func TestPersist(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		d := &disk{}
		stop := persisting(c, d, time.Second)
		failures(c, 2)
		for range 2000 {
			c.RecordPresetUsage(of("simple"))
		}
		time.Sleep(time.Second - 1)
		synctest.Wait()
		events, _, _, _ := d.counts()
		same(t, "events before the time", events, 0)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		events, alerts, saves, missed := d.counts()
		same(t, "events", events, 2002)
		same(t, "alerts", alerts, 1)
		same(t, "saves", saves, 3) // of 1000 events
		same(t, "missed", missed, 0)

		time.Sleep(time.Hour)
		synctest.Wait()
		_, _, saves, _ = d.counts()
		same(t, "saves after an hour of silence", saves, 3)
		failures(c, 1)
		c.RecordConfigLoad(of("simple"), time.Second)
		if err := stop(); err != nil {
			t.Errorf("Persist() = %v, want nil", err)
		}
		events, alerts, _, _ = d.counts()
		same(t, "events at the end", events, 2004)
		same(t, "alerts at the end", alerts, 3)
	})
}

// A repeated alert is stored again, under its ID.
func TestPersistRepeatedAlerts(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		d := &disk{}
		stop := persisting(c, d, time.Second)
		for range 3 {
			failures(c, 1)
			time.Sleep(2 * time.Second)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		_, alerts := d.stored()
		if len(alerts) != 1 || alerts[0].Count != 3 {
			t.Errorf("stored alerts = %+v, want one with a Count of 3", alerts)
		}
	})
}

// When much comes, Persist does not wait for its time: nothing is pushed out before it is stored.
func TestPersistWakes(t *testing.T) {
	bubble(t, monitor.Config{MaxEvents: 1000}, func(t *testing.T, c *monitor.Collector) {
		d := &disk{}
		stop := persisting(c, d, time.Hour)
		for range 100 {
			for range 100 {
				c.RecordPresetUsage(of("simple"))
			}
			synctest.Wait()
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		events, _, saves, missed := d.counts()
		same(t, "events", events, 10_000)
		same(t, "missed", missed, 0)
		if saves > 50 {
			t.Errorf("%d saves, want at most one per quarter of MaxEvents", saves)
		}
	})
}

// A sink in trouble is asked once per interval, and gets everything when it is well again, except what is gone.
func TestPersistSurvivesItsSink(t *testing.T) {
	bubble(t, monitor.Config{MaxEvents: 1000}, func(t *testing.T, c *monitor.Collector) {
		d := &disk{full: true}
		stop := persisting(c, d, time.Second)
		for range 3 {
			for range 500 {
				c.RecordPresetUsage(of("simple"))
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		_, _, saves, _ := d.counts()
		if saves > 4 {
			t.Errorf("%d saves in three seconds, want at most 4: a full disk need not be asked all the time", saves)
		}
		d.set(false)
		time.Sleep(time.Second)
		synctest.Wait()
		events, _, _, missed := d.counts()
		same(t, "events", events, 1000)
		same(t, "missed", missed, 500)
		d.set(true)
		c.RecordPresetUsage(of("simple"))
		if err := stop(); !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "1 events not stored") {
			t.Errorf("Persist() = %v, want %v and that one event is not stored", err, errDisk)
		}
	})
}

// Whoever waits for Persist gets it back, also when the sink hangs and new events keep coming.
func TestPersistEnds(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		c.RecordPresetUsage(of("simple"))
		stop := persisting(c, hanging{}, time.Second)
		begun := time.Now()
		if err := stop(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Persist() = %v, want %v", err, context.DeadlineExceeded)
		}
		same(t, "it took", time.Since(begun), 5*time.Second)
	})
}

type hanging struct{}

func (hanging) Save(ctx context.Context, _ monitor.Batch) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestPersistRefuses(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		if err := c.Persist(t.Context(), &disk{}, 0); err == nil {
			t.Error("Persist(every 0) = nil, want an error")
		}
		stop := persisting(c, &disk{}, time.Second)
		if err := c.Persist(t.Context(), &disk{}, time.Second); !errors.Is(err, monitor.ErrPersisting) {
			t.Errorf("Persist() beside another = %v, want %v", err, monitor.ErrPersisting)
		}
		if err := c.Restore(nil, nil); !errors.Is(err, monitor.ErrRestored) {
			t.Errorf("Restore() beside Persist = %v, want %v", err, monitor.ErrRestored)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		if err := persisting(c, &disk{}, time.Second)(); err != nil {
			t.Errorf("Persist() after another = %v, want nil", err)
		}
	})
}

// A restart: what was stored is there again, to the last field, and numbers, windows and cool-downs go on.
func TestRestore(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		d := &disk{}
		stop := persisting(c, d, time.Second)
		some(c)
		changes(c, 10)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		events, alerts := d.stored()

		again := must(t, monitor.Config{})
		changes(again, 1) // before the store is open: the eleventh
		if err := again.Restore(events, alerts); err != nil {
			t.Fatalf("Restore() = %v, want nil", err)
		}
		before, _, err := c.ExportText(monitor.JSON, 0)
		if err != nil {
			t.Fatal(err)
		}
		after, _, err := again.ExportText(monitor.JSON, 0)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(after, strings.TrimSuffix(before, "\n]\n")) {
			t.Errorf("after the restart there is %s, want what was before and one more: %s", after, before)
		}
		same(t, "alerts after the restart", show(again.Alerts(0, 0)), show(alerts))
		got, _ := again.After(uint64(len(events)), 10)
		if len(got) != 1 || got[0].Seq != uint64(len(events)+1) {
			t.Errorf("the event recorded before Restore is %+v, want one with the number %d", got, len(events)+1)
		}
		changes(again, 1)
		same(t, "alerts about changes, of which 12 were in the hour", len(raised(again, monitor.RuleChanges)), 1)
		again.RecordConfigError(of(`=HYPERLINK("http://x")`), errors.New("line 1\nline \"2\""))
		if all := raised(again, monitor.RuleConfigError); len(all) != 1 || all[0].Count != 2 {
			t.Errorf("alerts about the error = %+v, want the restored one with a Count of 2", all)
		}
		n := again.Counts()
		if n.Recorded+n.Restored != uint64(n.Held) || n.Restored != uint64(len(events)) {
			t.Errorf("Counts() = %+v, want %d restored and everything held", n, len(events))
		}

		given := d.given
		if err := persisting(again, d, time.Second)(); err != nil {
			t.Fatal(err)
		}
		same(t, "events given to the sink: those that are new", d.given-given, 3)
		now, stored := d.stored()
		same(t, "events on the disk", len(now), len(events)+3)
		same(t, "alerts on the disk", len(stored), len(alerts)+1)
		if err := again.Restore(nil, nil); !errors.Is(err, monitor.ErrRestored) {
			t.Errorf("Restore() for the second time = %v, want %v", err, monitor.ErrRestored)
		}
	})
}

// Only the newest are restored, and only as long as they are kept.
func TestRestoreKeepsTheBounds(t *testing.T) {
	bubble(t, monitor.Config{MaxEvents: 100, MaxAlerts: 3, Retention: time.Hour}, func(t *testing.T, c *monitor.Collector) {
		now := time.Now()
		var events []monitor.Event
		for i := range 300 {
			events = append(events, monitor.Event{
				Seq: uint64(2 * (i + 1)), Time: now.Add(time.Duration(i-300) * time.Minute), Kind: monitor.PresetUsage, Preset: fmt.Sprint(i), Value: 1,
			})
		}
		events = append(events, monitor.Event{Seq: 1000, Time: now.Add(time.Hour), Kind: monitor.PresetUsage, Preset: "of the future", Value: 1})
		c.RecordPresetUsage(of("recorded before"))
		if err := c.Restore(events, nil); err != nil {
			t.Fatal(err)
		}
		got, _ := c.After(0, 1000)
		same(t, "events", len(got), 59+2)
		same(t, "the oldest", got[0].Preset, "241")
		same(t, "the restored one of the future", got[59].Time, now.UTC())
		same(t, "the newest", got[60].Preset, "recorded before")
		same(t, "its number", got[60].Seq, 1001)
		same(t, "counts", c.Counts(), monitor.Counts{Recorded: 1, Restored: 301, Held: 61, Evicted: 202, Expired: 39})
	})
}

func TestRestoreLeavesOutWhatCannotBe(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		now := time.Now()
		good := monitor.Event{Time: now, Kind: monitor.ConfigLoad, Preset: "simple", Value: 1}
		with := func(seq uint64, change func(*monitor.Event)) monitor.Event {
			e := good
			e.Seq = seq
			change(&e)
			return e
		}
		fine := monitor.Alert{Time: now, Level: monitor.LevelError, Rule: monitor.RuleConfigError, Kind: monitor.ConfigError}
		alert := func(id uint64, change func(*monitor.Alert)) monitor.Alert {
			a := fine
			a.ID = id
			change(&a)
			return a
		}
		err := c.Restore([]monitor.Event{
			with(1, func(*monitor.Event) {}),
			with(1, func(*monitor.Event) {}),
			with(2, func(e *monitor.Event) { e.Kind = 0 }),
			with(3, func(e *monitor.Event) { e.Value = 1 / zero() }),
			with(4, func(e *monitor.Event) { e.Metadata = "[1]" }),
			with(5, func(e *monitor.Event) { e.Time = time.Time{} }),
			with(6, func(e *monitor.Event) { e.Metadata = ` {"a": 1} `; e.Preset = strings.Repeat("x", 300) }),
		}, []monitor.Alert{
			alert(0, func(*monitor.Alert) {}),
			alert(1, func(a *monitor.Alert) { a.Level = 9 }),
			alert(2, func(a *monitor.Alert) { a.Rule = "made up" }),
			alert(3, func(a *monitor.Alert) { a.Kind = 0 }),
			alert(4, func(a *monitor.Alert) { a.Threshold = 1 / zero() }),
			alert(5, func(a *monitor.Alert) { a.Metadata = "x" }),
			alert(6, func(a *monitor.Alert) { a.Time = time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC) }),
			alert(7, func(a *monitor.Alert) { a.Title = "good" }),
		})
		want := `restore monitoring: event 2 of 7: its Seq is 1, want more than 1, that of the one before
event 3 of 7: its kind is Kind(0), want one of the kinds
event 4 of 7: its value is +Inf, want a finite number
event 5 of 7: metadata is "[1]", want a JSON object: json: cannot unmarshal array into Go value of type map[string]interface {}
event 6 of 7: its time is 0001-01-01T00:00:00Z, want one from 1970 to 2261
alert 1 of 8: its ID is 0, want more than 0, that of the one before
alert 2 of 8: its level is Level(9), want one of the levels
alert 3 of 8: its rule is "made up", want one of the rules
alert 4 of 8: its kind is Kind(0), want one of the kinds
alert 5 of 8: its numbers are +Inf and 0, want finite ones
and 2 more`
		if err == nil || err.Error() != want {
			t.Errorf("Restore() = %v, want %s", err, want)
		}
		events, _ := c.After(0, 10)
		if len(events) != 2 || events[1].Seq != 6 || events[1].Metadata != `{"a":1}` || events[1].Preset != strings.Repeat("x", 199)+"…" {
			t.Errorf("restored events = %+v, want the first and the last", events)
		}
		alerts := c.Alerts(0, 0)
		if len(alerts) != 1 || alerts[0].Title != "good" || alerts[0].Count != 1 || alerts[0].Last != now.UTC() {
			t.Errorf("restored alerts = %+v, want the last", alerts)
		}
	})
}

// Engine events go where they belong.
func TestRestoreGroups(t *testing.T) {
	bubble(t, monitor.Config{MaxEvents: 2}, func(t *testing.T, c *monitor.Collector) {
		c.Observe(trysail.Event{Kind: trysail.EventTransition, Operation: "qa"})
		c.RecordPresetUsage(monitor.Subject{Metadata: map[string]any{"config_type": "custom"}})
		events, _ := c.After(0, 10)
		again := must(t, monitor.Config{MaxEvents: 2})
		if err := again.Restore(events, nil); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			again.Observe(trysail.Event{Kind: trysail.EventCall, Operation: "qa"})
		}
		got, _ := again.After(0, 10)
		same(t, "events", seqs(got), "[1 2 6 7]")
		same(t, "CustomRate", again.Statistics(0).CustomRate, 1)
	})
}
