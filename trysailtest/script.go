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

// RetryNow is the value of [Fault.After] that hints at no wait, as in "Retry-After: 0".
const RetryNow time.Duration = -1

// A Fault is what happens to one request. The zero value is a good answer.
type Fault struct {
	Kind   FaultKind     // what happens
	Status int           // the status of FaultStatus, 200 to 599
	After  time.Duration // the hint of an error answer: 0 gives none, see RetryNow; the wait of FaultFirstToken and FaultKeepAlive
	Tokens int           // how many tokens FaultCut, FaultEnd, FaultError and FaultStall let through; how many empty ones FaultEmpty sends
	Cause  FaultKind     // which error FaultError sends, such as FaultOverloaded; blank is an internal error
	Form   string        // which form of a hint, an error frame or a refusal; the name of FaultShape
}

// String returns the fault as [ParseScript] reads it.
func (f Fault) String() string {
	entry := string(cmp.Or(f.Kind, FaultOK))
	switch f.Kind {
	case FaultStatus:
		return strconv.Itoa(f.Status) + retrySuffix(f.After)
	case FaultFirstToken, FaultKeepAlive:
		return entry + ":" + shortDuration(f.After)
	case FaultCut, FaultEnd, FaultError, FaultStall, FaultEmpty:
		entry = fmt.Sprintf("%s:%d", entry, f.Tokens)
	default:
		if f.After != 0 {
			entry += ":" + shortDuration(max(f.After, 0))
		}
	}
	for _, arg := range []string{string(f.Cause), f.Form} {
		if arg != "" {
			entry += ":" + arg
		}
	}
	return entry
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
