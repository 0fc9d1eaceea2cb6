package wire

import (
	"net/http"
	"strings"
)

// simple reports whether a request can be written in one go, before its answer is read, and needs nothing that is not done here. What is
// no good at all is left to net/http, which has a word for each fault.
func simple(req *http.Request) bool {
	u := req.URL
	switch {
	case u == nil || u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "" || !plainHost(u.Host):
		return false
	case req.Method == http.MethodConnect || !token(req.Method) && req.Method != "":
		return false
	case req.Body != nil && req.Body != http.NoBody && (req.ContentLength <= 0 || req.ContentLength > maxBody):
		return false
	case len(req.TransferEncoding) > 0 || len(req.Trailer) > 0 || req.Cancel != nil: //nolint:staticcheck // deprecated, and net/http heeds it
		return false
	}
	for name, values := range req.Header {
		if name == "Expect" || name == "Upgrade" || name == "Connection" || !token(name) {
			return false
		}
		for _, value := range values {
			if !fieldValue(value) {
				return false
			}
		}
	}
	return true
}

// plainHost reports whether a host is written as it goes over the wire: names in other scripts have to be
// translated, and what has a zone is written without.
func plainHost(host string) bool {
	for i := range len(host) {
		c := host[i]
		if !alphanumeric(c) && !strings.ContainsRune(".-_:[]", rune(c)) {
			return false
		}
	}
	return host != "" && host[0] != ':'
}

// token reports whether s is one (RFC 9110, 5.6.2).
func token(s string) bool {
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

// fieldValue reports whether s may be the value of a header (RFC 9110, 5.5): it has no control characters but the tabulator.
func fieldValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// has reports whether a header is there, were it empty.
func has(h http.Header, name string) bool {
	_, there := h[name]
	return there
}
