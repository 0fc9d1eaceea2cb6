package configfile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A WatchConfig sets up a [Watcher].
type WatchConfig struct {
	// Path is the file. It need not exist yet. Required.
	Path string

	// Hash is that of the content which is in force, from [File.Hash]; a file with the same content
	// is not handed on. Default "": whatever is found is new.
	Hash string

	// Apply parses, checks and puts in force the whole content of the file, or says why not and leaves
	// everything as it was. It is called from Run, never twice at once, once for each content
	// that is complete. One that was refused is tried again with each Poll, because what it names, such as the file
	// of a secret, may be there by then. Asked tells whether somebody has called Reload since it was called last. Required.
	Apply func(content []byte, asked bool) error

	// Alert hears of a file that is refused, gone, empty or cannot be read, once for each such
	// state: what was in force is in force still. It hears nil when all is well again. It is
	// called from Run. Nil: nobody does.
	Alert func(error)

	// Debounce is how long the file must be left alone before it is read, so that a burst of changes is
	// one: 1 ms to 10 s. Default 100 ms.
	Debounce time.Duration

	// Poll is how often the file is looked at without any event, for file systems of the network, which send none:
	// 10 ms to 1 h. Default 30 s. Where events are not to be had at all it is 2 s at most.
	Poll time.Duration
}

const (
	defaultDebounce = 100 * time.Millisecond
	defaultPoll     = 30 * time.Second
	pollAlone       = 2 * time.Second
	patience        = 10 // debounces after which a file that is never left alone is read nevertheless
)

func (c WatchConfig) withDefaults() (WatchConfig, error) {
	c.Debounce, c.Poll = cmp.Or(c.Debounce, defaultDebounce), cmp.Or(c.Poll, defaultPoll)
	var errs []error
	if c.Path == "" {
		errs = append(errs, errors.New(`WatchConfig.Path is "", want the name of a file`))
	}
	if c.Apply == nil {
		errs = append(errs, errors.New("WatchConfig.Apply is nil, want a function"))
	}
	if c.Debounce < time.Millisecond || c.Debounce > 10*time.Second {
		errs = append(errs, fmt.Errorf("WatchConfig.Debounce is %v, want 1ms to 10s", c.Debounce))
	}
	if c.Poll < 10*time.Millisecond || c.Poll > time.Hour {
		errs = append(errs, fmt.Errorf("WatchConfig.Poll is %v, want 10ms to 1h", c.Poll))
	}
	if c.Alert == nil {
		c.Alert = func(error) {}
	}
	path, err := filepath.Abs(c.Path)
	c.Path = path
	return c, errors.Join(append(errs, err)...)
}

// A Watcher follows a file through rewrites, renames, swaps of symbolic links (as Kubernetes makes them), removal and
// re-creation, its directory's included. It hands on what is complete, and only that: an empty file never counts, nor
// does one that somebody is writing to.
type Watcher struct {
	cfg     WatchConfig
	open    func() (*fsnotify.Watcher, error)
	writers func(*os.File) writing
	asked   chan struct{}       // by Reload; holds one at most
	notify  *fsnotify.Watcher   // nil where there are no events
	dirs    map[string][]string // the directories that are watched, and the names in them that matter

	known   string // the hash of what is in force
	told    string // what Alert has heard last; "" when all was well
	last    sight  // what was seen at the look before, while it is not settled
	unquiet int    // looks in a row that found somebody writing
	force   bool   // the content counts even if it is known
	retry   bool   // the content counts even if it was refused
}

// NewWatcher begins to watch: changes from now on are not missed. The caller must call [Watcher.Run], or [Watcher.Close] if
// it does not come to that.
func NewWatcher(cfg WatchConfig) (*Watcher, error) { return newWatcher(cfg, fsnotify.NewWatcher) }

func newWatcher(cfg WatchConfig, open func() (*fsnotify.Watcher, error)) (*Watcher, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("watch the configuration file: %w", err)
	}
	w := &Watcher{cfg: cfg, known: cfg.Hash, open: open, writers: writers, asked: make(chan struct{}, 1)}
	w.follow()
	return w, nil
}

// Close gives back what NewWatcher took. It must not be called while Run runs; afterwards it does nothing.
func (w *Watcher) Close() error {
	if w.notify == nil {
		return nil
	}
	err := w.notify.Close()
	w.notify, w.dirs = nil, nil
	if err != nil {
		return fmt.Errorf("stop watching the configuration file: %w", err)
	}
	return nil
}

// Reload has the file read and applied as soon as possible even if it has not changed: what it names, such as variables
// and files of secrets, may have. A refusal is told again. It returns at once, and may be called at any time by anybody.
func (w *Watcher) Reload() {
	select {
	case w.asked <- struct{}{}:
	default: // it will happen already
	}
}

// Run watches until ctx ends, and closes the Watcher then. It never fails: trouble goes to Alert, and passes.
// It is called once.
func (w *Watcher) Run(ctx context.Context) error {
	defer func() { _ = w.Close() }() // what is left is the kernel's to clean up
	look := time.NewTimer(0)         // the file may have changed since it was read
	defer look.Stop()
	poll := time.NewTimer(w.pollTime())
	defer poll.Stop()
	var unrest time.Time // when the burst of events began that is going on
	for {
		events, failures := w.channels()
		select {
		case <-ctx.Done():
			return nil
		case event, ok := <-events:
			switch {
			case !ok:
				_ = w.Close() // the notifier has given up: the next look begins anew
				look.Reset(w.cfg.Debounce)
			case w.concerns(event):
				if unrest.IsZero() {
					unrest = time.Now()
				}
				left := time.Until(unrest.Add(patience * w.cfg.Debounce))
				look.Reset(max(min(w.cfg.Debounce, left), 0))
			}
		case <-failures: //nolint:errcheck // such as events that were lost: what they said can be seen
			look.Reset(w.cfg.Debounce)
		case <-w.asked:
			w.force = true
			look.Reset(0)
		case <-poll.C:
			w.retry = true
			w.follow()
			w.look(look)
			poll.Reset(w.pollTime())
		case <-look.C:
			unrest = time.Time{}
			w.follow()
			w.look(look)
		}
	}
}

func (w *Watcher) pollTime() time.Duration {
	if w.notify == nil {
		return min(w.cfg.Poll, pollAlone)
	}
	return w.cfg.Poll
}

// channels returns where events come from: nowhere, without a notifier.
func (w *Watcher) channels() (<-chan fsnotify.Event, <-chan error) {
	if w.notify == nil {
		return nil, nil
	}
	return w.notify.Events, w.notify.Errors
}
