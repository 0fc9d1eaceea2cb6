package trysailtest_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail/trysailtest"
)

func TestTokensKeepTheirPace(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg         trysailtest.ProviderConfig
		script      string
		first, each time.Duration
	}{
		"no delay":         {trysailtest.ProviderConfig{}, "ok", 0, 0},
		"a token delay":    {trysailtest.ProviderConfig{TokenDelay: 20 * time.Millisecond}, "ok", 0, 20 * time.Millisecond},
		"a first delay":    {trysailtest.ProviderConfig{FirstTokenDelay: 3 * time.Second}, "ok", 3 * time.Second, 0},
		"a scripted delay": {trysailtest.ProviderConfig{}, "first-token:6s", 6 * time.Second, 0},
		"all of them": {
			trysailtest.ProviderConfig{TokenDelay: time.Second, FirstTokenDelay: 2 * time.Second},
			"first-token:6s", 8 * time.Second, time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, c := bubbled(t, tc.cfg)
				role, tokens := c.tokenTimes(tc.script)
				if role != 0 || len(tokens) < 10 {
					t.Fatalf("role after %v, %d tokens; want 0 and many", role, len(tokens))
				}
				for i, got := range tokens {
					if want := tc.first + time.Duration(i)*tc.each; got != want {
						t.Fatalf("token %d came after %v, want %v", i, got, want)
					}
				}
			})
		})
	}
}

func TestPlainAnswerWaits(t *testing.T) {
	for name, tc := range map[string]struct {
		script string
		want   time.Duration
	}{
		"as configured":           {"ok", 2 * time.Second},
		"as scripted in addition": {"first-token:6s", 8 * time.Second},
		"but an error does not":   {"500", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, c := bubbled(t, trysailtest.ProviderConfig{FirstTokenDelay: 2 * time.Second})
				began := time.Now()
				if got := c.simulate(tc.script, question); got.err != nil || time.Since(began) != tc.want {
					t.Errorf("answer after %v (%v), want %v", time.Since(began), got.err, tc.want)
				}
			})
		})
	}
}

func TestHangLastsUntilTheClientLeaves(t *testing.T) {
	for name, tc := range map[string]struct{ script, body string }{
		"a hang, plain":   {"hang", question},
		"a hang, stream":  {"hang", streamed(question)},
		"a stall, plain":  {"stall:3", question},
		"a stall, stream": {"stall:3", streamed(question)},
		"a long wait":     {"first-token:9h", question},
		"a long 1st wait": {"first-token:9h", streamed(question)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, c := bubbled(t, trysailtest.ProviderConfig{})
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				began := time.Now()
				got := c.doContext(ctx, http.MethodPost, "/chat/completions", tc.body, trysailtest.SimulateHeader, tc.script)
				if !errors.Is(got.err, context.DeadlineExceeded) || time.Since(began) != time.Hour {
					t.Errorf("ended after %v with %v, want the deadline", time.Since(began), got.err)
				}
				if p.Total() != 1 {
					t.Errorf("Total() = %d, want 1", p.Total())
				}
			}) // the bubble fails if the request is still there
		})
	}
}

func TestStallSendsCommentsEachSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := bubbled(t, trysailtest.ProviderConfig{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/chat/completions", strings.NewReader(streamed(question)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(trysailtest.SimulateHeader, "stall:2")
		began := time.Now()
		resp, err := c.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		tokens, comments := 0, 0
		for lines := bufio.NewScanner(resp.Body); comments < 30 && lines.Scan(); {
			if strings.Contains(lines.Text(), `"delta":{"content"`) {
				tokens++
			}
			if lines.Text() == ": keep-alive" {
				comments++
			}
		}
		if tokens != 2 || comments != 30 || time.Since(began) != 30*time.Second {
			t.Errorf("%d tokens and %d comments in %v, want 2 and 30 in 30s", tokens, comments, time.Since(began))
		}
	})
}

func TestCloseBreaksEveryWaitOff(t *testing.T) {
	for name, tc := range map[string]struct{ script, body string }{
		"a hang":                 {"hang", question},
		"a stalled stream":       {"stall:3", streamed(question)},
		"a plain answer's wait":  {"first-token:9h", question},
		"a stream's first token": {"first-token:9h", streamed(question)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, c := bubbled(t, trysailtest.ProviderConfig{})
				replies := make(chan reply, 1)
				go func() { replies <- c.simulate(tc.script, tc.body) }()
				time.Sleep(90 * time.Second)
				_ = p.Close()
				got := <-replies
				if !errors.Is(got.err, io.EOF) && !errors.Is(got.err, io.ErrUnexpectedEOF) {
					t.Errorf("error = %v, want a broken connection", got.err)
				}
			})
		})
	}
}

func TestClosedProviderRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := bubbled(t, trysailtest.ProviderConfig{})
		for range 2 {
			if err := p.Close(); err != nil {
				t.Errorf("Close() = %v", err)
			}
		}
		if got := c.chat(question); got.status != 503 || got.apiError().Code != "server_is_overloaded" {
			t.Errorf("got %d %q, want 503", got.status, got.body)
		}
	})
}
