package config

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string, from quote to quote, and decodes it.
func (s *scanner) str(key bool) (string, bool) {
	begin := s.at
	s.at++
	from := s.at
	var decoded strings.Builder // used once there is an escape
	for {
		if s.at == len(s.text) {
			return "", s.fail(begin, "a string that does not end")
		}
		switch b := s.text[s.at]; {
		case b == '"':
			part := s.text[from:s.at]
			s.at++
			if decoded.Len() == 0 {
				return part, true
			}
			decoded.WriteString(part)
			return decoded.String(), true
		case b == '\\':
			decoded.WriteString(s.text[from:s.at])
			r, ok := s.escape(key)
			if !ok {
				return "", false
			}
			decoded.WriteRune(r)
			from = s.at
		case b < ' ':
			s.check(key).character(rune(b))
			return "", s.fail(s.at, "the control character U+%04X in a string", b)
		case b < utf8.RuneSelf:
			s.at++
		default:
			r, size := utf8.DecodeRuneInString(s.text[s.at:])
			if r == utf8.RuneError && size == 1 {
				return "", s.fail(s.at, "the byte 0x%02X, which is not UTF-8", b)
			}
			s.at += size
		}
	}
}

// escape reads a backslash and what belongs to it. The two escapes that the specification forbids as they are
// written are noted here.
func (s *scanner) escape(key bool) (rune, bool) {
	begin := s.at
	s.at++
	rest := s.text[s.at:]
	if rest == "" {
		return 0, s.fail(begin, "a string that does not end")
	}
	s.at++
	if i := strings.IndexByte(`"\/bfnrt`, rest[0]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), true
	}
	switch {
	case rest[0] == 'u' && hexDigits(rest[1:], 4):
		s.check(key).pattern(unicodeEscape)
		return s.unicode(key), true
	case rest[0] == 'u':
		return 0, s.fail(begin, `\u without four hexadecimal digits`)
	case rest[0] == 'x' && hexDigits(rest[1:], 2):
		s.check(key).pattern(hexEscape)
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return 0, s.fail(begin, `the escape \%s, which JSON does not have`, printable(string(r)))
}

// unicode reads the four digits after \u, and a second escape where the first is one half of a character.
func (s *scanner) unicode(key bool) rune {
	r := fourDigits(s.text[s.at:])
	s.at += 4
	if !utf16.IsSurrogate(r) {
		return r
	}
	if rest, found := strings.CutPrefix(s.text[s.at:], `\u`); found && hexDigits(rest, 4) {
		if whole := utf16.DecodeRune(r, fourDigits(rest)); whole != utf8.RuneError {
			s.at += len(`\u`) + 4
			return whole
		}
	}
	s.check(key).character(r)
	return utf8.RuneError
}

func fourDigits(text string) (r rune) {
	for i := range 4 {
		r = r<<4 | hexValue(text[i])
	}
	return r
}

// check returns the check of a value, or of a key, at the present place.
func (s *scanner) check(key bool) textCheck { return textCheck{s, key} }
