package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// A query reads rows of one type.
type query[T any] struct {
	sql  string
	args []any
	scan func(scan func(...any) error) (T, error)
}

// rows returns what a query finds in memory and then what it finds in the file. A row may be in both.
//
// In this order nothing is missed: what has left the memory by then is in the file.
func rows[T any](ctx context.Context, s *Store, q query[T]) ([]T, error) {
	for {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		s.mu.Lock()
		memory, disk, epoch := s.overlay, s.disk, s.epoch
		s.mu.Unlock()
		found := []T{}
		err := each(ctx, memory, q, &found)
		if err == nil {
			err = each(ctx, disk, q, &found)
		}
		if err == nil {
			return found, nil
		}
		s.mu.Lock()
		again := s.epoch != epoch // the writer has closed what was being read
		s.mu.Unlock()
		if !again {
			return nil, about(s.path, err)
		}
	}
}

func each[T any](ctx context.Context, d *database, q query[T], found *[]T) error {
	if d == nil {
		return nil
	}
	if d.path == "" {
		ctx = context.WithoutCancel(ctx) // a connection that is given up would take the memory with it
	}
	rows, err := d.read.QueryContext(ctx, q.sql, q.args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err has said what there is to say
	for rows.Next() {
		row, err := q.scan(rows.Scan)
		if err != nil {
			return err
		}
		*found = append(*found, row)
	}
	return rows.Err()
}

// newest sorts what came from two places, takes each row once, the first that there is, and returns the newest.
func newest[T any, K comparable](found []T, key func(T) K, compare func(a, b T) int, limit int) []T {
	seen := make(map[K]bool, len(found))
	once := found[:0]
	for _, row := range found {
		if k := key(row); !seen[k] {
			seen[k] = true
			once = append(once, row)
		}
	}
	slices.SortFunc(once, func(a, b T) int { return compare(b, a) })
	return once[:min(len(once), limit)]
}

// MaxLimit is how many rows a list has at most, which is also what a limit of 0 means.
const MaxLimit = 1000

func checkLimit(limit int) (int, error) {
	if limit < 0 || limit > MaxLimit {
		return 0, fmt.Errorf("limit is %d, want 1 to %d, or 0 for %d", limit, MaxLimit, MaxLimit)
	}
	return cmp.Or(limit, MaxLimit), nil
}

// conditions are the WHERE of a query.
type conditions struct {
	text string
	args []any
}

// add adds a condition with one argument.
func (c *conditions) add(text string, arg any) {
	if c.text == "" {
		c.text = " WHERE " + text
	} else {
		c.text += " AND " + text
	}
	c.args = append(c.args, arg)
}
