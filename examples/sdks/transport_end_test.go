package sdks_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

// After two failed calls the provider is left alone, and the SDK's error says so.
func TestTransportBreaker(t *testing.T) {
	eachForm(t, "", func(t *testing.T, name, form string) {
		b := newBench(t, name, form, "500")
		for call := range 2 {
			_, err := b.ask(t.Context())
			if status, _ := sdks()[name].failure(err); status != 500 {
				t.Errorf("call %d: %v, want the provider's error", call, err)
			}
			b.wantFailures(call + 1)
		}
		_, err := b.ask(t.Context())
		failed, ok := errors.AsType[*trysail.Error](err)
		if !errors.Is(err, trysail.ErrOpen) || !ok || failed.RetryAfter <= 0 {
			t.Errorf("error %v, want one of an open breaker that says when to come back", err)
		}
		if status, _ := sdks()[name].failure(err); status != 0 {
			t.Errorf("error %v, want none of the provider's", err)
		}
		b.wantRequests(6)
		if seen := b.exchanges(); len(seen) != 3 || seen[2].Attempts != 0 || !errors.Is(seen[2].Err, trysail.ErrOpen) {
			t.Errorf("seen %+v, want three, the last without an attempt", seen)
		}
	})
}

// Who leaves says nothing about the provider.
func TestTransportCallerLeaves(t *testing.T) {
	for name, tc := range map[string]struct {
		form, script string
		requests     int
	}{
		"before the answer":            {"", "hang", 1},
		"before the first token":       {"stream", "stall:0", 1},
		"after it":                     {"stream", "stall:3", 1},
		"while a wait for the next":    {"", "429:20", 1},
		"in the midst of a long plain": {"plain", "stall:3", 1},
	} {
		t.Run(name, func(t *testing.T) {
			eachForm(t, tc.form, func(t *testing.T, name, form string) {
				b := newBench(t, name, form, tc.script)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() { // on a busy machine the request takes its time to get there
					for b.provider.Total() < tc.requests && ctx.Err() == nil {
						time.Sleep(time.Millisecond)
					}
					time.AfterFunc(50*time.Millisecond, cancel)
				}()
				if _, err := b.ask(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("error %v, want %v", err, context.Canceled)
				}
				b.wantRequests(tc.requests)
				b.wantFailures(0)
				if seen := b.exchanges(); len(seen) != 1 || seen[0].Verdict.Class != trysail.ClassCanceled {
					t.Errorf("seen %+v, want one that was canceled", seen)
				}
			})
		})
	}
}

// Where the SDK's own retries are on, a provider's last answer keeps it from repeating what has been repeated.
// Only where there is no answer, and with genai, which does not heed x-should-retry, attempts multiply.
func TestTransportWithSDKRetries(t *testing.T) {
	for script, requests := range map[string]map[string]int{
		"500":              {"openai-chat": 3, "openai-responses": 3, "anthropic": 3, "gemini": 6},
		"429:0.001":        {"openai-chat": 3, "openai-responses": 3, "anthropic": 3, "gemini": 6},
		"quota":            {"openai-chat": 1, "openai-responses": 1, "anthropic": 1, "gemini": 2},
		"reset":            {"openai-chat": 4, "openai-responses": 4, "anthropic": 4, "gemini": 4},
		"reset, reset, ok": {"openai-chat": 3, "openai-responses": 3, "anthropic": 3, "gemini": 3},
	} {
		t.Run(script, func(t *testing.T) {
			eachForm(t, "", func(t *testing.T, name, form string) {
				t.Parallel() // the SDKs wait half a second
				b := newBench(t, name, form, script)
				b.retries = 1
				_, err := b.ask(t.Context())
				if (err == nil) != (script == "reset, reset, ok") {
					t.Errorf("error %v", err)
				}
				b.wantRequests(requests[name])
				seen := b.exchanges()
				repeated := name != "gemini" && len(seen) == 2 // which does not tell
				if last := seen[len(seen)-1]; (last.SDKRetries == 1) != repeated {
					t.Errorf("seen %+v, want the SDK's retries counted", seen)
				}
			})
		})
	}
}
