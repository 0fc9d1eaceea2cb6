package llm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// operation returns one that has three attempts.
func operation(t testing.TB) *trysail.Operation {
	t.Helper()
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return orc.Operation("stream")
}

// Until the first token an error inside a 200 is retried; after it, it counts as the call's outcome.
func TestStreamUnderAnOperation(t *testing.T) {
	failed := frames(`{"error":{"message":"busy"}}`)
	for name, tc := range map[string]struct {
		bodies   []string
		attempts int
		ok, bad  uint64
	}{
		"retried until the first token": {[]string{failed, frames(role), frames(role, token, finish)}, 3, 1, 0},
		"not repeated after it":         {[]string{frames(role, token), "never sent"}, 1, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				op, attempts := operation(t), 0
				s, permit, err := trysail.Start(t.Context(), op, func(ctx context.Context) (*llm.Stream, error) {
					s := llm.NewStream(text(tc.bodies[attempts], true, nil), llm.StreamConfig{})
					attempts++
					return s, s.Begin(ctx)
				})
				if err != nil {
					t.Fatal(err)
				}
				s.OnEnd(permit.Done)
				_, _ = io.ReadAll(s)
				if m := op.Metrics(); attempts != tc.attempts || m.Succeeded != tc.ok || m.Failed != tc.bad || m.Misuses != 0 {
					t.Errorf("%d attempts, %+v; want %d attempts, %d succeeded, %d failed", attempts, m, tc.attempts, tc.ok, tc.bad)
				}
			})
		})
	}
}

// The real thing: a provider that cuts the connection, and one that goes silent.
func TestStreamOverHTTP(t *testing.T) {
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, frames(role, token))
		_ = http.NewResponseController(w).Flush()
		switch r.URL.Path {
		case "/cut":
			panic(http.ErrAbortHandler)
		case "/hang":
			<-hang
		default:
			_, _ = io.WriteString(w, frames(finish, "[DONE]"))
		}
	}))
	defer server.Close()
	defer close(hang)
	for path, tc := range map[string]struct {
		idle time.Duration
		want error
	}{
		"/":     {0, nil},
		"/cut":  {0, io.ErrUnexpectedEOF},
		"/hang": {10 * time.Millisecond, llm.ErrIdle},
	} {
		t.Run(path, func(t *testing.T) {
			resp, err := server.Client().Get(server.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			s := llm.NewStream(resp.Body, llm.StreamConfig{Idle: tc.idle})
			defer s.Close()
			if err := s.Begin(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(s); !matches(err, tc.want) {
				t.Errorf("the stream ends with %v, want %v", err, tc.want)
			}
		})
	}
}

// Everything at once, for the race detector.
func TestStreamStress(t *testing.T) {
	body := frames(slices.Repeat([]string{token}, 200)...) + frames(finish, "[DONE]")
	for range 200 {
		s := llm.NewStream(provider(nil, step{0, body[:len(body)/2]}, step{0, body[len(body)/2:]}), llm.StreamConfig{})
		told := new(ending).of(s)
		var all sync.WaitGroup
		all.Go(func() {
			if s.Begin(t.Context()) == nil {
				_, _ = io.Copy(io.Discard, s)
			}
		})
		all.Go(func() {
			for range 20 {
				_ = s.Progress()
				s.OnEnd(func(error) {})
			}
			_ = s.Close()
		})
		all.Go(func() { _ = s.Close() })
		all.Wait()
		if n, _ := told.told(); n != 1 {
			t.Fatalf("the outcome was told %d times, want once", n)
		}
	}
}

// However a body is cut into pieces, its reader gets the same bytes and the same end.
func FuzzStream(f *testing.F) {
	f.Add([]byte(frames(role, token, finish, "[DONE]")), 5, 100, byte(0), true)
	f.Add([]byte(array(geText, geStop)), 3, 4, byte(llm.GeminiArray), false)
	f.Add([]byte(ndjson(olText, olDone)), 30, 1, byte(llm.OllamaLines), true)
	f.Fuzz(func(t *testing.T, body []byte, size, held int, protocol byte, begin bool) {
		size, held = max(1, min(size, 1<<16)), max(1, held)
		cfg := llm.StreamConfig{Protocol: llm.Protocol(protocol), MaxHeld: held}
		s := llm.NewStream(io.NopCloser(&pieces{body, size}), cfg)
		defer s.Close()
		var beginErr error
		if begin {
			beginErr = s.Begin(t.Context())
		}
		out, err := io.ReadAll(s)
		whole := llm.Inspector{Protocol: cfg.Protocol}
		want := whole.Feed(body)
		if want == nil {
			want = whole.End()
		}
		if fmt.Sprint(err) != fmt.Sprint(want) {
			t.Errorf("the reader is told %v, want %v", err, want)
		}
		if a, b := fmt.Sprint(s.Progress()), fmt.Sprint(whole.Progress()); a != b {
			t.Errorf("the stream has shown %s, the whole body %s", a, b)
		}
		if beginErr == nil && !bytes.HasPrefix(body, out) || want == nil && !bytes.Equal(body, out) || beginErr != nil && len(out) > 0 {
			t.Errorf("the reader gets %q of %q; Begin() = %v", out, body, beginErr)
		}
	})
}

// pieces is a body that comes in pieces.
type pieces struct {
	rest []byte
	size int
}

func (p *pieces) Read(to []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(to, p.rest[:min(p.size, len(p.rest))])
	p.rest = p.rest[n:]
	return n, nil
}

func ExampleStream() {
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		panic(err)
	}
	open := func(ctx context.Context) (*llm.Stream, error) {
		// A real program sends its request with ctx here, and returns what
		// trysailhttp.FromResponse makes of an error status.
		body := io.NopCloser(bytes.NewReader([]byte(frames(role, token, finish, "[DONE]"))))
		stream := llm.NewStream(body, llm.StreamConfig{Protocol: llm.OpenAIChat})
		return stream, stream.Begin(ctx)
	}
	stream, permit, err := trysail.Start(context.Background(), orc.Operation("summarize"), open)
	if err != nil {
		panic(err)
	}
	defer stream.Close()
	stream.OnEnd(permit.Done)
	_, err = io.Copy(io.Discard, stream)
	fmt.Println(err, stream.Progress().Finished)
	// Output: <nil> stop
}

func ExampleStreamConfig() {
	cut := io.NopCloser(bytes.NewReader([]byte(named(anStart, anText))))
	stream := llm.NewStream(cut, llm.StreamConfig{Protocol: llm.AnthropicMessages})
	defer stream.Close()
	_, err := io.Copy(io.Discard, stream)
	fmt.Println(err, errors.Is(err, llm.ErrTruncated))
	// Output: stream ended before it was complete true
}
