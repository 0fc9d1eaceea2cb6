package api

import (
	"context"
	"slices"
	"sync"
)

// The bounds of the log that an API has when it is given none.
const (
	maxRemembered      = 10_000  // entries
	maxRememberedBytes = 8 << 20 // of their texts
	entryOverhead      = 256     // bytes of an entry besides its texts, rounded up
)

// A memoryLog is an [AuditLog] of the newest entries, which go with the program.
type memoryLog struct {
	mu      sync.Mutex   // guards what follows
	entries []AuditEntry // the newest last
	bytes   int
	last    int64 // the newest ID
}

// Add implements [AuditLog]. It never fails.
func (l *memoryLog) Add(_ context.Context, e AuditEntry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	e.ID = l.last
	l.entries, l.bytes = append(l.entries, e), l.bytes+e.size()
	for len(l.entries) > maxRemembered || l.bytes > maxRememberedBytes {
		l.bytes -= l.entries[0].size()
		l.entries[0] = AuditEntry{} // its texts go at once, its place with the next growth
		l.entries = l.entries[1:]
	}
	return nil
}

// List implements [AuditLog].
func (l *memoryLog) List(_ context.Context, q AuditQuery) ([]AuditEntry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []AuditEntry
	for _, e := range slices.Backward(l.entries) {
		if len(found) == q.Limit {
			break
		}
		if q.wants(&e) {
			found = append(found, e)
		}
	}
	return found, nil
}

func (q *AuditQuery) wants(e *AuditEntry) bool {
	return (q.Who == "" || q.Who == e.Who) && (q.What == "" || q.What == e.What) && (q.Target == "" || q.Target == e.Target) &&
		(q.From.IsZero() || !e.Time.Before(q.From)) && (q.Until.IsZero() || e.Time.Before(q.Until)) &&
		(q.Before == 0 || e.ID < q.Before)
}

func (e *AuditEntry) size() int {
	return entryOverhead + len(e.Who) + len(e.What) + len(e.Target) + len(e.Before) + len(e.After) + len(e.RequestID) + len(e.Address) + len(e.ClaimedUser)
}
