package llm

import (
	"bytes"
	"errors"
)

// MaxLine is how long a line of an event stream may be, and the data of one event.
const MaxLine = 16 << 20

// ErrLineTooLong means that a stream holds a line or an event longer than [MaxLine].
var ErrLineTooLong = errors.New("event of the stream is longer than 16 MiB")

// An Event is one message of an event stream (WHATWG HTML, 9.2). Its slices are
// only valid until the parser is used again.
type Event struct {
	Name []byte // of the field "event"; empty when there was none
	Data []byte // the data lines, joined by "\n"
}

// A Parser cuts an event stream into events. It takes the stream in pieces of
// any size, so it can look on while bytes pass by untouched.
//
// It accepts LF, CRLF and CR as line ends, a byte order mark, several data
// lines and comments. An event that the stream's end cuts off is not
// reported, as the standard demands. The zero value is ready to use.
type Parser struct {
	line    []byte // the begin of a line whose end has not come
	fed     int64
	whole   int64
	name    []byte
	data    []byte
	hasData bool
	afterCR bool // an LF that follows belongs to the same line end
	begun   bool // the byte order mark is behind
}

// Feed takes the next piece of the stream and calls yield for each event that it
// completes. It stops when yield returns false: [Parser.Whole] then includes that
// event. After that and after an error the parser is not usable any more.
func (p *Parser) Feed(piece []byte, yield func(Event) bool) error {
	for len(piece) > 0 {
		if p.afterCR && piece[0] == '\n' {
			piece = p.skip(piece, 1)
			p.afterCR = false
			continue
		}
		p.afterCR = false
		end := bytes.IndexAny(piece, "\r\n")
		if end < 0 {
			p.fed += int64(len(piece))
			return p.keep(piece)
		}
		line := piece[:end]
		if len(p.line) > 0 {
			if err := p.keep(line); err != nil {
				return err
			}
			line = p.line
		}
		p.afterCR = piece[end] == '\r'
		more, err := p.take(line, yield)
		if err != nil {
			return err
		}
		p.line = p.line[:0]
		piece = p.skip(piece, end+1)
		if !more {
			return nil
		}
	}
	return nil
}

// Whole returns how many bytes of the stream, from its beginning, consist of
// whole events and comments. What is after them is the begin of an event that
// may never be completed.
func (p *Parser) Whole() int64 { return p.whole }

// skip moves past n bytes, which end a line.
func (p *Parser) skip(piece []byte, n int) []byte {
	p.fed += int64(n)
	if !p.hasData && len(p.name) == 0 {
		p.whole = p.fed
	}
	return piece[n:]
}

// keep holds on to a line whose end has not come.
func (p *Parser) keep(part []byte) error {
	if len(p.line)+len(part) > MaxLine {
		return ErrLineTooLong
	}
	p.line = append(p.line, part...)
	return nil
}

// take reads a whole line and reports whether to go on.
func (p *Parser) take(line []byte, yield func(Event) bool) (bool, error) {
	if !p.begun {
		p.begun = true
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	if len(line) == 0 {
		return p.dispatch(yield), nil
	}
	field, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(field) {
	case "data":
		if len(p.data)+len(value) >= MaxLine {
			return false, ErrLineTooLong
		}
		if p.hasData {
			p.data = append(p.data, '\n')
		}
		p.data = append(p.data, value...)
		p.hasData = true
	case "event":
		p.name = append(p.name[:0], value...)
	}
	return true, nil
}

// dispatch reports the event that an empty line completes. An event without
// data is none.
func (p *Parser) dispatch(yield func(Event) bool) bool {
	e, ok := Event{Name: p.name, Data: p.data}, p.hasData
	p.name, p.data, p.hasData = p.name[:0], p.data[:0], false
	return !ok || yield(e)
}
