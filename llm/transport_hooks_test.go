package llm_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// A panic of a function that the user has set goes on its way, and nothing stays open or taken for it.
func TestTransportPanicsOfHooks(t *testing.T) {
	for name, set := range map[string]func(*llm.Transport){
		"Choose":   func(rt *llm.Transport) { rt.Choose = func(*http.Request, string) *trysail.Operation { panic("hook") } },
		"Estimate": func(rt *llm.Transport) { rt.Estimate = func([]byte) int64 { panic("hook") } },
		"Observe":  func(rt *llm.Transport) { rt.Observe = func(llm.Exchange) { panic("hook") } },
	} {
		for kind, answer := range map[string]string{"": good, events: delta + ending1} {
			t.Run(name+" "+kind, func(t *testing.T) {
				f := newFake(t, trysail.Policy{Bulkhead: trysail.BulkheadPolicy{MaxConcurrent: 1}}, says(200, kind, answer))
				f.rt.Tokens = tokens(t, 1, 1000)
				set(f.rt)
				r, open := request(t, t.Context(), http.MethodPost, chatURL, plain)
				func() {
					defer func() {
						if got := recover(); got != "hook" {
							t.Errorf("recovered %v, want the hook's panic", got)
						}
					}()
					resp, err := f.rt.RoundTrip(r)
					if err != nil {
						t.Errorf("RoundTrip() = %v", err)
						return
					}
					defer func() { _ = resp.Body.Close() }()
					_, _ = io.Copy(io.Discard, resp.Body)
				}()
				f.closed(open)
				if s := f.rt.Tokens.Snapshot(); s.Open != 0 {
					t.Errorf("limiter %+v, want nothing open", s)
				}
				f.rt.Choose, f.rt.Estimate, f.rt.Observe = nil, nil, nil
				if _, read, err := f.do(t.Context(), http.MethodPost, chatURL, plain); read != answer || err != nil {
					t.Errorf("the next one got %q, %v; want the only place, and the answer", read, err)
				}
			})
		}
	}
}

// A client that follows a redirection sends the body again; each hop is a call of its own.
func TestTransportRedirected(t *testing.T) {
	var bodies atomic.Int64
	client, url, rt := serve(t, false, func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); string(body) == plain {
			bodies.Add(1)
		}
		if r.URL.Path == "/v1/chat/completions" {
			http.Redirect(w, r, "/eu/v1/chat/completions", http.StatusTemporaryRedirect)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, good)
	})
	var statuses []int
	rt.Observe = func(e llm.Exchange) { statuses = append(statuses, e.Status) }
	resp, read := ask(t, client, url+"/v1/chat/completions")
	if read != good || !strings.HasSuffix(resp.Request.URL.Path, "/eu/v1/chat/completions") || bodies.Load() != 2 {
		t.Errorf("got %q from %v with %d bodies, want the answer of the second place", read, resp.Request.URL, bodies.Load())
	}
	if len(statuses) != 2 || statuses[0] != 307 || statuses[1] != 200 {
		t.Errorf("exchanges with %v, want 307 and 200", statuses)
	}
}

// Failures of all kinds give their connections back: one after the other they need but a few. Only a stream that ended
// by an error inside may cost its own, if the end of the body had not come when the stream was closed; on a busy
// machine that happens. They are ten here: two attempts in each of five rounds.
func TestTransportConnections(t *testing.T) {
	b := newBench(t, func(p *trysail.Policy) { p.Retry.Attempts = 2; p.Breaker.Disabled = true })
	var dials atomic.Int64
	base := b.rt.Base.(*http.Transport)
	base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	for range 5 {
		for _, script := range []string{"500", "429:0.001", "overloaded", "quota", "auth", "html", "garbage", "error:0", "content-policy:refusal", "ok"} {
			for _, body := range []string{plain, stream} {
				_, _, _ = b.post(t.Context(), script, body)
			}
		}
	}
	if got := dials.Load(); got > 1+10 {
		t.Errorf("%d requests needed %d connections, want a few", b.provider.Total(), got)
	}
}
