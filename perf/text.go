package perf

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkName refuses names that no operation may have; see the core's ErrName.
func checkName(name string) error {
	fault := &OptionError{Field: "operation_name", Value: name}
	switch {
	case name == "" || len(name) > 200:
		fault.Want = "1 to 200 bytes"
	case !utf8.ValidString(name):
		fault.Want = "valid UTF-8"
	case strings.ContainsFunc(name, unicode.IsControl):
		fault.Want = "no control characters"
	default:
		return nil
	}
	return fault
}

// short is the beginning of s, for a message.
func short(s string) string { return clip(s, 60) }

// clip returns the first n characters of s, and an ellipsis if there are more.
func clip(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return strings.Clone(s[:i]) + "…"
		}
	}
	return s
}

// plain returns s as one line of at most 64 characters, whatever an environment variable may hold.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, clip(strings.ToValidUTF8(s, "?"), 64))
}
