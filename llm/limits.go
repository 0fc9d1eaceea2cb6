package llm

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Limit is what an answer's headers say about one of the provider's limits.
type Limit struct {
	Name      string    // "requests", "tokens", "input-tokens" or "output-tokens"
	Limit     int64     // how many a window allows; -1 if not told
	Remaining int64     // how many are left; -1 if not told
	Reset     time.Time // when all are free again; zero if not told
}

// LimitsOf reads the state of the provider's limits from the headers of an answer, which arrived at
// now: those that begin with x-ratelimit- (OpenAI, Azure, Groq; OpenRouter and Together without the name of
// what they limit, which is requests), anthropic-ratelimit- and ratelimitbysize- (Mistral). Numbers that are
// negative, as Azure's, are not told.
func LimitsOf(h http.Header, now time.Time) []Limit {
	var limits []Limit
	for _, names := range [...]struct{ name, limit, remaining, reset, other string }{
		{"requests", "X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests", "X-Rate-Limit-Reset-Requests"},
		{"tokens", "X-Ratelimit-Limit-Tokens", "X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens", "X-Rate-Limit-Reset-Tokens"},
		{"requests", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset", ""},
		{"tokens", "Ratelimitbysize-Limit", "Ratelimitbysize-Remaining", "Ratelimitbysize-Reset", ""},
		{"requests", "Anthropic-Ratelimit-Requests-Limit", "Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Requests-Reset", ""},
		{"tokens", "Anthropic-Ratelimit-Tokens-Limit", "Anthropic-Ratelimit-Tokens-Remaining", "Anthropic-Ratelimit-Tokens-Reset", ""},
		{"input-tokens", "Anthropic-Ratelimit-Input-Tokens-Limit", "Anthropic-Ratelimit-Input-Tokens-Remaining", "Anthropic-Ratelimit-Input-Tokens-Reset", ""},
		{"output-tokens", "Anthropic-Ratelimit-Output-Tokens-Limit", "Anthropic-Ratelimit-Output-Tokens-Remaining", "Anthropic-Ratelimit-Output-Tokens-Reset", ""},
	} {
		l := Limit{Name: names.name, Limit: amount(first(h, names.limit)), Remaining: amount(first(h, names.remaining))}
		if l.Limit < 0 && l.Remaining < 0 {
			continue
		}
		reset := cmp.Or(first(h, names.reset), first(h, names.other)) // Azure has a hyphen more at times
		if wait, ok := waitUntil(reset, h, now); ok {
			l.Reset = now.Add(wait)
		}
		limits = append(limits, l)
	}
	return limits
}

// shortestReset is from which reset on a rate can be told. Many are given in whole seconds.
const shortestReset = 10 * time.Second

// Rate returns how many are free again in a second, as seen at now, and whether that can be told. At OpenAI and Anthropic the
// reset is when all that is taken will be free again, which tells the rate within a tenth. Where it is the end of a fixed window,
// the rate would be far too low at its begin: so it counts from where half is taken.
func (l Limit) Rate(now time.Time) (perSecond float64, ok bool) {
	wait := l.Reset.Sub(now)
	if l.Reset.IsZero() || l.Remaining < 0 || l.Remaining > l.Limit/2 || l.Limit <= 0 || wait < shortestReset {
		return 0, false
	}
	return float64(l.Limit-l.Remaining) / wait.Seconds(), true
}

// amount reads a number of requests or tokens; -1 stands for none.
func amount(s string) int64 {
	if s == "" {
		return -1 // as mostly: an error would be made for nothing
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}
