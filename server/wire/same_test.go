package wire_test

import (
	"bufio"
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestSameAsNetHTTP holds answers of every form against what net/http makes of them.
func TestSameAsNetHTTP(t *testing.T) {
	for name, answer := range answers() {
		t.Run(name, func(t *testing.T) {
			for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodHead} {
				same(t, method, []byte(answer))
			}
		})
	}
}

// FuzzSameAsNetHTTP does the same with whatever bytes a server may send.
func FuzzSameAsNetHTTP(f *testing.F) {
	for _, answer := range answers() {
		f.Add([]byte(answer))
	}
	f.Fuzz(func(t *testing.T, answer []byte) { same(t, http.MethodPost, answer) })
}

func answers() map[string]string {
	return map[string]string{
		"length":               fine,
		"no body":              "HTTP/1.1 204 No Content\r\nX-A: 1\r\nX-A: 2\r\n\r\n",
		"empty":                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"until the end":        "HTTP/1.1 200 OK\r\n\r\nall of it",
		"old":                  "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"chunked":              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
		"trailers":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n3\r\nabc\r\n0\r\nX-End: yes\r\n\r\n",
		"length too long":      "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok",
		"chunk cut off":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n30\r\nabc",
		"no last chunk":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
		"bad chunk":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n",
		"two lengths":          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
		"bad length":           "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
		"length and chunked":   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
		"head cut off":         "HTTP/1.1 200 OK\r\nContent-Le",
		"nothing":              "",
		"not HTTP":             "SSH-2.0-OpenSSH_9.6\r\n",
		"bad header":           "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
		"space before a colon": "HTTP/1.1 200 OK\r\nX-A : 1\r\nContent-Length: 0\r\n\r\n",
		"early hints":          "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + fine,
		"continue":             "HTTP/1.1 100 Continue\r\n\r\n" + fine,
		"five informational":   strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 5) + fine,
		"six informational":    strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 6) + fine,
		"two answers":          fine + fine,
		"status of two digits": "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
		"status 099":           "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n",
		"status 999":           "HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok",
		"folded header":        "HTTP/1.1 200 OK\r\nX-A: 1\r\n  2\r\nContent-Length: 0\r\n\r\n",
		"bare line feeds":      "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
		"other version":        "HTTP/3.7 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"close":                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
	}
}

// same asks a server that answers so and hangs up, through both transports.
func same(t *testing.T, method string, answer []byte) {
	t.Helper()
	log.SetOutput(io.Discard) // net/http tells of answers that nobody asked for
	s := serveRaw(t, func(c net.Conn, r *bufio.Reader) {
		if readRequest(r) == nil {
			_, _ = c.Write(answer)
		}
		_ = c.Close()
	})
	base := newBase()
	defer base.CloseIdleConnections()
	want := ask(t, base, method, s.url)
	if want.status == http.StatusSwitchingProtocols {
		return // documented to differ
	}
	got := ask(t, newTransport(t), method, s.url)
	if got.failed != want.failed || got.bodyFailed != want.bodyFailed || got.text != want.text || got.status != want.status ||
		got.length != want.length || !sameHeader(got.header, want.header) || !sameHeader(got.trailer, want.trailer) ||
		!slices.Equal(got.coding, want.coding) || got.closes != want.closes || got.uneven != want.uneven {
		t.Errorf("%s: %q\n got %+v\nwant %+v", method, answer, got, want)
	}
}

// outcome is what a client sees.
type outcome struct {
	failed, bodyFailed, uneven, closes bool
	status                             int
	length                             int64
	text                               string
	header, trailer                    http.Header
	coding                             []string
}

func ask(t *testing.T, rt http.RoundTripper, method, url string) outcome {
	t.Helper()
	body := "question"
	if method != http.MethodPost {
		body = ""
	}
	resp, err := rt.RoundTrip(newRequest(t, method, url, body))
	if err != nil {
		return outcome{failed: true}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return outcome{
		bodyFailed: err != nil, uneven: errors.Is(err, io.ErrUnexpectedEOF), closes: resp.Close, status: resp.StatusCode, length: resp.ContentLength,
		text: string(text), header: resp.Header, trailer: resp.Trailer, coding: resp.TransferEncoding,
	}
}

func sameHeader(a, b http.Header) bool { return maps.EqualFunc(a, b, slices.Equal) }
