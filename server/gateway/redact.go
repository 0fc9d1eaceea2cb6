package gateway

import (
	"bytes"
	"net/http"
	"strings"
)

// redacted returns an error answer without the key that its target was asked with: some servers repeat what they refuse. Keys are long, so that
// what is replaced is no accident; of a short one only whoever chose it is to blame.
func (v *visit) redacted(r *received) *received {
	if v.key == nil {
		return r
	}
	const instead = "***"
	key := v.key.key
	made := *r
	if bytes.Contains(r.body, []byte(key)) {
		made.body = bytes.ReplaceAll(r.body, []byte(key), []byte(instead))
		made.header = r.header.Clone()
		made.header.Del("Content-Length")
	}
	for name, values := range r.header {
		for i, value := range values {
			if !strings.Contains(value, key) {
				continue
			}
			made.header = made.header.Clone()
			made.header[name][i] = strings.ReplaceAll(value, key, instead)
		}
	}
	return &made
}

// providerIDs are the headers in which providers name a request, in the order in which they are looked for.
var providerIDs = []string{ //nolint:gochecknoglobals // a table that nothing changes
	RequestIDHeader, "Request-Id", "Apim-Request-Id", "X-Amzn-Requestid", "X-Generation-Id",
}

// providerID returns the provider's name for a request, or "".
func providerID(h http.Header) string {
	for _, name := range providerIDs {
		if id := h[name]; len(id) > 0 && id[0] != "" {
			return id[0]
		}
	}
	return ""
}
