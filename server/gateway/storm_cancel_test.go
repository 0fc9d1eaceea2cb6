package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// When a client leaves, the provider hears of it within 100 ms, wherever the call is. A busy machine may be late; five times out of five it is not.
func TestClientLeavesInTime(t *testing.T) {
	const most = 100 * time.Millisecond
	for name, sends := range map[string]string{
		"before the headers":     "",
		"before the first token": ": hello\n\n",
		"in the stream":          heldBegin,
	} {
		t.Run(name, func(t *testing.T) {
			begun, left := make(chan struct{}, 1), make(chan time.Time, 1)
			f := newStorm(t, trysail.Policy{}, []string{"ok"}, serving(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if sends != "" {
					w.Header().Set("Content-Type", "text/event-stream")
					_, _ = io.WriteString(w, sends)
					_ = http.NewResponseController(w).Flush()
				}
				begun <- struct{}{}
				<-r.Context().Done()
				left <- time.Now()
			}))
			var took time.Duration
			for range 5 {
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan reply, 1)
				go func() { done <- f.do(ctx, http.MethodPost, "/v1/chat/completions", streamBody) }()
				<-begun
				at := time.Now()
				cancel()
				took = (<-left).Sub(at)
				<-done
				if took <= most {
					break
				}
			}
			if took > most {
				t.Errorf("the provider heard of it after %v, want at most %v", took, most)
			}
			f.stop() // and with it every call
			for _, name := range []string{"chat", "target/a"} {
				if op, _ := f.orchestrator.Lookup(name); op.Breaker().Snapshot().Failures != 0 {
					t.Errorf("the breaker of %s counts a failure: that a client leaves is none", name)
				}
			}
		})
	}
}

// A call whose client leaves while it waits for its next attempt makes none.
func TestClientLeavesInAWait(t *testing.T) {
	ended := make(logLines, 1)
	f := newStorm(t, trysail.Policy{}, []string{"429:1,ok"}, func(c *gateway.Config) { c.Logger = slog.New(slog.NewTextHandler(ended, nil)) })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan reply, 1)
	go func() { done <- f.do(ctx, http.MethodPost, "/v1/chat/completions", plainBody) }()
	for f.providers[0].Total() == 0 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // the answer arrives, and the wait begins
	cancel()
	<-done
	select {
	case <-ended: // the call has its line in the log
	case <-time.After(700 * time.Millisecond):
		t.Error("the call waits on without its client")
	}
	time.Sleep(1200 * time.Millisecond) // longer than it would have waited
	if n := f.providers[0].Total(); n != 1 {
		t.Errorf("the provider was asked %d times, want once", n)
	}
}

// logLines is a log whose lines can be waited for.
type logLines chan string

func (l logLines) Write(line []byte) (int, error) {
	select {
	case l <- string(line):
	default: // nobody waits for it
	}
	return len(line), nil
}

// A client that takes nothing of its stream ends by the client's limit, and the provider with it.
func TestClientThatDoesNotRead(t *testing.T) {
	left := make(chan struct{})
	f := newStorm(t, trysail.Policy{}, []string{"ok"}, func(c *gateway.Config) {
		c.Limits.Client = 200 * time.Millisecond
		serving(t, func(w http.ResponseWriter, r *http.Request) {
			defer close(left)
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "text/event-stream")
			token := strings.Replace(heldBegin, "Ahoy", strings.Repeat("Ahoy ", 4000), 1)
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, token); err != nil {
					return
				}
			}
		})(c)
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://")) //nolint:noctx // it is closed below
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
	if _, err := io.WriteString(conn, request+itoa(len(streamBody))+"\r\n\r\n"+streamBody); err != nil {
		t.Fatal(err)
	}
	select {
	case <-left:
	case <-time.After(20 * time.Second):
		t.Error("the provider still sends to a client that does not read")
	}
}

// A client whose body does not come is told so in time, whatever it trickles; one without access is not even waited for longer than that.
func TestClientThatTrickles(t *testing.T) {
	for name, status := range map[string]string{"friend": "408", "stranger": "401"} {
		t.Run(name, func(t *testing.T) {
			f := newStorm(t, trysail.Policy{}, []string{"ok"}, func(c *gateway.Config) {
				c.Limits.Client = 200 * time.Millisecond
				c.Access = func(r *http.Request) (a gateway.Access) {
					if r.Host == "stranger" {
						a.Denied = "Who are you?"
					}
					return a
				}
			})
			conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://")) //nolint:noctx // it is closed below
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			head := "POST /v1/chat/completions HTTP/1.1\r\nHost: " + name + "\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
			if _, err := io.WriteString(conn, head); err != nil {
				t.Fatal(err)
			}
			told := make(chan string, 1)
			go func() {
				head := make([]byte, 4096)
				n, _ := conn.Read(head)
				told <- string(head[:n])
			}()
			if got := trickle(conn, told); !strings.HasPrefix(got, "HTTP/1.1 "+status+" ") {
				t.Errorf("it is told %q, want %s", got, status)
			}
			if f.totals() != "0" {
				t.Errorf("the provider was asked %s times", f.totals())
			}
		})
	}
}

// trickle sends a byte now and then until there is an answer.
func trickle(conn net.Conn, told <-chan string) string {
	drops := time.NewTicker(20 * time.Millisecond)
	defer drops.Stop()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case got := <-told:
			return got
		case <-drops.C:
			_, _ = io.WriteString(conn, " ")
		case <-deadline:
			return "nothing: it may trickle for ever"
		}
	}
}
