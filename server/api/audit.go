package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/trysail-go/trysail/config"
)

// An AuditLog remembers who changed what. It is used by several goroutines at once.
//
// server/store keeps one on disk: [AuditEntry] and [AuditQuery] convert to its types.
type AuditLog interface {
	// Add remembers an entry. After an error it is added again later, also if it was remembered after all: an entry may be
	// there twice, but none is lost. Add returns soon after ctx ends.
	Add(ctx context.Context, e AuditEntry) error

	// List returns the entries that were asked for, the newest first.
	List(ctx context.Context, q AuditQuery) ([]AuditEntry, error)
}

// An AuditEntry says who changed what. It holds no secret. Texts have at most 1024 bytes of UTF-8.
type AuditEntry struct {
	ID        int64           // given by the log: later entries have greater ones, 1 to 2^53-1
	Time      time.Time       // of the change
	Who       string          // such as "admin-1"; see [Keys]. Not empty.
	What      string          // a verb, such as "breaker.force_open". Not empty.
	Target    string          // what it was done to; empty if What says it all
	Before    json.RawMessage // what this very change has ended, a JSON object; nil if there was nothing
	After     json.RawMessage // what it has begun, a JSON object; nil if there is nothing
	RequestID string          // empty if it was no request
	Address   string          // the client's, without a port; empty if there was none

	// ClaimedUser is for whom the client said that it acts, in X-User-Context. Nobody has checked that: Who has the key.
	ClaimedUser string
}

// An AuditQuery says which entries are wanted: those that meet every field that is not zero.
type AuditQuery struct {
	Who, What, Target string
	From              time.Time // not before
	Until             time.Time // before
	Before            int64     // only smaller IDs: the last one of a list leads to the next
	Limit             int       // at most, the newest; 1 to 1000
}

// maxState bounds the bytes of Before and of After, maxAuditText those of a text.
const (
	maxState     = 64 << 10
	maxAuditText = 1024
)

// Audit adds an entry for a change that the program has made itself, so that it stands among those of the API. Who and What must
// be set; ID must not, and Time need not. Before and After have at most 64 KiB. An error names every fault of the entry, of which
// nothing is then remembered. What the log cannot take now is no error: it is kept, logged and tried again.
func (a *API) Audit(ctx context.Context, e AuditEntry) error {
	if err := e.check(); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	e.Time = e.Time.UTC()
	a.trail.write(ctx, e)
	return nil
}

func (e *AuditEntry) check() error {
	var errs []error
	if e.ID != 0 {
		errs = append(errs, fmt.Errorf("ID is %d, want 0: the log gives it", e.ID))
	}
	if !e.Time.IsZero() && !storable(e.Time) {
		errs = append(errs, fmt.Errorf("Time is %v, want one from 1970 to 2261, or none for now", e.Time.UTC()))
	}
	for _, f := range []struct {
		name, text string
		required   bool
	}{{"Who", e.Who, true}, {"What", e.What, true}, {"Target", e.Target, false}, {"RequestID", e.RequestID, false}, {"Address", e.Address, false}, {"ClaimedUser", e.ClaimedUser, false}} {
		if f.required && f.text == "" || len(f.text) > maxAuditText || !utf8.ValidString(f.text) {
			errs = append(errs, fmt.Errorf("%s has %d bytes, want at most %d of UTF-8, and of Who and What some", f.name, len(f.text), maxAuditText))
		}
	}
	for name, state := range map[string]json.RawMessage{"Before": e.Before, "After": e.After} {
		if state != nil && (len(state) > maxState || !isObject(bytes.TrimSpace(state)) || !json.Valid(state) || !utf8.Valid(state)) {
			errs = append(errs, fmt.Errorf("%s has %d bytes, want a JSON object of at most %d, or nil", name, len(state), maxState))
		}
	}
	return errors.Join(errs...)
}

// storable reports whether a log on disk can hold a time: it counts nanoseconds since 1970 in 64 bits.
func storable(t time.Time) bool {
	year := t.UTC().Year()
	return 1970 <= year && year <= 2261
}

// AuditReload adds the entry for a version of the configuration that did not come through the API, but with a signal or a
// changed file. [config.ReloaderConfig] Applied may hand on every version: those that requests to the API have made have their entry.
func (a *API) AuditReload(ctx context.Context, v config.Version) {
	who := cmp.Or(string(v.Trigger), v.By)
	switch v.Trigger {
	case config.TriggerStart, config.TriggerAPI, config.TriggerRollback:
		return
	case config.TriggerSignal:
		who = "signal"
	case config.TriggerFile: // its own name will do
	}
	c := change{what: auditReload}
	var was config.Version
	if a.reloader != nil {
		was, _ = a.reloader.Version(v.Number - 1) // at least two are kept
	}
	c.before, c.after = configStates(&was, &v)
	a.trail.write(ctx, a.entry(ctx, cmp.Or(who, unknownClient), &c))
}

// The verbs of the audit log. Breakers have theirs beside their commands.
const (
	auditReload   = "config.reload"
	auditRollback = "config.rollback"
	auditReset    = "breaker.reset"
	auditMetrics  = "metrics.reset"
	auditCleanup  = "monitoring.cleanup"
)

// A change is what an operation has done.
type change struct {
	what, target  string
	before, after any // JSON objects, small and without secrets; nil: nothing
}

// audit notes a change that was made for a request. It comes right after the change, of which alone it can know what it has ended, and has no
// error: a problem as the answer means that nothing was changed. What the log cannot take is kept; see [trail].
func (a *API) audit(ctx context.Context, c change) {
	a.trail.write(ctx, a.entry(ctx, cmp.Or(callerOf(ctx).name, unknownClient), &c))
}

func (a *API) entry(ctx context.Context, who string, c *change) AuditEntry {
	return AuditEntry{
		Time: time.Now().UTC(), Who: who, What: c.what, Target: c.target, Before: a.stateOf(ctx, c.before), After: a.stateOf(ctx, c.after),
		RequestID: callerOf(ctx).requestID, Address: hostOf(ctx), ClaimedUser: callerOf(ctx).user,
	}
}

// stateOf is a state as JSON.
func (a *API) stateOf(ctx context.Context, state any) json.RawMessage {
	if state == nil {
		return nil
	}
	text, err := encode(state)
	if err != nil { // a bug of ours: the entry is worth more than what it lacks
		a.log.ErrorContext(ctx, "write a state for the audit log", "error", err)
		return nil
	}
	return bytes.TrimSpace(text)
}
