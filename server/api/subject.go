package api

import (
	"context"
	"fmt"
	"net/http"
	"unicode"
	"unicode/utf8"

	"github.com/trysail-go/trysail/monitor"
)

// The headers that say whose work a request is.
const (
	sessionHeader = "X-Session-ID"
	userHeader    = "X-User-Context"
	maxTag        = 200 // characters, as many as the monitor keeps
)

// subjectOf returns what a request says of itself: the session of X-Session-ID and the user of X-User-Context, both empty
// without the header. What the request's operation records should begin with it.
func subjectOf(ctx context.Context) monitor.Subject {
	who := callerOf(ctx)
	return monitor.Subject{Session: who.session, User: who.user}
}

// tag reads whose work a request is. What cannot be used becomes a fault, so that nothing is recorded under
// another name than the client meant.
func (c *caller) tag(h http.Header) {
	c.session = c.readTag(h, sessionHeader, "visible ASCII characters", func(r rune) bool { return r > ' ' && r <= '~' })
	c.user = c.readTag(h, userHeader, "printable characters in UTF-8", unicode.IsPrint)
}

func (c *caller) readTag(h http.Header, name, want string, fit func(rune) bool) string {
	values := h.Values(name)
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return ""
	}
	text := values[0]
	good := len(values) == 1 && utf8.ValidString(text) && utf8.RuneCountInString(text) <= maxTag
	for _, r := range text {
		good = good && fit(r)
	}
	if !good {
		c.faults = append(c.faults, Fault{Location: "header." + name, Message: fmt.Sprintf("want it once, with 1 to %d %s", maxTag, want)})
		return ""
	}
	return text
}
