package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// A Version is a configuration that was in force from a moment on. It must hold no secret.
type Version struct {
	ID     int64           // given by the store: later ones have greater IDs, below 2^53
	Time   time.Time       // since when; zero for now
	Who    string          // 1 to 1024 bytes of UTF-8
	Note   string          // at most 1024 bytes of UTF-8
	Config json.RawMessage // at most 4 MiB
}

// AddVersion stores a version, and returns it with its ID and Time.
func (s *Store) AddVersion(ctx context.Context, v Version) (Version, error) {
	var f faults
	f.text("Who", v.Who, true)
	f.text("Note", v.Note, false)
	f.time("Time", v.Time)
	f.json("Config", v.Config, true)
	if err := f.err("store version"); err != nil {
		return Version{}, err
	}
	v.Time = orNow(v.Time)
	what := &statement{counter: byMoment, sql: `INSERT INTO versions (id, at, who, note, config) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO NOTHING`}
	id, err := s.number(ctx, overhead+len(v.Who)+len(v.Note)+len(v.Config), func(id int64) op {
		return op{what, []any{id, v.Time.UnixNano(), v.Who, v.Note, string(v.Config)}}
	})
	v.ID = id
	return v, err
}

// number stores a row that gets its ID from the store.
//
// The statement may do nothing if the ID is there: then it is the same row, from a transaction that was committed although
// it failed.
func (s *Store) number(ctx context.Context, bytes int, row func(id int64) op) (int64, error) {
	given := make(chan int64, 1)
	err := s.store(ctx, bytes, func(n *numbers) []op {
		id := n.next()
		given <- id
		return []op{row(id)}
	})
	if err != nil {
		return 0, err
	}
	return <-given, nil
}

// Versions returns the newest versions, the newest first: with before, those with smaller IDs than that. The limit is 1 to [MaxLimit], 0 for
// that. Their configurations are in it: ask for few.
func (s *Store) Versions(ctx context.Context, before int64, limit int) ([]Version, error) {
	var f faults
	f.limit(&limit)
	if err := f.err("list versions"); err != nil {
		return nil, err
	}
	var where conditions
	if before > 0 {
		where.add("id < ?", before)
	}
	found, err := rows(ctx, s, query[Version]{
		sql:  "SELECT id, at, who, note, config FROM versions" + where.text + " ORDER BY id DESC LIMIT ?",
		args: append(where.args, limit), scan: scanVersion,
	})
	return newest(found, func(v Version) int64 { return v.ID }, func(a, b Version) int { return cmp.Compare(a.ID, b.ID) }, limit), err
}

// Version returns the version of an ID, or [ErrNotFound].
func (s *Store) Version(ctx context.Context, id int64) (Version, error) {
	found, err := rows(ctx, s, query[Version]{sql: "SELECT id, at, who, note, config FROM versions WHERE id = ?", args: []any{id}, scan: scanVersion})
	if err != nil {
		return Version{}, err
	}
	if len(found) == 0 {
		return Version{}, fmt.Errorf("version %d: %w", id, ErrNotFound)
	}
	return found[0], nil
}

func scanVersion(scan func(...any) error) (v Version, err error) {
	var at int64
	var config string
	err = scan(&v.ID, &at, &v.Who, &v.Note, &config)
	v.Time, v.Config = timeOf(at), raw(config)
	return v, err
}
