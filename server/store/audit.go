package store

import (
	"cmp"
	"context"
	"encoding/json"
	"time"
)

// An Entry of the audit log says who changed what. It must hold no secret. Texts have at most 1024 bytes of UTF-8, JSON at
// most 4 MiB.
type Entry struct {
	ID        int64           // given by the store: later ones have greater IDs, below 2^53
	Time      time.Time       // when; zero for now
	Who       string          // not empty
	What      string          // not empty; such as "breaker.force_open"
	Target    string          // what it was done to; empty if there is nothing to name
	Before    json.RawMessage // nil if there was nothing
	After     json.RawMessage // nil if there is nothing
	RequestID string
	Address   string // the client's

	// ClaimedUser is for whom the client said that it acts. Nobody has checked that.
	ClaimedUser string
}

// Audit adds an entry to the log, and returns it with its ID and Time. A change that must not go unseen is made after
// Audit has returned without an error. Entries cannot be changed, and go only by Config.Audit, the oldest first.
//
// When ctx ends first, the entry may be stored or not.
func (s *Store) Audit(ctx context.Context, e Entry) (Entry, error) {
	var f faults
	f.text("Who", e.Who, true)
	f.text("What", e.What, true)
	f.text("Target", e.Target, false)
	f.text("RequestID", e.RequestID, false)
	f.text("Address", e.Address, false)
	f.text("ClaimedUser", e.ClaimedUser, false)
	f.time("Time", e.Time)
	f.json("Before", e.Before, false)
	f.json("After", e.After, false)
	if err := f.err("store audit entry"); err != nil {
		return Entry{}, err
	}
	e.Time = orNow(e.Time)
	what := &statement{counter: byMoment, sql: `INSERT INTO audit (id, at, who, what, target, before, after, request_id, address, claimed_user)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`}
	bytes := overhead + len(e.Who) + len(e.What) + len(e.Target) + len(e.Before) + len(e.After) + len(e.RequestID) + len(e.Address) + len(e.ClaimedUser)
	id, err := s.number(ctx, bytes, func(id int64) op {
		return op{what, []any{
			id, e.Time.UnixNano(), e.Who, e.What, e.Target, string(e.Before), string(e.After), e.RequestID, e.Address, e.ClaimedUser,
		}}
	})
	e.ID = id
	return e, err
}

// An AuditQuery says which entries are wanted: those that meet every field that is not zero.
type AuditQuery struct {
	Who, What, Target string
	From              time.Time // not before
	Until             time.Time // before
	Before            int64     // only smaller IDs: the last one of a list leads to the next
	Limit             int       // at most, the newest; 1 to [MaxLimit], 0 for that
}

// AuditLog returns the entries that were asked for, the newest first.
func (s *Store) AuditLog(ctx context.Context, q AuditQuery) ([]Entry, error) {
	var f faults
	f.time("From", q.From)
	f.time("Until", q.Until)
	f.limit(&q.Limit)
	if err := f.err("list audit log"); err != nil {
		return nil, err
	}
	var where conditions
	for _, c := range []struct{ column, text string }{{"who", q.Who}, {"what", q.What}, {"target", q.Target}} {
		if c.text != "" {
			where.add(c.column+" = ?", c.text)
		}
	}
	where.between("at", q.From, q.Until)
	if q.Before > 0 {
		where.add("id < ?", q.Before)
	}
	found, err := rows(ctx, s, query[Entry]{
		sql:  "SELECT id, at, who, what, target, before, after, request_id, address, claimed_user FROM audit" + where.text + " ORDER BY id DESC LIMIT ?",
		args: append(where.args, q.Limit), scan: scanEntry,
	})
	return newest(found, func(e Entry) int64 { return e.ID }, func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) }, q.Limit), err
}

func scanEntry(scan func(...any) error) (e Entry, err error) {
	var at int64
	var before, after string
	err = scan(&e.ID, &at, &e.Who, &e.What, &e.Target, &before, &after, &e.RequestID, &e.Address, &e.ClaimedUser)
	e.Time, e.Before, e.After = timeOf(at), raw(before), raw(after)
	return e, err
}
