package trysail

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// An OpenError says why a breaker refused a call, and until when it will. It is
// the cause in the [*Error] of the call, and can be matched with [ErrOpen]. It is
// shared by the refusals of a moment: do not change it.
type OpenError struct {
	State      State
	Reason     string    // of the state, in words
	Since      time.Time // when the state began to refuse calls; zero if unknown, as of a restored ForcedOpen
	Until      time.Time // when probes are let through; zero if unknown
	Class      Class     // of the newest failure before an open or half-open breaker refused; of others ClassTransient
	Generation uint64
}

// Error names the state and the reason.
func (e *OpenError) Error() string {
	switch {
	case e.State == Closed:
		return fmt.Sprintf("%v: it has just closed, and does not let every call through yet", ErrOpen)
	case e.State == Open && e.Reason == "":
		return ErrOpen.Error()
	case e.State == Open:
		return fmt.Sprintf("%v: %s", ErrOpen, e.Reason)
	default:
		return fmt.Sprintf("%v (%v): %s", ErrOpen, e.State, e.Reason)
	}
}

// Unwrap returns [ErrOpen].
func (*OpenError) Unwrap() error { return ErrOpen }

// A refusal is the error of a breaker that lets nobody through, and when it may be given.
type refusal struct {
	at, until int64
	word      word
	again     atomic.Bool // it was given a second time, and the short way to it was made
	err       Error
	open      OpenError
}

const (
	// refusalStep is how far the RetryAfter of a refusal may lag behind. Sharing one
	// error between the refusals of a moment keeps them free of allocations.
	refusalStep = int64(10 * time.Millisecond)

	// refusalMargin is how long before its end a refusal is no longer given in the short way: a timer ends that, and may be late.
	refusalMargin = int64(time.Millisecond)

	// refusalLook is every how many refusals of the short way look at the clock nevertheless. A timer that is very late, on a
	// machine without a free processor, costs so few calls their place at most.
	refusalLook = 16
)

// holds reports whether the refusal is the right one at now.
func (r *refusal) holds(now int64) bool { return now >= r.at && now < r.until }

// refused returns the error that was made for this state a moment ago, or nil. It
// takes no lock.
func (b *Breaker) refused(w word, now int64) *Error {
	last := b.refusal.Load()
	if last == nil || last.word != w || !last.holds(now) {
		return nil
	}
	if !last.again.Load() && last.again.CompareAndSwap(false, true) {
		b.shorten(last, now)
	}
	return &last.err
}

// refuse returns the error for a call that is refused at now. It is called under
// the lock.
func (b *Breaker) refuse(now int64) *Error {
	w := b.load()
	if last := b.refused(w, now); last != nil {
		return last
	}
	r := &refusal{at: now, until: now + refusalStep, word: w}
	r.open = OpenError{State: w.state(), Reason: b.reason, Generation: w.generation()}
	switch w.state() {
	case Open:
		r.until = min(r.until, b.until.Load())
		r.open.Class = b.cause
		r.open.Since, r.open.Until = b.op.clock.wall(b.openedAt), b.op.clock.wall(b.until.Load())
		r.err.RetryAfter = max(time.Duration(b.until.Load()-now), 0)
	case HalfOpen:
		r.open.Class = b.cause
		r.open.Since = b.op.clock.wall(b.openedAt)
	case ForcedOpen:
		r.open.Since, r.open.Until = b.op.clock.wall(b.override.since), b.op.clock.wall(b.override.until)
		if b.override.until != 0 {
			r.err.RetryAfter = max(time.Duration(b.override.until-now), 0)
		}
	default: // it has just closed
		r.open.Since = b.op.clock.wall(b.closedAt)
	}
	r.err.Operation, r.err.Class, r.err.Err = b.op.name, ClassOverloaded, &r.open
	b.refusal.Store(r)
	b.op.explain(Decision{Time: b.op.clock.wall(now), Outcome: "refused", Reason: r.open.Error()})
	return &r.err
}

// shut returns the refusal of a breaker that is open for all calls, by its rules or by force, or nil. A half-open
// one may have closed, or have a place for a probe, when the caller has waited elsewhere; and one that
// enforces its rules on a share of the calls decides then.
func (b *Breaker) shut(now int64) *Error {
	if !b.load().shut() {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance(now)
	if !b.load().shut() {
		return nil
	}
	return b.refuse(now)
}

// refusedAgain is the short way to a refusal: the error that an open breaker gave other calls
// a moment ago, or nil if there is none. It comes before the call has cost anything else, a look at the clock included.
func (op *Operation) refusedAgain(ctx context.Context) error {
	if op == nil {
		return nil
	}
	last := op.refusal.Load()
	if last == nil || ctx.Err() != nil {
		return nil
	}
	if op.counters.rejected.Load()%refusalLook == 0 && !last.holds(op.clock.now()) {
		return nil
	}
	op.counters.rejected.Add(1)
	return &last.err
}

// shorten lets the next calls be refused in the short way, as long as the refusal holds, the breaker stays open and
// the settings stay as they are. Where something comes before the breaker, or has to hear of
// every call, there is no such way.
func (b *Breaker) shorten(r *refusal, now int64) {
	op := b.op
	set := op.settings.Load()
	left := r.until - now - refusalMargin
	if left <= 0 || r.word.state() != Open || r.word&flagLenient != 0 ||
		set == nil || set.gates != nil || set.active == nil || op.tellCalls != nil {
		return
	}
	op.refusal.Store(r)
	if op.settings.Load() != set || b.load() != r.word { // changed just now, by somebody who has already taken the refusal away
		op.refusal.CompareAndSwap(r, nil)
		return
	}
	time.AfterFunc(time.Duration(left), func() { op.refusal.CompareAndSwap(r, nil) })
}
