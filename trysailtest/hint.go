package trysailtest

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// setHeader sets a header of the error answer.
func (e *apiError) setHeader(name, value string) {
	if e.header == nil {
		e.header = http.Header{}
	}
	e.header.Set(name, value)
}

// hint makes the error say when to come back, as the fault's form wants it said. It
// reports whether that is left to the protocol: no form is given, or its reset headers.
func (e *apiError) hint(f Fault, now time.Time) (own bool) {
	after := max(f.After, 0)
	switch f.Form {
	case formRetryAfter:
	case formRetryAfterMS:
		e.setHeader("Retry-After-Ms", strconv.FormatFloat(float64(after)/float64(time.Millisecond), 'f', -1, 64))
		return false
	case formHTTPDate:
		now = now.Truncate(time.Second).UTC() // what the date is to be measured against
		e.setHeader("Date", now.Format(http.TimeFormat))
		e.setHeader("Retry-After", now.Add(ceilSecond(after)).Format(http.TimeFormat))
		return false
	case formMessage:
		e.message += fmt.Sprintf(" Please try again in %v.", after)
		return false
	case formShouldRetry:
		e.setHeader("X-Should-Retry", "true")
	case formShouldNotRetry:
		e.setHeader("X-Should-Retry", "false")
	default:
		return f.After != 0
	}
	if f.After != 0 {
		e.setHeader("Retry-After", retrySeconds(f.After))
	}
	return false
}

// ceilSecond rounds up, so that whoever waits as told does not come too early.
func ceilSecond(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}
