package gateway

import (
	"encoding/hex"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
)

// The headers of W3C Trace Context (https://www.w3.org/TR/trace-context/, 2021).
const (
	traceparent = "Traceparent"
	tracestate  = "Tracestate"
)

// A trace is what a request belongs to in its client's tracing. Each send is a part of it with an id of its own.
type trace struct {
	id    string // 32 hexadecimal digits, not all of them 0
	flags byte
	state bool // the client's tracestate is passed on
}

// The flags that are known: sampled, and random of level 2. Others must be 0 (W3C Trace Context, 3.2.2.5).
const knownFlags = 0b11

// traceOf returns the trace of a request: the client's, or a new one if it has none or none that is valid. Then its
// tracestate means nothing either (3.3).
func traceOf(h http.Header) trace {
	if t, ok := parseTraceparent(h[traceparent]); ok {
		t.state = validTracestate(h[tracestate])
		return t
	}
	var id [16]byte
	fill(id[:])
	return trace{id: hex.EncodeToString(id[:])}
}

// parseTraceparent reads the header. Later versions are read as far as this one goes (3.2.4).
func parseTraceparent(values []string) (trace, bool) {
	if len(values) != 1 {
		return trace{}, false
	}
	v := strings.Trim(values[0], " \t")
	const length = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if len(v) < length || v[2] != '-' || v[35] != '-' || v[52] != '-' {
		return trace{}, false
	}
	version, id, parent, flags := v[:2], v[3:35], v[36:52], v[53:55]
	switch {
	case version == "ff", version == "00" && len(v) > length, len(v) > length && v[length] != '-',
		!isLowerHex(version), !isLowerHex(id), !isLowerHex(parent), !isLowerHex(flags),
		strings.Trim(id, "0") == "", strings.Trim(parent, "0") == "":
		return trace{}, false
	}
	bits, _ := hex.DecodeString(flags) // two such digits: it cannot fail
	return trace{id: id, flags: bits[0] & knownFlags}, true
}

func isLowerHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

// mark sets the headers of a send, with an id of its own. The headers of one that has been sent are not changed: the transport may still
// be reading them.
func (t *trace) mark(r *http.Request, o *outgoing) {
	if o.marked {
		r.Header = maps.Clone(r.Header)
	}
	o.marked = true
	if !t.state {
		delete(r.Header, tracestate)
	}
	const digits = "0123456789abcdef"
	var id [8]byte
	fill(id[:])
	value := make([]byte, 0, 55)
	value = append(append(value, "00-"...), t.id...)
	value = hex.AppendEncode(append(value, '-'), id[:])
	value = append(value, '-', '0', digits[t.flags])
	r.Header[traceparent] = []string{string(value)}
}

// fill makes an id that is not all 0.
func fill(id []byte) {
	for i := range id {
		id[i] = byte(rand.Uint32())
	}
	id[0] |= 1
}
