package trysailhttp

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// longestWait is what stands for a wait too long to write down, such as "1e400".
const longestWait = 366 * 24 * time.Hour

// RetryAfter returns how long the server asks to wait, and whether it asks at
// all. It reads, in this order: retry-after-ms and x-ms-retry-after-ms (Azure and
// OpenAI, milliseconds), x-amz-retry-after (AWS, milliseconds), then Retry-After
// as seconds, with a fraction or not, or as a date (RFC 9110, 10.2.3).
//
// A date is measured against the answer's own Date header, if it has one, so that
// the clocks need not agree; a date gone by is 0. Values that are negative or no
// numbers are as good as none. Of several Retry-After lines the longest counts. The
// longest wait returned is 366 days.
func RetryAfter(h http.Header, now time.Time) (wait time.Duration, ok bool) {
	for _, name := range [...]string{"Retry-After-Ms", "X-Ms-Retry-After-Ms", "X-Amz-Retry-After"} {
		if wait, ok = number(h.Get(name), time.Millisecond); ok {
			return wait, true
		}
	}
	for _, value := range h.Values("Retry-After") {
		if w, good := secondsOrDate(value, h, now); good {
			wait, ok = max(wait, w), true
		}
	}
	return wait, ok
}

// secondsOrDate looks at the answer's own Date only when it needs it: most waits
// are seconds, and reading a date that is missing costs more than all the rest.
func secondsOrDate(value string, h http.Header, now time.Time) (time.Duration, bool) {
	if wait, ok := number(value, time.Second); ok {
		return wait, true
	}
	at, err := http.ParseTime(strings.TrimSpace(value))
	if err != nil {
		return 0, false
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), longestWait), true
}

// number reads a decimal number of units. A number too large for a float is the
// longest wait, not a missing one.
func number(s string, unit time.Duration) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	if s == "" || strings.Trim(s, "0123456789.+eE") != "" {
		return 0, false // ParseFloat would take "inf", "nan" and "0x10"
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(n, 1) {
		return 0, false
	}
	if n >= longestWait.Seconds()*float64(time.Second)/float64(unit) {
		return longestWait, true
	}
	return time.Duration(math.Ceil(n * float64(unit))), true
}
