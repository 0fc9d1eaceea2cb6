package monitor_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/monitor"
)

// For any sequence of events and times, whatever the collector says agrees with the model.
func TestCollectorAgreesWithModel(t *testing.T) {
	seeds := uint64(100)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			cfg := monitor.Config{
				MaxEvents: 5 + r.IntN(200), MaxAlerts: 1 + r.IntN(20), Retention: time.Duration(1+r.IntN(30)) * time.Hour,
				CoolDown: time.Duration(1+r.IntN(100)) * time.Minute, MinSamples: 1 + r.IntN(20), MaxPending: 10_000,
				SlowLoad: 100 * time.Millisecond, ErrorShare: 0.05 + r.Float64()/2, ChangesPerHour: 1 + r.IntN(10), InvalidShare: 0.1,
			}
			d := &duel{t: t, r: r, c: must(t, cfg), m: &model{cfg: cfg}}
			time.Sleep(time.Duration(r.Int64N(int64(48 * time.Hour))))
			for step := range 300 {
				if d.step(); t.Failed() {
					t.Fatalf("seed %d, step %d, %+v", seed, step, cfg)
				}
			}
		})
	}
}

// A duel lets a collector and a model do the same.
type duel struct {
	t *testing.T
	r *rand.Rand
	c *monitor.Collector
	m *model
}

func (d *duel) step() {
	switch d.r.IntN(10) {
	case 0:
		d.wait()
	case 1:
		d.read()
	default:
		for range 1 + d.r.IntN(4) {
			d.record()
		}
	}
}

// wait lets time pass: any time, or to the edge of something.
func (d *duel) wait() {
	switch d.r.IntN(4) {
	case 0:
		time.Sleep(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour)) - time.Duration(d.r.IntN(2)))
	case 1:
		if n := len(d.m.events); n > 0 {
			age := []time.Duration{time.Hour, d.m.cfg.Retention, d.m.cfg.CoolDown, 24 * time.Hour}[d.r.IntN(4)]
			time.Sleep(max(time.Until(d.m.events[d.r.IntN(n)].at.Add(age))-time.Duration(d.r.IntN(2)), 0))
		}
	default:
		time.Sleep(time.Duration(d.r.Int64N(int64(2 * time.Hour))))
	}
}

func (d *duel) pick(words ...string) string { return words[d.r.IntN(len(words))] }

func (d *duel) record() {
	e := modelEvent{
		at: time.Now().UTC(), group: "configuration",
		preset: d.pick("simple", "development", "production"), operation: d.pick("load", "parse"), session: d.pick("", "a", "b"),
		origin: d.pick("", "", "preset", "custom", "legacy"), value: 1,
	}
	s := monitor.Subject{Preset: e.preset, Operation: e.operation, Session: e.session}
	if e.origin != "" {
		s.Metadata = map[string]any{"config_type": e.origin}
	}
	switch d.r.IntN(7) {
	case 0:
		e.kind = monitor.PresetUsage
		d.c.RecordPresetUsage(s)
	case 1, 2:
		took := time.Duration(d.r.IntN(110)) * time.Millisecond
		e.kind, e.value = monitor.ConfigLoad, float64(took)/1e6
		d.c.RecordConfigLoad(s, took)
	case 3:
		e.kind, e.message = monitor.ConfigError, d.pick("one", `the "other"`)
		d.c.RecordConfigError(s, errors.New(e.message))
	case 4:
		e.kind = monitor.ConfigChange
		d.c.RecordConfigChange(s, "simple")
	case 5:
		e.kind = monitor.ValidationEvent
		valid := d.r.IntN(2) == 0
		if !valid {
			e.value = 0
		}
		d.c.RecordValidation(s, valid)
	default:
		kind := trysail.EventTransition
		e.group = "breakers"
		if d.r.IntN(2) == 0 {
			kind, e.group, e.value = trysail.EventCall, "traffic", 0
		}
		e.kind, e.preset, e.session, e.operation = monitor.PerformanceEvent, "", "", "qa"
		d.c.Observe(trysail.Event{Kind: kind, Operation: "qa", Generation: 1})
	}
	d.m.add(e)
}

func (d *duel) read() {
	now := time.Now().UTC()
	window := []time.Duration{0, time.Hour, 90 * time.Minute, 24 * time.Hour, time.Duration(d.r.Int64N(int64(30 * time.Hour)))}[d.r.IntN(5)]
	d.m.expire(now)
	switch d.r.IntN(8) {
	case 0:
		s := d.c.Statistics(window)
		got := fmt.Sprint(s.Loads, s.Errors, s.PresetUsage, s.MostUsed, s.LeastUsed, s.ErrorRate, s.AverageLoad, s.CustomRate, s.LegacyRate)
		same(d.t, "Statistics()", got, d.m.statistics(now, window))
		same(d.t, "ActiveAlerts", fmt.Sprint(len(s.ActiveAlerts)), fmt.Sprint(len(d.active(now))))
	case 1:
		p := d.c.Performance(window)
		ms := func(took time.Duration) float64 { return float64(took) / 1e6 }
		same(d.t, "Performance()", fmt.Sprint(p.Samples, ms(p.Min), ms(p.Max), ms(p.P95), p.Errors), d.m.performance(now, window))
	case 2:
		d.trend(now)
	case 3:
		id := d.pick("a", "b")
		want := d.m.where(func(e modelEvent) bool { return e.session == id })
		got := d.c.Session(id)
		same(d.t, "Session()", seqs(got.Events), modelSeqs(want))
		same(d.t, "Errors of the session", got.Errors, count(want, kind(monitor.ConfigError)))
	case 4:
		same(d.t, "Alerts()", show(d.c.Alerts(0, 0)), show(d.active(now)))
	case 5:
		d.cleanup(now)
	case 6:
		d.export(now, window)
	default:
		want := d.m.counts
		want.Held, want.Alerts = len(d.m.events), len(d.m.alerts)
		same(d.t, "Counts()", d.c.Counts(), want)
	}
}

func (d *duel) trend(now time.Time) {
	hours := 1 + d.r.IntN(30)
	trend, err := d.c.Trend("simple", hours)
	if err != nil {
		d.t.Error(err)
	}
	var got []int
	for _, p := range trend.Points {
		got = append(got, p.Count)
	}
	same(d.t, "Trend()", fmt.Sprint(got), fmt.Sprint(d.m.trend(now, "simple", hours)))
	same(d.t, "Total", trend.Total, d.c.Statistics(time.Duration(hours) * time.Hour).PresetUsage["simple"])
	same(d.t, "Peak", trend.Peak, slices.Max(got))
}

func (d *duel) cleanup(now time.Time) {
	age := []time.Duration{0, time.Hour, 5 * time.Hour, 100 * time.Hour}[d.r.IntN(4)]
	got, err := d.c.Cleanup(age)
	if err != nil {
		d.t.Error(err)
	}
	want := monitor.Cleaned{Time: now}
	want.EventsRemoved, want.AlertsRemoved = d.m.remove(now, age)
	d.m.counts.Removed += uint64(want.EventsRemoved)
	want.EventsRemaining, want.AlertsRemaining = len(d.m.events), len(d.m.alerts)
	same(d.t, "Cleanup()", got, want)
}

func (d *duel) export(now time.Time, window time.Duration) {
	text, done, err := d.c.ExportText(monitor.NDJSON, window)
	if err != nil {
		d.t.Error(err)
	}
	var want []string
	for _, e := range d.m.where(func(e modelEvent) bool { return window <= 0 || now.Sub(e.at) < window }) {
		want = append(want, fmt.Sprint(e.at.Format(time.RFC3339Nano), e.kind, e.preset, e.operation, e.value, e.session))
	}
	var got []string
	for line := range strings.Lines(text) {
		e := decoded(d.t, line)
		got = append(got, fmt.Sprint(e.Time.Format(time.RFC3339Nano), e.Kind, e.Preset, e.Operation, e.Value, e.Session))
	}
	same(d.t, "Export()", strings.Join(got, "\n"), strings.Join(want, "\n"))
	same(d.t, "what Export says", done, monitor.Exported{Events: len(want), Time: now})
}

func (d *duel) active(now time.Time) []monitor.Alert {
	var active []monitor.Alert
	for _, a := range d.m.alerts {
		if now.Sub(a.Time) < 24*time.Hour {
			active = append(active, a.Alert)
		}
	}
	return active
}

func show(alerts []monitor.Alert) string {
	var text strings.Builder
	for _, a := range alerts {
		fmt.Fprintln(&text, a.ID, a.Time, a.Last, a.Level, a.Rule, a.Count)
	}
	return text.String()
}

func seqs(events []monitor.Event) string {
	var all []uint64
	for _, e := range events {
		all = append(all, e.Seq)
	}
	return fmt.Sprint(all)
}

func modelSeqs(events []modelEvent) string {
	var all []uint64
	for _, e := range events {
		all = append(all, e.seq)
	}
	return fmt.Sprint(all)
}
