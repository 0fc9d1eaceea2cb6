package llm_test

import (
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// What an answer's headers say of the account's tokens, and what the limiter makes of it if it may.
func TestTransportLearnsLimits(t *testing.T) {
	const limit, left, reset = "X-Ratelimit-Limit-Tokens", "X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens"
	for name, tc := range map[string]struct {
		headers     map[string]string
		rate, burst float64
		off         bool
	}{
		"a minute's":           {map[string]string{limit: "30000", left: "12000", reset: "36s"}, 500, 30000, false},
		"Azure's whole second": {map[string]string{limit: "30000", left: "15000", reset: "30"}, 500, 30000, false},
		"Anthropic's": {map[string]string{
			"Anthropic-Ratelimit-Tokens-Limit": "60000", "Anthropic-Ratelimit-Tokens-Remaining": "30000",
			"Anthropic-Ratelimit-Tokens-Reset": "2000-01-01T00:00:30Z", "Date": "Sat, 01 Jan 2000 00:00:00 GMT",
		}, 1000, 60000, false},
		"of input alone":     {map[string]string{"Anthropic-Ratelimit-Input-Tokens-Limit": "60000", "Anthropic-Ratelimit-Input-Tokens-Remaining": "1", "Anthropic-Ratelimit-Input-Tokens-Reset": "2000-01-01T00:00:30Z"}, 100, 1000, false},
		"of requests alone":  {map[string]string{"X-Ratelimit-Limit-Requests": "500", "X-Ratelimit-Remaining-Requests": "1", "X-Ratelimit-Reset-Requests": "1m"}, 100, 1000, false},
		"a reset too near":   {map[string]string{limit: "30000", left: "29500", reset: "1s"}, 100, 1000, false},
		"less than half":     {map[string]string{limit: "30000", left: "15001", reset: "30s"}, 100, 1000, false},
		"a limit of nothing": {map[string]string{limit: "0", left: "0", reset: "30s"}, 100, 1000, false},
		"nothing is taken":   {map[string]string{limit: "30000", left: "30000", reset: "1m"}, 100, 1000, false},
		"more than there is": {map[string]string{limit: "30000", left: "40000", reset: "1m"}, 100, 1000, false},
		"not known":          {map[string]string{limit: "-1", left: "-1", reset: "0"}, 100, 1000, false},
		"nearly the same":    {map[string]string{limit: "1000", left: "0", reset: "10.5s"}, 100, 1000, false},
		"out of range":       {map[string]string{limit: "1", left: "0", reset: "1e400"}, 100, 1000, false},
		"switched off":       {map[string]string{limit: "30000", left: "12000", reset: "36s"}, 100, 1000, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answer := says(200, "", good)
				for key, value := range tc.headers {
					answer = with(answer, key, value)
				}
				f := newFake(t, trysail.Policy{}, answer)
				f.rt.Tokens, f.rt.LearnLimits = tokens(t, 100, 1000), !tc.off
				if _, _, err := f.do(t.Context(), http.MethodPost, chatURL, "{}"); err != nil {
					t.Fatal(err)
				}
				s := f.rt.Tokens.Snapshot()
				if s.Burst != tc.burst || math.Abs(s.Rate-tc.rate) > tc.rate/1000 || s.Open != 0 {
					t.Errorf("limiter %+v, want %v a second and %v at once", s, tc.rate, tc.burst)
				}
			})
		})
	}
	now := time.Now()
	if rate, ok := (llm.Limit{Limit: 10, Remaining: 5}).Rate(now); ok {
		t.Errorf("Rate() without a reset = %v, want none", rate)
	}
}
