package api_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/api"
)

// A note is what the model remembers of an event.
type note struct {
	at                       time.Time
	kind, preset, op         string
	value                    float64
	session, user, configFor string
}

// A book is the monitoring as the contract says it: a list of notes, looked through from the beginning for each question.
type book struct {
	notes  []note
	alerts []bookedAlert
}

type bookedAlert struct {
	first, last time.Time
	level, key  string
	count       int
}

// add writes down a note, and the alert that it is.
func (b *book) add(n note) {
	b.notes = append(b.notes, n)
	switch {
	case n.kind == "config_error":
		b.raise("error", n.preset+"|"+n.op, n.at)
	case n.kind == "config_load" && n.value > 100:
		b.raise("warning", n.preset, n.at)
	}
}

func (b *book) raise(level, key string, at time.Time) {
	for i := range b.alerts {
		if a := &b.alerts[i]; a.level == level && a.key == key && at.Sub(a.first) < 5*time.Minute {
			a.count, a.last = a.count+1, at
			return
		}
	}
	b.alerts = append(b.alerts, bookedAlert{at, at, level, key, 1})
}

// in returns the notes of the last hours; 0 is all.
func (b *book) in(hours int) []note {
	return slices.DeleteFunc(slices.Clone(b.notes), func(n note) bool { return hours > 0 && time.Since(n.at) >= hoursLong(hours) })
}

func hoursLong(n int) time.Duration { return time.Duration(n) * time.Hour }

func of(notes []note, kind string) []note {
	return slices.DeleteFunc(slices.Clone(notes), func(n note) bool { return n.kind != kind })
}

func share(part, whole int) float64 { return float64(part) / float64(max(whole, 1)) }

func usageOf(notes []note) map[string]any {
	usage := map[string]any{}
	for _, n := range of(notes, "preset_usage") {
		before, _ := usage[n.preset].(float64)
		usage[n.preset] = before + 1
	}
	return usage
}

// times returns the average, the least and the greatest value and the 95th percentile by nearest rank, all 0 of nothing.
func times(loads []note) (average, least, most, p95 float64) {
	if len(loads) == 0 {
		return 0, 0, 0, 0
	}
	values, sum := []float64{}, 0.0
	for _, n := range loads {
		values, sum = append(values, n.value), sum+n.value
	}
	slices.Sort(values)
	return sum / float64(len(values)), values[0], values[len(values)-1], values[int(math.Ceil(0.95*float64(len(values))))-1]
}

// cutMS is a number of milliseconds as answers have it.
func cutMS(ms float64) float64 { return math.Floor(math.Round(ms*1e6)/1e3) / 1e3 }

func (b *book) statistics(hours int) map[string]any {
	in := b.in(hours)
	usage := usageOf(in)
	loads, failed := of(in, "config_load"), len(of(in, "config_error"))
	most, least := "none", "none"
	for _, preset := range slices.Sorted(maps.Keys(usage)) {
		n := usage[preset].(float64)
		if most == "none" || n > usage[most].(float64) {
			most = preset
		}
		if least == "none" || n < usage[least].(float64) {
			least = preset
		}
	}
	config := func(what string) float64 {
		return share(len(slices.DeleteFunc(slices.Clone(in), func(n note) bool { return n.configFor != what })), len(in))
	}
	average, _, _, _ := times(loads)
	rate := min(share(failed, len(loads)), 1)
	return map[string]any{
		"time_window_hours": float64(hours),
		"statistics": map[string]any{
			"total_loads": float64(len(loads)), "preset_usage_count": usage, "error_rate": rate, "avg_load_time_ms": cutMS(average),
			"most_used_preset": most, "least_used_preset": least,
			"custom_config_usage_rate": config("custom"), "legacy_config_usage_rate": config("legacy"), "active_alerts": float64(len(b.active())),
		},
		"summary": map[string]any{"healthy": rate < 0.05, "performance_good": average < 100, "preset_adoption": 1 - config("legacy")},
	}
}

func (b *book) trend(preset string, hours int) map[string]any {
	counts := make([]float64, hours)
	total := 0.0
	for _, n := range of(b.in(hours), "preset_usage") {
		if n.preset == preset {
			ago := int(time.Now().Truncate(time.Hour).Sub(n.at.Truncate(time.Hour)) / time.Hour)
			counts[max(hours-1-ago, 0)]++
			total++
		}
	}
	points := []any{}
	for i, n := range counts {
		at := time.Now().UTC().Truncate(time.Hour).Add(-hoursLong(hours - 1 - i))
		points = append(points, map[string]any{"timestamp": at.Format(time.RFC3339Nano), "usage_count": n})
	}
	return map[string]any{
		"preset_name": preset, "time_window_hours": float64(hours), "trend_data": points,
		"summary": map[string]any{"total_usage": total, "peak_usage": slices.Max(counts), "avg_hourly_usage": total / float64(hours)},
	}
}

func (b *book) performance(hours int) map[string]any {
	in := b.in(hours)
	loads, failed := of(in, "config_load"), len(of(in, "config_error"))
	presets := map[string]any{}
	for _, n := range loads {
		own := slices.DeleteFunc(slices.Clone(loads), func(o note) bool { return o.preset != n.preset })
		average, least, most, _ := times(own)
		presets[n.preset] = map[string]any{
			"avg_load_time_ms": cutMS(average), "min_load_time_ms": cutMS(least), "max_load_time_ms": cutMS(most), "sample_count": float64(len(own)),
		}
	}
	average, least, most, p95 := times(loads)
	return map[string]any{
		"time_window_hours": float64(hours),
		"performance_metrics": map[string]any{
			"avg_load_time_ms": cutMS(average), "min_load_time_ms": cutMS(least), "max_load_time_ms": cutMS(most), "p95_load_time_ms": cutMS(p95),
			"error_count": float64(failed), "total_samples": float64(len(loads)), "preset_performance": presets,
		},
		"health_check": map[string]any{
			"performance_good": average < 100, "error_rate_acceptable": share(failed, len(loads)) < 0.05, "p95_within_threshold": p95 < 200,
		},
	}
}

func (b *book) active() []bookedAlert {
	return slices.DeleteFunc(slices.Clone(b.alerts), func(a bookedAlert) bool { return time.Since(a.first) >= 24*time.Hour })
}

// listed is what is compared of the answer about alerts.
func (b *book) listed(level string, most int) []string {
	found := slices.DeleteFunc(b.active(), func(a bookedAlert) bool { return level != "" && a.level != level })
	omitted := max(len(found)-most, 0)
	lines := []string{}
	counts := map[string]int{}
	for _, a := range found[omitted:] {
		counts[a.level]++
		lines = append(lines, fmt.Sprint(a.level, " ", a.first.UTC().Format(time.RFC3339Nano), " ", a.last.UTC().Format(time.RFC3339Nano), " ", a.count))
	}
	return append(lines, fmt.Sprint(len(lines), omitted, 0, counts["warning"], counts["error"], 0, false, counts["error"] > 0))
}

func (b *book) session(id string) map[string]any {
	in := slices.DeleteFunc(slices.Clone(b.notes), func(n note) bool { return n.session != id })
	failed := len(of(in, "config_error"))
	average, _, _, _ := times(of(in, "config_load"))
	return map[string]any{
		"total_operations": float64(len(in)), "preset_usage": usageOf(in), "error_count": float64(failed),
		"error_rate": share(failed, len(in)), "avg_load_time_ms": cutMS(average),
	}
}

func (b *book) cleanup(hours int) map[string]any {
	events, alerts := len(b.notes), len(b.alerts)
	b.notes = slices.DeleteFunc(b.notes, func(n note) bool { return time.Since(n.at) >= hoursLong(hours) })
	b.alerts = slices.DeleteFunc(b.alerts, func(a bookedAlert) bool { return time.Since(a.first) >= hoursLong(hours) })
	return map[string]any{
		"cleanup_threshold_hours": float64(hours), "metrics_removed": float64(events - len(b.notes)), "alerts_removed": float64(alerts - len(b.alerts)),
		"metrics_remaining": float64(len(b.notes)), "alerts_remaining": float64(len(b.alerts)),
		"cleanup_timestamp": time.Now().UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano),
	}
}

// rows are notes as both the session and the export show them.
func rows(notes []note) []string {
	lines := []string{}
	for _, n := range notes {
		lines = append(lines, fmt.Sprint(n.at.UTC().Format(time.RFC3339Nano), n.kind, n.preset, n.op, n.value, n.session, n.user))
	}
	return lines
}

// A match lets the API and the book tell the same story.
type match struct {
	t *testing.T
	r *rand.Rand
	a *api.API
	c *monitor.Collector
	b book
}

// For any sequence of events and times the seven endpoints say what the book says.
func TestMonitoringAgreesWithModel(t *testing.T) {
	for seed := range uint64(25) {
		synctest.Test(t, func(t *testing.T) {
			a, c := observed(t, monitor.Config{
				Retention: 10_000 * time.Hour, MinSamples: million, ChangesPerHour: million, // the rules about shares are monitor's own business
			})
			m := &match{t: t, r: rand.New(rand.NewPCG(seed, 2)), a: a, c: c}
			for step := range 150 {
				switch m.r.IntN(6) {
				case 0:
					time.Sleep(m.pause())
				case 1, 2:
					m.compare()
				default:
					for range 1 + m.r.IntN(6) { // enough loads for a p95 that is not the slowest
						m.record()
					}
				}
				if t.Failed() {
					t.Fatalf("seed %d, step %d", seed, step)
				}
			}
		})
	}
}

// pause is how long nothing happens: any time in whole microseconds, or until a note is exactly as old as a window, or a microsecond less.
func (m *match) pause() time.Duration {
	if n := len(m.b.notes); n > 0 && m.r.IntN(2) == 0 {
		age := time.Since(m.b.notes[m.r.IntN(n)].at)
		return max(hoursLong(1+23*m.r.IntN(2))-age-time.Duration(m.r.IntN(2))*time.Microsecond, 0)
	}
	return time.Duration(m.r.Int64N(int64(3*time.Hour/time.Microsecond))) * time.Microsecond
}

func (m *match) pick(words ...string) string { return words[m.r.IntN(len(words))] }

func (m *match) record() {
	n := note{
		at: time.Now(), preset: m.pick("simple", "production", "=1+1", `a "b", c`), op: m.pick("load", "parse"), value: 1,
		session: m.pick("", "s-1", "s/2"), user: m.pick("", "Ada"), configFor: m.pick("", "custom", "legacy"),
	}
	s := monitor.Subject{Preset: n.preset, Operation: n.op, Session: n.session, User: n.user}
	if n.configFor != "" {
		s.Metadata = map[string]any{"config_type": n.configFor}
	}
	switch m.r.IntN(5) {
	case 0, 1:
		n.kind = "preset_usage"
		m.c.RecordPresetUsage(s)
	case 2:
		took := time.Duration(m.r.IntN(150_000)) * time.Microsecond
		n.kind, n.value = "config_load", float64(took)/1e6
		m.c.RecordConfigLoad(s, took)
	case 3:
		n.kind = "config_error"
		m.c.RecordConfigError(s, errors.New("the same"))
	default:
		n.kind = "validation_event"
		m.c.RecordValidation(s, true)
	}
	m.b.add(n)
}

// ask returns the answer of a good request.
func (m *match) ask(ask request) map[string]any {
	m.t.Helper()
	w := send(m.a, ask)
	if w.Code != 200 {
		m.t.Fatalf("%s %s: %d %s", ask.method, ask.target, w.Code, w.Body)
	}
	return decode[map[string]any](m.t, w)
}

func (m *match) same(what string, want, got any) {
	m.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		m.t.Errorf("%s (-model +answer):\n%s", what, diff)
	}
}

func (m *match) compare() {
	hours := []int{1, 24, 1 + m.r.IntN(720)}[m.r.IntN(3)]
	switch m.r.IntN(7) {
	case 0:
		got := m.ask(get(fmt.Sprintf("%s/usage-statistics?time_window_hours=%d", monitoringBase, hours)))
		statistics := got["statistics"].(map[string]any)
		statistics["active_alerts"] = float64(len(statistics["active_alerts"].([]any)))
		m.same("usage statistics", m.b.statistics(hours), got)
	case 1:
		m.same("trend", m.b.trend("simple", hours), m.ask(get(fmt.Sprintf("%s/preset-trends/simple?hours=%d", monitoringBase, hours))))
	case 2:
		m.same("load times", m.b.performance(hours), m.ask(get(fmt.Sprintf("%s/performance-metrics?hours=%d", monitoringBase, hours))))
	case 3:
		m.compareAlerts()
	case 4:
		m.compareSession()
	case 5:
		hours = []int{0, 1, 24, m.r.IntN(200)}[m.r.IntN(4)]
		m.same("cleanup", m.b.cleanup(hours), m.ask(post(fmt.Sprintf("%s/cleanup?hours=%d", monitoringBase, hours), "")))
	default:
		m.compareExport(hours)
	}
}

func (m *match) compareAlerts() {
	level, most := m.pick("", "error", "warning", "critical"), 1+m.r.IntN(20)
	target := fmt.Sprintf("%s/alerts?max_alerts=%d", monitoringBase, most)
	if level != "" {
		target += "&level=" + strings.ToUpper(level)
	}
	got := m.ask(get(target))
	lines := []string{}
	for _, entry := range got["alerts"].([]any) {
		a := entry.(map[string]any)
		lines = append(lines, fmt.Sprint(a["level"], " ", a["timestamp"], " ", a["last_timestamp"], " ", a["count"]))
	}
	sum := got["summary"].(map[string]any)
	counts := sum["alert_counts"].(map[string]any)
	lines = append(lines, fmt.Sprint(sum["total_alerts"], sum["omitted_alerts"], counts["info"], counts["warning"], counts["error"], counts["critical"],
		sum["has_critical"], sum["has_errors"]))
	m.same("alerts", m.b.listed(level, most), lines)
}

func (m *match) compareSession() {
	id := m.pick("s-1", "s/2", "nobody")
	got := m.ask(get(monitoringBase + "/session/" + strings.ReplaceAll(id, "/", "%2F")))
	m.same("summary of a session", m.b.session(id), got["summary"])
	lines := []string{}
	for _, entry := range got["metrics"].([]any) {
		e := entry.(map[string]any)
		user, _ := e["user_context"].(string)
		lines = append(lines, fmt.Sprint(e["timestamp"], e["metric_type"], e["preset_name"], e["operation"], e["value"], e["session_id"], user))
	}
	m.same("events of a session", rows(slices.DeleteFunc(slices.Clone(m.b.notes), func(n note) bool { return n.session != id })), lines)
}

// compareExport reads CSV as a spreadsheet's user would: taking one apostrophe away gives the text back.
func (m *match) compareExport(hours int) {
	target := fmt.Sprintf("%s/export?format=csv&time_window_hours=%d", monitoringBase, hours)
	if m.r.IntN(2) == 0 {
		hours, target = 0, monitoringBase+"/export?format=csv"
	}
	got := m.ask(get(target))
	if w := send(m.a, get(target+"&stream=true")); w.Body.String() != got["data"] {
		m.t.Errorf("the stream holds %q, the text %q", w.Body, got["data"])
	}
	records, err := csv.NewReader(strings.NewReader(got["data"].(string))).ReadAll()
	if err != nil {
		m.t.Fatal(err)
	}
	lines := []string{}
	for _, r := range records[1:] {
		for i := range r {
			if strings.ContainsAny(r[i][:min(len(r[i]), 1)], "=+-@") {
				m.t.Errorf("the cell %q is a formula", r[i])
			}
			r[i] = strings.TrimPrefix(r[i], "'")
		}
		lines = append(lines, fmt.Sprint(r[0], r[1], r[2], r[3], r[4], r[6], r[7]))
	}
	want := m.b.in(hours)
	m.same("export", rows(want), lines)
	m.same("number of events", float64(len(want)), got["record_count"])
}
