package configfile

import (
	"os"

	"github.com/fsnotify/fsnotify"
)

// ErrWriting is what is wrong while somebody writes.
var ErrWriting = errWriting

// NewPoorWatcher returns a watcher on a system that lacks events, knowledge of who writes, or both.
func NewPoorWatcher(cfg WatchConfig, noEvents, noWriters bool) (*Watcher, error) {
	open := fsnotify.NewWatcher
	if noEvents {
		open = func() (*fsnotify.Watcher, error) { return nil, os.ErrPermission }
	}
	w, err := newWatcher(cfg, open)
	if err == nil && noWriters {
		w.writers = func(*os.File) writing { return unknownWriter }
	}
	return w, err
}

// BreakEvents ends the notifier under a watcher, as a fault of the system does.
func (w *Watcher) BreakEvents() error { return w.notify.Close() }

// Polling reports whether there are no events.
func (w *Watcher) Polling() bool { return w.notify == nil }
