package trysail

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A State is what a breaker does with calls.
type State uint8

// The states.
const (
	Closed   State = iota // calls run
	Open                  // calls are refused
	HalfOpen              // a few calls run as probes, the others are refused
)

// String returns "closed", "open" or "half-open".
func (s State) String() string {
	switch s {
	case Closed:
		return "closed"
	case Open:
		return "open"
	case HalfOpen:
		return "half-open"
	default:
		return fmt.Sprintf("State(%d)", uint8(s))
	}
}

// maxProbes bounds BreakerPolicy.HalfOpenMaxCalls.
const maxProbes = 10

// A Breaker stops calls to a dependency that keeps failing, and lets a few
// probes find out when it is well again. It belongs to one [Operation].
//
// A call is judged once, when it ends. Its outcome counts only if no transition
// happened meanwhile: a result from before an outage says nothing about now.
type Breaker struct {
	name  string
	clock clock
	tell  func(Event) // nil when nobody observes

	// word holds generation, failures and state. It is written under mu and read
	// without, so that a call through a healthy breaker takes no lock.
	word  atomic.Uint64
	until atomic.Int64 // when open: the instant from which probes are let through

	refusal atomic.Pointer[refusal]

	mu          sync.Mutex // guards what follows, and all writing of word and until
	policy      BreakerPolicy
	openedAt    int64
	lastFailure int64
	leases      [maxProbes]int64 // deadlines of the probes under way; noLease marks a free place

	opens, halfOpens, closes, stale uint64
}

const noLease = -1 << 63

func newBreaker(name string, c clock, policy BreakerPolicy, tell func(Event)) *Breaker {
	b := &Breaker{name: name, clock: c, policy: policy, tell: tell}
	b.freeLeases()
	return b
}

// word is a breaker's state at one moment: generation<<24 | failures<<8 | state.
type word uint64

func packed(generation uint64, failures int, s State) word {
	return word(generation<<24 | uint64(min(failures, 0xffff))<<8 | uint64(s))
}

func (w word) state() State       { return State(w & 0xff) }
func (w word) failures() int      { return int(w >> 8 & 0xffff) }
func (w word) generation() uint64 { return uint64(w >> 24) }

func (b *Breaker) load() word { return word(b.word.Load()) }

// A permit is the right to make one call, and the duty to say how it ended.
type permit struct {
	generation uint64
	probe      bool
	lease      int // a probe's place among the leases
}

// admit lets a call start, or returns why not. A closed breaker costs one load.
func (b *Breaker) admit(now int64) (permit, *Error) {
	w := b.load()
	if w.state() == Closed {
		return permit{generation: w.generation()}, nil
	}
	if w.state() == Open && now < b.until.Load() {
		return permit{}, b.refuse(now)
	}
	return b.admitSlowly(now)
}

// admitSlowly decides under the lock: it ends an open period, takes back
// overdue probes and hands out places.
func (b *Breaker) admitSlowly(now int64) (permit, *Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance(now)
	w := b.load()
	p, ok := permit{generation: w.generation()}, w.state() == Closed
	if w.state() == HalfOpen {
		p.lease, ok = b.lease(now)
		p.probe = ok
	}
	if !ok {
		return permit{}, b.refuse(now)
	}
	return p, nil
}

// lease takes a place for a probe, if there is one.
func (b *Breaker) lease(now int64) (place int, ok bool) {
	place = slices.Index(b.leases[:], noLease)
	if place < 0 || b.probes() >= b.policy.HalfOpenMaxCalls {
		return 0, false
	}
	b.leases[place] = now + int64(b.policy.ProbeTimeout)
	b.wake(b.policy.ProbeTimeout)
	return place, true
}

// probes returns how many are under way.
func (b *Breaker) probes() (n int) {
	for _, deadline := range b.leases {
		if deadline != noLease {
			n++
		}
	}
	return n
}

func (b *Breaker) freeLeases() {
	for i := range b.leases {
		b.leases[i] = noLease
	}
}

// An outcome is what a finished call means to its breaker.
type outcome uint8

const (
	outcomeSuccess outcome = iota
	outcomeFailure
	outcomeNeutral // says nothing about the dependency
)

// settle takes a call's outcome. A success through a healthy breaker costs one load.
func (b *Breaker) settle(p permit, o outcome, now int64) {
	w := b.load()
	if w == packed(p.generation, 0, Closed) && o != outcomeFailure {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count(p, o, now)
}

// count applies an outcome under the lock.
func (b *Breaker) count(p permit, o outcome, now int64) {
	b.advance(now) // a probe that is over its time has failed already
	w := b.load()
	if w.generation() != p.generation {
		b.stale++
		return
	}
	failures := w.failures() + 1
	switch o {
	case outcomeNeutral:
		if p.probe {
			b.leases[p.lease] = noLease
		}
	case outcomeSuccess:
		if w.state() == HalfOpen {
			b.closes++
			b.become(Closed, 0, now, "a probe succeeded")
			return
		}
		b.word.Store(uint64(packed(w.generation(), 0, w.state())))
	case outcomeFailure:
		b.lastFailure = now
		switch {
		case w.state() == HalfOpen:
			b.open(failures, now, "a probe failed")
		case failures >= b.policy.FailureThreshold:
			b.open(failures, now, fmt.Sprintf("%d calls in a row failed", failures))
		default:
			b.word.Store(uint64(packed(w.generation(), failures, w.state())))
		}
	}
}

// advance makes the transitions that are due by time alone: the end of the open
// period, and a probe that outlived its lease. Each happens at the instant at
// which it was due, however late somebody looks, so that a breaker that nobody watched
// is where it would be if somebody had.
func (b *Breaker) advance(now int64) {
	for {
		w := b.load()
		switch w.state() {
		case Open:
			due := b.until.Load()
			if now < due {
				return
			}
			b.halfOpens++
			b.become(HalfOpen, w.failures(), due, "the recovery timeout has passed")
		case HalfOpen:
			due, leased := b.nextLease()
			if !leased || now < due {
				return
			}
			b.lastFailure = due
			b.open(w.failures()+1, due, "a probe outlived its lease")
		default:
			return // only an outcome opens a closed breaker
		}
	}
}

// nextLease returns when the first of the leases ends.
func (b *Breaker) nextLease() (deadline int64, leased bool) {
	for _, d := range b.leases {
		if d != noLease && (!leased || d < deadline) {
			deadline, leased = d, true
		}
	}
	return deadline, leased
}

func (b *Breaker) open(failures int, now int64, reason string) {
	b.opens++
	b.openedAt = now
	b.until.Store(now + int64(b.policy.RecoveryTimeout))
	b.become(Open, failures, now, reason)
}

// become changes the state. Every transition begins a generation, which makes
// the permits and leases of the one before worthless.
//
// It tells of the change under the lock, which keeps events in order; tell only
// queues, so no foreign code runs here.
func (b *Breaker) become(to State, failures int, now int64, reason string) {
	w := b.load()
	b.freeLeases()
	b.word.Store(uint64(packed(w.generation()+1, failures, to)))
	if to == Open {
		b.wake(b.policy.RecoveryTimeout)
	}
	if b.tell != nil {
		b.tell(Event{
			Kind: EventTransition, Operation: b.name, Time: b.clock.wall(now),
			From: w.state(), To: to, Generation: w.generation() + 1, Reason: reason,
		})
	}
}

// wake makes sure that observers hear of a transition that is due by time, also
// when no call comes. Without observers the next look at the breaker is early
// enough. Timers are never stopped: a stale one finds nothing due.
func (b *Breaker) wake(after time.Duration) {
	if b.tell != nil {
		time.AfterFunc(after, b.refresh)
	}
}
