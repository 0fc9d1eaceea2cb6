package gateway

import (
	"strconv"
	"strings"
)

// stamp sets the headers that tell what happened.
func (e *exchange) stamp() {
	h := e.w.Header()
	h.Set(RequestIDHeader, e.id)
	h.Set(AttemptsHeader, strconv.Itoa(e.attempts))
	h.Set(BreakerHeader, e.breakerState())
	if t := e.walk.last; t != nil {
		h.Set(TargetHeader, t.Name)
		h.Set(FallbackHeader, e.triedBefore())
	}
	if e.hedge.target != nil {
		h.Set(HedgeHeader, e.hedge.String())
	}
}

// triedBefore lists the targets that were tried before the last one.
func (e *exchange) triedBefore() string {
	if len(e.walk.tried) == 0 {
		return "none"
	}
	return strings.Join(e.walk.tried, ", ")
}

// breakerState returns the state of the breaker that a client is interested in: that of the target that was asked, or else of the operation.
func (e *exchange) breakerState() string {
	if t := e.walk.last; t != nil {
		if b := t.breaker(); b != nil {
			return b.State().String()
		}
		return "none"
	}
	if e.operation == nil || e.operation.Breaker() == nil {
		return "none"
	}
	return e.operation.Breaker().State().String()
}
