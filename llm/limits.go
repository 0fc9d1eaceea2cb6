package llm

import (
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
// now: those that begin with x-ratelimit- (OpenAI, Azure, Groq) and anthropic-ratelimit-. Numbers that
// are negative, as Azure's, are not told.
func LimitsOf(h http.Header, now time.Time) []Limit {
	var limits []Limit
	for _, name := range [...]string{"requests", "tokens"} {
		limits = appendLimit(limits, h, now, [4]string{
			name, "X-Ratelimit-Limit-" + title(name), "X-Ratelimit-Remaining-" + title(name), "X-Ratelimit-Reset-" + title(name),
		})
	}
	for _, name := range [...]string{"requests", "tokens", "input-tokens", "output-tokens"} {
		prefix := "Anthropic-Ratelimit-" + title(name)
		limits = appendLimit(limits, h, now, [4]string{name, prefix + "-Limit", prefix + "-Remaining", prefix + "-Reset"})
	}
	return limits
}

// appendLimit adds the limit of that name, if the headers tell of it: limit, remaining, reset.
func appendLimit(limits []Limit, h http.Header, now time.Time, names [4]string) []Limit {
	l := Limit{Name: names[0], Limit: amount(first(h, names[1])), Remaining: amount(first(h, names[2]))}
	if wait, ok := waitUntil(first(h, names[3]), h, now); ok {
		l.Reset = now.Add(wait)
	}
	if l.Limit < 0 && l.Remaining < 0 {
		return limits
	}
	return append(limits, l)
}

// amount reads a number of requests or tokens; -1 stands for none.
func amount(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// title is the name as it stands in a header's canonical form.
func title(name string) string { return http.CanonicalHeaderKey(name) }

// EstimateTokens estimates how many tokens a request's body has: a quarter of its bytes, rounded up,
// which is about right for English prose in JSON. Code has more, some scripts three times as many; the
// limiter settles the difference.
func EstimateTokens(body []byte) int64 { return (int64(len(body)) + 3) / 4 }
