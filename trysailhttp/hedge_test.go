package trysailhttp_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/trysailhttp"
)

// hedged returns a transport whose requests are hedged after the time.
func hedged(t *testing.T, after time.Duration, base http.RoundTripper) (*trysailhttp.Transport, *trysail.Operation) {
	t.Helper()
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{
		Hedge: trysail.HedgePolicy{After: after},
		Retry: trysail.RetryPolicy{Disabled: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	op := orc.Operation("op")
	return &trysailhttp.Transport{Operation: op, Base: base, AttemptHeader: "X-Attempt"}, op
}

// A server that does not answer the first request is asked again; the answer can be read to its
// end, and the first request is given up.
func TestHedgedRequest(t *testing.T) {
	left := make(chan struct{})
	s, _ := server(t,
		func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // only then the server sees who leaves
			<-r.Context().Done()
			close(left)
		},
		func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Header.Get("X-Attempt")+" ")
			http.NewResponseController(w).Flush() //nolint:errcheck // the test reads what comes
			echo(w, r)
		})
	rt, op := hedged(t, 20*time.Millisecond, nil)
	client := &http.Client{Transport: rt}
	resp, err := client.Post(s.URL, "text/plain", strings.NewReader(strings.Repeat("x", 1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	<-left
	body, err := io.ReadAll(resp.Body)
	if err != nil || len(body) != 2+1<<20 || !strings.HasPrefix(string(body), "2 x") {
		t.Errorf("read %d bytes, %v; want the whole answer of the second attempt", len(body), err)
	}
	if m := op.Metrics(); m.Hedges != 1 || m.HedgeWins != 1 || m.Calls != 1 {
		t.Errorf("Metrics() = %+v, want one call that a hedge answered", m)
	}
}

// A body that can be sent only once is sent once.
func TestNoHedgeWithoutGetBody(t *testing.T) {
	s, _ := server(t, func(w http.ResponseWriter, r *http.Request) { time.Sleep(50 * time.Millisecond); echo(w, r) })
	rt, op := hedged(t, time.Millisecond, nil)
	client := &http.Client{Transport: rt}
	resp, err := client.Post(s.URL, "text/plain", io.MultiReader(strings.NewReader("once")))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, _ := io.ReadAll(resp.Body); string(body) != "once" || op.Metrics().Hedges != 0 {
		t.Errorf("body %q with %d hedges, want it sent once", body, op.Metrics().Hedges)
	}
}

// Answers that nobody gets are closed, whatever their status.
func TestAnswersThatLoseAreClosed(t *testing.T) {
	for name, status := range map[string]int{"good": 200, "bad": 500} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent atomic.Int64
				slow := &closing{Reader: strings.NewReader(strings.Repeat("x", 1<<20))}
				fast := &closing{Reader: strings.NewReader("fast")}
				rt, _ := hedged(t, time.Second, roundTripper(func(*http.Request) (*http.Response, error) {
					if sent.Add(1) == 1 {
						time.Sleep(time.Minute) // deaf to its context
						return &http.Response{StatusCode: status, Header: http.Header{}, Body: slow}, nil
					}
					return &http.Response{StatusCode: 200, Header: http.Header{}, Body: fast}, nil
				}))
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://example.invalid", nil)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := rt.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour)
				if !slow.closed.Load() || fast.closed.Load() {
					t.Errorf("closed: loser %t, winner %t; want the loser alone", slow.closed.Load(), fast.closed.Load())
				}
				_ = resp.Body.Close()
			})
		})
	}
}
