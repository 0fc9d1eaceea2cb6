package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// FileName is the name of the file in Config.Dir. Beside it stand trysail.db-wal and trysail.db-shm, which belong to it while it is
// open and after a crash, and the empty trysail.db.lock.
const FileName = "trysail.db"

// A Store keeps what it is given. It is made by [Open], is safe for concurrent use, and must be closed.
type Store struct {
	config Config
	steps  []string // the schema
	path   string   // "" for memory
	queue  chan *request
	ended  chan struct{} // closed when the writer has ended

	gate    sync.Mutex // guards closed, and senders against Wait
	closed  bool
	senders sync.WaitGroup

	mu       sync.Mutex // guards what follows, which only the writer changes
	disk     *database  // the file, or the memory that stands for it; nil if the file is not open
	overlay  *database  // what is held while the file cannot be written
	epoch    int        // counts the changes of disk and overlay
	health   Health
	restored bool // Newest has read the file

	// What follows is the writer's alone.
	numbers numbers
	held    []*request
	unlock  func() error
	check   bool // the file has to be looked at before it is used
	reopen  bool // the file has to be opened again before it is used
	lost    error

	// The same, of a store in memory: what has come since it was pruned, and how often its limits are halved for now.
	fresh, freshBytes, halved int
}

// Open opens the store of a directory, makes it if there is none, brings it to the schema of this program and removes what is too old.
//
// It fails when somebody has to decide: if the configuration is bad, Dir is no directory, another process has the file
// ([ErrInUse]), a newer program has written it ([ErrNewer]), or it is not one of this package ([ErrForeign]). It does not fail
// when the disk does: the store then begins with what is held in memory and tries again; see [Store.Health]. A broken
// file is set aside under another name, and a new one begun.
//
// Opening takes some milliseconds, and for the check of the file some more per 10,000 rows.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg = cfg.complete()
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("store config: %w", err)
	}
	steps, err := schema()
	if err != nil {
		return nil, err
	}
	return openWith(ctx, cfg, steps)
}

func openWith(ctx context.Context, cfg Config, steps []string) (*Store, error) {
	s := &Store{config: cfg, steps: steps, queue: make(chan *request, cfg.Queue), ended: make(chan struct{}), check: true}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, s.release())
	}
	go s.run()
	return s, nil
}

// begin opens the file or the memory.
func (s *Store) begin(ctx context.Context) error {
	if s.config.Dir == "" {
		d, err := openMemory(ctx, s.steps)
		if err != nil {
			return err
		}
		return s.adopt(ctx, d)
	}
	dir, err := filepath.Abs(s.config.Dir)
	if err != nil {
		return fmt.Errorf("store %s: %w", s.config.Dir, err)
	}
	s.path = filepath.Join(dir, FileName)
	s.health.Path = s.path
	err = s.openDisk(ctx)
	switch {
	case err == nil:
		return nil
	case final(err):
		return about(s.path, err)
	case ctx.Err() != nil:
		return about(s.path, context.Cause(ctx))
	}
	return s.degrade(ctx, err)
}

// openDisk opens the file and makes it the one in use.
func (s *Store) openDisk(ctx context.Context) error {
	if err := makeDir(filepath.Dir(s.path)); err != nil {
		return err
	}
	if s.unlock == nil {
		unlock, err := lockFile(ctx, s.path)
		if err != nil {
			return err
		}
		s.unlock = unlock
	}
	d, err := openFile(ctx, s.path, s.steps, s.check)
	if corrupt(err) {
		if moved := s.discard(err); moved != nil {
			return errors.Join(err, moved)
		}
		d, err = openFile(ctx, s.path, s.steps, false)
	}
	if err != nil {
		s.check = s.check || corrupt(err)
		return err
	}
	if err := s.adopt(ctx, d); err != nil {
		return errors.Join(err, d.close())
	}
	s.check, s.reopen = false, false
	if now := len(s.steps); 0 < d.found && d.found < now {
		s.config.Log.Info("store: the file of an older program was brought to the schema of this one", "path", s.path, "from", d.found, "to", now)
	}
	return nil
}

// discard sets a broken file aside.
func (s *Store) discard(reason error) error {
	old := s.disk
	s.swap(nil, s.overlay)
	_ = old.close() // it is broken
	aside, err := setAside(s.path)
	if err != nil {
		return err
	}
	s.config.Log.Error("store: the file is broken and was set aside; a new one is begun without what was in it",
		"path", s.path, "aside", aside, "error", reason)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health.SetAside = aside
	return nil
}

// Close stores what has been given, and closes the file. Calls that come later fail with [ErrClosed]. The error says what went
// wrong, and how many rows held in memory could not be written and are lost. When ctx ends, Close no longer waits: a disk that
// hangs cannot keep a program from ending.
//
// Close may be called more than once, and from several goroutines.
func (s *Store) Close(ctx context.Context) error {
	s.gate.Lock()
	first := !s.closed
	s.closed = true
	s.gate.Unlock()
	if first {
		go func() {
			s.senders.Wait() // they are being served
			close(s.queue)
		}()
	}
	select {
	case <-s.ended:
		return s.lost
	case <-ctx.Done():
		return fmt.Errorf("close store: %w", context.Cause(ctx))
	}
}

// release gives back what the store has open.
func (s *Store) release() error {
	errs := []error{s.overlay.close(), s.disk.close()}
	if s.unlock != nil {
		errs = append(errs, s.unlock())
	}
	return errors.Join(errs...)
}

// A Health says how a store is.
type Health struct {
	Path string // of the file; "" if nothing is written to a disk

	// Degraded is whether the file cannot be written. Reason says why, Since when that began, and Retry when it is
	// tried again at the latest.
	Degraded bool
	Reason   string
	Since    time.Time
	Retry    time.Time

	Held, HeldBytes       int    // rows in memory that wait for the disk; they are lost if the process ends before
	MaxHeld, MaxHeldBytes int    // the most that there may be; 0 if nothing is written to a disk
	Refused               uint64 // calls that failed with ErrFull since Open

	SetAside string // the name that a broken file was given last, since Open; "" if none was
}

// Health returns how the store is. It costs next to nothing and never waits for the disk.
func (s *Store) Health() Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.health
	if s.path != "" {
		h.MaxHeld, h.MaxHeldBytes = s.config.MaxHeld, s.config.MaxHeldBytes
	}
	return h
}
