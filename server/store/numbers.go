package store

import (
	"context"
	"time"
)

// A counter is what the keys of some rows count.
type counter int

const (
	byName   counter = iota // the keys are the caller's
	byEvent                 // Event.Seq
	byAlert                 // Alert.ID
	byMoment                // microseconds since 1970, each once
	counters
)

// numbers give rows their keys. They are the writer's alone.
//
// A collector that was not restored counts from 1 again, although there may be events of those numbers in the file: because the
// file could not be read then, or because nobody asked. Its numbers are then shifted behind those in the file,
// so that nothing is written over.
type numbers struct {
	top      [counters]int64 // the greatest in the file when it was opened first
	shift    [counters]int64
	last     int64 // the newest of byMoment
	restored bool  // a collector has got what is in the file
	begun    bool  // a collector has stored something, so that shift is fixed
	known    bool  // there was a file
}

// counters returns numbers that know what there is to know.
func (s *Store) counters() *numbers {
	s.mu.Lock()
	s.numbers.restored = s.restored
	s.mu.Unlock()
	return &s.numbers
}

// next returns the time as a number that is greater than all before. One is below 2^53 until the year 2255, so that every JSON parser reads it.
func (n *numbers) next() int64 {
	n.last = max(n.last+1, time.Now().UnixMicro())
	return n.last
}

// begin fixes how a collector's numbers are shifted; seq is that of its first event, 0 if there is none.
func (n *numbers) begin(seq int64) {
	if n.begun {
		return
	}
	n.begun = true
	if !n.restored {
		n.shift = n.top
	} else if seq > 0 && seq <= n.top[byEvent] {
		n.shift[byEvent] = n.top[byEvent]
	}
}

// adopt makes d the database in use.
func (s *Store) adopt(ctx context.Context, d *database) error {
	n := s.numbers
	if !n.known {
		if err := d.tops(ctx, &n); err != nil {
			return err
		}
		n.known = true
		n.last = max(n.last, n.top[byMoment])
		if n.begun {
			n.shift = n.top
		}
		if err := s.shiftHeld(ctx, &n); err != nil {
			return err
		}
	}
	s.numbers = n
	s.swap(d, s.overlay)
	return nil
}

// tops reads the greatest numbers of a database.
func (d *database) tops(ctx context.Context, n *numbers) error {
	return d.write.QueryRowContext(ctx, `SELECT (SELECT coalesce(max(seq), 0) FROM events), (SELECT coalesce(max(id), 0) FROM alerts),
		max((SELECT coalesce(max(id), 0) FROM audit), (SELECT coalesce(max(id), 0) FROM versions))`).
		Scan(&n.top[byEvent], &n.top[byAlert], &n.top[byMoment])
}

// shiftHeld moves the numbers of what was held before there was a file behind those in the file.
func (s *Store) shiftHeld(ctx context.Context, n *numbers) error {
	if len(s.held) == 0 {
		return nil
	}
	by := n.shift
	by[byMoment] = 0
	if first := firstMoment(s.held); first > 0 && first <= n.top[byMoment] { // the clock was set back
		by[byMoment] = n.top[byMoment] - first + 1
		n.last += by[byMoment]
	}
	if by == [counters]int64{} {
		return nil
	}
	overlay, err := openMemory(ctx, s.steps)
	if err != nil {
		return err
	}
	shifted := make([]*request, len(s.held))
	for i, r := range s.held {
		shifted[i] = r.shifted(by)
	}
	if err := commit(ctx, overlay, shifted); err != nil {
		_ = overlay.close()
		return err
	}
	s.held = shifted
	old := s.overlay
	s.swap(s.disk, overlay)
	return old.close()
}

func (r *request) shifted(by [counters]int64) *request {
	again := &request{ops: make([]op, len(r.ops)), bytes: r.bytes}
	for i, o := range r.ops {
		if delta := by[o.what.counter]; delta != 0 {
			args := append([]any(nil), o.args...)
			args[0] = args[0].(int64) + delta
			o.args = args
		}
		again.ops[i] = o
	}
	return again
}

func firstMoment(held []*request) int64 {
	for _, r := range held {
		for _, o := range r.ops {
			if o.what.counter == byMoment {
				return o.args[0].(int64)
			}
		}
	}
	return 0
}
