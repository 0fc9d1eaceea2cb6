package sdks_test

import (
	"context"
	"testing"
	"time"
)

// A provider says in many ways when to come back, and is not asked before that. Without a hint the bench
// does not wait at all, so a wait was asked for.
func TestTransportWaitsAsAsked(t *testing.T) {
	whole := wholeText(t)
	for name, tc := range map[string]struct {
		script   string
		wait     time.Duration
		requests int
	}{
		"the provider's own form": {"rate-limit:40ms, ok", 40 * time.Millisecond, 2}, // at Gemini RetryInfo
		"a status with its wait":  {"429:0.04, ok", 40 * time.Millisecond, 2},
		"each time":               {"429:0.03, 429:0.02, ok", 50 * time.Millisecond, 3},
		"retry-after":             {"rate-limit:40ms:retry-after, ok", 40 * time.Millisecond, 2},
		"retry-after-ms":          {"rate-limit:40ms:retry-after-ms, ok", 40 * time.Millisecond, 2},
		"a date":                  {"rate-limit:40ms:http-date, ok", time.Second, 2}, // which has whole seconds
		"the text":                {"rate-limit:40ms:message, ok", 40 * time.Millisecond, 2},
		"the reset of the limit":  {"rate-limit:40ms:reset, ok", 40 * time.Millisecond, 2},
		"should retry":            {"rate-limit:40ms:should-retry, ok", 40 * time.Millisecond, 2},
		"should retry, at once":   {"rate-limit:should-retry, ok", 0, 2},
		"no capacity":             {"overloaded:40ms, ok", 40 * time.Millisecond, 2},
	} {
		t.Run(name, func(t *testing.T) {
			eachForm(t, "", func(t *testing.T, name, form string) {
				t.Parallel() // a date takes a second
				b := newBench(t, name, form, tc.script)
				began := time.Now()
				text, err := b.ask(t.Context())
				if took := time.Since(began); text != whole || err != nil || took < tc.wait {
					t.Errorf("got %q, %v after %v; want the whole answer after %v at least", text, err, took, tc.wait)
				}
				b.wantRequests(tc.requests)
				b.wantFailures(0)
			})
		})
	}
}

// Some waits are not worth it, or forbidden.
func TestTransportDoesNotWait(t *testing.T) {
	for name, script := range map[string]string{
		"should not retry":          "rate-limit:1ms:should-not-retry, ok",
		"a 500 that should not":     "overloaded:1ms:should-not-retry, ok",
		"half an hour":              "rate-limit:30m, ok",
		"a quota with a short wait": "quota:1ms, ok", // at Gemini a day's beside a minute's, and RetryInfo
		"a quota that should retry": "quota:1ms:should-retry, ok",
		"longer than the caller":    "rate-limit:8s, ok",
	} {
		t.Run(name, func(t *testing.T) {
			eachForm(t, "", func(t *testing.T, name, form string) {
				b := newBench(t, name, form, script)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				_, err := b.ask(ctx)
				if status, _ := sdks()[name].failure(err); status < 429 {
					t.Errorf("error %v, want the provider's", err)
				}
				b.wantRequests(1)
				b.wantFailures(1)
			})
		})
	}
}
