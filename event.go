package trysail

import (
	"fmt"
	"sync"
	"time"
)

// An EventKind says what an [Event] reports.
type EventKind uint8

// The kinds.
const (
	EventTransition EventKind = iota + 1 // a breaker changed its state
	EventRetry                           // an attempt failed and another will follow
	EventHedge                           // an attempt takes long, and another was begun beside it
	EventFallback                        // fallbacks were asked, and have answered or failed
	EventCall                            // a call has ended or was refused; only with Config.ObserveCalls
	eventKinds                           // one more than the last
)

// String returns "transition", "retry", "hedge", "fallback" or "call".
func (k EventKind) String() string {
	names := [eventKinds]string{EventTransition: "transition", EventRetry: "retry", EventHedge: "hedge", EventFallback: "fallback", EventCall: "call"}
	if k > 0 && k < eventKinds {
		return names[k]
	}
	return fmt.Sprintf("EventKind(%d)", uint8(k))
}

// An Event reports something that happened to an operation. Its Time is that of the system's clock when the
// orchestrator was made, and goes on by the monotonic clock; so do all others that the package tells.
type Event struct {
	Kind      EventKind
	Time      time.Time
	Operation string

	// Of a transition.
	From, To   State
	Generation uint64 // the generation that it began
	Reason     string // why, in words

	// Of a retry the attempt that failed, from 1; of a hedge its number, from 1; of a call how
	// many attempts it made one after the other, 0 if it was refused.
	Attempt int

	// Of a retry the wait until the next attempt; of a hedge how long it was waited for the
	// one before; of a call how long it waited at limiter and bulkhead.
	Wait time.Duration

	// Of a call: how long it ran, with all attempts and the waits between them.
	Took time.Duration

	// Of a call: the breaker would have refused it. See BreakerPolicy.Enforce.
	Leaked bool

	// Of a retry the attempt's error, of a call or fallback what the caller gets: nil if that
	// is an answer. Class is the error's.
	Err   error
	Class Class
}

// An Observer hears what happens. It is called by one goroutine at a time, in
// the order of the events of each operation, never under a lock and never by the
// goroutine that makes the call, so it may take its time and may use the
// orchestrator. What arrives while 4096 events wait is dropped and counted in
// [Orchestrator.DroppedEvents]; for an EventCall 2048 are too many, so that calls do not crowd out
// what is rarer. An observer that panics, or ends its goroutine, misses that
// event, which is counted there too.
type Observer interface {
	Observe(Event)
}

// eventQueue is how many events may wait for a slow observer.
const eventQueue = 4096

// A dispatcher delivers events. Its goroutine lives only while there are some.
type dispatcher struct {
	observer Observer

	mu      sync.Mutex // guards what follows; held for a few instructions only
	queue   []Event
	running bool
	dropped uint64
}

// tell queues an event. It never blocks.
func (d *dispatcher) tell(e Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	room := eventQueue
	if e.Kind == EventCall {
		room /= 2
	}
	if len(d.queue) >= room {
		d.dropped++
		return
	}
	d.queue = append(d.queue, e)
	if !d.running {
		d.running = true
		go d.deliver()
	}
}

// deliver hands out events until there are none. If the observer ends this
// goroutine, another one goes on.
func (d *dispatcher) deliver() {
	done := false
	defer func() {
		if !done {
			d.drop()
			go d.deliver()
		}
	}()
	for e, ok := d.take(); ok; e, ok = d.take() {
		d.observe(e)
	}
	done = true
}

// take returns the oldest event, or false after marking the goroutine as gone.
func (d *dispatcher) take() (Event, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 {
		d.queue, d.running = nil, false
		return Event{}, false
	}
	e := d.queue[0]
	d.queue[0] = Event{} // it may hold an error that holds much more
	d.queue = d.queue[1:]
	return e, true
}

// observe hands an event over. A panic of the observer's must not end the program of a
// caller who has nothing to do with it.
func (d *dispatcher) observe(e Event) {
	defer func() {
		if recover() != nil {
			d.drop()
		}
	}()
	d.observer.Observe(e)
}

func (d *dispatcher) drop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dropped++
}

func (d *dispatcher) lost() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dropped
}
