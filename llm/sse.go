package llm

import (
	"bytes"
	"errors"
)

// MaxLine is how long a line of a stream may be, and the data of one event or the element of
// an array.
const MaxLine = 16 << 20

// ErrLineTooLong means that a stream holds a line or a frame longer than [MaxLine].
var ErrLineTooLong = errors.New("stream holds a line longer than 16 MiB")

const byteOrderMark = "\xef\xbb\xbf"

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
// reported, as the standard demands. It keeps what is incomplete, at most [MaxLine] of a line and as
// much of an event. The zero value is ready to use.
type Parser struct {
	line    []byte // the begin of a line whose end has not come
	fed     int64
	whole   int64
	name    []byte
	data    []byte
	stray   []byte // lines that belong to no event stream, see keepStray
	hasData bool
	afterCR bool // an LF that follows belongs to the same line end
	begun   bool // the byte order mark is behind
}

// Feed takes the next piece of the stream and calls yield for each event that it
// completes. It stops when yield returns false: [Parser.Whole] then includes that
// event. After that and after an error the parser is not usable any more.
func (p *Parser) Feed(piece []byte, yield func(Event) bool) error {
	if p.afterCR && len(piece) > 0 {
		p.afterCR = false
		if piece[0] == '\n' {
			piece = p.pass(piece, 1)
		}
	}
	lf := -1 // where the next LF is; kept, so that a stream with CR alone is not searched for it in each line
	for len(piece) > 0 {
		if lf < 0 {
			if lf = bytes.IndexByte(piece, '\n'); lf < 0 {
				lf = len(piece)
			}
		}
		end, next := lf, lf+1
		if cr := bytes.IndexByte(piece[:lf], '\r'); cr >= 0 {
			end, next = cr, cr+1
			switch {
			case next == lf && lf < len(piece):
				next++
			case next == len(piece):
				p.afterCR = true
			}
		}
		if end == len(piece) {
			p.fed += int64(len(piece))
			return p.keep(piece)
		}
		more, err := p.takePart(piece[:end], yield)
		if err != nil {
			return err
		}
		piece = p.pass(piece, next)
		if !more {
			return nil
		}
		lf = max(lf-next, -1)
	}
	return nil
}

// Whole returns how many bytes of the stream, from its beginning, consist of
// whole events and comments. What is after them is the begin of an event that
// may never be completed.
func (p *Parser) Whole() int64 { return p.whole }

// pass moves past n bytes, which end a line.
func (p *Parser) pass(piece []byte, n int) []byte {
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

// takePart reads the line that part ends, and reports whether to go on.
func (p *Parser) takePart(part []byte, yield func(Event) bool) (bool, error) {
	if len(p.line) == 0 {
		if len(part) > MaxLine {
			return false, ErrLineTooLong
		}
		return p.take(part, yield)
	}
	if err := p.keep(part); err != nil {
		return false, err
	}
	more, err := p.take(p.line, yield)
	p.line = emptied(p.line)
	return more, err
}

// take reads a whole line and reports whether to go on.
func (p *Parser) take(line []byte, yield func(Event) bool) (bool, error) {
	if !p.begun {
		p.begun = true
		line = bytes.TrimPrefix(line, []byte(byteOrderMark))
	}
	if len(line) == 0 {
		return p.dispatch(yield), nil
	}
	return true, p.field(line)
}

func (p *Parser) field(line []byte) error {
	field, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(field) {
	case "data":
		if len(p.data)+len(value) >= MaxLine {
			return ErrLineTooLong
		}
		if p.hasData {
			p.data = append(p.data, '\n')
		}
		p.data = append(p.data, value...)
		p.hasData = true
	case "event":
		p.name = append(p.name[:0], value...)
	case "", "id", "retry": // comments, and what only matters to those who reconnect
	default:
		p.keepStray(line)
	}
	return nil
}

// dispatch reports the event that an empty line completes. An event without
// data is none.
func (p *Parser) dispatch(yield func(Event) bool) bool {
	e, ok := Event{Name: p.name, Data: p.data}, p.hasData
	more := !ok || yield(e)
	p.name, p.data, p.hasData = emptied(p.name), emptied(p.data), false
	return more
}

// pending returns the data of an event that the end of the stream has cut off, and what has
// come beside the events.
func (p *Parser) pending() (data, stray []byte) {
	rest := *p
	if len(rest.line) > 0 {
		if _, err := rest.take(rest.line, nil); err != nil { // it dispatches nothing: that takes an empty line after data
			return nil, nil
		}
	}
	return rest.data, rest.stray
}

// keepStray keeps the begin of what is a JSON document where an event stream was announced:
// some servers put an error there as it is.
func (p *Parser) keepStray(line []byte) {
	if len(p.stray) == 0 && line[0] != '{' && line[0] != '[' || len(p.stray)+len(line) > maxFrame {
		return
	}
	p.stray = append(append(p.stray, line...), '\n')
}

// emptied returns b for further use, but does not hold on to the memory of one huge frame.
func emptied(b []byte) []byte {
	if cap(b) > maxFrame {
		return nil
	}
	return b[:0]
}
