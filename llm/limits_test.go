package llm_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/trysail-go/trysail/llm"
)

func TestLimitsOf(t *testing.T) {
	now := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	in := func(d time.Duration) time.Time { return now.Add(d) }
	for name, tc := range map[string]struct {
		header map[string]string
		want   []llm.Limit
	}{
		"none": {nil, nil},
		"OpenAI": {
			map[string]string{
				"x-ratelimit-limit-requests": "500", "x-ratelimit-remaining-requests": "499", "x-ratelimit-reset-requests": "120ms",
				"x-ratelimit-limit-tokens": "30000", "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s",
			},
			[]llm.Limit{{"requests", 500, 499, in(120 * time.Millisecond)}, {"tokens", 30000, 0, in(6 * time.Minute)}},
		},
		"Azure, in seconds and with a hyphen more": {
			map[string]string{"x-ratelimit-limit-tokens": "100", "x-ratelimit-remaining-tokens": " 7 ", "x-rate-limit-reset-tokens": "55"},
			[]llm.Limit{{"tokens", 100, 7, in(55 * time.Second)}},
		},
		"Azure, which does not know": {
			map[string]string{"x-ratelimit-limit-tokens": "-1", "x-ratelimit-remaining-tokens": "-1", "x-ratelimit-reset-tokens": "0"},
			nil,
		},
		"Groq": {
			map[string]string{"x-ratelimit-remaining-requests": "14370", "x-ratelimit-reset-requests": "2m59.56s"},
			[]llm.Limit{{"requests", -1, 14370, in(2*time.Minute + 59560*time.Millisecond)}},
		},
		"Anthropic, by the server's clock": {
			map[string]string{
				"date":                               "Sat, 01 Aug 2026 11:00:00 GMT",
				"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49", "anthropic-ratelimit-requests-reset": "2026-08-01T11:00:30Z",
				"anthropic-ratelimit-tokens-limit":        "90",
				"anthropic-ratelimit-input-tokens-limit":  "60",
				"anthropic-ratelimit-output-tokens-limit": "30", "anthropic-ratelimit-output-tokens-reset": "soon",
			},
			[]llm.Limit{
				{"requests", 50, 49, in(30 * time.Second)},
				{"tokens", 90, -1, time.Time{}},
				{"input-tokens", 60, -1, time.Time{}},
				{"output-tokens", 30, -1, time.Time{}},
			},
		},
		"OpenRouter, milliseconds since 1970": {
			map[string]string{"X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1785585660000"},
			[]llm.Limit{{"requests", 20, 0, in(time.Minute)}},
		},
		"Mistral": {
			map[string]string{"ratelimitbysize-limit": "500000", "ratelimitbysize-remaining": "499963", "ratelimitbysize-reset": "42"},
			[]llm.Limit{{"tokens", 500000, 499963, in(42 * time.Second)}},
		},
		"nonsense": {
			map[string]string{"x-ratelimit-limit-tokens": "many", "x-ratelimit-remaining-tokens": "99999999999999999999", "x-ratelimit-reset-tokens": "1s"},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			for key, value := range tc.header {
				h.Set(key, value)
			}
			got := llm.LimitsOf(h, now)
			if !slices.EqualFunc(got, tc.want, func(a, b llm.Limit) bool {
				return a.Name == b.Name && a.Limit == b.Limit && a.Remaining == b.Remaining && a.Reset.Equal(b.Reset)
			}) {
				t.Errorf("LimitsOf() = %+v, want %+v", got, tc.want)
			}
		})
	}
}

// FuzzLimitsOf looks for limits that nobody can have.
func FuzzLimitsOf(f *testing.F) {
	for _, reset := range []string{"6m0s", "55", "2026-08-01T11:00:30Z", "1785585660000", "1e400", "-1", "NaN"} {
		f.Add("5", "0", reset, "Sat, 01 Aug 2026 11:00:00 GMT")
	}
	f.Fuzz(func(t *testing.T, limit, remaining, reset, date string) {
		h := http.Header{"Date": {date}}
		for _, name := range []string{"X-Ratelimit-%s-Tokens", "Anthropic-Ratelimit-Tokens-%s"} {
			for word, value := range map[string]string{"Limit": limit, "Remaining": remaining, "Reset": reset} {
				h[replaced(name, word)] = []string{value}
			}
		}
		now := time.Now()
		for _, l := range llm.LimitsOf(h, now) {
			if l.Limit < -1 || l.Remaining < -1 || l.Limit == -1 && l.Remaining == -1 {
				t.Errorf("LimitsOf() has %+v, want what can be", l)
			}
			if !l.Reset.IsZero() && (l.Reset.Before(now) || l.Reset.After(now.Add(367*24*time.Hour))) {
				t.Errorf("Reset %v of %q at %v, want it within 366 days", l.Reset, reset, now)
			}
		}
	})
}
