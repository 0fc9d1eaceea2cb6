package llm

import (
	"errors"
	"io"
	"time"

	"github.com/trysail-go/trysail"
)

// closingLimit is how long a provider may take to end a stream that has said that nothing follows.
// Waiting for it keeps the connection fit for the next request.
const closingLimit = time.Second

// pull reads a piece of the body and takes it in. The error is what the reader is told: io.EOF at the end
// of a complete answer. If toReader, the reader sees what comes.
func (s *Stream) pull(p []byte, toReader bool) (int, error) {
	if !s.wait() {
		return 0, s.result()
	}
	n, err := s.body.Read(p)
	if s.takeIn(p[:n], err, toReader) {
		return n, s.result()
	}
	return n, nil
}

// wait starts the clock for a Read, unless the stream has ended.
func (s *Stream) wait() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.reading = true
	if s.left >= 0 {
		s.since = time.Now()
		s.timer.Reset(s.left)
	}
	return true
}

// takeIn stops the clock, looks at what has come, and reports whether the stream has ended.
func (s *Stream) takeIn(piece []byte, err error, toReader bool) bool {
	s.mu.Lock()
	s.reading = false
	if s.left >= 0 {
		s.timer.Stop()
		s.left = max(s.left-time.Since(s.since), 0)
	}
	before := s.inspector.progress
	bad := s.inspector.Feed(piece)
	after := &s.inspector.progress
	switch {
	case after.Closed && !before.Closed:
		s.left = closingLimit
	case after.Tokens > before.Tokens:
		s.left = s.cfg.Idle
	}
	s.committed = s.committed || toReader && after.Started
	tell := func() {}
	if outcome, ended := s.judge(len(piece), bad, err); ended {
		tell = s.settle(outcome)
	}
	ended := s.ended
	s.mu.Unlock()
	tell()
	return ended
}

// judge returns the outcome of a stream of which n bytes were read with err, and whether it has
// ended. bad is what the inspector thinks of them. s.mu is held.
func (s *Stream) judge(n int, bad, err error) (outcome error, ended bool) {
	switch {
	case bad != nil:
		return bad, true
	case err == nil && (n > 0 || s.cut == nil):
		return nil, false
	case s.inspector.progress.Closed:
		return nil, true // it said that nothing follows: how the connection ends does not matter
	case s.cut != nil:
		return s.cut, true
	case errors.Is(err, io.EOF):
		return s.inspector.End(), true
	default:
		return err, true
	}
}

// expire closes the body when the limit of a Read that waits has passed.
func (s *Stream) expire() {
	s.mu.Lock()
	// Otherwise that Read has ended just now, and if one waits, it is another.
	passed := s.reading && s.left >= 0 && time.Since(s.since) >= s.left
	reason := &limitError{ErrFirstToken, s.cfg.FirstToken}
	if s.inspector.progress.Started {
		reason = &limitError{ErrIdle, s.cfg.Idle}
	}
	if passed && s.cut == nil {
		s.cut = reason
	}
	s.mu.Unlock()
	if passed {
		_ = s.closeBody()
	}
}

// cutOff closes the body under the reader, who is told why.
func (s *Stream) cutOff(reason error) {
	s.mu.Lock()
	ended := s.ended
	if !ended && s.cut == nil {
		s.cut = reason
	}
	s.mu.Unlock()
	if !ended {
		_ = s.closeBody()
	}
}

// end ends the stream with its outcome, unless it has ended.
func (s *Stream) end(outcome error) {
	s.mu.Lock()
	tell := s.settle(outcome)
	s.mu.Unlock()
	tell()
}

// settle fixes the outcome, unless the stream has ended, and returns what tells it to those who
// want to hear it. s.mu is held, and must not be when they are told.
func (s *Stream) settle(outcome error) (tell func()) {
	if s.ended {
		return func() {}
	}
	if s.committed {
		outcome = trysail.Committed(outcome)
	}
	s.ended, s.err = true, outcome
	s.timer.Stop()
	listeners := s.onEnd
	s.onEnd = nil
	return func() {
		for _, f := range listeners {
			f(outcome)
		}
	}
}

// result is what a Read returns after the end.
func (s *Stream) result() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return s.err
	case s.closed:
		return ErrLeft
	default:
		return io.EOF
	}
}
