package llm

import "bytes"

// elements cuts a JSON array into its elements as it comes. A document that is an object is
// taken for its only element, since that is how errors come. Elements that are neither objects nor arrays
// tell nothing and are left out.
type elements struct {
	part    []byte // the begin of an element whose end has not come
	fed     int64
	whole   int64 // bytes up to the end of the last element, and what is between elements
	depth   int   // 0 outside of the array, 1 between elements
	quoted  bool  // inside a string
	escaped bool  // after a backslash inside a string
	single  bool  // the document is an object
	closed  bool  // the document has ended
	begun   int   // bytes of the byte order mark that have come
}

// feed takes the next piece of the stream and calls yield for each element that it completes, until
// yield returns false.
func (e *elements) feed(piece []byte, yield func(Event) bool) error {
	start := 0 // of the element's part in this piece
	for k := 0; k < len(piece) && !e.closed; {
		if e.quoted {
			k = e.string(piece, k)
			continue
		}
		if e.depth > 1 {
			if k += dull(piece[k:]); k == len(piece) {
				break
			}
		}
		c := piece[k]
		k++
		if e.depth < 2 {
			start = k - 1
			e.whole = e.fed + int64(start)
		}
		if e.depth == 0 {
			if err := e.open(c); err != nil {
				return err
			}
			continue
		}
		switch c {
		case '"':
			e.quoted = true
		case '{', '[':
			e.depth++
		case '}', ']':
			e.depth--
			if e.depth == 0 {
				e.closed = true
			}
			if e.depth != 1 {
				break
			}
			more, err := e.take(piece[start:k], k, yield)
			if err != nil || !more {
				return err
			}
		}
	}
	return e.keep(piece, start)
}

// marks are the bytes that say something outside of strings.
var marks = [256]bool{'"': true, '{': true, '}': true, '[': true, ']': true} //nolint:gochecknoglobals // a table that nothing changes

// dull returns how many bytes there are before the first mark: white space, mostly, which a loop of its own
// passes at several times the speed.
func dull(piece []byte) int {
	for k, c := range piece {
		if marks[c] {
			return k
		}
	}
	return len(piece)
}

// open takes a byte before the array.
func (e *elements) open(c byte) error {
	switch {
	case e.begun < len(byteOrderMark) && c == byteOrderMark[e.begun]:
		e.begun++
	case c == '[':
		e.depth = 1
	case c == '{':
		e.depth, e.single = 2, true
	case c != ' ' && c != '\n' && c != '\r' && c != '\t':
		return ErrNotJSON
	}
	return nil
}

// string passes over the rest of a string, or what there is of it.
func (e *elements) string(piece []byte, k int) int {
	n := bytes.IndexByte(piece[k:], '"')
	end := k + n
	if n < 0 {
		end = len(piece)
	}
	before := end
	for before > k && piece[before-1] == '\\' {
		before--
	}
	odd := (end-before)%2 == 1
	if before == k {
		odd = odd != e.escaped
	}
	e.escaped = odd && n < 0
	if n < 0 {
		return end
	}
	e.quoted = odd
	return end + 1
}

// take yields an element, whose last part is the end of what has come up to k.
func (e *elements) take(part []byte, k int, yield func(Event) bool) (more bool, err error) {
	if len(e.part)+len(part) > MaxLine {
		return false, ErrLineTooLong
	}
	if len(e.part) > 0 {
		e.part = append(e.part, part...)
		part = e.part
	}
	e.whole = e.fed + int64(k)
	e.closed = e.single
	more = yield(Event{Data: part})
	e.part = emptied(e.part)
	return more, nil
}

// keep holds on to what has come of an element, and counts the piece.
func (e *elements) keep(piece []byte, start int) error {
	e.fed += int64(len(piece))
	if e.depth < 2 {
		if !e.quoted {
			e.whole = e.fed
		}
		return nil
	}
	if len(e.part)+len(piece)-start > MaxLine {
		return ErrLineTooLong
	}
	e.part = append(e.part, piece[start:]...)
	return nil
}
