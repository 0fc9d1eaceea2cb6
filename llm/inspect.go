package llm

import (
	"bytes"
	"errors"
	"fmt"
)

// ErrTruncated means that a stream closed in good order without having said that
// it is complete.
var ErrTruncated = errors.New("stream ended before it was complete")

// ErrNotJSON means that a plain answer, or a frame before the first content, is not JSON.
var ErrNotJSON = errors.New("answer is not JSON")

// A Progress is what a stream has shown so far.
type Progress struct {
	Started  bool   // content has come: the commit point is passed
	Ended    bool   // every answer that was asked for has said that it is complete
	Closed   bool   // the stream has said that nothing follows
	Err      error  // the error that it carried, an [*InBandError], or why it cannot be read
	Model    string // the model that answers, as the provider names it
	Finished string // why the model stopped, in the provider's word, such as "stop" or "MAX_TOKENS"
	Usage    Usage  // what the stream has told of it so far
	Events   int    // frames of any kind, comments not among them

	// Tokens counts the events that brought the answer forward: content, and once there was some
	// also the end of a part and the like. Pings, empty deltas and comments are signs of life,
	// not of progress.
	Tokens int

	// Malformed counts events that are not JSON, after content had come. One of
	// them does not spoil an answer that is under way; before the content it does.
	Malformed int
}

// An Inspector watches a stream as it passes. The zero value watches OpenAI's
// chat completions.
//
// Frames are scanned where they are, not decoded, and nothing is kept but the one that is
// incomplete, at most [MaxLine] of it. A frame costs about a nanosecond for four bytes and allocates
// nothing.
type Inspector struct {
	Protocol Protocol

	// Choices is how many answers were asked for: the n of a chat completion, the candidateCount
	// of Gemini. 0 means 1.
	Choices int

	// One of these cuts the stream into frames.
	parser   Parser
	lines    lines
	elements elements

	progress Progress
	counts   tokenCounts
	ends     choiceSet // answers that are complete
	blocked  bool      // the prompt was refused, and there was no answer

	// Of the frame at hand. They are handed to a function value, so on the stack they
	// would not stay.
	scan  scanner
	frame frame
}

// Feed takes the next piece of the stream. It does not keep it. The error is that of
// [Progress]; after one the rest of the stream is not looked at.
func (i *Inspector) Feed(piece []byte) error {
	if i.progress.Err != nil {
		return i.progress.Err
	}
	var err error
	switch i.Protocol.dialect().form {
	case jsonLines:
		err = i.lines.feed(piece, i.see)
	case jsonArray:
		err = i.elements.feed(piece, i.see)
		i.progress.Closed = i.progress.Ended && i.elements.closed
	default:
		err = i.parser.Feed(piece, i.see)
	}
	if err != nil {
		i.progress.Err = err
	}
	return i.progress.Err
}

// Progress returns what the stream has shown so far.
func (i *Inspector) Progress() Progress { return i.progress }

// Whole returns how many bytes of the stream consist of whole frames; see
// [Parser.Whole].
func (i *Inspector) Whole() int64 {
	switch i.Protocol.dialect().form {
	case jsonLines:
		return i.lines.whole
	case jsonArray:
		return i.elements.whole
	default:
		return i.parser.Whole()
	}
}

// End says that the stream was closed in good order, and returns the error with which it must
// be taken: nil when it is complete, [ErrTruncated] when it is not. What was cut off in the
// middle of a line is not complete.
func (i *Inspector) End() error {
	i.readRest()
	switch {
	case i.progress.Err != nil:
		return i.progress.Err
	case i.progress.Closed:
		return nil
	case i.isCut():
		return ErrTruncated
	case i.progress.Ended && i.Protocol != GeminiArray, i.Protocol == OtherEvents:
		return nil
	default:
		return ErrTruncated
	}
}

// isCut reports whether the stream has broken off inside a line.
func (i *Inspector) isCut() bool {
	switch i.Protocol.dialect().form {
	case jsonLines:
		return len(i.lines.line) > 0
	case jsonArray:
		return false // its end is told by the closing bracket
	default:
		return len(i.parser.line) > 0
	}
}

// readRest reads what came after the last whole frame. A last line needs no line end if its JSON
// is complete; of the begin of an event only an error and a marker that nothing follows count, since
// the client will not see that event.
func (i *Inspector) readRest() {
	if i.progress.Err != nil || i.progress.Closed {
		return
	}
	switch i.Protocol.dialect().form {
	case jsonLines:
		if len(i.lines.line) == 0 {
			return
		}
		probe := *i
		if probe.see(Event{Data: i.lines.line}); probe.failed() || probe.progress.Err == nil && probe.progress.Malformed == i.progress.Malformed {
			*i = probe
			i.lines.line = nil
		}
	case eventStream:
		data, stray := i.parser.pending()
		for _, rest := range [][]byte{data, stray} {
			probe := *i
			if probe.see(Event{Data: rest}); probe.failed() || probe.progress.Closed {
				*i = probe
				return
			}
		}
	default:
	}
}

// failed reports whether the stream carried an error.
func (i *Inspector) failed() bool {
	return errors.As(i.progress.Err, new(*InBandError))
}

// doneMarker is the data of the last event in OpenAI's protocol, and of others that imitate it.
const doneMarker = "[DONE]"

// see takes a frame and reports whether to go on.
func (i *Inspector) see(e Event) bool {
	i.progress.Events++
	read := i.Protocol.dialect().read
	switch {
	case i.progress.Closed, len(bytes.TrimSpace(e.Data)) == 0:
		// What follows the end, and a keep-alive in the form of an event.
	case read == nil:
		i.progress.Started = true
		i.progress.Tokens++
	case string(e.Data) == doneMarker:
		// By itself it proves nothing: some servers send it after an error, too.
		i.progress.Closed = i.progress.Ended
	default:
		i.read(e, read)
	}
	return i.progress.Err == nil
}

// read reads a frame. One that is a list, which Google makes of errors, is read element by element.
func (i *Inspector) read(e Event, read func(*scanner, *frame)) {
	i.scan = scanner{data: e.Data}
	i.frame = frame{name: e.Name, counts: i.counts}
	if i.scan.peek() == '[' {
		for range i.scan.elements {
			read(&i.scan, &i.frame)
		}
	} else {
		read(&i.scan, &i.frame)
	}
	switch {
	case i.scan.end():
		i.apply(e.Data)
	case i.progress.Started:
		i.progress.Malformed++
	default:
		i.progress.Err = fmt.Errorf("%w: a frame of %d bytes", ErrNotJSON, len(e.Data))
	}
}

// apply takes over what the frame tells, whose text is data.
func (i *Inspector) apply(data []byte) {
	p, f := &i.progress, &i.frame
	i.counts = f.counts
	p.Usage = i.counts.usage()
	if p.Model == "" && len(f.model) > 0 {
		p.Model = unquote(f.model)
	}
	if f.failed {
		p.Err = f.inBand(data)
		return
	}
	if len(f.finished) > 0 && string(f.finished) != p.Finished {
		p.Finished = unquote(f.finished)
	}
	i.ends.join(f.ends)
	complete := f.ended || i.ends.len() >= min(max(i.Choices, 1), maxChoices)
	if f.content || f.ends.len() > 0 || f.ended || f.step && p.Started {
		p.Tokens++
	}
	i.blocked = i.blocked || f.blocked && !f.content && !p.Started
	// An answer may be complete and empty.
	p.Started = p.Started || f.content || complete
	p.Ended = p.Ended || complete
	p.Closed = p.Closed || f.closed
}
