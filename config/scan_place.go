package config

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fail refuses the document for what stands at that byte. It returns false.
func (s *scanner) fail(at int, format string, args ...any) bool {
	remedy := "Check quotes, commas, colons and brackets near that place"
	if s.text[at:] == "" {
		remedy = "Check that the document is complete"
	}
	s.report.refuse(Finding{
		Path: pathOf(s.path), Line: s.lineOf(at), Rule: RuleSyntax, Suggestion: remedy,
		Message: "Invalid JSON: " + s.place(at) + ": " + fmt.Sprintf(format, args...),
	})
	return false
}

// stop refuses the document for a limit, after which no more of it is read. It returns false.
func (s *scanner) stop(message, remedy string) bool {
	s.report.refuse(Finding{Path: pathOf(s.path), Line: s.line(), Rule: RuleLimit, Message: message, Suggestion: remedy})
	return false
}

// found names what stands at the present place, for a message. A long word is not shown: it may be a key in the
// wrong place.
func (s *scanner) found() string {
	rest := s.text[s.at:]
	r, size := utf8.DecodeRuneInString(rest)
	switch {
	case rest == "":
		return "the document ends"
	case r == utf8.RuneError && size == 1:
		return fmt.Sprintf("the byte 0x%02X, not UTF-8", rest[0])
	case unicode.IsLetter(r):
		word := rest[:len(rest)-len(strings.TrimLeftFunc(rest, inWord))]
		if len(word) > len("circuit_breaker_threshold") {
			word = "a word"
		} else {
			word = quote(word)
		}
		return word + " without quotes"
	case strings.HasPrefix(rest, "//") || strings.HasPrefix(rest, "/*") || r == '#':
		return "a comment"
	case r == '\'':
		return "a single quote"
	case unicode.IsPrint(r):
		return quote(string(r))
	default:
		return fmt.Sprintf("U+%04X", r)
	}
}

// place is where a byte stands, for people: lines and columns count from 1, columns in characters.
func (s *scanner) place(at int) string {
	before := s.text[:at]
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Sprintf("line %d, column %d (byte %d)", strings.Count(before, "\n")+1, column, at)
}

// line is the present line, 0 in a document of a single one.
func (s *scanner) line() int { return s.lineOf(s.at) }

func (s *scanner) lineOf(at int) int {
	if !strings.Contains(strings.TrimSpace(s.text), "\n") {
		return 0
	}
	return strings.Count(s.text[:at], "\n") + 1
}

// where is the present path, for people.
func (s *scanner) where() string {
	if len(s.path) == 0 {
		return rootPath
	}
	return pathOf(s.path)
}

// pathOf is such as "a.b[0]". Keys are cut, and what cannot be shown is escaped.
func pathOf(path []step) string {
	var b strings.Builder
	for i, step := range path {
		switch {
		case step.index > 0:
			fmt.Fprintf(&b, "[%d]", step.index-1)
			continue
		case i > 0:
			b.WriteByte('.')
		}
		b.WriteString(printable(short(step.key)))
	}
	return b.String()
}
