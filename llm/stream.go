package llm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/trysail-go/trysail"
)

// Reasons for which a [Stream] gives up. Match them with [errors.Is].
var (
	// ErrFirstToken means that no content came within the limit. It has a method Timeout.
	ErrFirstToken = errors.New("no first token in time")

	// ErrIdle means that an answer that had begun did not go on within the limit. It has a
	// method Timeout.
	ErrIdle = errors.New("no progress in time")

	// ErrLeft means that the stream was closed by its reader before its end. Its class is canceled.
	ErrLeft = errors.New("stream closed by its reader before its end")
)

// A StreamConfig says what a [Stream] watches for. The zero value watches OpenAI's chat
// completions with the stated limits.
type StreamConfig struct {
	// Protocol is the dialect of the stream; see [ProtocolOf].
	Protocol Protocol

	// Choices is how many answers were asked for. Default 1.
	Choices int

	// FirstToken is how long the stream is waited for until its first token. Default 60 s;
	// a negative one is no limit.
	FirstToken time.Duration

	// Idle is how long it is waited for from one token to the next. Default 30 s; a negative
	// one is no limit.
	Idle time.Duration

	// MaxHeld is how many bytes Begin holds back at most; a longer opening is passed on without a
	// token. Default 256 KiB, at least 1 byte.
	MaxHeld int
}

// A Stream passes the body of an answer on, byte for byte, and sees to it that only a complete
// one ends with [io.EOF].
//
// [Stream.Begin] reads up to the first token. What fails until then can be retried, since nobody
// has seen anything. Afterwards, errors are marked with [trysail.Committed].
//
// The limits count the time in which a Read waits for the provider; a slow reader costs the
// provider nothing. Comments, pings and empty deltas are no progress. When a limit passes, the body is
// closed.
//
// One goroutine may read at a time; the other methods may be called at any time by any. A
// stream must be closed. It costs a timer and, per Read, two readings of the clock beside the work of
// the [Inspector].
type Stream struct {
	body      io.Reader
	closeBody func() error
	cfg       StreamConfig
	timer     *time.Timer // runs while a Read waits
	held      []byte      // read and not passed on; the reader's

	mu        sync.Mutex // guards what follows
	inspector Inspector
	reading   bool          // a Read waits for the body
	since     time.Time     // when it began to
	left      time.Duration // of the limit that applies; without limit negative
	committed bool          // the reader may have seen a token
	cut       error         // why the body was closed under the reader
	closed    bool          // by Close
	ended     bool
	err       error // the outcome
	onEnd     []func(error)
}

// NewStream returns a stream over the body of an answer with a good status. Closing the body must end
// a Read that waits on it, as it does for those of [net/http].
func NewStream(body io.ReadCloser, cfg StreamConfig) *Stream {
	cfg.FirstToken = cmp.Or(cfg.FirstToken, time.Minute)
	cfg.Idle = cmp.Or(cfg.Idle, 30*time.Second)
	cfg.MaxHeld = max(cmp.Or(cfg.MaxHeld, 256<<10), 1)
	s := &Stream{
		body:      body,
		closeBody: sync.OnceValue(body.Close),
		cfg:       cfg,
		inspector: Inspector{Protocol: cfg.Protocol, Choices: cfg.Choices},
		left:      cfg.FirstToken,
	}
	s.timer = time.AfterFunc(time.Hour, s.expire)
	s.timer.Stop()
	return s
}

// Begin reads until the first token has come, or the stream has ended, and holds back what it
// has read. Its error is that of a stream that failed before its reader has seen anything; the body is closed then.
// When ctx ends first, the error is its cause. Once Begin has returned, ctx means nothing to the
// stream.
func (s *Stream) Begin(ctx context.Context) error {
	unlink := context.AfterFunc(ctx, func() { s.cutOff(context.Cause(ctx)) })
	for s.opening() {
		s.held = slices.Grow(s.held, min(readSize, s.cfg.MaxHeld-len(s.held)))
		room := s.held[len(s.held):min(cap(s.held), s.cfg.MaxHeld)]
		n, err := s.pull(room, false)
		s.held = s.held[:len(s.held)+n]
		if err != nil {
			break
		}
	}
	if !unlink() && ctx.Err() != nil {
		s.end(context.Cause(ctx))
	}
	s.mu.Lock()
	err := s.err
	s.committed = err == nil
	s.mu.Unlock()
	if err != nil {
		s.held = nil
		_ = s.closeBody()
	}
	return err
}

// readSize is how much Begin reads at once.
const readSize = 16 << 10

// opening reports whether Begin must go on.
func (s *Stream) opening() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.ended && !s.inspector.progress.Started && len(s.held) < s.cfg.MaxHeld
}

// Read passes on what Begin has held back, and then what comes. It ends with [io.EOF] if the answer was
// complete, and with the outcome otherwise: an [*InBandError], [ErrTruncated], [ErrFirstToken],
// [ErrIdle], or what the body's Read returned.
func (s *Stream) Read(p []byte) (int, error) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return 0, s.result()
	case len(s.held) > 0:
		n := copy(p, s.held)
		s.held = s.held[n:]
		return n, nil
	case len(p) == 0:
		return 0, nil
	default:
		s.held = nil
		return s.pull(p, true)
	}
}

// Close ends the stream. Before its end that is the reader's decision and no failure: the outcome is
// [ErrLeft], unless every answer had said that it is complete.
func (s *Stream) Close() error {
	s.mu.Lock()
	s.closed = true
	var outcome error
	if !s.inspector.progress.Ended {
		outcome = trysail.WithClass(ErrLeft, trysail.ClassCanceled, 0)
	}
	tell := s.settle(outcome)
	s.mu.Unlock()
	defer tell()
	return s.closeBody()
}

// OnEnd has f called with the outcome, once, when the stream has ended; nil is a complete answer. A
// [trysail.Permit] takes it:
//
//	stream.OnEnd(permit.Done)
//
// If the stream has ended already, f is called at once.
func (s *Stream) OnEnd(f func(error)) {
	s.mu.Lock()
	ended, err := s.ended, s.err
	if !ended {
		s.onEnd = append(s.onEnd, f)
	}
	s.mu.Unlock()
	if ended {
		f(err)
	}
}

// Progress returns what the stream has shown so far. It may be ahead of its reader.
func (s *Stream) Progress() Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inspector.Progress()
}

// ending judges a stream that is complete by what it said last.
func (s *Stream) ending() (v Verdict, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inspector.ending()
}

// A limitError is a limit that has passed.
type limitError struct {
	reason error
	limit  time.Duration
}

// Error names the limit.
func (e *limitError) Error() string { return fmt.Sprintf("%v: waited %v", e.reason, e.limit) }
func (e *limitError) Unwrap() error { return e.reason }

// Timeout lets others see that it is one.
func (*limitError) Timeout() bool { return true }
