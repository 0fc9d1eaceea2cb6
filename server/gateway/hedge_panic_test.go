package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail/server/gateway"
)

// faulty is a transport with a bug that shows at a host.
type faulty struct {
	http.RoundTripper
	host    string
	reached chan struct{} // closed when it is asked for that host
	wait    func()        // the bug shows after it
}

func (f *faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == f.host {
		close(f.reached)
		f.wait()
		panic("a bug")
	}
	return f.RoundTripper.RoundTrip(r)
}

// A panic in a racer's goroutine ends its call as one in the call's own does, and not the program; of one that has lost the log tells.
func TestPanicInARace(t *testing.T) {
	const told = "level=ERROR msg=panic request_id=one"
	for name, tc := range map[string]struct {
		target int // whose requests show the bug
		wait   func(lanes []*lane)
		status int
		log    string
	}{
		"before a hedge":            {0, nil, 500, told},
		"beside a hedge that hangs": {0, func(lanes []*lane) { <-lanes[1].asked }, 500, told},
		"of the hedge":              {1, nil, 500, told},
		"of the loser": {1, func(lanes []*lane) {
			<-lanes[0].done
			time.Sleep(200 * time.Millisecond) // the answer is taken
		}, 200, `level=ERROR msg="panic in a send that was not needed any more" panic="a bug"`},
	} {
		t.Run(name, func(t *testing.T) {
			var (
				book logbook
				bug  = &faulty{reached: make(chan struct{}), wait: func() {}}
			)
			first := hangs
			if tc.status == 200 {
				first = func(l *lane, w http.ResponseWriter, r *http.Request) {
					<-bug.reached
					replies("a", 0)(l, w, r)
				}
			}
			f, lanes := newHedged(t, func(c *gateway.Config) {
				book.keep(c)
				bug.RoundTripper, c.Transport = c.Transport, bug
				bug.host = strings.TrimSuffix(strings.TrimPrefix(c.Plan.Targets[tc.target].BaseURL, "http://"), "/v1")
			}, first, hangs)
			if f.panics = tc.status == 500; tc.wait != nil {
				bug.wait = func() { tc.wait(lanes) }
			}
			if got := f.chat(plainBody, gateway.RequestIDHeader, "one"); got.status != tc.status {
				t.Errorf("status %d: %s, want %d", got.status, got.body, tc.status)
			}
			if book.line(t, "one"); !strings.Contains(book.String(), tc.log) {
				t.Errorf("the log is %s\nwant %s", book.String(), tc.log)
			}
		})
	}
}
