package llm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

var errCut = errors.New("connection reset by peer")

// How a stream ends, for its reader and for those who wait for the outcome.
func TestStreamEnds(t *testing.T) {
	inBand := frames(`{"error":{"message":"busy"}}`)
	for name, tc := range map[string]struct {
		body  string
		cut   error // what the connection ends with
		begin error // what Begin returns
		want  error // the outcome
		out   string
	}{
		"complete":                      {frames(role, token, finish, "[DONE]"), nil, nil, nil, ""},
		"complete without the marker":   {frames(role, token, finish), nil, nil, nil, ""},
		"cut after the marker":          {frames(role, token, finish, "[DONE]"), errCut, nil, nil, ""},
		"cut after the finish":          {frames(role, token, finish), errCut, nil, errCut, ""},
		"cut after a token":             {frames(role, token), errCut, nil, errCut, ""},
		"closed after a token":          {frames(role, token), nil, nil, llm.ErrTruncated, ""},
		"closed in a token":             {frames(role, token) + "data: {", nil, nil, llm.ErrTruncated, ""},
		"an error after a token":        {frames(role, token) + inBand + frames("[DONE]"), nil, nil, errInBand, ""},
		"cut before a token":            {frames(role), errCut, errCut, errCut, ""},
		"closed before a token":         {frames(role), nil, llm.ErrTruncated, llm.ErrTruncated, ""},
		"an error before a token":       {frames(role) + inBand, nil, errInBand, errInBand, ""},
		"an error as the body":          {`{"error":{"message":"busy"}}`, nil, errInBand, errInBand, ""},
		"nothing at all":                {"", nil, llm.ErrTruncated, llm.ErrTruncated, ""},
		"a web page in an event stream": {frames("<html>"), nil, llm.ErrNotJSON, llm.ErrNotJSON, ""},
		"an error that wraps the end":   {frames(role, token), fmt.Errorf("read: %w", io.EOF), nil, llm.ErrTruncated, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := llm.NewStream(text(tc.body, true, tc.cut), llm.StreamConfig{})
			told := new(ending).of(s)
			if err := s.Begin(t.Context()); !matches(err, tc.begin) || err != nil && isCommitted(t, err) {
				t.Fatalf("Begin() = %v (committed %t), want %v, not committed", err, err != nil && isCommitted(t, err), tc.begin)
			}
			out, err := io.ReadAll(s)
			if n, outcome := told.told(); !matches(err, tc.want) || !matches(outcome, tc.want) || n != 1 {
				t.Errorf("the reader is told %v, others %v %d times; want %v, once", err, outcome, n, tc.want)
			}
			if tc.begin != nil {
				if len(out) > 0 {
					t.Errorf("after Begin has failed the reader gets %q, want nothing", out)
				}
				return
			}
			if !strings.HasPrefix(tc.body, string(out)) || err == nil && string(out) != tc.body {
				t.Errorf("the reader gets %q of %q", out, tc.body)
			}
			if err != nil && !isCommitted(t, err) {
				t.Errorf("%v would be retried although the reader has seen a token", err)
			}
			if again, err2 := io.ReadAll(s); len(again) > 0 || !matches(err2, tc.want) {
				t.Errorf("reading on gives %q and %v, want the same end", again, err2)
			}
			_ = s.Close()
			if n, _ := told.told(); n != 1 {
				t.Errorf("Close told the outcome again")
			}
		})
	}
}

// As long as nobody has seen a token, its failure can be retried, also when it came in the same piece.
func TestAnErrorInTheSamePieceAsTheFirstTokenIsNotCommitted(t *testing.T) {
	body := frames(role, token, `{"error":{"message":"busy"}}`)
	s := llm.NewStream(text(body, false, nil), llm.StreamConfig{})
	if err := s.Begin(t.Context()); !matches(err, errInBand) || isCommitted(t, err) {
		t.Errorf("Begin() = %v, want an InBandError that may be retried", err)
	}
	s = llm.NewStream(text(body, false, nil), llm.StreamConfig{})
	if _, err := io.ReadAll(s); !matches(err, errInBand) || !isCommitted(t, err) {
		t.Errorf("without Begin the reader gets %v, want an InBandError that may not be retried", err)
	}
}

// The limits hold to the nanosecond, and only progress puts them off.
func TestStreamLimits(t *testing.T) {
	const first, idle = time.Minute, 30 * time.Second
	ping := ": keep-alive\n\n" + frames(role) + frames(`{"choices":[{"delta":{}}]}`)
	all := frames(finish, "[DONE]")
	for name, tc := range map[string]struct {
		steps []step
		begin error
		want  error
	}{
		"a first token in time":      {[]step{{first - 1, frames(token)}, {0, all}}, nil, nil},
		"a first token too late":     {[]step{{first + 1, frames(token)}}, llm.ErrFirstToken, llm.ErrFirstToken},
		"pings are no first token":   {[]step{{20 * time.Second, ping}, {20 * time.Second, ping}, {20*time.Second + 1, frames(token)}}, llm.ErrFirstToken, llm.ErrFirstToken},
		"tokens in time":             {[]step{{0, frames(token)}, {idle - 1, frames(token)}, {idle - 1, all}}, nil, nil},
		"a token too late":           {[]step{{0, frames(token)}, {idle + 1, frames(token)}}, nil, llm.ErrIdle},
		"pings are no progress":      {[]step{{0, frames(token)}, {20 * time.Second, ping}, {10*time.Second + 1, frames(token)}}, nil, llm.ErrIdle},
		"half a token is none":       {[]step{{0, frames(token)}, {20 * time.Second, "data: {"}, {10*time.Second + 1, "}\n\n"}}, nil, llm.ErrIdle},
		"no end after the finish":    {[]step{{0, frames(token)}, {0, frames(finish)}, {idle + 1, ""}}, nil, llm.ErrIdle},
		"no end after the marker":    {[]step{{0, frames(token)}, {0, all}, {time.Hour, "x"}}, nil, nil},
		"an end soon after":          {[]step{{0, frames(token)}, {0, all}, {time.Second - 1, ""}}, nil, nil},
		"a stream without any token": {[]step{{first - 1, frames(finish)}}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := llm.NewStream(provider(nil, tc.steps...), llm.StreamConfig{})
				defer s.Close()
				told := new(ending).of(s)
				begin := s.Begin(t.Context())
				_, err := io.ReadAll(s)
				if n, outcome := told.told(); !matches(begin, tc.begin) || !matches(err, tc.want) || !matches(outcome, tc.want) || n != 1 {
					t.Errorf("Begin() = %v, the end is %v, others are told %v; want %v, then %v", begin, err, outcome, tc.begin, tc.want)
				}
				var timeout interface{ Timeout() bool }
				if tc.want != nil && (!errors.As(err, &timeout) || !timeout.Timeout()) {
					t.Errorf("%v is no time-out", err)
				}
			})
		})
	}
}

func TestStreamWithoutLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := llm.NewStream(provider(nil, step{24 * time.Hour, frames(token)}, step{24 * time.Hour, frames(finish)}), llm.StreamConfig{FirstToken: -1, Idle: -1})
		if _, err := io.ReadAll(s); err != nil {
			t.Errorf("two days into the stream: %v, want none", err)
		}
	})
}

// A reader that takes its time is not the provider's fault.
func TestASlowReaderCostsTheProviderNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := llm.NewStream(provider(nil, step{0, frames(token)}, step{0, frames(token)}, step{0, frames(finish)}), llm.StreamConfig{})
		var err error
		for n := 0; err == nil; n++ {
			_, err = s.Read(make([]byte, 1<<10))
			time.Sleep(time.Hour)
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("the stream ended with %v, want io.EOF", err)
		}
	})
}

func TestBeginEndsWithItsContext(t *testing.T) {
	cause := errors.New("the caller's reason")
	for name, end := range map[string]func(context.Context) (context.Context, context.CancelFunc, error){
		"cancelled": func(ctx context.Context) (context.Context, context.CancelFunc, error) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Second, cancel)
			return ctx, cancel, context.Canceled
		},
		"with a cause": func(ctx context.Context) (context.Context, context.CancelFunc, error) {
			ctx, cancel := context.WithTimeoutCause(ctx, time.Second, cause)
			return ctx, cancel, cause
		},
		"before it began": func(ctx context.Context) (context.Context, context.CancelFunc, error) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel, context.Canceled
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel, want := end(t.Context())
				defer cancel()
				s := llm.NewStream(provider(nil, step{time.Hour, ""}), llm.StreamConfig{})
				told := new(ending).of(s)
				err := s.Begin(ctx)
				if _, outcome := told.told(); !errors.Is(err, want) || !errors.Is(outcome, want) || isCommitted(t, err) {
					t.Errorf("Begin() = %v, others are told %v; want %v, not committed", err, outcome, want)
				}
			})
		})
	}
}

// The context of Begin bounds the begin alone.
func TestTheContextOfBeginMayEndAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := llm.NewStream(provider(nil, step{0, frames(token)}, step{time.Second, frames(finish)}), llm.StreamConfig{})
		err := s.Begin(ctx)
		cancel()
		if _, end := io.ReadAll(s); err != nil || end != nil {
			t.Errorf("Begin() = %v, the end is %v; want none", err, end)
		}
	})
}

func TestALongOpeningIsPassedOn(t *testing.T) {
	const maxHeld = 1000
	body := strings.Repeat(": a comment\n\n", 1000) + frames(token, finish)
	s := llm.NewStream(text(body, false, nil), llm.StreamConfig{MaxHeld: maxHeld})
	if err := s.Begin(t.Context()); err != nil || s.Progress().Started {
		t.Fatalf("Begin() = %v, started %t; want none, false", err, s.Progress().Started)
	}
	if out, err := io.ReadAll(s); string(out) != body || err != nil {
		t.Errorf("the reader gets %d of %d bytes and %v", len(out), len(body), err)
	}
	s = llm.NewStream(text(body[:5000], false, nil), llm.StreamConfig{MaxHeld: maxHeld})
	_ = s.Begin(t.Context())
	if _, err := io.ReadAll(s); !errors.Is(err, llm.ErrTruncated) || !isCommitted(t, err) {
		t.Errorf("the end is %v, want a committed ErrTruncated: the reader has been sent the opening", err)
	}
}

func TestClose(t *testing.T) {
	for name, tc := range map[string]struct {
		body string
		read int // bytes, of which the stream sees what Begin has read
		want error
	}{
		"before anything is read":      {frames(role, token), 0, llm.ErrLeft},
		"in the middle":                {frames(role, token), 10, llm.ErrLeft},
		"when the answer was complete": {frames(role, token, finish), 10, nil},
		"after the marker":             {frames(role, token, finish, "[DONE]"), 1 << 10, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := llm.NewStream(provider(nil, step{0, tc.body}, step{time.Hour, "more"}), llm.StreamConfig{})
				told := new(ending).of(s)
				if tc.read > 0 {
					if err := s.Begin(t.Context()); err != nil {
						t.Fatal(err)
					}
					_, _ = s.Read(make([]byte, tc.read))
				}
				if err := errors.Join(s.Close(), s.Close()); err != nil {
					t.Errorf("Close() = %v, want none", err)
				}
				n, outcome := told.told()
				if !matches(outcome, tc.want) || n != 1 {
					t.Errorf("the outcome is %v, told %d times; want %v, once", outcome, n, tc.want)
				}
				if tc.want != nil && trysail.Classify(outcome) != trysail.ClassCanceled {
					t.Errorf("its class is %v, want canceled", trysail.Classify(outcome))
				}
				if n, err := s.Read(make([]byte, 10)); n != 0 || !errors.Is(err, llm.ErrLeft) {
					t.Errorf("Read after Close = %d, %v; want ErrLeft", n, err)
				}
				if err := s.Begin(t.Context()); tc.want != nil && !errors.Is(err, llm.ErrLeft) {
					t.Errorf("Begin after Close = %v, want ErrLeft", err)
				}
			})
		})
	}
}

func TestCloseEndsAReadThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := llm.NewStream(provider(nil, step{0, frames(token)}, step{time.Hour, ""}), llm.StreamConfig{Idle: -1})
		told := new(ending).of(s)
		time.AfterFunc(time.Second, func() { _ = s.Close() })
		_, err := io.ReadAll(s)
		synctest.Wait()
		if n, outcome := told.told(); !errors.Is(err, llm.ErrLeft) || !errors.Is(outcome, llm.ErrLeft) || n != 1 {
			t.Errorf("the read ends with %v, others are told %v; want ErrLeft", err, outcome)
		}
	})
}

func TestOnEndAfterTheEnd(t *testing.T) {
	s := llm.NewStream(text(frames(role, token), false, nil), llm.StreamConfig{})
	_, _ = io.ReadAll(s)
	if n, outcome := new(ending).of(s).told(); n != 1 || !errors.Is(outcome, llm.ErrTruncated) {
		t.Errorf("told %v %d times, want ErrTruncated once", outcome, n)
	}
}

// A body that does not heed its own closing cannot hold the stream for ever, unless it blocks.
func TestABodyThatReturnsNothingForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := llm.NewStream(io.NopCloser(nothing{}), llm.StreamConfig{})
		if err := s.Begin(t.Context()); !errors.Is(err, llm.ErrFirstToken) {
			t.Errorf("Begin() = %v, want ErrFirstToken", err)
		}
	})
}

type nothing struct{}

func (nothing) Read([]byte) (int, error) {
	time.Sleep(time.Second)
	return 0, nil
}
