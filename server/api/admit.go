package api

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// wrongKeys is how many wrong keys an address may try before it is told to wait. Good keys are let in all the
// same: whoever shares the address, behind a proxy or at one desk, is not locked out. So this bounds what
// guessing costs and writes to the log; that it is hopeless is due to the length of the keys.
var wrongKeys = quota{perMinute: 10, perHour: 100} //nolint:gochecknoglobals // a constant, but for its type

// admit lets a request through, or answers it.
func (a *API) admit(w http.ResponseWriter, r *http.Request, g guard) bool {
	found, name := a.keys.look(r)
	named(r.Context(), name)
	switch {
	case found == Missing && g.access == required:
		refuseCaller(w, r, Problem{
			Status: http.StatusUnauthorized,
			Detail: "API key required: send Authorization: Bearer <key> or X-API-Key: <key>",
		})
		return false
	case found == Wrong:
		a.refuseKey(w, r, Problem{Status: http.StatusUnauthorized, Detail: "Invalid API key"})
		return false
	case found == ReadOnly && !g.reads:
		WriteProblem(w, r, Problem{
			Status: http.StatusForbidden,
			Detail: "This API key may only read; the request would change something and needs a key that may",
		})
		return false
	}
	if r.ContentLength > maxBody {
		refuseBody(w, r)
		return false
	}
	if r.Method == http.MethodPost && packed(r.Header) {
		w.Header().Set("Accept-Encoding", "identity") // RFC 9110, 15.5.16
		WriteProblem(w, r, Problem{
			Status: http.StatusUnsupportedMediaType,
			Detail: "The body must not be compressed",
			Errors: []Fault{{Location: "header.Content-Encoding", Message: "wanted none: the body as it is"}},
		})
		return false
	}
	if faults := callerOf(r.Context()).faults; len(faults) > 0 {
		WriteProblem(w, r, invalid(faults))
		return false
	}
	if !g.reads && !a.trail.ready(r.Context()) {
		later(w, r, laterError{"Nothing was changed: the audit log takes no entries, and too many wait for it already; the server's log says why"})
		return false
	}
	return !g.validates || a.admitValidation(w, r)
}

// refuseCaller answers whoever has no key that will do. RFC 9110, 15.5.2, wants each 401 to say what would.
func refuseCaller(w http.ResponseWriter, r *http.Request, p Problem) {
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	WriteProblem(w, r, p)
}

// RefuseKey answers a request whose key [Keys.Check] calls wrong with p, for programs that refuse it before it comes to
// [API.Handler]. It counts with those that come there, is logged as they are, without the key, and when its address has sent too
// many the answer is 429 and not p.
func (a *API) RefuseKey(w http.ResponseWriter, r *http.Request, p Problem) {
	a.refuseKey(w, a.identify(r), p)
}

// packed reports whether a body is said to be compressed. Read as it is, it would be called malformed.
func packed(h http.Header) bool {
	for _, list := range h.Values("Content-Encoding") {
		for coding := range strings.SplitSeq(list, ",") {
			if coding = strings.TrimSpace(coding); coding != "" && !strings.EqualFold(coding, "identity") {
				return true
			}
		}
	}
	return false
}

// politeBody is how much of a body that is too large is read nevertheless. Many clients, such as Python's urllib, look at no answer before they have
// sent all of the body, and would only learn that the connection broke.
const politeBody = 8 << 20

// refuseBody answers a body that is too large, without keeping any of it. A client that asks before it sends (Expect) need not send it.
func refuseBody(w http.ResponseWriter, r *http.Request) {
	read := int64(0)
	if r.Header.Get("Expect") == "" {
		read, _ = io.CopyN(io.Discard, r.Body, min(politeBody, r.ContentLength))
	}
	if read < r.ContentLength {
		w.Header().Set("Connection", "close") // what is left is not worth reading
	}
	WriteProblem(w, r, tooLarge())
}

// WrongKey counts and logs a key that the program has refused at a place of its own, as [API.RefuseKey] does, and leaves the answer to
// it. It returns how long the sender's address must wait, 0 if it has not sent too many: an answer to one that has should not tell
// whether the key was good.
func (a *API) WrongKey(r *http.Request) time.Duration { return a.countKey(a.identify(r)).wait }

// countKey counts a wrong key, and logs it unless its address has sent too many.
func (a *API) countKey(r *http.Request) usage {
	who := callerOf(r.Context())
	s := a.logins.take(who.network, "")
	if s.wait == 0 {
		a.log.WarnContext(r.Context(), "wrong API key", "remote_addr", who.addr, "host", cut(r.Host), "request_id", who.requestID,
			"in_the_last_minute", s.minute+1, "answered_with_429_from", wrongKeys.perMinute)
	}
	return s
}

// refuseKey answers a wrong key.
func (a *API) refuseKey(w http.ResponseWriter, r *http.Request, p Problem) {
	seen := a.countKey(r)
	if seen.wait > 0 {
		tooMany(w, r, seen, Problem{
			Detail: "Too many wrong API keys from this address: " + seen.reason("wrong key"),
			Errors: []Fault{{Location: "header", Message: "send a key that is known; it is let in at once"}},
		})
		return
	}
	refuseCaller(w, r, p)
}

// admitValidation counts a validation, unless the client has asked for too many.
func (a *API) admitValidation(w http.ResponseWriter, r *http.Request) bool {
	seen := a.checks.take(callerOf(r.Context()).network, behalfOf(r.URL.Query().Get("client_ip")))
	if seen.wait == 0 {
		return true
	}
	tooMany(w, r, seen, Problem{
		Detail: "Rate limit exceeded: " + seen.reason("validation"),
		Errors: []Fault{
			{Location: "client", Message: "wait before making another validation request"},
			{Location: "client", Message: "consider batching multiple validations: configurations takes up to 20 of them"},
		},
	})
	return false
}

// behalfOf returns the name that a client gives in client_ip, "" for none. One that the operation will
// refuse is none.
func behalfOf(name string) string {
	if name == unknownClient || utf8.RuneCountInString(name) > maxName {
		return ""
	}
	return name
}

// later answers 503.
func later(w http.ResponseWriter, r *http.Request, why laterError) {
	w.Header().Set("Retry-After", strconv.Itoa(wholeSeconds(retryLater)))
	WriteProblem(w, r, why.problem())
}

// tooMany answers 429. Retry-After is rounded up: who comes back then is not refused again.
func tooMany(w http.ResponseWriter, r *http.Request, seen usage, p Problem) {
	w.Header().Set("Retry-After", strconv.Itoa(wholeSeconds(seen.wait)))
	p.Status = http.StatusTooManyRequests
	p.Detail += fmt.Sprintf("; try again in %d s", wholeSeconds(seen.wait))
	WriteProblem(w, r, p)
}
