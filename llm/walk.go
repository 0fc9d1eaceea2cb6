package llm

import (
	"bytes"
	"unicode/utf8"
)

// maxNesting bounds how deep a walker goes in; deeper values are skipped. Errors
// nest five levels at most.
const maxNesting = 12

// A walker reads JSON from front to back without allocating. It checks nothing:
// what is cut off yields what came before the cut, and of garbage it makes
// what it can. Every step moves forward, so that its time is linear.
//
// Texts are slices of the data in their escaped form; see appendLower.
type walker struct {
	data  []byte
	pos   int
	depth int
}

// next returns the first byte of what comes next, 0 at the end. Commas and
// colons are as good as spaces.
func (w *walker) next() byte {
	for w.pos < len(w.data) {
		switch c := w.data[w.pos]; c {
		case ' ', '\t', '\n', '\r', ',', ':':
			w.pos++
		default:
			return c
		}
	}
	return 0
}

// enter goes into an object or an array, by its opening byte. When it returns false
// the value is still to be read or skipped.
func (w *walker) enter(open byte) bool {
	if w.next() != open || w.depth == maxNesting {
		return false
	}
	w.pos++
	w.depth++
	return true
}

// members reads an object and yields its keys. The value of each must be read before the next; what is no object
// is skipped.
func (w *walker) members(yield func(key []byte) bool) {
	if !w.enter('{') {
		w.skip()
		return
	}
	for key, ok := w.key(); ok && yield(key); key, ok = w.key() {
	}
}

// elements reads an array and yields before each of its elements, which must be read; what is no array is skipped.
func (w *walker) elements(yield func() bool) {
	if !w.enter('[') {
		w.skip()
		return
	}
	for w.more() && yield() {
	}
}

// key returns the next key of an object, or false when the object is behind.
func (w *walker) key() ([]byte, bool) {
	switch w.next() {
	case '"':
		return w.quoted(), true
	case '}':
		w.pos++
		w.depth--
	default:
		w.pos = len(w.data)
	}
	return nil, false
}

// more reports whether the array has another element.
func (w *walker) more() bool {
	switch w.next() {
	case ']':
		w.pos++
		w.depth--
		return false
	case 0, '}':
		w.pos = len(w.data)
		return false
	default:
		return true
	}
}

// text returns a string; of another value it returns nil.
func (w *walker) text() []byte {
	if w.next() == '"' {
		return w.quoted()
	}
	w.skip()
	return nil
}

// value returns a string, a number or a word; of null, of an object and of an array it
// returns nil.
func (w *walker) value() []byte {
	switch w.next() {
	case '"':
		return w.quoted()
	case '{', '[', ']', '}', 0:
		w.skip()
		return nil
	}
	v := w.scalar()
	if string(v) == "null" {
		return nil
	}
	return v
}

// skip moves past a value. It does not recurse, so its depth has no bound.
func (w *walker) skip() {
	switch w.next() {
	case '"':
		w.quoted()
	case '{', '[':
		w.skipNested()
	case '}', ']', 0: // a value is missing
	default:
		w.scalar()
	}
}

func (w *walker) skipNested() {
	for depth := 0; w.pos < len(w.data); {
		switch w.data[w.pos] {
		case '"':
			w.quoted()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		w.pos++
		if depth == 0 {
			return
		}
	}
}

// quoted returns what stands between the quotes, the first of which comes next.
func (w *walker) quoted() []byte {
	start := w.pos + 1
	for at := start; ; {
		n := bytes.IndexByte(w.data[at:], '"')
		if n < 0 {
			w.pos = len(w.data)
			return w.data[start:]
		}
		at += n
		escapes := at
		for escapes > start && w.data[escapes-1] == '\\' {
			escapes--
		}
		if (at-escapes)%2 == 0 {
			w.pos = at + 1
			return w.data[start:at]
		}
		at++
	}
}

// scalar returns a number or a word, which is at least one byte.
func (w *walker) scalar() []byte {
	start := w.pos
	for w.pos++; w.pos < len(w.data); w.pos++ {
		switch w.data[w.pos] {
		case ' ', '\t', '\n', '\r', ',', ':', '}', ']', '{', '[', '"':
			return w.data[start:w.pos]
		}
	}
	return w.data[start:]
}

// appendLower appends a text without its escapes and in lower case, as far as
// ASCII goes. Line ends become spaces, which makes every text one line.
func appendLower(dst, raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '\\' && i+1 < len(raw) {
			i++
			switch c = raw[i]; c {
			case 'n', 'r', 't', 'b', 'f':
				c = ' '
			case 'u':
				r, ok := hex4(raw[i+1:])
				if ok {
					i += 4
				}
				if r >= utf8.RuneSelf || !ok {
					dst = utf8.AppendRune(dst, r)
					continue
				}
				c = byte(r)
			}
		}
		switch {
		case c < ' ':
			c = ' '
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// hex4 reads the four digits of an escape.
func hex4(s []byte) (rune, bool) {
	if len(s) < 4 {
		return utf8.RuneError, false
	}
	var r rune
	for _, c := range s[:4] {
		r <<= 4
		switch {
		case '0' <= c && c <= '9':
			r |= rune(c - '0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r |= rune(c|0x20-'a') + 10
		default:
			return utf8.RuneError, false
		}
	}
	return r, true
}
