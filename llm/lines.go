package llm

import "bytes"

// lines cuts a stream into lines, each of which is a JSON document.
type lines struct {
	line  []byte // the begin of a line whose end has not come
	fed   int64
	whole int64 // bytes of whole lines
	begun bool  // the byte order mark is behind
}

// feed takes the next piece of the stream and calls yield for each line that it completes, until
// yield returns false.
func (l *lines) feed(piece []byte, yield func(Event) bool) error {
	for len(piece) > 0 {
		end := bytes.IndexByte(piece, '\n')
		part := piece
		if end >= 0 {
			part = piece[:end]
		}
		if len(l.line)+len(part) > MaxLine {
			return ErrLineTooLong
		}
		if end < 0 {
			l.fed += int64(len(part))
			l.line = append(l.line, part...)
			return nil
		}
		line := part
		if len(l.line) > 0 {
			l.line = append(l.line, part...)
			line = l.line
		}
		if !l.begun {
			line = bytes.TrimPrefix(line, []byte(byteOrderMark))
			l.begun = true
		}
		l.fed += int64(end + 1)
		l.whole = l.fed
		more := yield(Event{Data: line})
		l.line = emptied(l.line)
		if !more {
			return nil
		}
		piece = piece[end+1:]
	}
	return nil
}
