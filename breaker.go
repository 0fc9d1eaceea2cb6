package trysail

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A State is what a breaker does with calls.
type State uint8

// The states. The last three are an operator's; no rule leaves or enters them.
const (
	Closed      State = iota // calls run
	Open                     // calls are refused
	HalfOpen                 // a few calls run as probes, the others are refused
	ForcedOpen               // calls are refused until the operator's word is lifted or expires
	Disabled                 // calls run and nothing is judged
	MetricsOnly              // calls run; what the rules would have done is counted
	states                   // how many there are
)

// String returns "closed", "open", "half-open", "forced-open", "disabled" or "metrics-only".
func (s State) String() string {
	names := [states]string{"closed", "open", "half-open", "forced-open", "disabled", "metrics-only"}
	if s < states {
		return names[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Refuses reports whether a breaker in that state refuses calls that are no probes.
func (s State) Refuses() bool { return s == Open || s == HalfOpen || s == ForcedOpen }

// maxProbes bounds BreakerPolicy.HalfOpenMaxCalls.
const maxProbes = 10

// A Breaker stops calls to a dependency that keeps failing, and lets a few
// probes find out when it is well again. It belongs to one [Operation].
//
// A call is judged once, when it ends. Its outcome counts only if no transition
// happened meanwhile: a result from before an outage says nothing about now.
type Breaker struct {
	op *Operation

	// word holds generation, failures and state. It is written under mu and read
	// without, so that a call through a healthy breaker takes no lock.
	word  atomic.Uint64
	until atomic.Int64 // when open: the instant from which probes are let through

	refusal atomic.Pointer[refusal]

	mu          sync.Mutex     // guards what follows, and all writing of word and until
	policy      *BreakerPolicy // never changed, only replaced
	reason      string         // why the state is what it is
	openedAt    int64
	closedAt    int64 // when the breaker last closed by its own rule
	reopens     int   // how often it opened without having been well in between
	lastFailure int64
	cause       Class     // of that failure
	leases      []lease   // of the probes under way; nil until there was one
	leased      uint32    // how many leases there have been
	probed, bad int       // outcomes of probes so far, and how many were bad
	window      *window   // nil without rate rules
	calls       *inFlight // nil without a rule about slow calls
	override    *override // an operator's word, in the last three states

	opens, halfOpens, closes, stale uint64
	wouldOpen, wouldReject          uint64 // in MetricsOnly
}

const noLease = -1 << 63

func newBreaker(op *Operation, policy *BreakerPolicy) *Breaker {
	b := &Breaker{op: op}
	b.adopt(policy, op.clock.now())
	return b
}

// word is a breaker's state at one moment: generation<<24 | failures<<8 | flags | state.
type word uint64

// The flags send calls that a closed breaker could pass with one load to the lock.
const (
	flagLenient word = 1 << 4 // open, but not for every call
	flagRated   word = 1 << 5 // outcomes go into a window
	flagWatched word = 1 << 6 // calls under way are counted
	flagRamp    word = 1 << 7 // not all calls are let through yet
	allFlags         = flagLenient | flagRated | flagWatched | flagRamp
)

// maxFailures is how many failed calls in a row are counted.
const maxFailures = 0xffff

func packed(generation uint64, failures int, s State, flags word) word {
	return word(generation<<24|uint64(min(failures, maxFailures))<<8|uint64(s)) | flags
}

func (w word) state() State       { return State(w &^ allFlags & 0xff) }
func (w word) flags() word        { return w & allFlags }
func (w word) failures() int      { return int(w >> 8 & maxFailures) }
func (w word) generation() uint64 { return uint64(w >> 24) }

// shut reports whether no call at all is let through until some time has passed, or an operator says so.
func (w word) shut() bool { return w.state() == Open && w&flagLenient == 0 || w.state() == ForcedOpen }

// withFailures is w with another count.
func (w word) withFailures(n int) word { return packed(w.generation(), n, w.state(), w.flags()) }

func (b *Breaker) load() word { return word(b.word.Load()) }

func (b *Breaker) store(w word) { b.word.Store(uint64(w)) }

// A permit is the right to make one call, and the duty to say how it ended.
type permit struct {
	generation uint64
	among      *inFlight // where it is counted as under way; nil if nowhere
	probe      bool
	leaked     bool   // the breaker would have refused it; its outcome moves nothing
	place      int8   // a probe's place among the leases
	lease      uint32 // the number of its lease
}

// A lease is a place that a probe has for some time.
type lease struct {
	until  int64  // noLease marks a free place
	number uint32 // tells it from the leases that had the place before
}

// admit lets a call start, or returns why not. A closed breaker costs one load.
func (b *Breaker) admit(now int64) (permit, *Error) {
	w := b.load()
	if w&0xff&^flagRated == word(Closed) {
		return permit{generation: w.generation()}, nil
	}
	if w.state() == Open && w&flagLenient == 0 {
		if refused := b.refused(w, now); refused != nil {
			return permit{}, refused
		}
	}
	return b.admitSlowly(now)
}

// admitSlowly decides under the lock: it ends an open period, takes back
// overdue probes and hands out places.
func (b *Breaker) admitSlowly(now int64) (permit, *Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance(now)
	var p permit
	admitted := true
	switch b.load().state() {
	case Closed:
		admitted = !b.tripOverdue(now) && b.ramped(now)
	case HalfOpen:
		admitted = b.lease(&p, now)
	case Open, ForcedOpen:
		admitted = false
	case MetricsOnly:
		b.tripOverdue(now)
		b.shadow(now)
	default: // disabled
	}
	if p.leaked = !admitted && b.leaks(); !admitted && !p.leaked {
		return permit{}, b.refuse(now)
	}
	p.generation = b.load().generation()
	if b.calls != nil && !p.leaked {
		b.calls.begin(now)
		p.among = b.calls
	}
	return p, nil
}

// leaks reports whether a call that the rules would refuse is among those that are let
// through nevertheless, and counts it. An operator's refusal is not softened.
func (b *Breaker) leaks() bool {
	if b.policy.Enforce == 1 || b.load().state() == ForcedOpen || rand.Float64() < b.policy.Enforce {
		return false
	}
	b.op.counters.rare().leaked.Add(1)
	return true
}

// lease gives p a place for a probe, if there is one.
func (b *Breaker) lease(p *permit, now int64) bool {
	if b.leases == nil {
		b.leases = make([]lease, maxProbes)
		b.freeLeases()
	}
	place := slices.IndexFunc(b.leases, func(l lease) bool { return l.until == noLease })
	if place < 0 || b.probes() >= b.policy.HalfOpenMaxCalls-b.probed {
		return false
	}
	b.leased++
	b.leases[place] = lease{until: now + int64(b.policy.ProbeTimeout), number: b.leased}
	p.probe, p.place, p.lease = true, int8(place), b.leased
	b.wake(b.policy.ProbeTimeout)
	return true
}

// renew lets a probe's lease begin anew, if it still has it.
func (b *Breaker) renew(p permit, now int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance(now)
	if p.probe && b.load().generation() == p.generation && b.holds(p) {
		b.leases[p.place].until = now + int64(b.policy.ProbeTimeout)
		b.wake(b.policy.ProbeTimeout)
	}
}

// holds reports whether a probe still has its place.
func (b *Breaker) holds(p permit) bool {
	l := b.leases[p.place]
	return l.until != noLease && l.number == p.lease
}

// probes returns how many are under way.
func (b *Breaker) probes() (n int) {
	for _, l := range b.leases {
		if l.until != noLease {
			n++
		}
	}
	return n
}

func (b *Breaker) freeLeases() {
	for i := range b.leases {
		b.leases[i].until = noLease
	}
}

// An outcome is what a finished call means to its breaker.
type outcome uint8

const (
	outcomeSuccess outcome = iota
	outcomeFailure
	outcomeNeutral // says nothing about the dependency
	outcomeLeft    // its caller left: neutral as well, unless it was slow already
)

// A result is an outcome with what came with it.
type result struct {
	outcome outcome
	class   Class         // of a failure
	after   time.Duration // what the server asked to wait; 0 if nothing
}

// succeed takes the success of a call. Through a healthy breaker it costs one load.
func (b *Breaker) succeed(p permit, start, now int64) {
	if b.load() != packed(p.generation, 0, Closed, 0) {
		b.settle(p, result{}, start, now)
	}
}

// settle takes a call's result.
func (b *Breaker) settle(p permit, r result, start, now int64) {
	if p.leaked {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count(p, r, start, now)
}
