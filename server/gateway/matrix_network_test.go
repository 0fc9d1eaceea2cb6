package gateway_test

import (
	"bufio"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/trysail-go/trysail/server/gateway"
	"github.com/trysail-go/trysail/trysailtest"
)

// A badLine is a provider behind a bad network: what befalls a request happens on the connection.
type badLine struct {
	net.Listener
	befalls func(net.Conn)
	bad     int64 // how many connections it befalls
	seen    atomic.Int64
	open    sync.WaitGroup
}

// Accept lets the bad connections meet their fate, and hands on the others.
func (l *badLine) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || l.seen.Add(1) > l.bad {
			return conn, err
		}
		l.open.Go(func() {
			defer conn.Close()
			if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.Copy(io.Discard, r.Body) // what is not read would make an RST of a FIN
				l.befalls(conn)
			}
		})
	}
}

// newBadLine starts a provider of which the first connections meet a fate.
func newBadLine(t *testing.T, bad int64, befalls func(net.Conn)) *badLine {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := trysailtest.NewProvider(trysailtest.ProviderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	line := &badLine{Listener: listener, befalls: befalls, bad: bad}
	server := &http.Server{Handler: provider, ErrorLog: log.New(io.Discard, "", 0)} //nolint:gosec // its clients are ours
	line.open.Go(func() { _ = server.Serve(line) })
	t.Cleanup(func() {
		_ = provider.Close()
		_ = server.Close()
		line.open.Wait()
	})
	return line
}

// reset ends a connection with an RST in place of a FIN.
func reset(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) } //nolint:forcetypeassert // it is a TCP connection

// untilGone waits until the gateway has given up.
func untilGone(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// after writes a text, and then goes on.
func after(text string, then func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, text)
		if then != nil {
			then(c)
		}
	}
}

// Every fault of a connection, plain and as a stream, once and for ever, with one target and with two.
func TestNetworkMatrix(t *testing.T) {
	const (
		head    = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n"
		chunked = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
		events  = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	)
	for name, tc := range map[string]struct {
		befalls func(net.Conn)
		way     course
		status  int
	}{
		"closed before any byte":          {func(net.Conn) {}, once(), 502},
		"reset before any byte":           {reset, once(), 502},
		"reset in the status line":        {after("HTTP/1.1 2", reset), again(), 502},
		"reset after the headers":         {after(head, reset), once(), 502},
		"closed after the headers":        {after(head, nil), once(), 502},
		"closed in the body":              {after(head+`{"id":`, nil), once(), 502},
		"reset in the body":               {after(head+`{"id":`, reset), once(), 502},
		"closed in a chunk":               {after(chunked+"40\r\n{", nil), once(), 502},
		"a chunk that is none":            {after(chunked+"zz\r\n{", nil), again(), 502},
		"closed before the first event":   {after(events, nil), once(), 502},
		"closed in the first event":       {after(events+"10\r\ndata: {\"choices", nil), once(), 502},
		"silence from the first byte":     {untilGone, slow(), 504},
		"silence in the status line":      {after("HTTP/1.1 200 OK\r\n", untilGone), slow(), 504},
		"silence after the headers":       {after(head, untilGone), slow(), 504},
		"silence in the body":             {after(head+`{"id":`, untilGone), slow(), 504},
		"silence before the first event":  {after(events+"5\r\n: hi\n\r\n", untilGone), slow(), 504},
		"something that is not HTTP":      {after("SSH-2.0-OpenSSH_9.9\r\n", nil), again(), 502},
		"headers without end":             {after("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 11<<20), nil), again(), 502},
		"an answer to nobody, then close": {after("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n", nil), again(), 408},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := matrixFault{plain: tc.way, stream: tc.way, status: [2]int{tc.status, tc.status}}
			for _, c := range cells() {
				f.overBadLine(t, c, tc.befalls)
			}
		})
	}
}

// overBadLine plays a cell with a first target behind a bad network.
func (f matrixFault) overBadLine(t *testing.T, c cell, befalls func(net.Conn)) {
	t.Helper()
	bad := int64(1)
	if c.lasts {
		bad = 1 << 40
	}
	line := newBadLine(t, bad, befalls)
	limits := gateway.Limits{}
	if f.plain.name == "slow" {
		limits = limitsOfMatrix()
	}
	m := manners()["openai"]
	fleet := f.fleetWith(t, m, []string{"ok", "ok"}[:c.targets], limits, func(cfg *gateway.Config) {
		cfg.Plan.Targets[0].BaseURL = "http://" + line.Addr().String() + "/v1"
	})
	fleet.oneOfMany = c != cells()[7]
	defer fleet.stop()
	path, body := m.path, m.body
	if c.streamed {
		path, body = m.streamPath, m.streamBody
	}
	got := fleet.post(path, body)
	totals := strings.Replace(" "+fleet.totals(), " 0", " "+strconv.FormatInt(line.seen.Load(), 10), 1)[1:]
	f.checkSends(t, c, got, totals)
	if _, _, whole := f.expected(c); whole {
		f.checkWhole(t, m, c, got)
	} else {
		f.checkFailure(t, m, c, got)
	}
}

// A target that cannot even be spoken to: nothing is sent to it twice in vain, and the next one has the call.
func TestUnreachableTargets(t *testing.T) {
	encrypted := httptest.NewUnstartedServer(http.NotFoundHandler())
	encrypted.Config.ErrorLog = log.New(io.Discard, "", 0)
	encrypted.StartTLS()
	defer encrypted.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for name, tc := range map[string]struct {
		url             string
		status          int
		alone, two      string // attempts
		answeredByFirst bool
	}{
		"refused":                        {closed.URL, 502, "3", "4", false},
		"TLS to a plain port":            {strings.Replace(plain.URL, "http:", "https:", 1), 502, "1", "2", false},
		"a certificate of an unknown CA": {encrypted.URL, 502, "1", "2", false},
		"plain to a TLS port":            {strings.Replace(encrypted.URL, "https:", "http:", 1), 400, "1", "1", true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range cells() {
				if !c.lasts {
					continue // a target that is set up so does not come back by itself
				}
				f := matrixFault{status: [2]int{tc.status, tc.status}, plain: stay(), stream: stay()}
				m := manners()["openai"]
				fleet := f.fleetWith(t, m, []string{"ok", "ok"}[:c.targets], gateway.Limits{}, func(cfg *gateway.Config) {
					cfg.Plan.Targets[0].BaseURL = tc.url + "/v1"
				})
				path, body := m.path, m.body
				if c.streamed {
					path, body = m.streamPath, m.streamBody
				}
				got := fleet.post(path, body)
				want := tc.alone
				if c.targets == 2 {
					want = tc.two
				}
				if got.header.Get(gateway.AttemptsHeader) != want {
					t.Errorf("%s: %s attempts, want %s\n%s", c, got.header.Get(gateway.AttemptsHeader), want, got.body)
				}
				if c.targets == 2 && !tc.answeredByFirst {
					f.checkWhole(t, m, c, got)
				} else {
					f.checkFailure(t, m, c, got)
				}
				fleet.stop()
			}
		})
	}
}
