package monitor

import (
	"strings"
	"time"
)

// newLine ends a line as RFC 4180 wants it.
const newLine = "\r\n"

// appendHeader writes the names of the columns.
func appendHeader(b []byte) []byte {
	for i, name := range columns() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, name...)
	}
	return append(b, newLine...)
}

// appendCSV writes e as a line of CSV.
func (e *Event) appendCSV(b []byte) []byte {
	b = e.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, ',')
	b = append(b, e.Kind.String()...)
	b = append(b, ',')
	b = appendCell(b, e.Preset)
	b = append(b, ',')
	b = appendCell(b, e.Operation)
	b = append(b, ',')
	b = appendNumber(b, e.Value)
	b = append(b, ',')
	b = appendCell(b, e.Metadata.String())
	b = append(b, ',')
	b = appendCell(b, e.Session)
	b = append(b, ',')
	b = appendCell(b, e.User)
	return append(b, newLine...)
}

// appendCell writes a text as a cell of RFC 4180. Spreadsheets take a cell for a formula, which may run
// programs or send data away, when it begins with one of = + - @, some also after blanks or when the character is the full-width
// form; see owasp.org/www-community/attacks/CSV_Injection. Such a cell gets an apostrophe in front, which is what people type to
// say "this is a text". So do those that begin with an apostrophe, so that taking one away gives the text back.
func appendCell(b []byte, text string) []byte {
	quoted := strings.ContainsAny(text, ",;\"\r\n\t") || text != strings.TrimSpace(text)
	if quoted {
		b = append(b, '"')
	}
	if startsFormula(text) {
		b = append(b, '\'')
	}
	for from := 0; ; {
		i := strings.IndexByte(text[from:], '"')
		if i < 0 {
			b = append(b, text[from:]...)
			break
		}
		b = append(append(b, text[from:from+i]...), '"', '"')
		from += i + 1
	}
	if quoted {
		b = append(b, '"')
	}
	return b
}

// startsFormula reports whether a text must not be a cell as it stands.
func startsFormula(text string) bool {
	if text == "" {
		return false
	}
	if c := text[0]; c == '\t' || c == '\r' || c == '\n' || c == '\'' {
		return true
	}
	for _, r := range text {
		switch r {
		case '=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%':
			return true
		case ' ', '\t', '\r', '\n', '\v', '\f', 0, '\u00A0', '\u2028', '\u2029', '\u3000', '\u200B', '\uFEFF':
		default:
			return false
		}
	}
	return false
}
