package llm_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// streaming returns an answer whose body comes in steps and ends when its context does.
func streaming(kind string, ctx *atomic.Pointer[context.Context], steps ...step) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		resp, err := says(200, kind, "")(r)
		body := provider(io.EOF, steps...)
		own := r.Context()
		ctx.Store(&own)
		context.AfterFunc(own, func() { _ = body.Close() })
		resp.Body, resp.ContentLength = body, -1
		return resp, err
	}
}

// limited is a policy under which each attempt has a context of its own.
func limited() trysail.Policy {
	return trysail.Policy{Attempt: 30 * time.Second, Hedge: trysail.HedgePolicy{After: 20 * time.Second}}
}

// urlOf returns what answers by that kind.
func urlOf(kind string) string {
	if kind == events {
		return chatURL
	}
	return "https://api.openai.com/v1/audio/speech"
}

// A body that still comes lives as long as it is read, and its context no longer.
func TestTransportContextOfABody(t *testing.T) {
	for name, tc := range map[string]struct {
		kind  string
		steps []step
		want  string
	}{
		"a stream": {events, []step{{time.Second, delta}, {20 * time.Second, delta}, {20 * time.Second, ending1}}, delta + delta + ending1},
		"a file":   {"audio/mpeg", []step{{time.Second, "a"}, {time.Minute, "b"}}, "ab"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ctx atomic.Pointer[context.Context]
				f := newFake(t, limited(), streaming(tc.kind, &ctx, tc.steps...))
				_, read, err := f.do(t.Context(), http.MethodPost, urlOf(tc.kind), plain)
				if err != nil || read != tc.want || (*ctx.Load()).Err() == nil {
					t.Errorf("read %q, %v, context %v; want the whole of it, and then its end", read, err, (*ctx.Load()).Err())
				}
				if e := f.last(); e.Err != nil || e.Took < 41*time.Second || f.op.Breaker().Snapshot().Failures != 0 {
					t.Errorf("exchange %+v, want a success at the end of the body", e)
				}
			})
		})
	}
}

// The times of a stream are those of its reader.
func TestTransportStreamTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ctx atomic.Pointer[context.Context]
		f := newFake(t, limited(), streaming(events, &ctx, step{3 * time.Second, delta}, step{7 * time.Second, delta}, step{time.Second, ending1}))
		_, _, _ = f.do(t.Context(), http.MethodPost, chatURL, plain)
		e := f.last()
		if e.FirstToken != 3*time.Second || e.LongestGap != 7*time.Second || e.Took != 11*time.Second || e.Model != "m-1" {
			t.Errorf("exchange %+v, want 3 s, 7 s and 11 s", e)
		}
	})
}

// The caller's end closes a body under its reader, and is nobody's failure.
func TestTransportCallerEnds(t *testing.T) {
	for name, kind := range map[string]string{"a stream": events, "a file": "audio/mpeg"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var own atomic.Pointer[context.Context]
				f := newFake(t, trysail.Policy{}, streaming(kind, &own, step{0, delta}, step{10 * time.Second, delta}))
				ctx, cancel := context.WithCancel(t.Context())
				defer time.AfterFunc(5*time.Second, cancel).Stop()
				_, _, err := f.do(ctx, http.MethodPost, urlOf(kind), plain)
				if e := f.last(); err == nil || e.Took != 5*time.Second || kind == events && e.LongestGap != e.Took || e.Verdict.Class != trysail.ClassCanceled || f.op.Breaker().Snapshot().Failures != 0 {
					t.Errorf("read: %v, exchange %+v; want the caller's end", err, e)
				}
			})
		})
	}
}

// A stream that came when the time for an attempt had just passed is closed, not handed out.
func TestTransportStreamTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := func(r *http.Request) (*http.Response, error) {
			time.Sleep(2 * time.Second) // deaf to its context
			return says(200, "audio/mpeg", "x")(r)
		}
		f := newFake(t, trysail.Policy{Attempt: time.Second}, late)
		_, _, err := f.do(t.Context(), http.MethodPost, urlOf("audio/mpeg"), plain)
		if e := f.last(); !errors.Is(err, trysail.ErrAttemptTimeout) || e.Attempts != 3 {
			t.Errorf("RoundTrip() = %v, exchange %+v; want three attempts that took too long", err, e)
		}
	})
}

// An attempt that has lost says nothing of the answer that the caller has, and is closed.
func TestTransportHedge(t *testing.T) {
	for name, winner := range map[string]func(*http.Request) (*http.Response, error){
		"a plain answer": says(200, "", good),
		"a stream":       says(200, events, delta+ending1),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow := func(r *http.Request) (*http.Response, error) {
					time.Sleep(time.Minute) // deaf to its context
					return with(says(201, events, delta+"data: {\"model\":\"other\"}\n\n"), "X-Request-Id", "other")(r)
				}
				f := newFake(t, trysail.Policy{Hedge: trysail.HedgePolicy{After: time.Second}}, slow, winner)
				r, open := request(t, t.Context(), http.MethodPost, chatURL, plain)
				resp, err := f.rt.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Minute) // the other answers meanwhile
				read, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				f.closed(open)
				e := f.last()
				if err != nil || len(read) == 0 || e.Status != 200 || e.RequestID != "req-1" || e.Model != "m-1" || e.Attempts != 2 {
					t.Errorf("exchange %+v, %v; want what the second said", e, err)
				}
				if strings.HasPrefix(string(read), "data") != (e.FirstToken == time.Second) {
					t.Errorf("first token after %v, want a second for a stream", e.FirstToken)
				}
			})
		})
	}
}

// Attempts that all fail, side by side.
func TestTransportHedgesFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(r *http.Request) (*http.Response, error) {
			time.Sleep(2 * time.Second)
			return says(500, "", "{}")(r)
		}
		f := newFake(t, trysail.Policy{Retry: trysail.RetryPolicy{Disabled: true}, Hedge: trysail.HedgePolicy{After: time.Second}}, slow)
		resp, _, err := f.do(t.Context(), http.MethodPost, chatURL, plain)
		if err != nil || resp.StatusCode != 500 || f.last().Attempts != 2 {
			t.Errorf("RoundTrip() = %+v, %v; want the last answer of two", resp, err)
		}
	})
}

// A body that its reader forgets is closed when it is collected: permit and tokens are had back.
func TestTransportForgottenBody(t *testing.T) {
	for name, kind := range map[string]string{"a stream": events, "a file": "audio/mpeg"} {
		t.Run(name, func(t *testing.T) {
			told := make(chan llm.Exchange, 1)
			f := newFake(t, limited(), func(r *http.Request) (*http.Response, error) {
				return says(200, kind, delta)(r)
			})
			f.rt.Observe = func(e llm.Exchange) { told <- e }
			f.rt.Tokens = tokens(t, 1, 100)
			func() {
				r, _ := request(t, t.Context(), http.MethodPost, urlOf(kind), plain)
				if _, err := f.rt.RoundTrip(r); err != nil {
					t.Fatal(err)
				}
			}()
			for {
				runtime.GC()
				select {
				case e := <-told:
					if s := f.rt.Tokens.Snapshot(); s.Open != 0 || f.open.Load() != 0 || f.op.Breaker().Snapshot().Failures != 0 {
						t.Errorf("limiter %+v, exchange %+v, %d open; want all had back", s, e, f.open.Load())
					}
					return
				default:
					runtime.Gosched()
				}
			}
		})
	}
}

// A panic goes on its way, and is told.
func TestTransportPanic(t *testing.T) {
	f := newFake(t, trysail.Policy{}, func(*http.Request) (*http.Response, error) { panic("bug") })
	defer func() {
		if got := recover(); got != "bug" {
			t.Errorf("recovered %v, want the panic", got)
		}
		if e := f.last(); e.Err == nil || e.Attempts != 1 || f.op.Breaker().Snapshot().Failures != 1 {
			t.Errorf("exchange %+v, want it told", e)
		}
	}()
	_, _, _ = f.do(t.Context(), http.MethodPost, chatURL, plain)
}

// What the SDK says of its own retries.
func TestTransportSDKRetries(t *testing.T) {
	for header, want := range map[string]int{"": 0, "2": 2, "-1": 0, "x": 0} {
		f := newFake(t, trysail.Policy{}, says(200, "", good))
		r, _ := request(t, t.Context(), http.MethodPost, chatURL, plain)
		r.Header.Set("X-Stainless-Retry-Count", header)
		resp, err := f.rt.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if e := f.last(); e.SDKRetries != want {
			t.Errorf("SDKRetries = %d for %q, want %d", e.SDKRetries, header, want)
		}
	}
}
