package llm

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// longestWait is what stands for a wait that is longer, or too long to be
// written down, such as "1e400" seconds; trysailhttp has the same.
const longestWait = 366 * 24 * time.Hour

// decimal reads a number of units that is not negative, and rounds it up. A
// number too large for a float is the longest wait, not a missing one.
func decimal(s string, unit time.Duration) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	if s == "" || strings.Trim(s, "0123456789.+eE") != "" {
		return 0, false // ParseFloat would take "inf", "nan" and "0x10"
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(n, 1) {
		return 0, false
	}
	if n >= float64(longestWait)/float64(unit) {
		return longestWait, true
	}
	return time.Duration(math.Ceil(n * float64(unit))), true
}

// goDuration reads a duration as Go writes it, such as "6m0s" or "7m3.36s", and
// with days.
func goDuration(s []byte) (time.Duration, bool) {
	d, length := leadingDuration(string(s), "")
	return d, length > 0 && length == len(s)
}

// leadingDuration reads the duration at the begin of s and returns its length, 0 when there
// is none. A number that names no unit is one of bare, if that is not empty. It takes
// "6m0s" as well as "45 seconds" and "1 hour 5 minutes".
func leadingDuration(s, bare string) (total time.Duration, length int) {
	for at := 0; ; {
		digits := at
		for digits < len(s) && (s[digits] == '.' || '0' <= s[digits] && s[digits] <= '9') {
			digits++
		}
		for digits > at && s[digits-1] == '.' {
			digits-- // the end of a sentence
		}
		if digits == at {
			return total, length
		}
		space := digits
		if space < len(s) && s[space] == ' ' {
			space++
		}
		end := space
		for end < len(s) && (s[end]|0x20 >= 'a' && s[end]|0x20 <= 'z' || s[end] >= 0x80) {
			end++
		}
		unit, ok := unitOf(s[space:end])
		if !ok {
			if length > 0 || bare == "" {
				return total, length
			}
			unit, _ = unitOf(bare)
			end = digits
		}
		d, ok := decimal(s[at:digits], unit)
		if !ok {
			return total, length
		}
		total = min(total+d, longestWait)
		length = end
		if at = end; at < len(s) && s[at] == ' ' {
			at++
		}
	}
}

// unitOf returns the unit that a word names.
func unitOf(word string) (time.Duration, bool) {
	switch word {
	case "ns":
		return time.Nanosecond, true
	case "us", "µs", "μs":
		return time.Microsecond, true
	case "ms", "msec", "millisecond", "milliseconds":
		return time.Millisecond, true
	case "s", "sec", "secs", "second", "seconds":
		return time.Second, true
	case "m", "min", "mins", "minute", "minutes":
		return time.Minute, true
	case "h", "hr", "hrs", "hour", "hours":
		return time.Hour, true
	case "d", "day", "days":
		return 24 * time.Hour, true
	default:
		return 0, false
	}
}
