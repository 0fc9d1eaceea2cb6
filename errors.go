package trysail

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Reasons for which a call was refused or could not be made. Match them with
// [errors.Is]; the error returned by a call wraps them in an [*Error].
var (
	// ErrOpen means that the operation's breaker is open, or half-open with all
	// its probes taken. The dependency was not called.
	ErrOpen = errors.New("circuit breaker is open")

	// ErrName means that an operation's name is empty, longer than 200 bytes, not
	// valid UTF-8 or holds a control character.
	ErrName = errors.New("unusable operation name")

	// ErrNoOperation means that a nil *Operation was used, or one that was made by hand.
	ErrNoOperation = errors.New("no operation: use one from Orchestrator.Operation or Register")

	// ErrNoFunction means that a nil function was to be called.
	ErrNoFunction = errors.New("no function to call")
)

// An Error reports a failed call. It wraps the dependency's own last error, or
// the reason for which the dependency was not called.
type Error struct {
	Operation  string        // the operation's name
	Class      Class         // what the failure means
	Attempts   int           // attempts made; 0 when the call was refused
	RetryAfter time.Duration // earliest useful time to come back; 0 when unknown
	Err        error         // the dependency's error, ErrOpen, or the context's error
}

// Error names the operation, the class, the attempts when there were several,
// and the cause.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Operation != "" { // a limiter of its own belongs to none
		fmt.Fprintf(&b, "operation %q: ", e.Operation)
	}
	switch e.Attempts {
	case 0:
		fmt.Fprintf(&b, "not called: %v", e.Err)
	case 1:
		fmt.Fprintf(&b, "%v: %v", e.Class, e.Err)
	default:
		fmt.Fprintf(&b, "%v after %d attempts: %v", e.Class, e.Attempts, e.Err)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, " (retry after %v)", e.RetryAfter)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Transient marks err as a fault that may pass: it is retried and counted.
// It returns nil when err is nil, as the other constructors do.
func Transient(err error) error { return classify(err, ClassTransient) }

// Permanent marks err as one that repeating cannot help: it is neither retried
// nor counted by the breaker.
func Permanent(err error) error { return classify(err, ClassPermanent) }

// BadAnswer marks err as an answer that is of no use, though the provider gave it in good
// order: it is counted, and repeated at most once.
func BadAnswer(err error) error { return classify(err, ClassBadAnswer) }

// Unavailable marks err as a provider without capacity: it is retried and
// counted, and retrying stops as soon as the breaker opens.
func Unavailable(err error) error { return classify(err, ClassOverloaded) }

// RateLimited marks err as a refusal for too many calls. A positive after is
// what the server asked for: no attempt is made earlier. With 0 the computed
// wait is doubled instead.
func RateLimited(err error, after time.Duration) error {
	return WithClass(err, ClassRateLimited, after)
}

// WithClass marks err with any class. A positive after is the server's minimum
// wait, or for a class that is not retried the time until which coming back is
// useless.
func WithClass(err error, class Class, after time.Duration) error {
	if err == nil {
		return nil
	}
	return &marked{err: err, class: class, classed: true, after: max(after, 0)}
}

// Committed marks err as having happened after the caller was given a part of
// the answer, such as a stream that broke off. It is classed and counted as
// before, but never retried: nothing may be repeated behind the caller's back.
func Committed(err error) error {
	if err == nil {
		return nil
	}
	return &marked{err: err, final: true}
}

// Once marks err as worth one more attempt, and not a second: a gateway's time-out, or a request that
// may have cost money already. It is classed and counted as before. A call whose attempts have failed
// with two such errors makes no other one, however many the policy has left.
func Once(err error) error {
	if err == nil {
		return nil
	}
	return &marked{err: err, once: true}
}

// Neutral marks err as one that says nothing about how well the dependency is, such as a refusal that comes from nearer, or a
// limit that has a gate of its own: the breaker does not count it, whatever its class. It is classed, and repeated, as before.
func Neutral(err error) error {
	if err == nil {
		return nil
	}
	return &marked{err: err, neutral: true}
}

// Paid marks err as a failure after which the next attempt has been taken from the operation's retry budget already, by
// [RetryBudget.Take]: who has another way to go if the budget allows no more knows before which one it is. It is classed, counted and repeated as before.
func Paid(err error) error {
	if err == nil {
		return nil
	}
	return &marked{err: err, paid: true}
}

func classify(err error, class Class) error { return WithClass(err, class, 0) }

// marked carries what the caller of a constructor knows about an error.
type marked struct {
	err     error
	class   Class
	classed bool // class is set
	final   bool // no retry, whatever the class
	once    bool // one retry, whatever the policy
	neutral bool // the breaker does not count it
	paid    bool // the retry budget need not be asked
	after   time.Duration
}

func (m *marked) Error() string { return m.err.Error() }
func (m *marked) Unwrap() error { return m.err }

// both is an error that ended a call while an earlier, more telling one was in
// hand. Both can be found in it; the text leads with the dependency's. It is used as a
// pointer, so that comparing it never compares what it holds, which may panic.
type both struct{ dependency, ended error }

func (b *both) Error() string   { return fmt.Sprintf("%v (then %v)", b.dependency, b.ended) }
func (b *both) Unwrap() []error { return []error{b.dependency, b.ended} }
