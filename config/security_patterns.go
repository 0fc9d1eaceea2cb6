package config

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A pattern is a regular expression of the specification, and a function that knows what it matches:
// fifteen expressions over 4 KiB would take a hundred times as long.
// As in Python, from where they come, \s and \w go beyond ASCII. A dot matches a line end, too.
type pattern struct {
	text string
	in   func(folded string) bool
}

// The two that are looked for in the document as it is written as well: decoding would hide them.
const (
	hexEscape     = 6
	unicodeEscape = 7
)

var forbidden = []pattern{ //nolint:gochecknoglobals // a table that nothing changes
	{`<script`, with("<script")},
	{`javascript:`, with("javascript:")},
	{`data:`, with("data:")},
	{`vbscript:`, with("vbscript:")},
	{`on\w+\s*=`, handler},
	{`\.\.\/`, with("../")},
	{`\\x[0-9a-fA-F]{2}`, escape(`\x`, 2)},
	{`\\u[0-9a-fA-F]{4}`, escape(`\u`, 4)},
	{`<%.*%>`, around("<%", "%>")},
	{`\$\{.*\}`, around("${", "}")},
	{`eval\s*\(`, call("eval")},
	{`exec\s*\(`, call("exec")},
	{`import\s+`, spaced("import")},
	{`require\s*\(`, call("require")},
	{`__.*__`, around("__", "__")},
}

// fold returns text without regard to case: ASCII in lower case, and the few other letters that
// case-insensitive matching takes for ASCII ones.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case r == 'ſ':
			return 's'
		case r == '\u212A': // the sign for kelvin
			return 'k'
		case r == 'İ' || r == 'ı':
			return 'i'
		}
		return r
	}, text)
}

func with(part string) func(string) bool {
	return func(text string) bool { return strings.Contains(text, part) }
}

// around is for open.*closing.
func around(open, closing string) func(string) bool {
	return func(text string) bool {
		_, rest, found := strings.Cut(text, open)
		return found && strings.Contains(rest, closing)
	}
}

// after reports whether ok accepts what follows any of the places where part stands.
func after(text, part string, ok func(rest string) bool) bool {
	for {
		_, rest, found := strings.Cut(text, part)
		if !found || ok(rest) {
			return found
		}
		text = rest
	}
}

// escape is for a beginning and so many hexadecimal digits.
func escape(begin string, digits int) func(string) bool {
	return func(text string) bool {
		return after(text, begin, func(rest string) bool { return hexDigits(rest, digits) })
	}
}

func hexDigits(text string, n int) bool {
	return len(text) >= n && !slices.ContainsFunc([]byte(text[:n]), func(b byte) bool { return hexValue(b) < 0 })
}

// hexValue returns what a hexadecimal digit stands for, -1 for another byte.
func hexValue(b byte) rune {
	switch {
	case '0' <= b && b <= '9':
		return rune(b - '0')
	case 'a' <= b && b <= 'f':
		return rune(b-'a') + 10
	case 'A' <= b && b <= 'F':
		return rune(b-'A') + 10
	default:
		return -1
	}
}

// call is for name\s*\(.
func call(name string) func(string) bool {
	return func(text string) bool {
		return after(text, name, func(rest string) bool {
			return strings.HasPrefix(strings.TrimLeftFunc(rest, unicode.IsSpace), "(")
		})
	}
}

// spaced is for name\s+.
func spaced(name string) func(string) bool {
	return func(text string) bool {
		return after(text, name, func(rest string) bool {
			r, _ := utf8.DecodeRuneInString(rest)
			return unicode.IsSpace(r)
		})
	}
}

// handler is for on\w+\s*=: a word before an equals sign that has "on" in it, and more after that.
func handler(text string) bool {
	for {
		before, rest, found := strings.Cut(text, "=")
		if !found {
			return false
		}
		before = strings.TrimRightFunc(before, unicode.IsSpace)
		word := before[len(strings.TrimRightFunc(before, inWord)):]
		if i := strings.Index(word, "on"); i >= 0 && i+len("on") < len(word) {
			return true
		}
		text = rest
	}
}

func inWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }
