package monitor

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// ErrRestored says that a collector has been restored already, or is being persisted.
var ErrRestored = errors.New("events can be restored once, before anything is persisted")

// maxFaults is how many faults an error of Restore names.
const maxFaults = 10

// Restore adds what a [Sink] has stored, the newest of it if it is more than Config allows: events in the order of Seq and alerts in that
// of ID. What has been recorded before counts as younger and gets numbers after theirs: call it before anybody has
// seen numbers. Alerts that were restored keep equal ones from being raised until they have cooled down, and the
// rules count restored events, but no rule raises an alert about one.
//
// What cannot be right is left out: an unknown kind, level or rule, no time, a value that is not finite, metadata that
// is no JSON object, a number that does not grow. The error names it; the rest is restored. What is dated in the future
// counts as of now.
func (c *Collector) Restore(events []Event, alerts []Alert) error {
	now := c.lock()
	defer c.mu.Unlock()
	if c.restored || c.persisting || c.wake == nil {
		return ErrRestored
	}
	c.restored = true
	var f faults
	c.restoreEvents(events, now, &f)
	c.restoreAlerts(alerts, now, &f)
	c.expire(now)
	return f.err()
}

func (c *Collector) restoreEvents(events []Event, now int64, f *faults) {
	recorded := c.groups
	for i := range recorded {
		if g := &recorded[i]; g.len() > 0 {
			now = min(now, g.at(g.head).at)
		}
	}
	c.groups, c.hour = [groups]group{}, hour{}
	base := uint64(0)
	for i := range events {
		e, err := c.entryOf(&events[i], base)
		if err != nil {
			f.add(fmt.Errorf("event %d of %d: %w", i+1, len(events), err))
			continue
		}
		base = e.seq
		e.at = min(e.at, now)
		c.counts.Restored++
		c.put(e.place(), &e)
	}
	var all [groups]int
	for i := range recorded {
		all[i] = recorded[i].head
	}
	merge(&recorded, all, func(e *entry) bool {
		again := *e
		again.seq += base
		c.put(again.place(), &again)
		return true
	})
	c.seq, c.saved = c.seq+base, base
}

// entryOf returns an event from outside as it is kept.
func (c *Collector) entryOf(e *Event, seq uint64) (entry, error) {
	var metadata Metadata
	if e.Metadata != "" {
		if err := metadata.UnmarshalJSON([]byte(e.Metadata)); err != nil {
			return entry{}, err
		}
	}
	switch {
	case e.Kind == 0 || e.Kind >= kinds:
		return entry{}, fmt.Errorf("its kind is %v, want one of the kinds", e.Kind)
	case math.IsNaN(e.Value) || math.IsInf(e.Value, 0):
		return entry{}, fmt.Errorf("its value is %v, want a finite number", e.Value)
	case e.Seq <= seq:
		return entry{}, fmt.Errorf("its Seq is %d, want more than %d, that of the one before", e.Seq, seq)
	}
	at, err := dateOf(e.Time)
	if err != nil {
		return entry{}, err
	}
	fields := metadata.Map()
	out := entry{
		at: at, seq: e.Seq, kind: e.Kind, value: e.Value, metadata: metadata,
		preset: clip(e.Preset, maxName), operation: clip(e.Operation, maxName),
		session: clip(e.Session, maxName), user: clip(e.User, maxName),
		origin: originOf(e.Kind, func(key string) any { return fields[key] }),
	}
	c.names.keepAll(&out)
	return out, nil
}

func (c *Collector) restoreAlerts(stored []Alert, now int64, f *faults) {
	l := &c.alerts
	raised := l.since(edgeOf(0, 0), 0)
	if len(raised) > 0 {
		now = min(now, raised[0].Time.UnixNano())
	}
	*l = alerts{max: l.max, coolDown: l.coolDown, evicted: l.evicted}
	for i, a := range stored {
		a, err := l.checked(a, now)
		if err != nil {
			f.add(fmt.Errorf("alert %d of %d: %w", i+1, len(stored), err))
			continue
		}
		l.newest = a.ID
		l.keep(a, a.key())
	}
	c.savedAlerts = l.revision
	for _, a := range raised {
		l.newest++
		a.ID = l.newest
		l.keep(a, a.key())
	}
}

// checked returns an alert from outside as it is kept.
func (l *alerts) checked(a Alert, now int64) (Alert, error) {
	at, err := dateOf(a.Time)
	switch {
	case err != nil:
		return Alert{}, err
	case a.Level == 0 || a.Level >= levels:
		return Alert{}, fmt.Errorf("its level is %v, want one of the levels", a.Level)
	case !a.Rule.known():
		return Alert{}, fmt.Errorf("its rule is %q, want one of the rules", short(string(a.Rule)))
	case a.Kind == 0 || a.Kind >= kinds:
		return Alert{}, fmt.Errorf("its kind is %v, want one of the kinds", a.Kind)
	case math.IsNaN(a.Threshold+a.Actual) || math.IsInf(a.Threshold+a.Actual, 0):
		return Alert{}, fmt.Errorf("its numbers are %v and %v, want finite ones", a.Threshold, a.Actual)
	case a.ID <= l.newest:
		return Alert{}, fmt.Errorf("its ID is %d, want more than %d, that of the one before", a.ID, l.newest)
	}
	if a.Metadata != "" {
		if err := a.Metadata.UnmarshalJSON([]byte(a.Metadata)); err != nil {
			return Alert{}, err
		}
	}
	if list := l.byLevel[a.Level]; len(list) > 0 {
		at = max(at, list[len(list)-1].at)
	}
	at = min(at, now)
	a.Time, a.Count = timeOf(at), max(a.Count, 1)
	if a.Last.Before(a.Time) || a.Last.After(timeOf(now)) {
		a.Last = a.Time
	}
	a.Last = a.Last.UTC()
	a.Title, a.Description = plain(a.Title, 2*maxValue), plain(a.Description, 2*maxValue)
	a.Preset = plain(a.Preset, maxName)
	return a, nil
}

// plain is a text from outside as it is kept.
func plain(text string, n int) string {
	return strings.ToValidUTF8(strings.Clone(clip(text, n)), "\uFFFD")
}

// dateOf returns a time as nanoseconds since 1970.
func dateOf(t time.Time) (int64, error) {
	if year := t.UTC().Year(); year < 1970 || year > 2261 { // UnixNano is right for these
		return 0, fmt.Errorf("its time is %s, want one from 1970 to 2261", t.UTC().Format(time.RFC3339))
	}
	return t.UnixNano(), nil
}

// faults are what Restore left out.
type faults struct {
	errs []error
	more int
}

func (f *faults) add(err error) {
	if len(f.errs) == maxFaults {
		f.more++
		return
	}
	f.errs = append(f.errs, err)
}

func (f *faults) err() error {
	if f.more > 0 {
		f.errs = append(f.errs, fmt.Errorf("and %d more", f.more))
	}
	if err := errors.Join(f.errs...); err != nil {
		return fmt.Errorf("restore monitoring: %w", err)
	}
	return nil
}
