package config

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of a document. They bound the work of a check, and keep out what no configuration needs.
const (
	maxSize       = 4096 // bytes
	maxText       = 200  // characters of a string or key
	maxItems      = 20   // of an array
	maxProperties = 50   // of an object
	maxDepth      = 10   // steps of a path
	maxRepeated   = 10   // equal characters in a row
	maxCodepoint  = 0x1F4FF
)

// Limits says what a document may hold; see [DocumentLimits].
type Limits struct {
	Size       int // bytes
	Text       int // characters of a string or of a key
	Items      int // of an array
	Properties int // of an object
	Depth      int // objects and arrays around a value
	Repeated   int // equal characters in a row; more are a warning
	Codepoint  rune
	Categories []string // of Unicode characters that are refused
	Patterns   []string // regular expressions that no text may match, regardless of case
}

// DocumentLimits returns the limits that every document is held to. The caller owns them.
func DocumentLimits() Limits {
	limits := Limits{
		Size: maxSize, Text: maxText, Items: maxItems, Properties: maxProperties, Depth: maxDepth,
		Repeated: maxRepeated, Codepoint: maxCodepoint,
	}
	for _, c := range categories {
		limits.Categories = append(limits.Categories, c.name)
	}
	for _, p := range forbidden {
		limits.Patterns = append(limits.Patterns, p.text)
	}
	return limits
}

var categories = []struct { //nolint:gochecknoglobals // a table that nothing changes
	name  string
	table *unicode.RangeTable
}{
	{"Cc", unicode.Cc}, {"Cf", unicode.Cf}, {"Co", unicode.Co}, {"Cs", unicode.Cs},
}

// Security runs the security pass alone: limits, characters, patterns, keys, and the whitelist of fields with
// their types and ranges. Unlike [Validate] it takes an empty object, looks at no two fields together and takes 3.0 for no integer.
// It never holds more of a document than the limit, and stops at the first limit that is passed.
func Security(document []byte) Report {
	v := validation{strict: true, report: Report{Size: len(document)}}
	if v.read(document) {
		v.whitelist()
	}
	return v.report
}

// A textCheck looks at one decoded string: a key or a value of the document.
type textCheck struct {
	*scanner // at the place of the value, or of the object that has the key
	key      bool
}

// look notes everything about text that is out of bounds.
func (t textCheck) look(text string) {
	plain := true // holds nothing that a pattern needs
	run, last := 0, rune(-1)
	for _, r := range text {
		switch {
		case r >= utf8.RuneSelf || r < ' ' || r == 0x7F:
			t.character(r)
			plain = false
		case plain:
			plain = !suspicious(r) && (r != '_' || last != '_')
		}
		if r != last {
			t.repeated(last, run)
			run, last = 0, r
		}
		run++
	}
	t.repeated(last, run)
	t.length(text)
	if !plain {
		t.patterns(text)
	}
}

// suspicious reports whether a forbidden pattern may need r. Each has one of these, but for the one with two
// underscores; names have single ones.
func suspicious(r rune) bool {
	switch r {
	case '<', ':', '=', '/', '\\', '$', '(', ' ':
		return true
	default:
		return false
	}
}

func (t textCheck) length(text string) {
	if len(text) <= maxText {
		return
	}
	if n := utf8.RuneCountInString(text); n > maxText {
		what := "String too long"
		if t.key {
			what = "Key name too long"
		}
		t.refuse(RuleLimit, fmt.Sprintf("%s at '%s': %d characters (max: %d)", what, t.where(), n, maxText),
			fmt.Sprintf("Keep keys and texts to %d characters", maxText))
	}
}

func (t textCheck) repeated(r rune, times int) {
	if times > maxRepeated {
		t.report.warn(Finding{
			Path: pathOf(t.path), Line: t.line(), Rule: RuleText,
			Message: fmt.Sprintf("Excessive repeated characters at '%s': %s repeated %d times", t.where(), quote(string(r)), times),
		})
	}
}

func (t textCheck) character(r rune) {
	const remedy = "Use printable letters, digits and punctuation only"
	if r > maxCodepoint {
		t.refuse(RuleText, fmt.Sprintf("High Unicode codepoint detected: U+%04X%s", r, t.place()), remedy)
	}
	if r > ' ' && unicode.IsLetter(r) {
		return // most are, and one look-up is cheaper than four
	}
	for _, c := range categories {
		if unicode.Is(c.table, r) {
			t.refuse(RuleText, fmt.Sprintf("Forbidden Unicode character category '%s': U+%04X%s", c.name, r, t.place()), remedy)
		}
	}
}

func (t textCheck) patterns(text string) {
	text = fold(text)
	for i := range forbidden {
		if forbidden[i].in(text) {
			t.pattern(i)
		}
	}
}

// pattern notes that the text matches forbidden[i].
func (t textCheck) pattern(i int) {
	t.refuse(RuleText, "Configuration contains forbidden pattern matching: "+forbidden[i].text+t.place(),
		"Remove code, markup and escapes from the configuration: its values are numbers and names")
}

func (t textCheck) place() string {
	if t.key {
		return fmt.Sprintf(" (in a key at '%s')", t.where())
	}
	return fmt.Sprintf(" (at '%s')", t.where())
}

func (t textCheck) refuse(rule Rule, message, remedy string) {
	t.report.refuse(Finding{Path: pathOf(t.path), Line: t.line(), Rule: rule, Message: message, Suggestion: remedy})
}

// short cuts what a document says to a length that a message can hold.
func short(text string) string {
	const most = 40
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most]) + "..."
}

// quote puts text between single quotes, cut, and with escapes for what cannot be shown.
func quote(text string) string {
	return "'" + printable(short(strings.ToValidUTF8(text, "\ufffd"))) + "'"
}

// printable escapes what cannot be shown, and what would end a quotation.
func printable(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return r == '\'' || r == '\\' || !unicode.IsPrint(r) }) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	return b.String()
}
