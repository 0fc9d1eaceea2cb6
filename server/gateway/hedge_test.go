package gateway_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail/server/gateway"
)

// hedgeAfter is when the tests' hedges begin.
const hedgeAfter = 30 * time.Millisecond

// A lane is a target of the test's own: what it does, and what it has seen.
type lane struct {
	do    does
	other *lane          // the first one's second, and the second one's first
	got   chan string    // the bodies that it was asked with
	left  chan time.Time // when a request was called off
	asked chan struct{}  // one for each request
	done  chan struct{}  // one for each that was answered
}

// does is what a lane does with a request.
type does = func(*lane, http.ResponseWriter, *http.Request)

// newHedged starts a gateway with a target for each function, and one route that hedges.
func newHedged(t *testing.T, change func(*gateway.Config), what ...does) (*fleet, []*lane) {
	t.Helper()
	var lanes []*lane
	var scripts []string
	for _, do := range what {
		scripts = append(scripts, "ok")
		lanes = append(lanes, &lane{
			do: do, got: make(chan string, 1000), left: make(chan time.Time, 1000), asked: make(chan struct{}, 1000), done: make(chan struct{}, 1000),
		})
	}
	if len(lanes) == 2 {
		lanes[0].other, lanes[1].other = lanes[1], lanes[0]
	}
	f := newFleet(t, scripts, func(c *gateway.Config) {
		route := gateway.Route{Name: "all", Hedge: gateway.Hedge{After: hedgeAfter}}
		for i, l := range lanes {
			server := httptest.NewServer(l)
			t.Cleanup(server.Close)
			c.Plan.Targets[i].BaseURL = server.URL + "/v1"
			route.Targets = append(route.Targets, gateway.RouteTarget{Target: c.Plan.Targets[i].Name, Priority: i})
		}
		c.Plan.Routes = []gateway.Route{route}
		if change != nil {
			change(c)
		}
	})
	return f, lanes
}

// ServeHTTP implements [http.Handler].
func (l *lane) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	l.got <- string(body)
	l.asked <- struct{}{}
	l.do(l, w, r)
	l.done <- struct{}{}
}

// asked does something when the other lane is asked; done a while after the other lane has answered, so that its answer is there first.
func asked(do does) does {
	return func(l *lane, w http.ResponseWriter, r *http.Request) { l.after(l.other.asked, 0, do, w, r) }
}

func done(do does) does {
	return func(l *lane, w http.ResponseWriter, r *http.Request) {
		l.after(l.other.done, 200*time.Millisecond, do, w, r)
	}
}

func (l *lane) after(event <-chan struct{}, while time.Duration, do does, w http.ResponseWriter, r *http.Request) {
	select {
	case <-event:
		time.Sleep(while)
		do(l, w, r)
	case <-r.Context().Done():
		l.left <- time.Now()
	}
}

// sees waits until the request is called off.
func (l *lane) sees(r *http.Request) {
	<-r.Context().Done()
	l.left <- time.Now()
}

// hangs answers nothing.
func hangs(l *lane, _ http.ResponseWriter, r *http.Request) { l.sees(r) }

// hangsInside answers with a head and signs of life, and with no token.
func hangsInside(l *lane, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, ": hello\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\n")
	_ = http.NewResponseController(w).Flush()
	l.sees(r)
}

// replies sends a whole answer with a word of its own after a time.
func replies(word string, after time.Duration) does {
	return func(l *lane, w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(after):
		case <-r.Context().Done():
			l.left <- time.Now()
			return
		}
		body, kind := plainOf(word), "application/json"
		if strings.Contains(r.Header.Get("Accept"), "event-stream") {
			body, kind = streamOf(word), "text/event-stream"
		}
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, body)
	}
}

func plainOf(word string) string {
	return `{"choices":[{"index":0,"message":{"role":"assistant","content":"` + word + `"},"finish_reason":"stop"}]}`
}

func streamOf(word string) string { return strings.ReplaceAll(heldText, "Ahoy", word) }

// fails answers with an error.
func fails(status int, body string) does {
	return func(_ *lane, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const accepts = "Accept"

// bodies are a plain request and one for a stream, with the header by which replies tells them apart and what the word is in.
func bodies() map[string]struct {
	body, accept string
	of           func(string) string
} {
	return map[string]struct {
		body, accept string
		of           func(string) string
	}{
		"plain":  {plainBody, "application/json", plainOf},
		"stream": {streamBody, "text/event-stream", streamOf},
	}
}

// The target that hangs is overtaken, and hears of it at once.
func TestHedgeOvertakes(t *testing.T) {
	for kind, c := range bodies() {
		for name, slow := range map[string]does{"silent": hangs, "signs of life only": hangsInside} {
			t.Run(kind+", "+name, func(t *testing.T) {
				f, lanes := newHedged(t, nil, slow, asked(replies("quick", 0)))
				got := f.chat(c.body, accepts, c.accept)
				if got.status != 200 || got.body != c.of("quick") || got.err != nil {
					t.Fatalf("status %d, %v: %s", got.status, got.err, got.body)
				}
				h := got.header
				after, _ := strings.CutPrefix(h.Get(gateway.HedgeHeader), "won; target=b; after=")
				waited, err := time.ParseDuration(after)
				if h.Get(gateway.TargetHeader) != "b" || h.Get(gateway.FallbackHeader) != "a" || h.Get(gateway.AttemptsHeader) != "2" ||
					err != nil || waited < hedgeAfter {
					t.Errorf("headers %v", h)
				}
				if <-lanes[0].got != c.body || <-lanes[1].got != c.body {
					t.Error("the targets were not asked for the same, byte for byte")
				}
				select {
				case <-lanes[0].left:
				case <-time.After(10 * time.Second):
					t.Fatal("the first target was never told")
				}
				f.stop()
				if m := f.metrics("chat"); m.Hedges != 1 || m.HedgeWins != 1 || m.Succeeded != 1 {
					t.Errorf("%d hedges, %d won, %d succeeded; want 1 each", m.Hedges, m.HedgeWins, m.Succeeded)
				}
				if b := f.breaker("a"); b.Failures != 0 || b.WindowFailures != 0 {
					t.Errorf("the breaker of the first target counts %d failures: that it was overtaken is none", b.WindowFailures)
				}
			})
		}
	}
}

// The loser is called off within 50 ms of the moment at which the winner has come to its commit point. A busy machine may be late;
// five times out of five it is not.
func TestHedgeLoserIsCalledOffInTime(t *testing.T) {
	const most = 50 * time.Millisecond
	var took time.Duration
	for range 5 {
		at := make(chan time.Time, 1)
		f, lanes := newHedged(t, nil, hangsInside, asked(func(_ *lane, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, heldBegin)
			at <- time.Now()
			_ = http.NewResponseController(w).Flush()
			<-time.After(300 * time.Millisecond) // the stream goes on: the loser does not wait for its end
			_, _ = io.WriteString(w, heldEnd)
		}))
		got := f.chat(streamBody)
		if got.body != heldText {
			t.Fatalf("the client got %q (%v)", got.body, got.err)
		}
		if took = (<-lanes[0].left).Sub(<-at); took <= most {
			return
		}
	}
	t.Errorf("the loser's provider heard of it after %v, want at most %v", took, most)
}

// What comes of a race, by what both of them do.
func TestHedgeRaces(t *testing.T) {
	const down, bad, full = `{"error":{"message":"down"}}`, `{"error":{"message":"bad request"}}`, `{"error":{"message":"rate limited"}}`
	for name, tc := range map[string]struct {
		first, second does
		status        int
		word          string // of the answer, or the error's message
		hedge         string // begin of the header
		target        string
		fallback      string
		failed        string // targets whose breaker counts a failure
	}{
		"in time: no hedge":                          {replies("a", 0), replies("b", 0), 200, "a", "", "a", "none", ""},
		"a failure in time: no hedge":                {fails(404, down), replies("b", 0), 200, "b", "", "b", "a", ""},
		"the first is first after all":               {asked(replies("a", 0)), hangs, 200, "a", "lost; target=b", "a", "none", ""},
		"the first fails, the hedge is on":           {asked(fails(500, down)), done(replies("b", 0)), 200, "b", "won; target=b", "b", "a", "a"},
		"a rate limit of the first":                  {asked(fails(429, full)), done(replies("b", 0)), 200, "b", "won; target=b", "b", "a", ""},
		"the hedge fails":                            {done(replies("a", 0)), fails(500, down), 200, "a", "lost; target=b", "a", "b", "b"},
		"the hedge is full":                          {done(replies("a", 0)), fails(429, full), 200, "a", "lost; target=b", "a", "b", ""},
		"both fail":                                  {asked(fails(404, down)), done(fails(404, bad)), 404, "bad", "failed; target=b", "b", "a", ""},
		"both fail, the hedge first":                 {done(fails(404, down)), fails(404, bad), 404, "down", "failed; target=b", "a", "b", ""},
		"the request is at fault":                    {asked(fails(400, bad)), hangs, 400, "bad request", "failed; target=b", "a", "none", ""},
		"the request is at fault, told by the hedge": {hangs, fails(400, bad), 400, "bad request", "failed; target=b", "b", "a", ""},
		"an error inside the hedge's answer":         {done(replies("a", 0)), fails(200, down), 200, "a", "lost; target=b", "a", "b", "b"},
		"the hedge sends no JSON":                    {done(replies("a", 0)), fails(200, "hm"), 200, "a", "lost; target=b", "a", "b", "b"},
	} {
		for kind, c := range bodies() {
			t.Run(name+", "+kind, func(t *testing.T) {
				f, _ := newHedged(t, func(c *gateway.Config) {
					if tc.hedge == "" {
						c.Plan.Routes[0].Hedge.After = 10 * time.Second // a busy machine may need some of them
					}
				}, tc.first, tc.second)
				got := f.chat(c.body, accepts, c.accept)
				want := c.of(tc.word)
				if tc.status >= 400 && tc.status != got.status || tc.status == 200 && got.body != want || tc.status >= 400 && !strings.Contains(got.body, tc.word) || got.err != nil {
					t.Errorf("status %d (%v) %s; want %d, %q", got.status, got.err, got.body, tc.status, tc.word)
				}
				h := got.header
				if !strings.HasPrefix(h.Get(gateway.HedgeHeader), tc.hedge) || tc.hedge == "" && h.Get(gateway.HedgeHeader) != "" ||
					h.Get(gateway.TargetHeader) != tc.target || h.Get(gateway.FallbackHeader) != tc.fallback {
					t.Errorf("hedge %q, target %q after %q; want %q, %q after %q",
						h.Get(gateway.HedgeHeader), h.Get(gateway.TargetHeader), h.Get(gateway.FallbackHeader), tc.hedge, tc.target, tc.fallback)
				}
				f.stop()
				for _, name := range []string{"a", "b"} {
					if counts := f.breaker(name).WindowFailures > 0; counts != strings.Contains(tc.failed, name) {
						t.Errorf("the breaker of %s counts failures: %v, want them of %q", name, counts, tc.failed)
					}
				}
			})
		}
	}
}

// A client that leaves ends both.
func TestClientLeavesARace(t *testing.T) {
	const most = 100 * time.Millisecond
	var took time.Duration
	for range 5 {
		f, lanes := newHedged(t, nil, hangsInside, hangs)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan reply, 1)
		go func() { done <- f.do(ctx, http.MethodPost, "/v1/chat/completions", streamBody) }()
		<-lanes[0].got
		<-lanes[1].got
		at := time.Now()
		cancel()
		took = max((<-lanes[0].left).Sub(at), (<-lanes[1].left).Sub(at))
		<-done
		f.stop()
		for _, name := range []string{"a", "b"} {
			if b := f.breaker(name); b.WindowFailures != 0 {
				t.Errorf("the breaker of %s counts %d failures: that a client leaves is none", name, b.WindowFailures)
			}
		}
		if took <= most {
			return
		}
	}
	t.Errorf("the providers heard of it after %v, want at most %v", took, most)
}
