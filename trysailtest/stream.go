package trysailtest

import (
	"net/http"
	"time"
)

const keepAliveEvery = time.Second

// eventStream sends server-sent events, whatever protocol they belong to.
type eventStream struct {
	x       *exchange
	control *http.ResponseController
}

func (x *exchange) openStream() eventStream {
	x.head("text/event-stream")
	x.w.Header().Set("Cache-Control", "no-cache")
	return eventStream{x, http.NewResponseController(x.w)}
}

// send sends a whole event at once and reports whether the client still reads.
func (s eventStream) send(event []byte) bool {
	if _, err := s.x.w.Write(event); err != nil {
		return false
	}
	return s.control.Flush() == nil
}

// stall keeps the connection alive, but sends nothing of use.
func (s eventStream) stall() {
	for s.x.pause(keepAliveEvery) && s.send([]byte(": keep-alive\n\n")) {
	}
}
