package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/trysail-go/trysail/monitor"
)

// Guard the method against drifting from what a collector wants.
var _ monitor.Sink = (*Store)(nil)

// The parts of events that are kept apart, as monitor.Config.MaxEvents has them: busy traffic does not crowd out what is rare.
const (
	partConfiguration = iota
	partBreakers
	partTraffic
	parts
)

// insertEvent does nothing the second time: an event does not change.
func insertEvent() *statement {
	return &statement{counter: byEvent, sql: `INSERT INTO events (seq, at, part, kind, preset, operation, value, metadata, session, user)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (seq) DO NOTHING`}
}

// upsertAlert takes the newer one: an alert that repeats has another count.
func upsertAlert() *statement {
	return &statement{counter: byAlert, sql: `INSERT INTO alerts (id, at, body) VALUES (?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET at = excluded.at, body = excluded.body`}
}

// Save implements [monitor.Sink]: the batch is stored as a whole or not at all. Storing an event or an alert again changes nothing,
// or for an alert what has changed. The Seq and ID are those of one collector: a store has one, which is to be
// restored with what [Store.Newest] returns before it is persisted. If it was not, its events are numbered in the file after
// those that are there, so that nothing is written over.
//
// It fails with [ErrFull] when the disk cannot be written and no more may be held; the collector then keeps the
// batch and tries again.
func (s *Store) Save(ctx context.Context, b monitor.Batch) error {
	ops := make([]op, 0, len(b.Events)+len(b.Alerts))
	bytes, first := 0, int64(0)
	event, alert := insertEvent(), upsertAlert()
	surplus := s.surplus(b.Events)
	for i := range b.Events {
		o, n, err := eventOp(event, &b.Events[i])
		if err != nil {
			return fmt.Errorf("store event %d of %d: %w", i+1, len(b.Events), err)
		}
		if part := partOf(&b.Events[i]); surplus[part] > 0 {
			surplus[part]--
			continue
		}
		ops, bytes = append(ops, o), bytes+n
	}
	if len(b.Events) > 0 {
		first = int64(b.Events[0].Seq)
	}
	for i := range b.Alerts {
		o, n, err := alertOp(alert, &b.Alerts[i])
		if err != nil {
			return fmt.Errorf("store alert %d of %d: %w", i+1, len(b.Alerts), err)
		}
		ops, bytes = append(ops, o), bytes+n
	}
	if len(ops) == 0 {
		return nil
	}
	return s.store(ctx, bytes, func(n *numbers) []op {
		n.begin(first)
		for _, o := range ops {
			o.args[0] = o.args[0].(int64) + n.shift[o.what.counter]
		}
		return ops
	})
}

// surplus is how many of each part need not be stored, the oldest: in memory they would be removed at once.
func (s *Store) surplus(events []monitor.Event) (n [parts]int) {
	if s.path != "" {
		return n
	}
	for i := range events {
		n[partOf(&events[i])]++
	}
	for part := range n {
		n[part] = max(0, n[part]-s.config.Events.Most)
	}
	return n
}

const overhead = 100 // bytes that a row takes beside its texts

func eventOp(what *statement, e *monitor.Event) (op, int, error) {
	switch {
	case e.Seq == 0 || e.Seq > math.MaxInt64/2:
		return op{}, 0, fmt.Errorf("its Seq is %d, want 1 to %d", e.Seq, math.MaxInt64/2)
	case math.IsNaN(e.Value) || math.IsInf(e.Value, 0):
		return op{}, 0, fmt.Errorf("its value is %v, want a finite number", e.Value)
	}
	if err := checkTime(e.Time); err != nil {
		return op{}, 0, err
	}
	n := overhead + len(e.Preset) + len(e.Operation) + len(e.Metadata) + len(e.Session) + len(e.User)
	return op{what, []any{
		int64(e.Seq), e.Time.UnixNano(), partOf(e), e.Kind.String(), e.Preset, e.Operation, e.Value, string(e.Metadata), e.Session, e.User,
	}}, n, nil
}

// partOf returns the part of an event. The collector's own fields come first in the metadata of what the engine reported.
func partOf(e *monitor.Event) int {
	switch {
	case e.Kind != monitor.PerformanceEvent:
		return partConfiguration
	case strings.HasPrefix(string(e.Metadata), `{"event":"breaker_transition"`):
		return partBreakers
	default:
		return partTraffic
	}
}

func alertOp(what *statement, a *monitor.Alert) (op, int, error) {
	if a.ID == 0 || a.ID > math.MaxInt64/2 {
		return op{}, 0, fmt.Errorf("its ID is %d, want 1 to %d", a.ID, math.MaxInt64/2)
	}
	if err := checkTime(a.Time); err != nil {
		return op{}, 0, err
	}
	body, err := json.Marshal(a)
	if err != nil {
		return op{}, 0, err
	}
	return op{what, []any{int64(a.ID), a.Time.UnixNano(), string(body)}}, overhead + len(body), nil
}

// checkTime reports a time that nanoseconds since 1970 cannot say.
func checkTime(t time.Time) error {
	if year := t.UTC().Year(); year < 1970 || year > 2261 {
		return fmt.Errorf("its time is %s, want one from 1970 to 2261", t.UTC().Format(time.RFC3339))
	}
	return nil
}

// Newest returns what a collector is restored with: the newest events, at most so many of each of the three groups of
// [monitor.Config] MaxEvents, in the order of Seq; and the newest alerts in that of ID. A row that this program cannot read
// comes without its kind or with no content: Collector.Restore leaves it out and names it.
//
// Call it before the collector is persisted. What it costs is measured in docs/reference/store.md.
func (s *Store) Newest(ctx context.Context, events, alerts int) ([]monitor.Event, []monitor.Alert, error) {
	if events < 0 || alerts < 0 {
		return nil, nil, fmt.Errorf("the newest %d events and %d alerts were asked for, want 0 or more", events, alerts)
	}
	found := []monitor.Event{}
	for part := range parts {
		of, err := rows(ctx, s, query[monitor.Event]{
			sql: `SELECT seq, at, kind, preset, operation, value, metadata, session, user FROM events
				WHERE part = ? ORDER BY seq DESC LIMIT ?`, args: []any{part, events}, scan: scanEvent,
		})
		if err != nil {
			return nil, nil, err
		}
		found = append(found, newest(of, func(e monitor.Event) uint64 { return e.Seq }, bySeq, events)...)
	}
	slices.SortFunc(found, bySeq)
	raised, err := rows(ctx, s, query[monitor.Alert]{
		sql: "SELECT id, at, body FROM alerts ORDER BY id DESC LIMIT ?", args: []any{alerts}, scan: scanAlert,
	})
	if err != nil {
		return nil, nil, err
	}
	raised = newest(raised, func(a monitor.Alert) uint64 { return a.ID }, byID, alerts)
	slices.Reverse(raised)
	s.mu.Lock()
	s.restored = s.restored || s.disk != nil
	s.mu.Unlock()
	return found, raised, nil
}

func bySeq(a, b monitor.Event) int { return cmp.Compare(a.Seq, b.Seq) }
func byID(a, b monitor.Alert) int  { return cmp.Compare(a.ID, b.ID) }

func scanEvent(scan func(...any) error) (e monitor.Event, err error) {
	var seq, at int64
	var kind, metadata string
	err = scan(&seq, &at, &kind, &e.Preset, &e.Operation, &e.Value, &metadata, &e.Session, &e.User)
	e.Seq, e.Time, e.Metadata = uint64(seq), timeOf(at), monitor.Metadata(metadata)
	if e.Kind.UnmarshalText([]byte(kind)) != nil {
		e.Kind = 0 // of a newer program
	}
	return e, err
}

func scanAlert(scan func(...any) error) (a monitor.Alert, err error) {
	var id, at int64
	var body string
	if err = scan(&id, &at, &body); err != nil {
		return a, err
	}
	if json.Unmarshal([]byte(body), &a) != nil {
		a = monitor.Alert{} // of a newer program
	}
	a.ID, a.Time = uint64(id), timeOf(at)
	return a, nil
}

func timeOf(at int64) time.Time { return time.Unix(0, at).UTC() }
