package configfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// A sight is what a look at the file has found.
type sight struct {
	trouble string // what is wrong with the file, or ""
	hash    string // of the content
	sure    bool   // nobody was writing
	content []byte
	seen    time.Time
}

// errWriting means that the content cannot be trusted.
var errWriting = errors.New("somebody has it open for writing, or writes to it, all the time")

// look reads the file and acts on what is settled. What is not will be looked at again.
func (w *Watcher) look(again *time.Timer) {
	s, err := w.see()
	if errors.Is(err, errWriting) {
		w.unquiet = min(w.unquiet+1, patience) // a writer may take its time: ask less and less often
		again.Reset(time.Duration(w.unquiet) * w.cfg.Debounce)
		if w.unquiet == patience {
			w.tell("writing", fmt.Errorf("the configuration file %s is not read, and what was in force is still: %w", w.cfg.Path, err))
		}
		return
	}
	w.unquiet = 0
	if s.trouble == "" && s.hash == w.known && !w.force {
		w.last, w.retry = sight{}, false
		w.tell("", nil)
		return
	}
	// Where it is not known whether somebody is writing, and where the file is gone, which is how
	// some editors begin, the same must be seen twice.
	if !s.sure && !w.settled(s) {
		again.Reset(w.cfg.Debounce)
		return
	}
	w.last = sight{}
	w.act(s)
}

// settled reports whether the same was seen a while ago already.
func (w *Watcher) settled(s sight) bool {
	if s.trouble != w.last.trouble || s.hash != w.last.hash {
		w.last = sight{trouble: s.trouble, hash: s.hash, seen: time.Now()}
		return false
	}
	return time.Since(w.last.seen) >= w.cfg.Debounce
}

// act hands on the content, or raises the alert. Who has asked is told again what is wrong.
func (w *Watcher) act(s sight) {
	asked, again := w.force, w.force || w.retry
	w.force, w.retry = false, false
	if s.trouble != "" {
		w.complain(s.trouble, asked, fmt.Errorf("the configuration file %s is not read, and what was in force is still: %s", w.cfg.Path, s.trouble))
		return
	}
	refused := "refused " + s.hash
	if w.told == refused && !again {
		return
	}
	if err := w.cfg.Apply(s.content, asked); err != nil {
		if s.hash == w.known {
			w.known = "" // it was in force, and what it names has changed: it is to be tried again
		}
		w.complain(refused, asked, fmt.Errorf("the configuration file %s is refused, and what was in force is still: %w", w.cfg.Path, err))
		return
	}
	w.known = s.hash
	w.tell("", nil)
}

func (w *Watcher) complain(state string, asked bool, err error) {
	if asked {
		w.told = ""
	}
	w.tell(state, err)
}

// tell has Alert hear of a state, once. The empty state is that all is well.
func (w *Watcher) tell(state string, err error) {
	if state != w.told {
		w.told = state
		w.cfg.Alert(err)
	}
}

// see reads the file as it is now. Its error is errWriting or nil.
func (w *Watcher) see() (sight, error) {
	f, err := openRegular(w.cfg.Path)
	if err != nil {
		return sight{trouble: err.Error()}, nil
	}
	defer func() { _ = f.Close() }()
	before, err := f.Stat()
	if err != nil {
		return sight{trouble: err.Error()}, nil
	}
	if w.writers(f) == someWriter {
		return sight{}, errWriting
	}
	content, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return sight{trouble: err.Error()}, nil
	}
	still := w.writers(f)
	after, err := f.Stat()
	switch {
	case err != nil:
		return sight{trouble: err.Error()}, nil
	case still == someWriter, before.Size() != after.Size(), !before.ModTime().Equal(after.ModTime()):
		return sight{}, errWriting
	case len(content) == 0:
		return sight{trouble: "it is empty, which a file that is being written may be for a moment; a comment is enough to say that nothing is set"}, nil
	}
	return sight{hash: hashOf(content), content: content, sure: still == noWriter}, nil
}

// openRegular opens a file that reading cannot block.
func openRegular(name string) (*os.File, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("it does not exist")
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("it is a %s, want a regular file", kindOfFile(info))
	}
	return os.Open(name)
}

// writing says what is known about others that have the file open for writing.
type writing uint8

const (
	unknownWriter writing = iota // the system does not say
	noWriter
	someWriter
)
