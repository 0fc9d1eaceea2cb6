package trysail

import (
	"fmt"
	"time"
)

// An OpenError says why a breaker refused a call, and until when it will. It is
// the cause in the [*Error] of the call, and can be matched with [ErrOpen]. It is
// shared by the refusals of a moment: do not change it.
type OpenError struct {
	State      State
	Reason     string    // of the state, in words
	Since      time.Time // when the state began to refuse calls; zero if unknown
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

// A refusal is the error of a breaker that lets nobody through, and when it was
// made.
type refusal struct {
	at   int64
	word word
	err  Error
	open OpenError
}

// refusalStep is how far the RetryAfter of a refusal may lag behind. Sharing one
// error between the refusals of a moment keeps them free of allocations.
const refusalStep = int64(10 * time.Millisecond)

// refused returns the error that was made for this state a moment ago, or nil. It
// takes no lock.
func (b *Breaker) refused(w word, now int64) *Error {
	last := b.refusal.Load()
	if last != nil && last.word == w && now >= last.at && now-last.at < refusalStep {
		return &last.err
	}
	return nil
}

// refuse returns the error for a call that is refused at now. It is called under
// the lock.
func (b *Breaker) refuse(now int64) *Error {
	w := b.load()
	if last := b.refused(w, now); last != nil {
		return last
	}
	r := &refusal{at: now, word: w}
	r.open = OpenError{State: w.state(), Reason: b.reason, Generation: w.generation()}
	switch w.state() {
	case Open:
		r.open.Class = b.cause
		r.open.Since, r.open.Until = b.op.clock.wall(b.openedAt), b.op.clock.wall(b.until.Load())
		r.err.RetryAfter = max(time.Duration(b.until.Load()-now), 0)
	case HalfOpen:
		r.open.Class = b.cause
		r.open.Since = b.op.clock.wall(b.openedAt)
	case ForcedOpen:
		r.open.Until = b.op.clock.wall(b.override.until)
		if b.override.until != 0 {
			r.err.RetryAfter = max(time.Duration(b.override.until-now), 0)
		}
	default: // it has just closed
	}
	r.err.Operation, r.err.Class, r.err.Err = b.op.name, ClassOverloaded, &r.open
	b.refusal.Store(r)
	b.op.explain(Decision{Time: b.op.clock.wall(now), Outcome: "refused", Reason: r.open.Error()})
	return &r.err
}
