package gateway

import (
	"path"
	"strings"
)

// A pattern is one of package path, made ready. The zero value matches everything.
type pattern struct {
	kind patternKind
	text string
}

type patternKind uint8

const (
	anything patternKind = iota
	exactly              // text itself
	prefixed             // text, and then anything without a slash
	general              // text is a pattern of package path
)

// newPattern makes a pattern ready; "" matches everything. Its error is path.ErrBadPattern.
func newPattern(text string) (pattern, error) {
	if _, err := path.Match(text, ""); err != nil {
		return pattern{}, err
	}
	switch at := strings.IndexAny(text, `*?[\`); {
	case text == "":
		return pattern{}, nil
	case at < 0:
		return pattern{exactly, text}, nil
	case at == len(text)-1 && text[at] == '*':
		return pattern{prefixed, text[:at]}, nil
	default:
		return pattern{general, text}, nil
	}
}

// matches reports whether s is what the pattern describes.
func (p pattern) matches(s string) bool {
	switch p.kind {
	case anything:
		return true
	case exactly:
		return s == p.text
	case prefixed:
		rest, ok := strings.CutPrefix(s, p.text)
		return ok && !strings.Contains(rest, "/")
	default:
		ok, _ := path.Match(p.text, s) // the pattern has been checked
		return ok
	}
}

// A namePattern is a pattern for what is no path, such as the name of a model or the value of a header: there a slash is a character like any other.
type namePattern struct{ pattern }

func newNamePattern(text string) (namePattern, error) {
	p, err := newPattern(unslashed(text))
	return namePattern{p}, err
}

func (p namePattern) matches(s string) bool {
	return p.kind == anything || p.pattern.matches(unslashed(s))
}

// unslashed puts a character that no name has in the place of slashes.
func unslashed(s string) string {
	if !strings.Contains(s, "/") {
		return s
	}
	return strings.ReplaceAll(s, "/", "\x00")
}
