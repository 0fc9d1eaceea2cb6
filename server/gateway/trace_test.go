package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/server/gateway"
)

// The client's trace goes on to every send, each with an id of its own.
func TestTraceContext(t *testing.T) {
	for name, tc := range map[string]struct {
		headers []string
		kept    bool
		state   string
	}{
		"the client's is passed on":                        {[]string{"Traceparent", traced, "Tracestate", "rojo=1"}, true, "rojo=1"},
		"one that is invalid is not, and nor is its state": {[]string{"Traceparent", traced + "-x", "Tracestate", "rojo=1"}, false, ""},
		"a bad state alone is dropped":                     {[]string{"Traceparent", traced, "Tracestate", "rojo"}, true, ""},
		"without one there is one":                         {nil, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var seen []http.Header
			provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen = append(seen, r.Header.Clone())
				if len(seen) < 3 {
					w.WriteHeader(http.StatusInternalServerError)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{}`)
			}))
			defer provider.Close()
			var book logbook
			r := newRig(t, func(c *gateway.Config) {
				c.Plan = planOf(provider.URL)
				c.Plan.Targets[0].Simulated = false
				book.keep(c)
			})
			r.ask(plainBody, "ok", append(tc.headers, "X-Request-Id", "mine")...)
			line := book.line(t, "mine")
			ids := map[string]bool{}
			for i, h := range seen {
				parts := strings.Split(h.Get("Traceparent"), "-")
				if len(parts) != 4 || (parts[1] == traced[3:35]) != tc.kept || !strings.Contains(line, "trace_id="+parts[1]+" ") {
					t.Fatalf("send %d has Traceparent %q, and the log %s", i+1, h.Get("Traceparent"), line)
				}
				ids[parts[2]] = true
				if got := h.Get("Tracestate"); got != tc.state {
					t.Errorf("send %d has Tracestate %q, want %q", i+1, got, tc.state)
				}
			}
			if len(seen) != 3 || len(ids) != 3 || ids[traced[36:52]] {
				t.Errorf("%d sends have %d ids, want 3 new ones", len(seen), len(ids))
			}
		})
	}
}
