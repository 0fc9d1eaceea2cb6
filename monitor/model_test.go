package monitor_test

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/trysail-go/trysail/monitor"
)

// A model is the collector as the rules say it: a list of everything, looked through from the beginning for every
// question. It has no queue, no groups, no counters and no cache.
type model struct {
	cfg    monitor.Config
	events []modelEvent
	alerts []modelAlert
	counts monitor.Counts
	seq    uint64
	ids    uint64
}

type modelEvent struct {
	seq                       uint64
	at                        time.Time
	kind                      monitor.Kind
	group                     string
	preset, operation, origin string
	session, message          string
	value                     float64
}

type modelAlert struct {
	monitor.Alert
	key string
}

func (m *model) add(e modelEvent) {
	m.seq++
	e.seq = m.seq
	m.counts.Recorded++
	if of := m.where(func(o modelEvent) bool { return o.group == e.group }); len(of) == m.cfg.MaxEvents {
		m.events = slices.DeleteFunc(m.events, func(o modelEvent) bool { return o.seq == of[0].seq })
		m.counts.Evicted++
	}
	m.events = append(m.events, e)
	if e.group == "configuration" {
		m.judge(e)
	}
}

func (m *model) where(is func(modelEvent) bool) []modelEvent {
	var found []modelEvent
	for _, e := range m.events {
		if is(e) {
			found = append(found, e)
		}
	}
	return found
}

// in returns what is of the configuration and younger than the window; 0 is all.
func (m *model) in(now time.Time, window time.Duration) []modelEvent {
	return m.where(func(e modelEvent) bool { return e.group == "configuration" && (window <= 0 || now.Sub(e.at) < window) })
}

func count(events []modelEvent, is func(modelEvent) bool) int {
	n := 0
	for _, e := range events {
		if is(e) {
			n++
		}
	}
	return n
}

func kind(k monitor.Kind) func(modelEvent) bool {
	return func(e modelEvent) bool { return e.kind == k }
}

func (m *model) judge(e modelEvent) {
	hour := m.in(e.at, time.Hour)
	loads, failed := count(hour, kind(monitor.ConfigLoad)), count(hour, kind(monitor.ConfigError))
	checked := count(hour, kind(monitor.ValidationEvent))
	invalid := count(hour, func(e modelEvent) bool { return e.kind == monitor.ValidationEvent && e.value == 0 })
	if e.kind == monitor.ConfigError {
		m.raise(monitor.LevelError, monitor.RuleConfigError, e.preset+"|"+e.operation+"|"+e.message, e)
	}
	if e.kind == monitor.ConfigLoad && e.value > float64(m.cfg.SlowLoad)/1e6 {
		m.raise(monitor.LevelWarning, monitor.RuleSlowLoad, e.preset, e)
	}
	if e.kind == monitor.ConfigLoad || e.kind == monitor.ConfigError {
		if loads+failed >= m.cfg.MinSamples && min(float64(failed)/float64(max(loads, 1)), 1) > m.cfg.ErrorShare {
			m.raise(monitor.LevelCritical, monitor.RuleErrorShare, "", e)
		}
	}
	if e.kind == monitor.ConfigChange && count(hour, kind(monitor.ConfigChange)) > m.cfg.ChangesPerHour {
		m.raise(monitor.LevelWarning, monitor.RuleChanges, "", e)
	}
	if e.kind == monitor.ValidationEvent && checked >= m.cfg.MinSamples && float64(invalid)/float64(checked) > m.cfg.InvalidShare {
		m.raise(monitor.LevelWarning, monitor.RuleInvalid, "", e)
	}
}

func (m *model) raise(level monitor.Level, rule monitor.Rule, key string, e modelEvent) {
	for i := range m.alerts {
		if a := &m.alerts[i]; a.Rule == rule && a.key == key && e.at.Sub(a.Time) < m.cfg.CoolDown {
			a.Count++
			a.Last = e.at
			return
		}
	}
	m.ids++
	m.alerts = append(m.alerts, modelAlert{monitor.Alert{ID: m.ids, Time: e.at, Last: e.at, Level: level, Rule: rule, Count: 1}, key})
	if len(m.alerts) > m.cfg.MaxAlerts {
		least := slices.MinFunc(m.alerts, func(a, b modelAlert) int { return 2*(int(a.Level)-int(b.Level)) + sign(a.ID, b.ID) })
		m.alerts = slices.DeleteFunc(m.alerts, func(a modelAlert) bool { return a.ID == least.ID })
		m.counts.AlertsEvicted++
	}
}

func sign(a, b uint64) int {
	if a < b {
		return -1
	}
	return 1
}

// remove removes what is as old as age, or older.
func (m *model) remove(now time.Time, age time.Duration) (events, alerts int) {
	events, alerts = len(m.events), len(m.alerts)
	m.events = slices.DeleteFunc(m.events, func(e modelEvent) bool { return now.Sub(e.at) >= age })
	m.alerts = slices.DeleteFunc(m.alerts, func(a modelAlert) bool { return now.Sub(a.Time) >= age })
	return events - len(m.events), alerts - len(m.alerts)
}

// expire happens whenever somebody reads.
func (m *model) expire(now time.Time) {
	n, _ := m.remove(now, m.cfg.Retention)
	m.counts.Expired += uint64(n)
}

func (m *model) statistics(now time.Time, window time.Duration) string {
	in := m.in(now, window)
	loads, failed := count(in, kind(monitor.ConfigLoad)), count(in, kind(monitor.ConfigError))
	usage, sum := map[string]int{}, 0.0
	for _, e := range in {
		switch e.kind {
		case monitor.PresetUsage:
			usage[e.preset]++
		case monitor.ConfigLoad:
			sum += e.value
		default:
		}
	}
	most, least := "none", "none"
	for preset, n := range usage {
		if most == "none" || n > usage[most] || n == usage[most] && preset < most {
			most = preset
		}
		if least == "none" || n < usage[least] || n == usage[least] && preset < least {
			least = preset
		}
	}
	share := func(origin string) float64 {
		return float64(count(in, func(e modelEvent) bool { return e.origin == origin })) / float64(max(len(in), 1))
	}
	return fmt.Sprint(loads, failed, usage, most, least, min(float64(failed)/float64(max(loads, 1)), 1),
		time.Duration(math.Round(sum/float64(max(loads, 1))*1e6)), share("custom"), share("legacy"))
}

func (m *model) performance(now time.Time, window time.Duration) string {
	var loads []float64
	in := m.in(now, window)
	for _, e := range in {
		if e.kind == monitor.ConfigLoad {
			loads = append(loads, e.value)
		}
	}
	failed := count(in, kind(monitor.ConfigError))
	if len(loads) == 0 {
		return fmt.Sprint(0, 0, 0, 0, failed)
	}
	slices.Sort(loads)
	p95 := loads[int(math.Ceil(0.95*float64(len(loads))))-1]
	return fmt.Sprint(len(loads), loads[0], loads[len(loads)-1], p95, failed)
}

func (m *model) trend(now time.Time, preset string, hours int) []int {
	counts := make([]int, hours)
	for _, e := range m.in(now, time.Duration(hours)*time.Hour) {
		if e.kind == monitor.PresetUsage && e.preset == preset {
			ago := int(now.Truncate(time.Hour).Sub(e.at.Truncate(time.Hour)) / time.Hour)
			counts[max(hours-1-ago, 0)]++
		}
	}
	return counts
}
