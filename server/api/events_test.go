package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/api"
)

// piped serves a in a bubble: over pipes, which hold nothing, so that a client that does not read stops the server's writing.
type piped struct {
	conns  chan net.Conn
	closed chan struct{}
	server *http.Server
	done   chan error
}

// servePiped serves with time limits for a request, if there are some.
func servePiped(t *testing.T, a *api.API, limits ...time.Duration) *piped {
	p := &piped{conns: make(chan net.Conn), closed: make(chan struct{}), done: make(chan error, 1)}
	p.server = &http.Server{Handler: a.Handler()}
	for _, limit := range limits {
		p.server.ReadTimeout, p.server.WriteTimeout = limit, limit
	}
	p.server.RegisterOnShutdown(a.Close)
	go func() { p.done <- p.server.Serve(p) }()
	t.Cleanup(func() {
		_ = p.server.Close()
		if err := <-p.done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the server ended with %v", err)
		}
	})
	return p
}

// Accept implements [net.Listener].
func (p *piped) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (p *piped) Close() error {
	close(p.closed)
	return nil
}

// Addr implements [net.Listener].
func (p *piped) Addr() net.Addr { return &net.TCPAddr{} }

// A client is one connection with an answer that has begun.
type client struct {
	t    *testing.T
	conn net.Conn
	resp *http.Response
	body *bufio.Reader
}

// ask sends a request and returns when the header of the answer is there.
func (p *piped) ask(t *testing.T, target string, header map[string]string) *client {
	t.Helper()
	r := get(target)
	for name, value := range header {
		r = r.with(name, value)
	}
	return p.askAll(t, r)
}

// askAll is ask for any request.
func (p *piped) askAll(t *testing.T, ask request) *client {
	t.Helper()
	near := p.write(t, ask)
	resp, err := http.ReadResponse(bufio.NewReaderSize(near, 16), &http.Request{Method: ask.method})
	if err != nil {
		t.Fatal(err)
	}
	return &client{t, near, resp, bufio.NewReaderSize(resp.Body, 16)}
}

// write sends a request over a connection of its own.
func (p *piped) write(t *testing.T, ask request) net.Conn {
	t.Helper()
	near, far := net.Pipe()
	p.conns <- far
	t.Cleanup(func() { _ = near.Close() })
	r, err := http.NewRequestWithContext(context.Background(), ask.method, "http://localhost"+ask.target, strings.NewReader(ask.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range ask.header {
		r.Header.Set(name, value)
	}
	if err := r.Write(near); err != nil {
		t.Fatal(err)
	}
	return near
}

// event reads one event: its fields by name, comments under "".
func (c *client) event() map[string]string {
	c.t.Helper()
	fields := map[string]string{}
	for {
		line, err := c.body.ReadString('\n')
		if err != nil {
			c.t.Fatalf("event stream: %v after %v", err, fields)
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			return fields
		}
		name, value, _ := strings.Cut(line, ":")
		fields[name] = strings.TrimPrefix(value, " ")
	}
}

// expect reads one event and compares a field of it.
func (c *client) expect(name, want string) map[string]string {
	c.t.Helper()
	e := c.event()
	if e[name] != want {
		c.t.Fatalf("event %v, want %s %q", e, name, want)
	}
	return e
}

// preset reads one event of the monitor and returns the preset it is about, and the id.
func (c *client) preset() (preset, id string) {
	c.t.Helper()
	e := c.event()
	var data struct {
		Preset string `json:"preset_name"`
	}
	if err := json.Unmarshal([]byte(e["data"]), &data); err != nil || e["event"] != "" {
		c.t.Fatalf("event %v, want one of the monitor: %v", e, err)
	}
	return data.Preset, e["id"]
}

func (c *client) presets(want ...string) (last string) {
	c.t.Helper()
	for _, w := range want {
		var got string
		if got, last = c.preset(); got != w {
			c.t.Fatalf("event about %s, want %s", got, w)
		}
	}
	return last
}

func follow(t *testing.T, cfg monitor.Config, test func(*testing.T, *piped, *monitor.Collector)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a, c := observed(t, cfg)
		test(t, servePiped(t, a), c)
	})
}

func use(c *monitor.Collector, presets ...string) {
	for _, p := range presets {
		c.RecordPresetUsage(monitor.Subject{Preset: p})
	}
}

const eventsPath = base + "/events"

func lastID(id string) map[string]string { return map[string]string{"Last-Event-ID": id} }

func TestEventsComeAndGoOnWhereTheyWere(t *testing.T) {
	follow(t, monitor.Config{}, func(t *testing.T, p *piped, c *monitor.Collector) {
		use(c, "before")
		one := p.ask(t, eventsPath, nil)
		if got := one.resp.Header.Get("Content-Type"); one.resp.StatusCode != 200 || got != "text/event-stream" {
			t.Fatalf("answer %d %s, want 200 text/event-stream", one.resp.StatusCode, got)
		}
		one.expect("retry", "3000")
		begin := time.Now()
		use(c, "a", "b")
		id := one.presets("a", "b")
		if took := time.Since(begin); took > 200*time.Millisecond {
			t.Errorf("events came after %v, want at most 200ms", took)
		}
		_ = one.conn.Close()
		use(c, "c", "d")
		two := p.ask(t, eventsPath, lastID(id))
		two.expect("retry", "3000")
		two.presets("c", "d")
		all := p.ask(t, eventsPath, lastID("0"))
		all.expect("retry", "3000")
		all.presets("before", "a", "b", "c", "d")
	})
}

func TestEventsBeat(t *testing.T) {
	follow(t, monitor.Config{}, func(t *testing.T, p *piped, c *monitor.Collector) {
		one := p.ask(t, eventsPath, nil)
		one.expect("retry", "3000")
		for range 3 {
			begin := time.Now()
			one.expect("", "still here")
			if took := time.Since(begin); took < 14*time.Second || took > 16*time.Second {
				t.Errorf("a heartbeat after %v, want 15s", took)
			}
		}
	})
}

// A reader that is slower than what happens is told how many events it missed. Those that it gets and those that it missed are
// all there were, and the server held none for it.
func TestSlowReaderIsToldWhatItMissed(t *testing.T) {
	follow(t, monitor.Config{MaxEvents: 10}, func(t *testing.T, p *piped, c *monitor.Collector) {
		one := p.ask(t, eventsPath, nil)
		one.expect("retry", "3000")
		const all = 500
		for i := range all {
			use(c, fmt.Sprint(i))
			if i%100 == 0 {
				time.Sleep(time.Second) // it writes, and nobody reads
			}
		}
		got, missed, last := 0, 0, -1
		for last != all-1 {
			e := one.event()
			if e["event"] == "missed" {
				var data struct{ Missed int }
				if err := json.Unmarshal([]byte(e["data"]), &data); err != nil || data.Missed < 1 {
					t.Fatalf("event %v: %v", e, err)
				}
				missed += data.Missed
				continue
			}
			var data struct {
				Preset int `json:"preset_name,string"`
			}
			if err := json.Unmarshal([]byte(e["data"]), &data); err != nil {
				t.Fatalf("event %v: %v", e, err)
			}
			if got++; data.Preset != got+missed-1 {
				t.Fatalf("event %d after %d others and %d missed", data.Preset, got-1, missed)
			}
			last = data.Preset
		}
		if got+missed != all || missed < all/2 {
			t.Errorf("%d events and %d missed, want %d together and most missed", got, missed, all)
		}
	})
}

// A reader that takes nothing at all holds its connection for 30 seconds and no longer.
func TestStalledReaderIsLetGo(t *testing.T) {
	follow(t, monitor.Config{}, func(t *testing.T, p *piped, c *monitor.Collector) {
		for range 63 {
			p.ask(t, eventsPath, nil) // nobody reads the first event of these
		}
		p.ask(t, eventsPath, nil)
		full := p.ask(t, eventsPath, nil)
		if full.resp.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("the 65th follower: status %d, want 503", full.resp.StatusCode)
		}
		checkRetryAfter(t, full.resp.StatusCode, full.resp.Header)
		time.Sleep(29 * time.Second)
		if again := p.ask(t, eventsPath, nil); again.resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("after 29s: status %d, want 503", again.resp.StatusCode)
		}
		time.Sleep(2 * time.Second)
		if again := p.ask(t, eventsPath, nil); again.resp.StatusCode != http.StatusOK {
			t.Errorf("after 31s: status %d, want 200", again.resp.StatusCode)
		}
	})
}

func TestEventsEndWithTheServer(t *testing.T) {
	follow(t, monitor.Config{}, func(t *testing.T, p *piped, c *monitor.Collector) {
		one := p.ask(t, eventsPath, nil)
		one.expect("retry", "3000")
		begin := time.Now()
		stopped := make(chan error, 1)
		go func() { stopped <- p.server.Shutdown(context.Background()) }()
		one.expect("event", "stopping")
		if _, err := one.body.ReadByte(); err == nil || err.Error() != "EOF" {
			t.Errorf("after the last event: %v, want the end of the stream", err)
		}
		_ = one.conn.Close()
		if err := <-stopped; err != nil || time.Since(begin) > time.Second {
			t.Errorf("Shutdown: %v after %v, want success at once", err, time.Since(begin))
		}
	})
}

func TestStoppedServerRefusesFollowers(t *testing.T) {
	a, _ := observed(t, monitor.Config{})
	a.Close()
	a.Close()
	checkProblem(t, send(a, get(eventsPath)), 503, "SERVICE_UNAVAILABLE")
	if w := send(a, get(base+"/health")); w.Code != 200 {
		t.Errorf("another request: status %d, want 200", w.Code)
	}
}

func TestWhereEventsBegin(t *testing.T) {
	const year2000 = 946684800000000000 // when a bubble begins
	for name, tc := range map[string]struct {
		id    string
		first string // name of the first event, "" if it is one of the monitor; "none" if nothing comes
		bad   bool
	}{
		"all":                                  {id: "0"},
		"a number":                             {id: "2"},
		"an id":                                {id: fmt.Sprintf("2-%d", year2000)},
		"the newest id":                        {id: fmt.Sprintf("3-%d", year2000), first: "none"},
		"an id of a server before this one":    {id: "2-123", first: "restart"},
		"a number that is still to come":       {id: "4", first: "restart"},
		"an id that is still to come":          {id: fmt.Sprintf("4-%d", year2000), first: "restart"},
		"the greatest number":                  {id: "18446744073709551615", first: "restart"},
		"a greater one":                        {id: "18446744073709551616", bad: true},
		"a negative number":                    {id: "-1", bad: true},
		"a word":                               {id: "hunter2", bad: true},
		"a number and a word":                  {id: "1-x", bad: true},
		"a number and nothing":                 {id: "1-", bad: true},
		"a number with a sign, as no id looks": {id: "+1", bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, c := observed(t, monitor.Config{})
				use(c, "a", "b", "c")
				time.AfterFunc(time.Second, a.Close)
				w := send(a, get(eventsPath).with("Last-Event-ID", tc.id))
				if tc.bad {
					checkProblem(t, w, 422, "VALIDATION_ERROR")
					return
				}
				one := &client{t: t, body: bufio.NewReader(w.Body)}
				one.expect("retry", "3000")
				switch tc.first {
				case "none":
					one.expect("event", "stopping")
				case "":
					one.presets(map[bool][]string{true: {"a", "b", "c"}, false: {"c"}}[tc.id == "0"]...)
				default:
					one.expect("event", tc.first)
					one.presets("a", "b", "c")
				}
			})
		})
	}
}

func TestHeadOfAStreamEnds(t *testing.T) {
	a, _ := observed(t, monitor.Config{})
	for range 65 { // more than may follow at once
		w := send(a, request{method: http.MethodHead, target: eventsPath, header: map[string]string{"X-API-Key": key}})
		if got := w.Header().Get("Content-Type"); w.Code != 200 || got != "text/event-stream" || w.Body.Len() > 0 {
			t.Fatalf("HEAD: %d %s %q, want 200, an event stream and no body", w.Code, got, w.Body)
		}
	}
}
