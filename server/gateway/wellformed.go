package gateway

import "encoding/json"

// wellFormed reports whether a text is JSON, as [json.Valid] does. What it does not see at once to be, that one decides.
func wellFormed(text []byte) bool {
	s := jsonCheck{data: text}
	return s.value() && s.space() == 0 && s.at == len(text) || json.Valid(text)
}

// plainDepth is how deep a text may be nested to be judged here.
const plainDepth = 100

// A jsonCheck goes through a text as long as it is JSON. Its methods report whether what comes next is.
type jsonCheck struct {
	data  []byte
	at    int
	depth int
}

// space passes over white space and returns the byte behind it, 0 at the end.
func (s *jsonCheck) space() byte {
	for ; s.at < len(s.data); s.at++ {
		if c := s.data[s.at]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

// value passes over a value.
func (s *jsonCheck) value() bool {
	switch c := s.space(); {
	case c == '"':
		return s.text()
	case c == '{':
		return s.object(func([]byte) bool { return s.value() })
	case c == '[':
		return s.array()
	case c == '-' || '0' <= c && c <= '9':
		return s.number()
	default:
		return s.literal("true") || s.literal("false") || s.literal("null")
	}
}

// object passes over an object. member passes over the value of a key, which it gets in its quotes.
func (s *jsonCheck) object(member func(key []byte) bool) bool {
	if s.depth++; s.depth > plainDepth {
		return false
	}
	s.at++
	if s.space() == '}' {
		s.at++
		s.depth--
		return true
	}
	for {
		s.space()
		from := s.at
		if !s.text() {
			return false
		}
		key := s.data[from:s.at]
		if s.space() != ':' {
			return false
		}
		s.at++
		if !member(key) {
			return false
		}
		if more, ok := s.more('}'); !more {
			return ok
		}
	}
}

func (s *jsonCheck) array() bool {
	if s.depth++; s.depth > plainDepth {
		return false
	}
	s.at++
	if s.space() == ']' {
		s.at++
		s.depth--
		return true
	}
	for s.value() {
		if more, ok := s.more(']'); !more {
			return ok
		}
	}
	return false
}

// more reports whether a comma comes next, or else whether the end does, and passes over it.
func (s *jsonCheck) more(end byte) (more, ok bool) {
	c := s.space()
	s.at++
	if c == end {
		s.depth--
	}
	return c == ',', c == end
}

// text passes over a text in quotes.
func (s *jsonCheck) text() bool {
	if s.at >= len(s.data) || s.data[s.at] != '"' {
		return false
	}
	for i := s.at + 1; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			s.at = i + 1
			return true
		case c == '\\':
			n := escaped(s.data[i+1:])
			if n == 0 {
				return false
			}
			i += n
		case c < ' ':
			return false
		}
	}
	return false
}

// escaped returns how long what follows a backslash is, 0 if nothing may follow it like that.
func escaped(rest []byte) int {
	if len(rest) == 0 {
		return 0
	}
	switch rest[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1
	case 'u':
		if len(rest) >= 5 && isHex(rest[1]) && isHex(rest[2]) && isHex(rest[3]) && isHex(rest[4]) {
			return 5
		}
	}
	return 0
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }

// number passes over a number (RFC 8259, 6).
func (s *jsonCheck) number() bool {
	s.one('-')
	if !s.one('0') && !s.digits() {
		return false
	}
	if s.one('.') && !s.digits() {
		return false
	}
	if s.one('e') || s.one('E') {
		_ = s.one('+') || s.one('-')
		return s.digits()
	}
	return true
}

// one passes over this byte, if it comes next.
func (s *jsonCheck) one(c byte) bool {
	if s.at < len(s.data) && s.data[s.at] == c {
		s.at++
		return true
	}
	return false
}

// digits passes over digits, of which there must be one.
func (s *jsonCheck) digits() bool {
	from := s.at
	for s.at < len(s.data) && '0' <= s.data[s.at] && s.data[s.at] <= '9' {
		s.at++
	}
	return s.at > from
}

func (s *jsonCheck) literal(word string) bool {
	if len(s.data)-s.at < len(word) || string(s.data[s.at:s.at+len(word)]) != word {
		return false
	}
	s.at += len(word)
	return true
}
