package trysail

import (
	"context"
	"errors"
	"time"
)

// Classify returns the class of err. It looks through wrapped errors from the
// outside in; the first of these that is found decides:
//
//   - a mark of [Transient], [Permanent], [RateLimited], [Unavailable] or
//     [WithClass], or an [*Error] of another operation,
//   - a method HTTPStatusCode() int or StatusCode() int: 429 is rate limited, 503 and 529
//     are overloaded, 408, 425 and every other 5xx are transient, every other 4xx is permanent,
//   - [context.Canceled]: canceled.
//
// Anything else is transient, network errors and time-outs among them: what is
// unknown is worth a second attempt. The class of a nil error has no meaning.
func Classify(err error) Class { return judge(err).class }

// A verdict is what an error tells about the next step.
type verdict struct {
	class     Class
	after     time.Duration // the server's minimum wait; 0 when it gave none
	committed bool          // a part of the answer is out: no retry, whatever the class
	once      bool          // no retry if another attempt has failed like this
	neutral   bool          // the breaker does not count it
	paid      bool          // the retry budget need not be asked
	repeated  bool          // another operation has retried already: no retry here
	ended     bool          // the caller's context has ended: no retry
}

// final reports whether no other attempt may be made, whatever the class.
func (v verdict) final() bool { return v.committed || v.repeated || v.ended }

// statusError is implemented by the errors of many clients, among them those of
// the AWS SDK and of trysailhttp.
type statusError interface{ HTTPStatusCode() int }

// plainStatusError is the other spelling in use.
type plainStatusError interface{ StatusCode() int }

// waitError is an error that knows the server's minimum wait.
type waitError interface{ RetryAfter() time.Duration }

// longestHint bounds what a server may ask for, so that arithmetic on it cannot
// overflow. Quotas of a year are the longest there are.
const longestHint = 366 * 24 * time.Hour

func judge(err error) verdict {
	var v verdict
	switch {
	case v.read(err):
	case errors.Is(err, context.Canceled):
		v.class = ClassCanceled
	default:
		v.class = ClassTransient
	}
	if v.class >= classes {
		v.class = ClassTransient // a class that does not exist is none
	}
	v.after = min(v.after, longestHint)
	return v
}

// read goes through err and what it wraps, depth first as errors.Is does. The
// first class that it meets stays; the longest wait counts, and a commitment
// anywhere holds. It reports whether there is a class.
func (v *verdict) read(err error) bool {
	classed := false
	for err != nil {
		classed = v.readOne(err, classed) || classed
		switch w := err.(type) { //nolint:errorlint // this is the walk that errors.As would do
		case interface{ Unwrap() error }:
			err = w.Unwrap()
		case interface{ Unwrap() []error }:
			for _, inner := range w.Unwrap() {
				classed = v.readBranch(inner, classed)
			}
			return classed
		default:
			return classed
		}
	}
	return classed
}

// readBranch reads one of several errors that are wrapped together.
func (v *verdict) readBranch(err error, classed bool) bool {
	var branch verdict
	found := branch.read(err)
	if found && !classed {
		v.class = branch.class
		v.repeated = branch.repeated
	}
	v.after = max(v.after, branch.after)
	v.committed = v.committed || branch.committed
	v.once = v.once || branch.once
	v.neutral = v.neutral || branch.neutral
	v.paid = v.paid || branch.paid
	return found || classed
}

// readOne reads one link of the chain and reports whether it gives the class.
// Once there is one, it only looks for waits and commitments.
func (v *verdict) readOne(err error, classed bool) bool {
	if w, ok := err.(waitError); ok {
		v.after = max(v.after, w.RetryAfter())
	}
	switch e := err.(type) { //nolint:errorlint // one link of the chain is meant
	case *marked:
		v.committed = v.committed || e.final
		v.once = v.once || e.once
		v.neutral = v.neutral || e.neutral
		v.paid = v.paid || e.paid
		v.after = max(v.after, e.after)
		if e.classed && !classed {
			v.class = e.class
		}
		return e.classed
	case *Error:
		v.after = max(v.after, e.RetryAfter)
		if !classed {
			// Another operation has already retried, or refused: repeating that
			// here would multiply the attempts.
			v.class, v.repeated = e.Class, true
		}
		return true
	case statusError:
		return !classed && v.readStatus(e.HTTPStatusCode())
	case plainStatusError:
		return !classed && v.readStatus(e.StatusCode())
	default:
		return false
	}
}

func (v *verdict) readStatus(status int) bool {
	if status < 100 || status > 599 {
		return false // clients use 0 and -1 for "no answer"
	}
	v.class = StatusClass(status)
	return true
}

// StatusClass returns the class of an HTTP status that a client took for an
// error; see [Classify]. 408 and 425 are transient because AI providers use
// them so.
func StatusClass(status int) Class {
	switch {
	case status == 429:
		return ClassRateLimited
	case status == 503, status == 529:
		return ClassOverloaded
	case status == 408, status == 425:
		return ClassTransient
	case status >= 400 && status < 500:
		return ClassPermanent
	default:
		return ClassTransient
	}
}
