package gateway

import (
	"net/http"
	"time"
)

// A snapshot is a plan made ready. It is never changed, only replaced, so that a call has one plan from begin to end.
type snapshot struct {
	targets    []*target
	routes     []*route
	clients    map[keyHash]*client // by their keys
	operations map[string]*bound   // by their names
	rest       [protocolEnd]*route // by protocol: for requests that no route matches; nil where no target speaks it
}

// A route is one of a plan, made ready.
type route struct {
	Route
	where    string // for messages
	protocol Protocol
	path     pattern
	model    namePattern
	headers  []headerPattern
	places   []place
}

type headerPattern struct {
	name string // in canonical form
	namePattern
}

// A place is a target's on a route.
type place struct {
	target   *target
	priority int
	weight   float64
}

// find returns the route of a request, or nil if no target speaks its protocol.
func (s *snapshot) find(p Protocol, r *http.Request, model string) *route {
	for _, candidate := range s.routes {
		if candidate.takes(p, r, model) {
			return candidate
		}
	}
	return s.rest[p]
}

func (r *route) takes(p Protocol, req *http.Request, model string) bool {
	if r.protocol != p || !r.path.matches(req.URL.Path) || !r.model.matches(model) {
		return false
	}
	for _, h := range r.headers {
		if !h.matches(req.Header.Get(h.name)) {
			return false
		}
	}
	return true
}

// total returns how long calls of the route may take.
func (r *route) total(l *Limits) time.Duration {
	if r.Timeout > 0 {
		return r.Timeout
	}
	return l.Total
}
