package gateway

import (
	"net/http"
	"slices"
	"strings"
	"unicode"
)

// notForwarded are the headers of a request that are not the provider's business:
// those of one connection (RFC 9110, 7.6.1), those that net/http writes itself, the
// client's cookies for this host. Of keys see authorize.
var notForwarded = []string{ //nolint:gochecknoglobals // a table that nothing changes
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade", "Content-Length", "Host", "Expect", "Cookie", "Accept-Encoding",
}

// notReturned are the headers of an answer that end here.
var notReturned = []string{ //nolint:gochecknoglobals // a table that nothing changes
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade", "Content-Length", "Set-Cookie", RequestIDHeader,
}

// forwarded returns the headers that a target gets. key is the one that it is asked with; empty: the client's own.
func (g *Gateway) forwarded(from http.Header, t *target, key string) http.Header {
	h := from.Clone()
	drop(h, notForwarded)
	for name := range h {
		if strings.HasPrefix(name, "X-Trysail-") && (!t.Simulated || name != simulateHeader) {
			delete(h, name)
		}
	}
	g.dropOwnKeys(h)
	authorize(h, t.Protocol, key)
	// The answer must be readable: an error inside it decides what happens next.
	h.Set("Accept-Encoding", "identity")
	return h
}

// dropOwnKeys deletes every header that holds one of this server's keys, in whatever form.
func (g *Gateway) dropOwnKeys(h http.Header) {
	if g.ownKey == nil {
		return
	}
	for name, values := range h {
		for _, value := range values {
			if g.ownKey(value) || slices.ContainsFunc(strings.FieldsFunc(value, separates), g.ownKey) {
				delete(h, name)
			}
		}
	}
}

// separates reports whether a character may stand before or after a key in a header.
func separates(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune(`,;=:"'`, c) }

// returned adds the headers of a provider's answer to those of ours.
func returned(ours, provider http.Header) {
	kept := provider.Clone()
	drop(kept, notReturned)
	for name, values := range kept {
		if !strings.HasPrefix(name, "X-Trysail-") { // those are ours to say
			ours[name] = values
		}
	}
	if id := providerID(provider); id != "" {
		ours.Set(ProviderIDHeader, id)
	}
}

// drop deletes the named headers and those that Connection names.
func drop(h http.Header, names []string) {
	for _, list := range h["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range names {
		delete(h, name)
	}
}
