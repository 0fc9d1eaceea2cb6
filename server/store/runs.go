package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A Run is the result of a benchmark. What it says is its caller's business.
type Run struct {
	ID   string          // its identity; 1 to 1024 bytes of UTF-8
	Time time.Time       // when it ran; zero for now
	Name string          // what ran; at most 1024 bytes of UTF-8
	Body json.RawMessage // at most 4 MiB
}

// AddRun stores a run. One that has the ID of another takes its place, so that storing it twice is the same as
// storing it once.
func (s *Store) AddRun(ctx context.Context, r Run) error {
	var f faults
	f.text("ID", r.ID, true)
	f.text("Name", r.Name, false)
	f.time("Time", r.Time)
	f.json("Body", r.Body, true)
	if err := f.err("store run"); err != nil {
		return err
	}
	what := &statement{sql: `INSERT INTO runs (id, at, name, body) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET at = excluded.at, name = excluded.name, body = excluded.body`}
	o := op{what, []any{r.ID, orNow(r.Time).UnixNano(), r.Name, string(r.Body)}}
	return s.store(ctx, overhead+len(r.ID)+len(r.Name)+len(r.Body), func(*numbers) []op { return []op{o} })
}

// A RunQuery says which runs are wanted: those that meet every field that is not zero.
type RunQuery struct {
	Name  string
	From  time.Time // not before
	Until time.Time // before
	Limit int       // at most, the newest; 1 to [MaxLimit], 0 for that
}

// Runs returns the runs that were asked for, the newest first. Their bodies are in it: ask for few.
func (s *Store) Runs(ctx context.Context, q RunQuery) ([]Run, error) {
	var f faults
	f.time("From", q.From)
	f.time("Until", q.Until)
	f.limit(&q.Limit)
	if err := f.err("list runs"); err != nil {
		return nil, err
	}
	var where conditions
	if q.Name != "" {
		where.add("name = ?", q.Name)
	}
	where.between("at", q.From, q.Until)
	found, err := rows(ctx, s, query[Run]{
		sql:  "SELECT id, at, name, body FROM runs" + where.text + " ORDER BY at DESC, id DESC LIMIT ?",
		args: append(where.args, q.Limit), scan: scanRun,
	})
	return newest(found, func(r Run) string { return r.ID }, compareRuns, q.Limit), err
}

// Run returns the run of an ID, or [ErrNotFound].
func (s *Store) Run(ctx context.Context, id string) (Run, error) {
	found, err := rows(ctx, s, query[Run]{sql: "SELECT id, at, name, body FROM runs WHERE id = ?", args: []any{id}, scan: scanRun})
	if err != nil {
		return Run{}, err
	}
	if len(found) == 0 {
		return Run{}, fmt.Errorf("run %.40q: %w", id, ErrNotFound)
	}
	return found[0], nil
}

func compareRuns(a, b Run) int { return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.ID, b.ID)) }

func scanRun(scan func(...any) error) (r Run, err error) {
	var at int64
	var body string
	err = scan(&r.ID, &at, &r.Name, &body)
	r.Time, r.Body = timeOf(at), raw(body)
	return r, err
}

// between adds that a time is not before from and before until; a zero one is no bound.
func (c *conditions) between(column string, from, until time.Time) {
	if !from.IsZero() {
		c.add(column+" >= ?", from.UnixNano())
	}
	if !until.IsZero() {
		c.add(column+" < ?", until.UnixNano())
	}
}
