package config

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A node is a value of a document.
type node struct {
	kind    nodeKind
	text    string   // a string decoded, a number as it is written
	members []member // of an object
	from    int      // where it begins and ends in the document, in bytes
	to      int
}

type nodeKind uint8

const (
	isNull nodeKind = iota
	isTrue
	isFalse
	isNumber
	isString
	isArray
	isObject
)

// A member is a key of an object with its value.
type member struct {
	key   string
	at    int // where the key begins
	value node
}

// A scanner reads a JSON document once, from front to back, and runs the security pass as it goes. It stops at
// the first byte that is not JSON, and at the first limit of size, depth or number that is passed. encoding/json would
// take duplicate keys and bad UTF-8 without a word, and read to the end first.
type scanner struct {
	text   string
	at     int
	path   []step
	report *Report
}

// A step of a path is a key or, when index is 1 or more, the place of an array's element, counted from 1.
type step struct {
	key   string
	index int
}

const rootPath = "root"

// document reads the one value that the text holds.
func (s *scanner) document() (root node, ok bool) {
	if strings.HasPrefix(s.text, "\uFEFF") {
		return root, s.fail(0, "the document begins with a byte order mark: save it as plain UTF-8")
	}
	if s.space(); s.at == len(s.text) {
		return root, s.fail(s.at, "the document is empty")
	}
	if root, ok = s.value(); !ok {
		return root, false
	}
	if s.space(); s.at < len(s.text) {
		return root, s.fail(s.at, "%s after the end of the document", s.found())
	}
	return root, true
}

func (s *scanner) value() (n node, ok bool) {
	if depth := len(s.path); depth > maxDepth {
		return n, s.stop(fmt.Sprintf("Nesting too deep at '%s': depth %d (max: %d)", s.where(), depth, maxDepth),
			"Nest less: a configuration needs two levels")
	}
	s.space()
	n.from = s.at
	switch b := s.peek(); {
	case b == '{':
		n.kind = isObject
		n.members, ok = s.object()
	case b == '[':
		n.kind = isArray
		ok = s.array()
	case b == '"':
		n.kind = isString
		if n.text, ok = s.str(false); ok {
			s.check(false).look(n.text)
		}
	case b == '-' || '0' <= b && b <= '9':
		n.kind = isNumber
		if n.text, ok = s.number(); ok {
			s.warnOfSize(n.text)
		}
	default:
		n.kind, ok = s.word()
	}
	n.to = s.at
	return n, ok
}

func (s *scanner) object() ([]member, bool) {
	s.at++
	if s.space(); s.peek() == '}' {
		s.at++
		return nil, true
	}
	members := make([]member, 0, len(fields))
	for {
		m, ok := s.member()
		if !ok {
			return members, false
		}
		for i := range members {
			if members[i].key == m.key {
				s.twice(members[i].at, m)
				break
			}
		}
		if members = append(members, m); len(members) > maxProperties {
			return members, s.stop(fmt.Sprintf("Too many properties in object at '%s': more than %d (max: %d)", s.where(), maxProperties, maxProperties),
				fmt.Sprintf("Keep objects to %d properties", maxProperties))
		}
		if more, ok := s.next('}', "property"); !more {
			return members, ok
		}
	}
}

func (s *scanner) member() (m member, ok bool) {
	s.space()
	m.at = s.at
	if s.peek() != '"' {
		return m, s.fail(s.at, "%s, where a property's name in double quotes is due", s.found())
	}
	if m.key, ok = s.str(true); !ok {
		return m, false
	}
	s.check(true).look(m.key)
	if s.space(); s.peek() != ':' {
		return m, s.fail(s.at, "%s, where the colon after the name %s is due", s.found(), quote(m.key))
	}
	s.at++
	s.path = append(s.path, step{key: m.key})
	m.value, ok = s.value()
	s.path = s.path[:len(s.path)-1]
	return m, ok
}

func (s *scanner) array() bool {
	s.at++
	if s.space(); s.peek() == ']' {
		s.at++
		return true
	}
	for n := 1; ; n++ {
		if n > maxItems {
			return s.stop(fmt.Sprintf("Too many items in array at '%s': more than %d (max: %d)", s.where(), maxItems, maxItems),
				fmt.Sprintf("Keep arrays to %d items", maxItems))
		}
		s.path = append(s.path, step{index: n})
		_, ok := s.value()
		s.path = s.path[:len(s.path)-1]
		if !ok {
			return false
		}
		if more, ok := s.next(']', "item"); !more {
			return ok
		}
	}
}

// next reads what stands between the elements of an object or array, and reports whether another one follows.
func (s *scanner) next(end byte, what string) (more, ok bool) {
	s.space()
	switch s.peek() {
	case end:
		s.at++
		return false, true
	case ',':
		comma := s.at
		s.at++
		if s.space(); s.peek() == end {
			return false, s.fail(comma, "a comma after the last %s", what)
		}
		return true, true
	default:
		return false, s.fail(s.at, "%s, where a comma or %q is due", s.found(), end)
	}
}

func (s *scanner) word() (nodeKind, bool) {
	for kind, word := range [...]string{isNull: "null", isTrue: "true", isFalse: "false"} {
		if rest, found := strings.CutPrefix(s.text[s.at:], word); found && !startsWord(rest) {
			s.at += len(word)
			return nodeKind(kind), true
		}
	}
	return isNull, s.fail(s.at, "%s, where a value is due", s.found())
}

func startsWord(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return text != "" && inWord(r)
}

// twice refuses a key that its object has already.
func (s *scanner) twice(first int, m member) {
	path := pathOf(append(s.path, step{key: m.key}))
	s.report.refuse(Finding{
		Path: path, Line: s.lineOf(m.at), Rule: RuleText,
		Message:    fmt.Sprintf("Duplicate key '%s': it stands at %s and again at %s", path, s.place(first), s.place(m.at)),
		Suggestion: "Give each key once: of two, one would silently lose",
	})
}

// space goes past white space.
func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// peek returns the byte at hand, 0 at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}
