package main

import (
	"io"
	"net/http"
	"sync/atomic"

	"github.com/trysail-go/trysail/server/api"
)

// The paths that orchestrators ask.
const (
	livePath  = "/healthz"
	readyPath = "/readyz"
)

// probeType is the media type of the answers.
const probeType = "text/plain; charset=utf-8"

// readiness says whether the program can serve. It looks at the program alone: a provider that is down, an open breaker and
// a configuration that could not be reloaded do not make it unready, because no restart and no other instance would help with
// them, and every instance would leave the load balancer at once. The zero value has not begun. It may be used by several goroutines.
type readiness struct{ now atomic.Int32 }

const (
	notBegun int32 = iota
	serving
	stopping
)

func (s *readiness) begin() { s.now.CompareAndSwap(notBegun, serving) }

// end is for good: what is stopping does not come back.
func (s *readiness) end() { s.now.Store(stopping) }

// reason says why the program cannot serve; "" means that it can.
func (s *readiness) reason() string {
	switch s.now.Load() {
	case serving:
		return ""
	case stopping:
		return "stopping"
	default:
		return "starting"
	}
}

// probes answers the paths of orchestrators, and leaves the others to next. They need no key, and the Host check of [onlyLocal] must
// not come before them: a kubelet asks by the address of the pod. What they say is no secret, and they change nothing.
func probes(next http.Handler, ready *readiness) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", next)
	mux.HandleFunc(livePath, probe(func() string { return "" }))
	mux.HandleFunc(readyPath, probe(ready.reason))
	return mux
}

// probe answers 200, or 503 with the reason why not.
func probe(reason func() string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			api.WriteProblem(w, r, api.Problem{Status: http.StatusMethodNotAllowed, Detail: "Probes are asked with GET or HEAD"})
			return
		}
		h := w.Header()
		h.Set("Content-Type", probeType)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		text := "ok\n"
		if why := reason(); why != "" {
			w.WriteHeader(http.StatusServiceUnavailable)
			text = why + "\n"
		}
		_, _ = io.WriteString(w, text) // the client is gone, and nobody is left to tell
	}
}
