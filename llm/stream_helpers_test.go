package llm_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// TestMain fails the run when goroutines are left behind.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	fuzzing := flag.Lookup("test.fuzz").Value.String() != ""
	if code == 0 && !fuzzing && !endsWith(before) {
		fmt.Fprintf(os.Stderr, "%d goroutines are left, want %d:\n", runtime.NumGoroutine(), before)
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	os.Exit(code)
}

// endsWith reports whether the number of goroutines comes down to n within five seconds.
func endsWith(n int) bool {
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > n; runtime.Gosched() {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// A step is something that a provider sends, after a pause.
type step struct {
	pause time.Duration
	text  string
}

// provider returns a body that comes in steps and ends with err, io.EOF if it is nil.
func provider(err error, steps ...step) io.ReadCloser {
	r, w := io.Pipe()
	b := &leavable{Reader: r, gone: make(chan struct{})}
	go func() {
		for _, s := range steps {
			select {
			case <-time.After(s.pause):
			case <-b.gone:
				_ = w.CloseWithError(errClosedBody)
				return
			}
			if _, err := w.Write([]byte(s.text)); err != nil {
				return
			}
		}
		_ = w.CloseWithError(err)
	}()
	b.pipe = r
	return b
}

var errClosedBody = errors.New("read on closed body")

// leavable is a body whose provider sees that its reader has left.
type leavable struct {
	io.Reader
	pipe *io.PipeReader
	gone chan struct{}
	once sync.Once
}

func (l *leavable) Close() error {
	l.once.Do(func() { close(l.gone) })
	return l.pipe.CloseWithError(errClosedBody)
}

// text returns a body that is there at once, in pieces of one byte if slow, and ends with err.
func text(s string, slow bool, err error) io.ReadCloser {
	var r io.Reader = bytes.NewReader([]byte(s))
	if slow {
		r = iotest.OneByteReader(r)
	}
	if err != nil {
		r = io.MultiReader(r, iotest.ErrReader(err))
	}
	return io.NopCloser(r)
}

// An ending notes what a stream tells at its end.
type ending struct {
	mu    sync.Mutex // guards the rest
	times int
	err   error
}

func (e *ending) of(s *llm.Stream) *ending {
	s.OnEnd(func(err error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.times++
		e.err = err
	})
	return e
}

// told returns how often the outcome was told, and the last one.
func (e *ending) told() (times int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.times, e.err
}

// isCommitted reports whether a retry leaves err alone because of its mark.
func isCommitted(t *testing.T, err error) bool {
	t.Helper()
	orc, newErr := trysail.New(trysail.Config{Default: trysail.Policy{
		Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone},
	}})
	if newErr != nil {
		t.Fatal(newErr)
	}
	attempts := 0
	_, _ = trysail.Do(t.Context(), orc.Operation("x"), func(context.Context) (int, error) {
		attempts++
		if attempts > 1 {
			return 0, trysail.Permanent(errors.New("enough"))
		}
		return 0, trysail.Transient(err)
	})
	return attempts == 1
}
