package trysailtest

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Headers by which a request steers the simulated provider.
const (
	// SimulateHeader carries a script; [ParseScript] has its grammar. A blank value
	// counts as none.
	SimulateHeader = "X-Trysail-Simulate"

	// AttemptHeader tells which attempt of a call this request is, counted from 1.
	// Without it the provider takes X-Stainless-Retry-Count plus 1, and without that 1.
	AttemptHeader = "X-Trysail-Attempt"
)

// RetryNow is the value of [Fault.After] that sends "Retry-After: 0".
const RetryNow time.Duration = -1

// A FaultKind names what happens to a request.
type FaultKind string

// The kinds of faults. A "plain" answer is one that is not streamed.
const (
	FaultOK         FaultKind = "ok"          // a good answer
	FaultStatus     FaultKind = "status"      // an error answer with the status Fault.Status; 2xx answers well
	FaultReset      FaultKind = "reset"       // the connection is reset before any byte
	FaultHang       FaultKind = "hang"        // no answer until the client leaves or the provider closes
	FaultFirstToken FaultKind = "first-token" // waits Fault.After before the first token or plain answer
	FaultCut        FaultKind = "cut"         // the stream breaks off after Fault.Tokens tokens; a plain answer half-way
	FaultHTML       FaultKind = "html"        // status 200 and a web page
	FaultShort      FaultKind = "short"       // less than Content-Length promises; a stream is cut after one token
	FaultError      FaultKind = "error"       // an error frame after Fault.Tokens tokens; a plain answer is a 500
	FaultStall      FaultKind = "stall"       // after Fault.Tokens tokens only comments; a plain answer hangs
	FaultGarbage    FaultKind = "garbage"     // status 200 and a body that is not JSON
)

// A Fault is what happens to one request. The zero value is a good answer.
type Fault struct {
	Kind   FaultKind     // what happens
	Status int           // the status of FaultStatus, 200 to 599
	After  time.Duration // Retry-After of FaultStatus: 0 sends none, see RetryNow; the wait of FaultFirstToken
	Tokens int           // how many tokens FaultCut, FaultError and FaultStall let through
}

// String returns the fault as [ParseScript] reads it.
func (f Fault) String() string {
	switch f.Kind {
	case FaultStatus:
		return strconv.Itoa(f.Status) + retrySuffix(f.After)
	case FaultFirstToken:
		return string(f.Kind) + ":" + shortDuration(f.After)
	case FaultCut, FaultError, FaultStall:
		return fmt.Sprintf("%s:%d", f.Kind, f.Tokens)
	default:
		return string(cmp.Or(f.Kind, FaultOK))
	}
}

// A Script is what happens to the attempts of one call, in their order.
type Script []Fault

// String returns the script as [ParseScript] reads it.
func (s Script) String() string {
	entries := make([]string, len(s))
	for i, f := range s {
		entries[i] = f.String()
	}
	return strings.Join(entries, ",")
}

// At returns what happens to the given attempt, counted from 1. Attempts after the
// last entry get the last entry; an empty script is a good answer to all.
func (s Script) At(attempt int) Fault {
	if len(s) == 0 {
		return Fault{Kind: FaultOK}
	}
	return s[min(max(attempt, 1), len(s))-1]
}

// retrySuffix returns ":" and the seconds, or nothing when no Retry-After is sent.
func retrySuffix(after time.Duration) string {
	if after == 0 {
		return ""
	}
	return ":" + retrySeconds(after)
}

// retrySeconds formats a Retry-After. It avoids floating point, which would not give
// back every nanosecond that a script can name.
func retrySeconds(after time.Duration) string {
	after = max(after, 0)
	whole := strconv.FormatInt(int64(after/time.Second), 10)
	if after%time.Second == 0 {
		return whole
	}
	return whole + strings.TrimRight(fmt.Sprintf(".%09d", after%time.Second), "0")
}

// shortDuration formats d without the zeros that end "1h0m0s".
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
