package trysailtest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

// quiet is how long nothing must have been heard, outside a bubble, for all to have been heard.
const quiet = 10 * time.Millisecond

// A Recorder is a [trysail.Observer] that remembers what it hears. Its zero value is ready
// for [trysail.Config]'s Observer; set ObserveCalls, too, to hear of calls. [Operation]
// comes with one.
//
// Observers hear of things a moment later. Therefore the methods that tell what was heard
// wait first: in a bubble as [testing/synctest.Wait] does, so that nothing is missing;
// outside until 10 ms have passed in silence. A Recorder is safe for concurrent use.
type Recorder struct {
	mu     sync.Mutex // guards events
	events []trysail.Event
}

// Observe implements [trysail.Observer].
func (r *Recorder) Observe(e trysail.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// Events returns what was heard, in order: all of it, or what is of one of the kinds.
func (r *Recorder) Events(kinds ...trysail.EventKind) []trysail.Event {
	if !settle() {
		r.listen()
	}
	events := r.heard()
	if len(kinds) == 0 {
		return events
	}
	return slices.DeleteFunc(events, func(e trysail.Event) bool { return !slices.Contains(kinds, e.Kind) })
}

// Transitions returns what the breaker did, such as
//
//	closed->open (5 calls in a row failed)
func (r *Recorder) Transitions() []string {
	var all []string
	for _, e := range r.Events(trysail.EventTransition) {
		all = append(all, transition(e))
	}
	return all
}

// Want fails the test unless what was heard reads like want, blanks aside: see
// [Recorder.String].
func (r *Recorder) Want(t testing.TB, want string) {
	t.Helper()
	wantText(t, "the recorder's time", r.String(), want)
}

// listen waits until nothing new is heard.
func (r *Recorder) listen() {
	for before := -1; ; {
		now := len(r.heard())
		if now == before {
			return
		}
		before = now
		<-time.After(quiet)
	}
}

func (r *Recorder) heard() []trysail.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

func transition(e trysail.Event) string {
	return fmt.Sprintf("%v->%v (%s)", e.From, e.To, e.Reason)
}
