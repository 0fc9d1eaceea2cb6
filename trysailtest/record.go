package trysailtest

import (
	"bytes"
	"net/http"
	"sync"
)

const (
	maxRequests     = 1000
	maxRecordedBody = 64 << 10
)

// A SeenRequest is a request that a [Provider] has received.
type SeenRequest struct {
	Method  string
	Path    string
	Header  http.Header
	Body    []byte // its first 64 KiB
	Attempt int    // which attempt of its call it was, counted from 1: as it said, or as a path's script counted
}

// requestLog keeps the newest requests in a ring.
type requestLog struct {
	mu   sync.Mutex // guards the fields below
	ring []SeenRequest
	next int // where the next request goes once the ring is full
}

func newRequestLog() requestLog {
	return requestLog{ring: make([]SeenRequest, 0, maxRequests)}
}

// add records a request. It keeps body itself when that is short, so nobody may
// change body afterwards.
func (l *requestLog) add(r *http.Request, body []byte, attempt int) {
	if len(body) > maxRecordedBody {
		body = bytes.Clone(body[:maxRecordedBody])
	}
	seen := SeenRequest{r.Method, r.URL.Path, r.Header.Clone(), body, attempt}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ring) < maxRequests {
		l.ring = append(l.ring, seen)
		return
	}
	l.ring[l.next] = seen
	l.next = (l.next + 1) % maxRequests
}

// all returns copies of the requests, oldest first.
func (l *requestLog) all() []SeenRequest {
	l.mu.Lock()
	seen := make([]SeenRequest, 0, len(l.ring))
	seen = append(append(seen, l.ring[l.next:]...), l.ring[:l.next]...)
	l.mu.Unlock()
	for i := range seen { // what a recorded request points to never changes, so no lock is needed
		seen[i].Header = seen[i].Header.Clone()
		seen[i].Body = bytes.Clone(seen[i].Body)
	}
	return seen
}
