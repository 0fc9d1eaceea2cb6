package monitor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// A Format is a form of [Collector.Export].
type Format string

// The formats.
const (
	JSON   Format = "json"   // an array, one event per line
	CSV    Format = "csv"    // RFC 4180 with a line of names; see docs/reference/monitoring.md for formulas
	NDJSON Format = "ndjson" // a JSON object per line
)

// ParseFormat reads a format regardless of case.
func ParseFormat(text string) (Format, error) {
	for _, f := range []Format{JSON, CSV, NDJSON} {
		if strings.EqualFold(text, string(f)) {
			return f, nil
		}
	}
	return "", fmt.Errorf("unsupported export format %q, want json, csv or ndjson", short(text))
}

// An Exported says what an export holds.
type Exported struct {
	Events int // written
	Missed int // that were in the window but gone before they were reached: see Config.MaxEvents
	Time   time.Time
}

// Export writes the events of the window that ends now, oldest first. The window is that of [Collector.Statistics]. What
// is recorded while it writes is not in it.
//
// It holds some hundred kilobytes however many events there are, and no lock while it writes: a slow reader delays
// nobody. Therefore events may be removed before their turn comes; they are counted. It stops at w's first error, and when ctx
// ends, with what was written until then; only then is a JSON array not closed.
func (c *Collector) Export(ctx context.Context, w io.Writer, f Format, window time.Duration) (Exported, error) {
	write, open, end := form(f)
	if write == nil {
		_, err := ParseFormat(string(f))
		return Exported{}, err
	}
	p := c.pager(window)
	done := Exported{Time: timeOf(p.now)}
	text := append(make([]byte, 0, portion+maxMetadata*2), open...)
	var e Event
	for {
		if err := context.Cause(ctx); err != nil {
			return done, fmt.Errorf("export events: %w", err)
		}
		entries := c.page(&p)
		if len(entries) == 0 {
			break
		}
		for i := range entries {
			e = entries[i].event()
			text = write(text, &e, done.Events == 0)
			done.Events++
			if len(text) < portion {
				continue
			}
			if _, err := w.Write(text); err != nil {
				return done, fmt.Errorf("export events: %w", err)
			}
			text = text[:0]
		}
	}
	done.Missed = p.want - done.Events
	if _, err := w.Write(append(text, end...)); err != nil {
		return done, fmt.Errorf("export events: %w", err)
	}
	return done, nil
}

// ExportText is Export into a string.
func (c *Collector) ExportText(f Format, window time.Duration) (string, Exported, error) {
	var text bytes.Buffer
	done, err := c.Export(context.Background(), &text, f, window)
	return text.String(), done, err
}

// form returns how to write an event, and what stands before and after them all; nothing for an unknown format.
func form(f Format) (write func(b []byte, e *Event, first bool) []byte, open, end []byte) {
	switch f {
	case JSON:
		return appendItem, []byte("["), []byte("\n]\n")
	case CSV:
		return func(b []byte, e *Event, _ bool) []byte { return e.appendCSV(b) }, appendHeader(nil), nil
	case NDJSON:
		return func(b []byte, e *Event, _ bool) []byte { return append(e.appendJSON(b), '\n') }, nil, nil
	default:
		return nil, nil, nil
	}
}

func appendItem(b []byte, e *Event, first bool) []byte {
	if !first {
		b = append(b, ',')
	}
	return e.appendJSON(append(b, "\n  "...))
}

const (
	page    = 512      // events that are read at once
	portion = 64 << 10 // bytes after which something is written
)

// A pager remembers how far an export has come.
type pager struct {
	now, edge int64
	seq, last uint64 // of the newest event that was read, and of the newest that will be
	want      int    // events of the window
	buffer    []entry
}

// pager begins an export.
func (c *Collector) pager(window time.Duration) pager {
	now := c.lock()
	defer c.mu.Unlock()
	p := pager{now: now, edge: edgeOf(now, window), last: c.seq, buffer: make([]entry, 0, page)}
	for i := range c.groups {
		g := &c.groups[i]
		p.want += g.tail - g.after(p.edge)
	}
	return p
}

// page returns the next events, none at the end. They are valid until the next page.
func (c *Collector) page(p *pager) []entry {
	c.lock()
	defer c.mu.Unlock()
	p.buffer = p.buffer[:0]
	var from [groups]int
	for i := range c.groups {
		g := &c.groups[i]
		from[i] = max(g.after(p.edge), g.behind(p.seq))
	}
	merge(&c.groups, from, func(e *entry) bool {
		if e.seq > p.last || len(p.buffer) == page {
			return false
		}
		p.buffer = append(p.buffer, *e)
		p.seq = e.seq
		return true
	})
	return p.buffer
}
