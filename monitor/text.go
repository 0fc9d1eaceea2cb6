package monitor

import (
	"strings"
	"unicode/utf8"
)

const (
	maxName  = 200  // characters of a name
	maxNames = 4096 // names that are kept once however often they occur
	ellipsis = "…"
	hexes    = "0123456789abcdef"
)

// clip returns s if it has at most n characters, otherwise its beginning and an ellipsis, n characters together.
// It looks at no more of s than that.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return cut(s, n)
}

//go:noinline // so that clip is: nearly every name is short
func cut(s string, n int) string {
	last, count := 0, 0 // where the n-th character begins, and how many there are before i
	for i := range s {
		if count == n-1 {
			last = i
		}
		if count == n {
			return strings.Clone(s[:last]) + ellipsis // a part of s alone would keep all of s in memory
		}
		count++
	}
	return s
}

// short is s for an error's text.
func short(s string) string { return clip(s, 40) }

// appendText appends s as a JSON string. What is not UTF-8 becomes U+FFFD.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != 0x7F {
				i++
				continue
			}
			b = append(b, s[from:i]...)
			b = appendEscape(b, c)
			i++
			from = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if bad := r == utf8.RuneError && size == 1; bad || r == '\u2028' || r == '\u2029' {
			b = append(b, s[from:i]...)
			b = append(b, '\\', 'u', hexes[r>>12&15], hexes[r>>8&15], hexes[r>>4&15], hexes[r&15])
			from = i + size
		}
		i += size
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	default:
		return append(b, '\\', 'u', '0', '0', hexes[c>>4], hexes[c&15])
	}
}

// names keeps the texts that events share once. What it returns is valid UTF-8 and has no tie to the text that it
// was given, which may be a piece of something large.
type names struct {
	kept map[string]string
	last [4]string // what keep returned last, by column: it is often the same again
}

func (n *names) keep(s string, column int) string {
	if s == "" {
		return ""
	}
	if s == n.last[column] {
		return n.last[column]
	}
	kept, ok := n.kept[s]
	if !ok {
		if n.kept == nil || len(n.kept) >= maxNames {
			n.kept = map[string]string{} // ever new names meet no limit of memory, but a new table
		}
		key := strings.Clone(s)
		kept = strings.ToValidUTF8(key, "\uFFFD")
		n.kept[key] = kept
	}
	n.last[column] = kept
	return kept
}

// keepAll makes the names of e shared ones.
func (n *names) keepAll(e *entry) {
	e.preset, e.operation = n.keep(e.preset, 0), n.keep(e.operation, 1)
	if e.session != "" || e.user != "" {
		e.session, e.user = n.keep(e.session, 2), n.keep(e.user, 3)
	}
}
