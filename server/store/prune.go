package store

import (
	"context"
	"database/sql"
	"fmt"
	"math/bits"
	"time"
)

// piece is how many rows of a table are removed at once.
const piece = 1000

// prune removes a piece of what is too old or too much, and reports whether there is more. While the disk cannot be written, it
// does nothing.
func (s *Store) prune(ctx context.Context) (more bool) {
	if s.overlay != nil {
		return false
	}
	removed, more, err := s.pruneAll(ctx)
	if err == nil && removed > 0 {
		_, err = s.disk.write.ExecContext(ctx, "PRAGMA incremental_vacuum(1000)") // gives the pages back to the disk
	}
	if err == nil {
		return more
	}
	if s.path != "" {
		err = s.degrade(ctx, err)
	}
	if err != nil {
		s.config.Log.Error("store: remove old rows", "path", s.path, "error", err)
	}
	return false
}

func (s *Store) pruneAll(ctx context.Context) (removed int64, more bool, err error) {
	if err := s.disk.moved(); err != nil {
		return 0, false, err
	}
	tx, err := s.disk.write.BeginTx(ctx, nil)
	if err != nil {
		return 0, false, err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	for _, r := range s.removals(time.Now()) {
		n, err := r.run(ctx, tx)
		if err != nil {
			return 0, false, err
		}
		removed, more = removed+n, more || n == piece
	}
	return removed, more, tx.Commit()
}

// bound keeps a database in memory small: what has come since may be too much long before PruneEvery is over.
func (s *Store) bound(ctx context.Context, batch []*request) {
	if s.path != "" {
		return
	}
	for _, r := range batch {
		s.fresh, s.freshBytes = s.fresh+len(r.ops), s.freshBytes+r.bytes
	}
	if s.fresh < piece && s.freshBytes < 1<<20 {
		return
	}
	s.fresh, s.freshBytes, s.halved = 0, 0, 0
	for s.prune(ctx) || s.large(ctx) {
	}
	s.halved = 0
}

// large reports whether a database in memory is still too large, and halves its limits. That ends when they are all 0.
func (s *Store) large(ctx context.Context) bool {
	var bytes int
	err := s.disk.write.QueryRowContext(ctx, `SELECT (page_count - freelist_count) * page_size
		FROM pragma_page_count, pragma_freelist_count, pragma_page_size`).Scan(&bytes)
	if err != nil {
		s.config.Log.Error("store: ask how large the memory is", "error", err)
		return false
	}
	s.halved++
	return bytes > s.config.MaxMemoryBytes && s.halved < bits.UintSize
}

// A removal removes rows: those whose key is in the list that it selects.
type removal struct {
	table, key, list string
	args             []any
	first            string // what is done before, if anything
	firstArgs        []any
}

func (r removal) run(ctx context.Context, tx *sql.Tx) (int64, error) {
	if r.first != "" {
		if _, err := tx.ExecContext(ctx, r.first, r.firstArgs...); err != nil {
			return 0, err
		}
	}
	result, err := tx.ExecContext(ctx, fmt.Sprintf("DELETE FROM %[1]s WHERE %[2]s IN (SELECT %[2]s FROM %[1]s WHERE %[3]s LIMIT %[4]d)",
		r.table, r.key, r.list, piece), r.args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// beyond is the ID of the newest row that is too old by its ID, or one too many; 0 if there is none.
const beyond = `max(
	coalesce((SELECT id FROM %[1]s WHERE id < ?1 ORDER BY id DESC LIMIT 1), 0),
	coalesce((SELECT id FROM %[1]s ORDER BY id DESC LIMIT 1 OFFSET ?2), 0))`

// removals are all that there is to remove.
func (s *Store) removals(now time.Time) []removal {
	edge := func(k Keep) int64 { return now.Add(-k.For).UnixNano() }
	most := func(k Keep) int { return k.Most >> s.halved }
	moment := func(k Keep) []any { return []any{now.Add(-k.For).UnixMicro(), most(k)} }
	c := &s.config
	list := []removal{
		{table: "events", key: "seq", list: "at < ? ORDER BY at", args: []any{edge(c.Events)}},
		{table: "alerts", key: "id", list: "at < ? ORDER BY at", args: []any{edge(c.Alerts)}},
		{table: "runs", key: "id", list: "at < ? ORDER BY at", args: []any{edge(c.Runs)}},
		{table: "alerts", key: "id", list: "id <= (SELECT id FROM alerts ORDER BY id DESC LIMIT 1 OFFSET ?) ORDER BY id", args: []any{most(c.Alerts)}},
		{table: "runs", key: "id", list: "(at, id) <= (SELECT at, id FROM runs ORDER BY at DESC, id DESC LIMIT 1 OFFSET ?) ORDER BY at, id", args: []any{most(c.Runs)}},
		{
			table: "versions", key: "id", args: moment(c.Versions),
			list: fmt.Sprintf("id <= "+beyond+" AND id < (SELECT max(id) FROM versions) ORDER BY id", "versions"),
		},
		{
			table: "audit", key: "id", list: "id <= (SELECT id FROM audit_end) ORDER BY id",
			first:     fmt.Sprintf("UPDATE audit_end SET id = "+beyond+" WHERE id < "+beyond, "audit"),
			firstArgs: moment(c.Audit),
		},
	}
	for part := range parts {
		list = append(list, removal{
			table: "events", key: "seq", args: []any{part, most(c.Events)},
			list: "part = ?1 AND seq <= (SELECT seq FROM events WHERE part = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2) ORDER BY seq",
		})
	}
	return list
}
