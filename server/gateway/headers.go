package gateway

import (
	"net/http"
	"slices"
	"strings"
	"unicode"
)

// isForwarded reports whether a header of a request is the provider's business. Not so are
// those of one connection (RFC 9110, 7.6.1), those that net/http writes itself, the
// client's cookies for this host, and what is asked of this gateway. Of keys see authorize.
func isForwarded(name string, t *target) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade", "Content-Length", "Host", "Expect", "Cookie", "Accept-Encoding":
		return false
	case simulateHeader:
		return t.Simulated
	default:
		return !strings.HasPrefix(name, ourHeaders)
	}
}

// isReturned reports whether a header of an answer is for the client. Those of ours are ours to say.
func isReturned(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade", "Content-Length", "Set-Cookie", RequestIDHeader:
		return false
	default:
		return !strings.HasPrefix(name, ourHeaders)
	}
}

// ourHeaders begins the names of the headers that this gateway and its clients speak with.
const ourHeaders = "X-Trysail-"

// added is how many headers a request gets on its way.
const added = 4

// forwarded returns the headers that a target gets. key is the one that it is asked with; empty: the client's own.
// The values are those of the client's headers: they are not to be changed in their places.
func (g *Gateway) forwarded(from http.Header, t *target, key string) http.Header {
	h := make(http.Header, len(from)+added)
	for name, values := range from {
		if isForwarded(name, t) {
			h[name] = values
		}
	}
	for _, name := range hopsOf(from["Connection"]) {
		delete(h, name)
	}
	g.dropOwnKeys(h)
	authorize(h, t.Protocol, key)
	// The answer must be readable: an error inside it decides what happens next.
	h.Set("Accept-Encoding", "identity")
	return h
}

// dropOwnKeys deletes every header that holds one of this server's keys, in whatever form.
func (g *Gateway) dropOwnKeys(h http.Header) {
	if g.keyless() {
		return
	}
	for name, values := range h {
		for _, value := range values {
			if g.owns(value) || slices.ContainsFunc(strings.FieldsFunc(value, separates), g.owns) {
				delete(h, name)
			}
		}
	}
}

// separates reports whether a character may stand before or after a key in a header.
func separates(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune(`,;=:"'`, c) }

// returned adds the headers of a provider's answer to those of ours.
func returned(ours, provider http.Header) {
	hops := hopsOf(provider["Connection"])
	for name, values := range provider {
		if isReturned(name) && !slices.Contains(hops, name) {
			ours[name] = values
		}
	}
	if id := providerID(provider); id != "" {
		ours.Set(ProviderIDHeader, id)
	}
}

// hopsOf returns the names of the headers that are for one connection only.
func hopsOf(connection []string) (names []string) {
	for _, list := range connection {
		for name := range strings.SplitSeq(list, ",") {
			names = append(names, http.CanonicalHeaderKey(strings.TrimSpace(name)))
		}
	}
	return names
}
