package llm_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// tokens returns a limiter of so many a second.
func tokens(t *testing.T, rate, burst float64) *trysail.Limiter {
	t.Helper()
	l, err := trysail.NewLimiter(trysail.LimiterConfig{Rate: rate, Burst: burst})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// What is taken for a request, and what remains taken when it has ended.
func TestTransportTokens(t *testing.T) {
	const (
		asks    = `{"model":"m","max_tokens":100,"messages":[]}` // 44 bytes are 11 tokens
		noUsage = `{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}`
		inside  = `{"error":{"code":503,"message":"no capacity"}}`
		usage   = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":30}}\n\n"
	)
	for name, tc := range map[string]struct {
		answers answers
		body    string
		used    float64
	}{
		"usage is told":               {answers{says(200, "", good)}, asks, 10},
		"it is not":                   {answers{says(200, "", noUsage)}, asks, 111},
		"a network error":             {answers{fails(errNet)}, asks, 0},
		"a bad status":                {answers{says(500, "", "{}")}, asks, 0},
		"an error inside":             {answers{says(200, "", inside)}, asks, 0},
		"a retry":                     {answers{fails(errNet), says(200, "", good)}, asks, 10},
		"usage of the last attempt":   {answers{says(200, "", strings.Replace(good, "stop", "error", 1)), says(200, "", noUsage)}, asks, 111},
		"a stream":                    {answers{says(200, events, delta+strings.Replace(ending1, "data: [DONE]", usage+"data: [DONE]", 1))}, asks, 50},
		"a stream without usage":      {answers{says(200, events, delta+delta+ending1)}, asks, 11 + 3},
		"a stream that breaks off":    {answers{says(200, events, delta+delta)}, asks, 11 + 2},
		"more than there can be":      {answers{says(200, "", noUsage)}, strings.Replace(asks, "100", "9007199254740992", 1), 1000},
		"no body":                     {answers{says(200, "", good)}, "", 10},
		"an answer that is no JSON":   {answers{says(200, "text/html", "x")}, asks, 0},
		"a panic":                     {answers{func(*http.Request) (*http.Response, error) { panic("x") }}, asks, 0},
		"a caller who has left early": {nil, asks, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, trysail.Policy{}, tc.answers...)
				f.rt.Tokens = tokens(t, 1, 1000)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tc.answers == nil {
					cancel()
				}
				func() {
					defer func() { _ = recover() }()
					_, _, _ = f.do(ctx, http.MethodPost, chatURL, tc.body)
				}()
				s := f.rt.Tokens.Snapshot()
				if s.Available != 1000-tc.used || s.Open != 0 || s.Misuses != 0 {
					t.Errorf("limiter %+v, want %v used and nothing open", s, tc.used)
				}
				f.last()
			})
		})
	}
}

// A request waits for its tokens, if it may.
func TestTransportTokenWait(t *testing.T) {
	const asks = `{"max_tokens":99}` // 5 more for the prompt
	for name, tc := range map[string]struct {
		wait, deadline, leaves time.Duration
		took                   time.Duration
		err                    error
	}{
		"not at all":          {0, 0, 0, 0, trysail.ErrLimited},
		"too short":           {103 * time.Second, 0, 0, 0, trysail.ErrLimited},
		"as long as it takes": {104 * time.Second, 0, 0, 104 * time.Second, nil},
		"past the deadline":   {time.Hour, time.Minute, 0, 0, trysail.ErrLimited},
		"until one leaves":    {time.Hour, 0, 10 * time.Second, 10 * time.Second, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, trysail.Policy{}, says(200, "", good))
				f.rt.Tokens, f.rt.TokenWait = tokens(t, 1, 200), tc.wait
				if _, err := f.rt.Tokens.Reserve(200); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tc.deadline > 0 {
					ctx, cancel = context.WithTimeout(ctx, tc.deadline)
					defer cancel()
				}
				if tc.leaves > 0 {
					defer time.AfterFunc(tc.leaves, cancel).Stop()
				}
				began := time.Now()
				_, _, err := f.do(ctx, http.MethodPost, chatURL, asks)
				if took := time.Since(began); !errors.Is(err, tc.err) || took != tc.took {
					t.Errorf("RoundTrip() = %v after %v, want %v after %v", err, took, tc.err, tc.took)
				}
				if open := f.rt.Tokens.Snapshot().Open; open != 1 || (tc.err == nil) != (len(f.sent) == 1) {
					t.Errorf("%d reservations open with %d sent, want only the other's", open, len(f.sent))
				}
				f.last()
			})
		})
	}
}

// A refusal of the breaker gives the tokens back.
func TestTransportTokensWhenOpen(t *testing.T) {
	f := newFake(t, trysail.Policy{Breaker: trysail.BreakerPolicy{FailureThreshold: 1}}, fails(errNet))
	f.rt.Tokens = tokens(t, 1e-4, 1000)
	_, _, _ = f.do(t.Context(), http.MethodPost, chatURL, plain)
	_, _, err := f.do(t.Context(), http.MethodPost, chatURL, plain)
	if s := f.rt.Tokens.Snapshot(); !errors.Is(err, trysail.ErrOpen) || s.Open != 0 || s.Available < 999 || len(f.seen) != 2 || f.seen[1].Attempts != 0 {
		t.Errorf("RoundTrip() = %v with limiter %+v and %+v; want a refusal that costs nothing", err, s, f.seen)
	}
}

// A provider that says that nothing is left is believed.
func TestTransportTokensPenalty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tight := with(with(says(200, "", good), "X-Ratelimit-Remaining-Tokens", "0"), "X-Ratelimit-Reset-Tokens", "90s")
		f := newFake(t, trysail.Policy{}, tight)
		f.rt.Tokens = tokens(t, 1, 1000)
		f.rt.Estimate = func([]byte) int64 { return -5 } // counts as none
		began := time.Now()
		_, _, err := f.do(t.Context(), http.MethodPost, chatURL, plain)
		if s := f.rt.Tokens.Snapshot(); err != nil || !s.NotBefore.Equal(began.Add(90*time.Second)) || f.last().Limits[0].Remaining != 0 {
			t.Errorf("limiter %+v, %v; want nothing for 90 s", s, err)
		}
	})
}

// A stream that its reader closes early has cost what came.
func TestTransportTokensOfALeftStream(t *testing.T) {
	f := newFake(t, trysail.Policy{}, func(r *http.Request) (*http.Response, error) {
		resp, err := says(200, events, "")(r)
		resp.Body = provider(io.EOF, step{0, delta}, step{time.Hour, delta})
		return resp, err
	})
	f.rt.Tokens = tokens(t, 1e-4, 1000)
	r, open := request(t, t.Context(), http.MethodPost, chatURL, `{"max_tokens":500}`)
	resp, err := f.rt.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	f.closed(open)
	e := f.last()
	if s := f.rt.Tokens.Snapshot(); s.Available < 993.9 || s.Available > 994.1 || s.Open != 0 || e.Verdict.Class != trysail.ClassCanceled {
		t.Errorf("limiter %+v, exchange %+v; want 5 tokens of the prompt and 1 that came", s, e)
	}
	if n := f.op.Breaker().Snapshot().Failures; n != 0 {
		t.Errorf("%d failures, want none: it was the reader's choice", n)
	}
}
