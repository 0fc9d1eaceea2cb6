package trysail

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A Class says what a failure means, and so what may be done about it.
type Class uint8

// The classes. Those of the specification are transient, permanent, rate
// limited and overloaded (its ServiceUnavailable).
const (
	ClassTransient      Class = iota // a fault that may pass: a reset, a timeout, a 500; also every unknown error
	ClassRateLimited                 // too many calls in a short window; wait and repeat
	ClassOverloaded                  // the provider has no capacity
	ClassQuotaExhausted              // money or a long window is used up
	ClassContextLength               // the request is larger than the model takes
	ClassContentPolicy               // the provider refused the content
	ClassPermanent                   // repeating cannot help: a bad request, a bad key
	ClassCanceled                    // the caller gave up
	ClassBadAnswer                   // an answer came that is of no use: empty, cut short, not in the form that was asked for
	classes                          // how many there are
)

// String returns the word that the API and the logs use, such as "rate_limited".
func (c Class) String() string {
	names := [classes]string{
		"transient", "rate_limited", "overloaded", "quota_exhausted",
		"context_length", "content_policy", "permanent", "canceled", "bad_answer",
	}
	if c < classes {
		return names[c]
	}
	return fmt.Sprintf("Class(%d)", uint8(c))
}

// A Consequence is what a failure of one class leads to.
type Consequence struct {
	Retry    bool // another attempt may be made
	Count    bool // the breaker counts the call as a failure; otherwise it is neutral, or just slow if it is ClassCanceled
	Fallback bool // a fallback, if there is one, answers instead
}

// consequences is the table by class.
type consequences [classes]Consequence

// defaultConsequences follows the specification's diagram: what is permanent
// moves no breaker, what is exhausted counts once, a caller who left gets
// nothing more. A rate limit counts here; a gateway's target may change that.
func defaultConsequences() consequences {
	retried := Consequence{Retry: true, Count: true, Fallback: true}
	return consequences{
		ClassTransient:      retried,
		ClassRateLimited:    retried,
		ClassOverloaded:     retried,
		ClassQuotaExhausted: {Count: true, Fallback: true},
		ClassContextLength:  {Fallback: true},
		ClassContentPolicy:  {Fallback: true},
		ClassPermanent:      {Fallback: true},
		ClassCanceled:       {},
		ClassBadAnswer:      retried,
	}
}

// with returns the table with the user's rows in place of its own.
func (t consequences) with(rows map[Class]Consequence) (consequences, error) {
	var errs []error
	for _, class := range slices.Sorted(maps.Keys(rows)) {
		switch row := rows[class]; {
		case class >= classes:
			errs = append(errs, fmt.Errorf("Classes has the key %v, want one of the %d classes", class, classes))
		case class == ClassCanceled && row.Retry:
			errs = append(errs, errors.New("Classes[canceled].Retry is true, want false: the caller has gone"))
		default:
			t[class] = row
		}
	}
	return t, errors.Join(errs...)
}
