package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"path"
	"runtime/debug"
)

// maxBody bounds a request's body.
const maxBody = 1 << 20

// A caller is what an operation may know of who sent a request.
type caller struct {
	requestID string
	name      string       // of the key; see [Keys]
	addr      string       // the client's address, with its port if no proxy stands between
	network   netip.Prefix // what counts as one client; see networkOf

	session, user string  // whose work it is; see subjectOf
	faults        []Fault // of the headers that say so
}

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	if c, ok := ctx.Value(callerKey{}).(*caller); ok {
		return *c
	}
	return caller{}
}

// named notes the name of the key that a request came with.
func named(ctx context.Context, name string) {
	if c, ok := ctx.Value(callerKey{}).(*caller); ok {
		c.name = name
	}
}

func newCaller(r *http.Request) caller {
	id := r.Header.Get("X-Request-ID")
	if !usableID(id) {
		id = rand.Text()
	}
	c := caller{requestID: id, addr: r.RemoteAddr}
	c.tag(r.Header)
	return c
}

// usableID reports whether a client's request id can be trusted in headers and logs.
func usableID(id string) bool {
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}
	return 1 <= len(id) && len(id) <= 128
}

// setCommonHeaders sets what every answer carries.
func setCommonHeaders(h http.Header, requestID string) {
	h.Set("X-Request-ID", requestID)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}

// identify returns r with its [caller].
func (a *API) identify(r *http.Request) *http.Request {
	who := newCaller(r)
	client := clientOf(r, a.proxies)
	who.network = networkOf(client)
	if direct, ok := addressIn(r.RemoteAddr); ok && client != direct {
		who.addr = client.String()
	}
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, &who))
}

// serve is what every request goes through first.
func (a *API) serve(w http.ResponseWriter, r *http.Request) {
	r = a.identify(r)
	setCommonHeaders(w.Header(), callerOf(r.Context()).requestID)
	watched := &watch{ResponseWriter: w}
	defer a.rescue(watched, r)
	// ServeMux would redirect an unclean path, and a redirect is no answer to a
	// program. No path of ours ends in a slash, so Clean is the whole test.
	if p := r.URL.EscapedPath(); path.Clean(p) != p {
		notHere(watched, r)
		return
	}
	if handler, pattern := a.mux.Handler(r); pattern == "" {
		refuseRoute(watched, r, handler)
		return
	}
	a.mux.ServeHTTP(watched, r)
}

// rescue answers for a handler that panicked.
func (a *API) rescue(w *watch, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	if w.failed {
		a.log.DebugContext(r.Context(), "client left before its answer", "error", v, "request_id", callerOf(r.Context()).requestID)
		panic(http.ErrAbortHandler)
	}
	a.log.ErrorContext(r.Context(), "the API panicked", "panic", v, "method", r.Method, "path", r.URL.Path,
		"request_id", callerOf(r.Context()).requestID, "stack", string(debug.Stack()))
	if w.began {
		panic(http.ErrAbortHandler) // cuts the connection, so that half an answer is not taken for a whole one
	}
	WriteProblem(w, r, internal())
}

// refuseRoute answers what ServeMux has no route for. Its own handler knows whether
// the path or the method is at fault, but says so in plain text.
func refuseRoute(w http.ResponseWriter, r *http.Request, own http.Handler) {
	heard := &eavesdropper{header: http.Header{}}
	own.ServeHTTP(heard, r)
	allow := heard.header.Get("Allow")
	switch {
	case allow == "":
		notHere(w, r)
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", allow+", OPTIONS")
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", allow+", OPTIONS")
		WriteProblem(w, r, Problem{
			Status: http.StatusMethodNotAllowed,
			Detail: "This path does not have that method; Allow has those that it has",
		})
	}
}

func notHere(w http.ResponseWriter, r *http.Request) {
	WriteProblem(w, r, Problem{Status: http.StatusNotFound, Detail: "There is nothing at this path; see " + documentPath})
}

func (a *API) serveDocument(w http.ResponseWriter, r *http.Request) {
	if !a.admit(w, r, guard{access: optional, reads: true}) {
		return
	}
	document, err := a.document()
	if err != nil {
		panic(fmt.Errorf("write the OpenAPI document: %w", err)) // rescue answers for it
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(document) // the client is gone, and nobody is left to tell
}

// A watch notices whether an answer has begun, and whether the client still took it:
// huma panics when it did not.
type watch struct {
	http.ResponseWriter
	began, failed bool
}

// WriteHeader implements [http.ResponseWriter].
func (w *watch) WriteHeader(status int) {
	w.began = true
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *watch) Write(p []byte) (int, error) {
	w.began = true
	n, err := w.ResponseWriter.Write(p)
	w.failed = w.failed || err != nil
	return n, err
}

// Unwrap is for [http.ResponseController].
func (w *watch) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// An eavesdropper keeps the header of an answer and drops the rest.
type eavesdropper struct{ header http.Header }

// Header implements [http.ResponseWriter].
func (e *eavesdropper) Header() http.Header { return e.header }

// Write implements [http.ResponseWriter].
func (e *eavesdropper) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements [http.ResponseWriter].
func (e *eavesdropper) WriteHeader(int) {}
