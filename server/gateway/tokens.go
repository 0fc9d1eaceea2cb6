package gateway

import (
	"cmp"
	"encoding/json"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// limitTokens gives the target the limiter that its plan wants. What is in use stays in use. Its burst is a minute's worth, as
// the providers' own have it (https://docs.anthropic.com/en/api/rate-limits, 2025: a token bucket).
func (t *target) limitTokens() error {
	a := t.Limits.Tokens
	limiter := t.tokens.Load()
	switch {
	case a == 0:
		t.tokens.Store(nil)
		return nil
	case limiter != nil:
		return limiter.SetRate(a/60, a)
	}
	limiter, err := trysail.NewLimiter(trysail.LimiterConfig{Rate: a / 60, Burst: a})
	t.tokens.Store(limiter)
	return err
}

// reserve takes the tokens that the request is likely to use, if they are free.
func (v *visit) reserve(e *exchange) error {
	limiter := v.target.tokens.Load()
	if limiter == nil || len(e.body) == 0 {
		return nil
	}
	// More than the burst could never be had; the difference is settled.
	r, err := limiter.Reserve(min(e.estimate(), limiter.Snapshot().Burst))
	if err != nil {
		return err
	}
	v.reservation = &r
	return nil
}

// A usage is what an exchange knows of its tokens.
type usage struct {
	estimated bool
	prompt    float64 // an estimate
	output    float64 // what it allows
	told      llm.Usage
	events    int // of a stream, that brought it forward
}

// estimate returns how many tokens the request may use.
func (e *exchange) estimate() float64 {
	u := &e.usage
	if u.estimated {
		return u.prompt + u.output
	}
	var asked struct {
		MaxTokens           float64 `json:"max_tokens"`
		MaxCompletionTokens float64 `json:"max_completion_tokens"`
		MaxOutputTokens     float64 `json:"max_output_tokens"`
		Generation          struct {
			MaxOutputTokens float64 `json:"maxOutputTokens"`
		} `json:"generationConfig"`
	}
	if e.isJSON {
		_ = json.Unmarshal(e.body, &asked) // what is odd the provider will judge
	}
	u.estimated = true
	u.prompt = float64(llm.EstimateTokens(e.body))
	u.output = max(asked.MaxTokens, asked.MaxCompletionTokens, asked.MaxOutputTokens, asked.Generation.MaxOutputTokens, 0) * float64(max(e.choices, 1))
	return u.prompt + u.output
}

// settleTokens ends the reservation of a visit with what was used: as was told; of a stream that did not tell, the prompt and what came; of a
// plain answer that did not, what was reserved; of another failure nothing.
func (v *visit) settleTokens(u *usage, err error) {
	if v.reservation == nil {
		return
	}
	output := max(float64(u.told.Output), float64(u.events))
	switch {
	case u.told.Input > 0 || output > 0:
		v.reservation.Settle(cmp.Or(float64(u.told.Input), u.prompt) + output)
	case err != nil:
		v.reservation.Cancel()
	default:
		v.reservation.Settle(-1)
	}
	v.reservation = nil
}
