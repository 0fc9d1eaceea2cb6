package monitor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Level says how much an [Alert] matters.
type Level uint8

// The levels, in rising order.
const (
	LevelInfo Level = iota + 1
	LevelWarning
	LevelError
	LevelCritical
	levels // one more than the last
)

func levelNames() [levels]string {
	return [levels]string{LevelInfo: "info", LevelWarning: "warning", LevelError: "error", LevelCritical: "critical"}
}

// ParseLevel reads a level regardless of case.
func ParseLevel(text string) (Level, error) {
	names := levelNames()
	for i, name := range names {
		if i > 0 && strings.EqualFold(name, text) {
			return Level(i), nil
		}
	}
	return 0, fmt.Errorf("unknown level %q, want one of %q", short(text), names[1:])
}

// String returns the word that the API uses, such as "warning".
func (l Level) String() string {
	if l > 0 && l < levels {
		return levelNames()[l]
	}
	return fmt.Sprintf("Level(%d)", uint8(l))
}

// MarshalText returns what String does.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what String returns.
func (l *Level) UnmarshalText(text []byte) error {
	level, err := ParseLevel(string(text))
	if err == nil {
		*l = level
	}
	return err
}

// An Alert is something that somebody should look at. One that repeats within Config.CoolDown is no other alert, but
// raises Count: everything else is as it was the first time.
type Alert struct {
	ID          uint64    `json:"id"` // counts up over all alerts of a collector
	Time        time.Time `json:"timestamp"`
	Level       Level     `json:"level"`
	Rule        Rule      `json:"rule"`
	Title       string    `json:"title"`
	Description string    `json:"description"`
	Preset      string    `json:"preset_name"` // empty if the rule looks at all of them
	Kind        Kind      `json:"metric_type"`
	Threshold   float64   `json:"threshold_value"`
	Actual      float64   `json:"actual_value"`
	Metadata    Metadata  `json:"metadata"`
	Count       int       `json:"count"`          // how often, at least 1
	Last        time.Time `json:"last_timestamp"` // when it repeated last
}

// An alertKey says which alerts are the same: of the rules about one event those that are about the same preset and, if
// it is an error, say the same of the same operation; of the rules about an hour all.
type alertKey struct {
	rule                    Rule
	preset, operation, text string // text is as metadata has it, in quotes
}

// key returns the key of an alert that comes from a store.
func (a *Alert) key() alertKey {
	k := alertKey{rule: a.Rule, preset: a.Preset}
	if a.Rule == RuleConfigError {
		fields := a.Metadata.Map()
		k.operation, _ = fields["operation"].(string)
		message, _ := fields["error_message"].(string)
		k.text = string(appendText(nil, message))
	}
	return k
}

// A heldAlert is an alert with what is needed to keep it.
type heldAlert struct {
	Alert
	key      alertKey
	at       int64
	revision uint64 // of alerts when it was raised or repeated last
}

// alerts are the newest alerts.
type alerts struct {
	max      int
	coolDown int64

	byLevel  [levels][]*heldAlert // each in the order of time
	latest   map[alertKey]*heldAlert
	held     int
	evicted  uint64
	newest   uint64 // ID
	revision uint64
}

// repeat counts an alert that is the same as one that has not cooled down, and reports whether there is one.
func (l *alerts) repeat(k alertKey, at int64) bool {
	old := l.latest[k]
	if old == nil || at-old.at >= l.coolDown {
		return false
	}
	l.revision++
	old.Count, old.Last, old.revision = old.Count+1, timeOf(at), l.revision
	return true
}

// raise adds a.
func (l *alerts) raise(a Alert, k alertKey, at int64) {
	l.newest++
	a.ID, a.Time, a.Last, a.Count = l.newest, timeOf(at), timeOf(at), 1
	l.keep(a, k)
}

// keep adds an alert that is complete, and makes room for it.
func (l *alerts) keep(a Alert, k alertKey) {
	if l.latest == nil {
		l.latest = map[alertKey]*heldAlert{}
	}
	l.revision++
	h := &heldAlert{Alert: a, key: k, at: a.Time.UnixNano(), revision: l.revision}
	l.byLevel[a.Level] = append(l.byLevel[a.Level], h)
	l.latest[k] = h
	l.held++
	for level := LevelInfo; l.held > l.max; level++ {
		for len(l.byLevel[level]) > 0 && l.held > l.max {
			l.pop(level)
			l.evicted++
		}
	}
}

// pop removes the oldest alert of a level.
func (l *alerts) pop(level Level) {
	old := l.byLevel[level][0]
	l.byLevel[level][0] = nil
	l.byLevel[level] = l.byLevel[level][1:]
	if l.latest[old.key] == old {
		delete(l.latest, old.key)
	}
	l.held--
}

// remove removes the alerts that are not younger than the edge.
func (l *alerts) remove(edge int64) (removed int) {
	for level := range levels {
		for len(l.byLevel[level]) > 0 && l.byLevel[level][0].at <= edge {
			l.pop(level)
			removed++
		}
	}
	return removed
}

// since returns the alerts younger than the edge, of one level or with 0 of all, oldest first.
func (l *alerts) since(edge int64, only Level) []Alert {
	found := []Alert{}
	for level, list := range l.byLevel {
		for _, a := range list {
			if a.at > edge && (only == 0 || only == Level(level)) {
				found = append(found, a.Alert)
			}
		}
	}
	slices.SortFunc(found, func(a, b Alert) int { return cmp.Compare(a.ID, b.ID) })
	return found
}

// changed returns the alerts that were raised or have repeated since a revision, in the order of their IDs.
func (l *alerts) changed(revision uint64) []Alert {
	if l.revision == revision {
		return nil
	}
	var changed []Alert
	for _, list := range l.byLevel {
		for _, a := range list {
			if a.revision > revision {
				changed = append(changed, a.Alert)
			}
		}
	}
	slices.SortFunc(changed, func(a, b Alert) int { return cmp.Compare(a.ID, b.ID) })
	return changed
}

// activeFor is how long an alert is active.
const activeFor = 24 * time.Hour

// Alerts returns what was raised in the last 24 hours, oldest first: of one level, or of all with level 0. Of more than
// limit it returns the newest; limit 0 is no limit.
func (c *Collector) Alerts(level Level, limit int) []Alert {
	now := c.lock()
	defer c.mu.Unlock()
	found := c.alerts.since(edgeOf(now, activeFor), level)
	if limit > 0 && len(found) > limit {
		found = found[len(found)-limit:]
	}
	return found
}
