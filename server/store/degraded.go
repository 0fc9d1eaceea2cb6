package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// swap puts other databases into use.
func (s *Store) swap(disk, overlay *database) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disk, s.overlay = disk, overlay
	s.epoch++
}

// degrade begins to hold in memory what cannot be written.
func (s *Store) degrade(ctx context.Context, reason error) error {
	overlay, err := openMemory(ctx, s.steps)
	if err != nil {
		return errors.Join(about(s.path, reason), err)
	}
	disk := s.disk
	if errors.Is(reason, errMoved) { // what can still be read there is no longer ours
		disk = nil
		defer func(old *database) { _ = old.close() }(s.disk)
	}
	s.swap(disk, overlay)
	now := time.Now()
	s.mu.Lock()
	s.health.Degraded, s.health.Since = true, now.UTC()
	s.mu.Unlock()
	s.failed(reason)
	s.config.Log.Error("store: the disk cannot be written; what comes is held in memory, and lost if the program ends before the disk is well",
		"path", s.path, "error", reason)
	return nil
}

// failed notes why the disk could not be written, and what that means for the next time.
func (s *Store) failed(reason error) {
	if code := codeOf(reason); code != codeFull && code != codeBusy {
		s.reopen = true // after anything else the connection is not to be trusted
	}
	s.check = s.check || corrupt(reason)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health.Reason, s.health.Retry = reason.Error(), time.Now().Add(s.config.RetryEvery).UTC()
}

// hold keeps requests in memory, those for which there is room.
func (s *Store) hold(ctx context.Context, batch []*request) {
	for _, r := range batch {
		r.done <- s.holdOne(ctx, r)
	}
}

func (s *Store) holdOne(ctx context.Context, r *request) error {
	s.mu.Lock()
	h := &s.health
	full := h.Held+len(r.ops) > s.config.MaxHeld || h.HeldBytes+r.bytes > s.config.MaxHeldBytes
	if full {
		h.Refused++
	}
	held, reason := h.Held, h.Reason
	s.mu.Unlock()
	if full {
		return fmt.Errorf("%w, where %d rows are: %s", ErrFull, held, reason)
	}
	if err := commit(ctx, s.overlay, []*request{r}); err != nil {
		return err
	}
	s.held = append(s.held, r)
	s.count(len(r.ops), r.bytes)
	return nil
}

// count notes that more is held, or less.
func (s *Store) count(rows, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health.Held += rows
	s.health.HeldBytes += bytes
}

// retry tries the disk again if it could not be written.
func (s *Store) retry(ctx context.Context) {
	if s.overlay == nil {
		return
	}
	if err := s.catchUp(ctx); err != nil {
		s.failed(err)
		return
	}
	old := s.overlay
	s.swap(s.disk, nil) // what it held is in the file, so that readers miss nothing
	s.mu.Lock()
	since := s.health.Since
	s.health.Degraded, s.health.Reason, s.health.Since, s.health.Retry = false, "", time.Time{}, time.Time{}
	s.mu.Unlock()
	if err := old.close(); err != nil {
		s.config.Log.Error("store: close the memory", "error", err)
	}
	s.config.Log.Info("store: the disk is well again; everything that was held in memory is written", "path", s.path, "after", time.Since(since))
}

// catchUp writes everything that is held. What it has written before an error is held no more.
func (s *Store) catchUp(ctx context.Context) error {
	if s.disk == nil || s.reopen {
		old := s.disk // may still be read, and is until there is another
		if err := s.openDisk(ctx); err != nil {
			return err
		}
		if err := old.close(); err != nil {
			s.config.Log.Warn("store: close the file that could not be written", "path", s.path, "error", err)
		}
	}
	if _, err := s.disk.write.ExecContext(ctx, "UPDATE audit_end SET id = id"); err != nil { // there may be nothing else to write
		return err
	}
	for len(s.held) > 0 {
		n, rows, bytes := 0, 0, 0
		for n < len(s.held) && rows < s.config.BatchRows {
			rows, bytes = rows+len(s.held[n].ops), bytes+s.held[n].bytes
			n++
		}
		if err := commit(ctx, s.disk, s.held[:n]); err != nil {
			return err
		}
		clear(s.held[:n])
		s.held = s.held[n:]
		s.count(-rows, -bytes)
	}
	s.held = nil
	return nil
}

// end closes everything, after a last try to write what is held.
func (s *Store) end(ctx context.Context) {
	s.retry(ctx)
	h := s.Health()
	if h.Held > 0 {
		s.lost = about(s.path, fmt.Errorf("%d rows held in memory are lost: %s", h.Held, h.Reason))
	}
	s.lost = errors.Join(s.lost, s.release())
}
