package trysail

import (
	"sync"
	"time"
)

// An EventKind says what an [Event] reports.
type EventKind uint8

// The kinds.
const (
	EventTransition EventKind = iota + 1 // a breaker changed its state
	EventRetry                           // an attempt failed and another will follow
)

// An Event reports something that happened to an operation.
type Event struct {
	Kind      EventKind
	Time      time.Time
	Operation string

	// Of a transition.
	From, To   State
	Generation uint64 // the generation that it began
	Reason     string // why, in words

	// Of a retry.
	Attempt int // the attempt that failed, from 1
	Class   Class
	Wait    time.Duration // until the next attempt
	Err     error         // the attempt's error
}

// An Observer hears what happens. It is called by one goroutine at a time, in
// the order of the events of each operation, never under a lock and never by the
// goroutine that makes the call, so it may take its time and may use the
// orchestrator. What arrives while 4096 events wait is dropped and counted in
// [Orchestrator.DroppedEvents]. An observer that panics, or ends its goroutine, misses that
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
	if len(d.queue) >= eventQueue {
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
