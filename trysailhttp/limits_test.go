package trysailhttp_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/trysailhttp"
)

// The limits of an operation bound the wait for an answer, not the reading of it.
func TestTimeLimits(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	slowBody := func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), 100))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(400 * time.Millisecond): // longer than the limits; real sockets have no other clock
		case <-r.Context().Done():
		}
		_, _ = w.Write(bytes.Repeat([]byte("x"), 100))
	}
	for name, tc := range map[string]struct {
		policy   trysail.Policy
		handlers []http.HandlerFunc
		err      error // nil: 200 bytes are read
		retries  uint64
	}{
		"an attempt that hangs is repeated": {
			trysail.Policy{Attempt: 200 * time.Millisecond}, []http.HandlerFunc{hang, slowBody}, nil, 1,
		},
		"attempts that hang for ever": {
			trysail.Policy{Attempt: 100 * time.Millisecond}, []http.HandlerFunc{hang}, trysail.ErrAttemptTimeout, 2,
		},
		"a call that hangs": {
			trysail.Policy{Total: 200 * time.Millisecond}, []http.HandlerFunc{hang}, trysail.ErrTotalTimeout, 0,
		},
		"a body that takes longer than both": {
			trysail.Policy{Total: 300 * time.Millisecond, Attempt: 300 * time.Millisecond}, []http.HandlerFunc{slowBody}, nil, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := server(t, tc.handlers...)
			tc.policy.Retry.Backoff = trysail.BackoffNone
			orc, err := trysail.New(trysail.Config{Default: tc.policy})
			if err != nil {
				t.Fatal(err)
			}
			op := orc.Operation("chat")
			resp, err := client(t, op).Get(s.URL)
			if !errors.Is(err, tc.err) || op.Metrics().Retries != tc.retries {
				t.Fatalf("err = %v after %d retries, want %v after %d", err, op.Metrics().Retries, tc.err, tc.retries)
			}
			if tc.err != nil {
				return
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); len(body) != 200 || err != nil {
				t.Errorf("read %d bytes, %v; want 200", len(body), err)
			}
		})
	}
}

var _ http.RoundTripper = (*trysailhttp.Transport)(nil)
