package api

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	auditTime = 5 * time.Second // how long an answer waits for the log
	maxOwed   = 200             // entries that may wait; with more, requests that would change something are refused
)

// A trail writes entries of changes that were made, and loses none while the program runs. Changes of the API are all in the memory of the
// program, so that an end of the program ends the change together with an entry that was not written; hence the change comes first, and
// the entry can tell what it has found. An entry that the log does not take is kept for the next time, and the program's log has all of it.
type trail struct {
	log    AuditLog
	logger *slog.Logger

	mu     sync.Mutex   // guards what follows
	owed   []AuditEntry // what waits, in the order of the changes
	trying int          // how many more are just tried again
}

// write adds entries, after those that wait. A client that leaves does not end it.
func (t *trail) write(ctx context.Context, fresh ...AuditEntry) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTime)
	defer cancel()
	old := t.take()
	waiting, _ := t.try(ctx, old)
	failed, err := t.try(ctx, fresh)
	for i := range failed {
		e := &failed[i]
		t.logger.ErrorContext(ctx, "the audit log does not take an entry; it is kept and tried again", "error", err,
			"who", e.Who, "what", e.What, "target", e.Target, "time", e.Time, "before", string(e.Before), "after", string(e.After),
			"request_id", e.RequestID, "remote_addr", e.Address, "claimed_user", e.ClaimedUser)
	}
	t.giveBack(len(old), append(waiting, failed...))
}

// try adds entries, and returns those that the log did not take, with the last error.
func (t *trail) try(ctx context.Context, entries []AuditEntry) (failed []AuditEntry, last error) {
	for _, e := range entries {
		if err := t.add(ctx, e); err != nil {
			failed, last = append(failed, e), err
		}
	}
	return failed, last
}

// add adds an entry. A log that panics must not have the client believe that nothing was changed.
func (t *trail) add(ctx context.Context, e AuditEntry) (err error) {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the audit log panicked: %v", v)
		}
	}()
	return t.log.Add(ctx, e)
}

// take returns what waits; [trail.giveBack] takes back what is left of it.
func (t *trail) take() []AuditEntry {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.owed
	t.owed, t.trying = nil, t.trying+len(old)
	return old
}

// giveBack has entries wait. Of far too many, which reloads without the API may make, the oldest go: the program's log has them.
func (t *trail) giveBack(taken int, left []AuditEntry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trying -= taken
	t.owed = append(left, t.owed...)
	if n := len(t.owed); n > 2*maxOwed {
		t.owed = append([]AuditEntry{}, t.owed[n-2*maxOwed:]...)
	}
}

// unwritten returns how many entries wait.
func (t *trail) unwritten() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.owed) + t.trying
}

// ready reports whether there is room for what is to come. If not it tries again first.
func (t *trail) ready(ctx context.Context) bool {
	if t.unwritten() < maxOwed {
		return true
	}
	t.write(ctx)
	return t.unwritten() < maxOwed
}
