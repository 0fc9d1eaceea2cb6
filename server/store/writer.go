package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// A statement stores one row. Its first argument is the row's key.
type statement struct {
	sql     string
	counter counter // the key's
}

// An op is a statement with its arguments.
type op struct {
	what *statement
	args []any
}

// A request is what is stored at once or not at all.
type request struct {
	prepare func(*numbers) []op // called once, by the writer: numbers are given in the order of storing
	ops     []op
	bytes   int
	done    chan error // has room for the answer
}

// store hands a request to the writer and waits until it is stored.
func (s *Store) store(ctx context.Context, bytes int, prepare func(*numbers) []op) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	r := &request{prepare: prepare, bytes: bytes, done: make(chan error, 1)}
	if err := s.send(ctx, r); err != nil {
		return err
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%w before it was known whether it is stored", context.Cause(ctx))
	}
}

func (s *Store) send(ctx context.Context, r *request) error {
	s.gate.Lock()
	if s.closed {
		s.gate.Unlock()
		return ErrClosed
	}
	s.senders.Add(1)
	s.gate.Unlock()
	defer s.senders.Done()
	select {
	case s.queue <- r:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// run is the writer: the only one who changes anything.
func (s *Store) run() {
	defer close(s.ended)
	ctx := context.Background() // what was taken is stored, whatever becomes of who gave it
	prune, retry := time.NewTimer(0), time.NewTicker(s.config.RetryEvery)
	defer prune.Stop()
	defer retry.Stop()
	for {
		select {
		case r, ok := <-s.queue:
			if !ok {
				s.end(ctx)
				return
			}
			batch := s.gather(r)
			s.write(ctx, batch)
			s.bound(ctx, batch)
		case <-prune.C:
			if s.prune(ctx) {
				prune.Reset(time.Millisecond) // a piece at a time: who wants to store something waits for no more
			} else {
				prune.Reset(s.config.PruneEvery)
			}
		case <-retry.C:
			s.retry(ctx)
		}
	}
}

// gather returns r and what comes soon after it.
func (s *Store) gather(r *request) []*request {
	r.ops = r.prepare(s.counters())
	batch, rows := []*request{r}, len(r.ops)
	timer := time.NewTimer(s.config.FlushEvery)
	defer timer.Stop()
	for rows < s.config.BatchRows {
		select {
		case next, ok := <-s.queue:
			if !ok {
				return batch
			}
			next.ops = next.prepare(s.counters())
			batch, rows = append(batch, next), rows+len(next.ops)
		case <-timer.C:
			return batch
		}
	}
	return batch
}

// write stores a batch and answers it.
func (s *Store) write(ctx context.Context, batch []*request) {
	if s.overlay != nil {
		s.hold(ctx, batch)
		return
	}
	err := commit(ctx, s.disk, batch)
	switch {
	case err == nil:
		answer(batch, nil)
	case ofRow(err) && len(batch) > 1: // one is to blame, and only one
		for _, r := range batch {
			s.write(ctx, []*request{r})
		}
	case ofRow(err) || s.path == "":
		answer(batch, err)
	default:
		if worse := s.degrade(ctx, err); worse != nil {
			answer(batch, worse)
			return
		}
		s.hold(ctx, batch)
	}
}

func answer(batch []*request, err error) {
	for _, r := range batch {
		r.done <- err
	}
}

// commit writes requests in one transaction.
func commit(ctx context.Context, d *database, batch []*request) error {
	if err := d.moved(); err != nil {
		return err
	}
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	prepared := map[*statement]*sql.Stmt{}
	for _, r := range batch {
		for i := range r.ops {
			if err := exec(ctx, tx, prepared, &r.ops[i]); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}

func exec(ctx context.Context, tx *sql.Tx, prepared map[*statement]*sql.Stmt, o *op) error {
	stmt := prepared[o.what]
	if stmt == nil {
		var err error
		if stmt, err = tx.PrepareContext(ctx, o.what.sql); err != nil {
			return err
		}
		prepared[o.what] = stmt // closed with tx
	}
	_, err := stmt.ExecContext(ctx, o.args...)
	return err
}
