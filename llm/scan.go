package llm

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep a frame may be nested. Those of providers are about ten deep.
const maxDepth = 512

// A scanner walks over one JSON document from front to back. It decodes nothing and allocates
// nothing: what it returns are parts of the document.
//
// Each method reads one value whole. One that meets a value of another kind than it was asked
// for passes over it, so that a provider's odd field spoils nothing but itself. What is no JSON makes
// it bad for good: every loop over members or elements ends then, and it is enough to ask once, with
// [scanner.end]. Control characters and escapes inside strings are not checked.
type scanner struct {
	data  []byte
	pos   int
	depth int
	fresh bool // an object or array has been entered, and nothing of it read
	bad   bool
}

// end reports whether the document was JSON and has been read to its end.
func (s *scanner) end() bool { return s.peek() == 0 && s.pos == len(s.data) && !s.bad }

func (s *scanner) fail() {
	s.bad = true
	s.pos = len(s.data)
}

// peek returns the first byte of what comes next, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		if c > ' ' || c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
		s.pos++
	}
	return 0
}

// enter goes into an object or an array, whose first byte is open.
func (s *scanner) enter(open byte) bool {
	if s.peek() != open {
		s.skip()
		return false
	}
	if s.depth++; s.depth > maxDepth {
		s.fail()
		return false
	}
	s.pos++
	s.fresh = true
	return true
}

// more reports whether there is another element before the closing byte, which it reads.
func (s *scanner) more(closing byte) bool {
	fresh := s.fresh
	s.fresh = false
	switch c := s.peek(); {
	case c == closing:
		s.pos++
		s.depth--
		return false
	case c == ',' && !fresh:
		s.pos++
		return true
	case fresh && c != 0:
		return true
	default:
		s.fail()
		return false
	}
}

// members reads an object and yields its keys. The value of each must be read before the
// next. To be used as "for key := range s.members".
func (s *scanner) members(yield func(key []byte) bool) {
	if !s.enter('{') {
		return
	}
	for s.more('}') {
		key := s.key()
		if s.peek() != ':' {
			s.fail()
			return
		}
		s.pos++
		if !yield(key) {
			return
		}
	}
}

// key reads the key of a member. Keys are short, so that it pays to look at each byte; one with escapes
// is decoded, which no provider makes necessary.
func (s *scanner) key() []byte {
	if s.peek() != '"' {
		s.fail()
		return nil
	}
	start := s.pos + 1
	for i := start; i < len(s.data); i++ {
		switch s.data[i] {
		case '"':
			s.pos = i + 1
			return s.data[start:i]
		case '\\':
			return []byte(unquote(s.quoted()))
		}
	}
	s.fail()
	return nil
}

// elements reads an array and yields before each of its elements, which must be read.
func (s *scanner) elements(yield func() bool) {
	if !s.enter('[') {
		return
	}
	for s.more(']') {
		if !yield() {
			return
		}
	}
}

// quoted reads a string and returns what is between its quotes. The walker does the same for texts that may be cut off;
// shared, the loop would cost the streams of chats a tenth of their speed.
func (s *scanner) quoted() []byte {
	start := s.pos + 1
	for i := start; ; {
		n := bytes.IndexByte(s.data[i:], '"')
		if n < 0 {
			s.fail()
			return nil
		}
		i += n
		before := i
		for before > start && s.data[before-1] == '\\' {
			before--
		}
		if (i-before)%2 == 0 {
			s.pos = i + 1
			return s.data[start:i]
		}
		i++
	}
}

// text reads a string and returns what is between its quotes, with its escapes.
func (s *scanner) text() []byte {
	if s.peek() != '"' {
		s.skip()
		return nil
	}
	return s.quoted()
}

// raw reads a value and returns it as it is.
func (s *scanner) raw() []byte {
	s.peek()
	start := s.pos
	s.skip()
	if s.bad {
		return nil
	}
	return s.data[start:s.pos]
}

// filled reads a value and reports whether it holds something.
func (s *scanner) filled() bool { return present(s.raw()) }

// number reads a number. What is no number from 0 on is -1.
func (s *scanner) number() int64 {
	raw := s.raw()
	if len(raw) == 0 || raw[0] < '0' || raw[0] > '9' {
		return -1
	}
	var n int64
	for _, c := range raw {
		if c < '0' || c > '9' || n > 1<<53 {
			return roughly(raw)
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// roughly reads a number with a point or an exponent, as some languages write them.
func roughly(raw []byte) int64 {
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || f > 1<<53 {
		return -1
	}
	return int64(f)
}

// skip passes over a value.
func (s *scanner) skip() {
	switch c := s.peek(); c {
	case '"':
		s.quoted()
	case '{':
		for range s.members {
			s.skip()
		}
	case '[':
		for range s.elements {
			s.skip()
		}
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		s.digits()
	}
}

func (s *scanner) literal(word string) {
	if !bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
		s.fail()
		return
	}
	s.pos += len(word)
}

// digits passes over a number.
func (s *scanner) digits() {
	start := s.pos
	for s.pos < len(s.data) && inNumber(s.data[s.pos]) {
		s.pos++
	}
	if s.pos == start {
		s.fail()
	}
}

func inNumber(c byte) bool {
	return '0' <= c && c <= '9' || c == '-' || c == '.' || c == '+' || c == 'e' || c == 'E'
}

// present reports whether a raw value holds something: it is there, and not null nor
// an empty text, list or object.
func present(raw []byte) bool {
	switch string(raw) {
	case "", "null", `""`, "[]", "{}":
		return false
	}
	if raw[0] == '[' || raw[0] == '{' {
		return len(bytes.TrimSpace(raw[1:len(raw)-1])) > 0
	}
	return true
}

// unquote returns what stands between the quotes of a JSON string without its escapes.
func unquote(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw)
	}
	var text string
	if json.Unmarshal([]byte(`"`+string(raw)+`"`), &text) != nil {
		return strings.ToValidUTF8(string(raw), "\ufffd")
	}
	return text
}
