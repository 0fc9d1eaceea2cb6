package llm

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/trysailhttp"
)

// delay sets the server's minimum wait: that of the headers, else that of the
// body, else that of the message.
func (e *evidence) delay() {
	if e.wait, e.waits = trysailhttp.RetryAfter(e.header, e.now); e.waits {
		return
	}
	if e.report.hasHint {
		e.wait, e.waits = e.report.hint, true
		return
	}
	e.wait, e.waits = waitInText(&e.text)
}

// waitInText reads the wait that a message in lower case asks for, such as "try again
// in 6m0s" (OpenAI, Groq), "retry after 45 seconds" (Azure), "retry in 25.46s" (Gemini).
func waitInText(text *searched) (time.Duration, bool) {
	for _, words := range [...]string{"try again in ", "try again after ", "retry after ", "retry in "} {
		if !text.holds(words) {
			continue
		}
		for rest, found := text.text, true; found; {
			if _, rest, found = strings.Cut(rest, words); found {
				if d, length := leadingDuration(rest, "s"); length > 0 {
					return d, true
				}
			}
		}
	}
	return 0, false
}

// A dimension is a limit of which headers tell how much is left, and when it is
// full again.
type dimension struct {
	remaining, reset string
	alone            bool // the reset counts without the other, too
}

// resetWait sets the wait from the headers that tell a limit's state, where nothing else
// gave one: until the last of the limits that are used up is full again. That is
// longer than needed, so it is the last resort. It tells nothing unless the failure
// is one of a rate or of capacity.
func (e *evidence) resetWait(class trysail.Class) {
	if e.waits || len(e.header) == 0 || e.status != http.StatusTooManyRequests &&
		class != trysail.ClassRateLimited && class != trysail.ClassOverloaded {
		return
	}
	for _, d := range [...]dimension{
		// OpenAI, Groq: durations. Azure: seconds, sometimes with one more hyphen.
		{"X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests", false},
		{"X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens", false},
		{"X-Ratelimit-Remaining-Tokens_usage_based", "X-Ratelimit-Reset-Tokens_usage_based", false},
		{"X-Rate-Limit-Remaining-Requests", "X-Rate-Limit-Reset-Requests", false},
		{"X-Rate-Limit-Remaining-Tokens", "X-Rate-Limit-Reset-Tokens", false},
		{"X-Ratelimit-Remaining-Requests", "X-Rate-Limit-Reset-Requests", false},
		{"X-Ratelimit-Remaining-Tokens", "X-Rate-Limit-Reset-Tokens", false},
		// Anthropic: RFC 3339.
		{"Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Requests-Reset", false},
		{"Anthropic-Ratelimit-Tokens-Remaining", "Anthropic-Ratelimit-Tokens-Reset", false},
		{"Anthropic-Ratelimit-Input-Tokens-Remaining", "Anthropic-Ratelimit-Input-Tokens-Reset", false},
		{"Anthropic-Ratelimit-Output-Tokens-Remaining", "Anthropic-Ratelimit-Output-Tokens-Reset", false},
		// Together: seconds. OpenRouter: milliseconds since 1970. Mistral: seconds.
		{"X-Ratelimit-Remaining", "X-Ratelimit-Reset", true},
		{"Ratelimitbysize-Remaining", "Ratelimitbysize-Reset", true},
	} {
		if wait, ok := e.resetOf(d); ok {
			e.wait, e.waits = max(e.wait, wait), true
		}
	}
}

// resetOf returns the wait for one limit, if it is used up. What is left may be
// "-1", which means that the server does not know.
func (e *evidence) resetOf(d dimension) (time.Duration, bool) {
	reset := first(e.header, d.reset)
	if reset == "" {
		return 0, false
	}
	if left := first(e.header, d.remaining); left == "" && !d.alone || left != "" && !isZero(left) {
		return 0, false
	}
	return waitUntil(reset, e.header, e.now)
}

func isZero(s string) bool {
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return err == nil && n == 0
}

// waitUntil reads the reset of a limit: a duration, an instant of RFC 3339, or a
// number, which by its size is milliseconds since 1970, seconds since 1970 or
// seconds from now. Instants are measured against the answer's own clock.
func waitUntil(reset string, h http.Header, now time.Time) (time.Duration, bool) {
	const epochSeconds, epochMilliseconds = 1e9, 1e12
	reset = strings.TrimSpace(reset)
	if d, length := leadingDuration(reset, ""); length > 0 && length == len(reset) {
		return d, d > 0
	}
	if n, err := strconv.ParseFloat(reset, 64); err == nil {
		switch {
		case !(n > 0):
			return 0, false
		case n >= 1e18: // past every calendar
			return longestWait, true
		case n >= epochMilliseconds:
			return between(time.UnixMilli(int64(n)), h, now), true
		case n >= epochSeconds:
			return between(time.UnixMilli(int64(n*1000)), h, now), true
		default:
			return decimal(reset, time.Second)
		}
	}
	if at, err := time.Parse(time.RFC3339, reset); err == nil {
		return between(at, h, now), true
	}
	return 0, false
}

// between returns how long it is until an instant, by the server's clock if the
// answer tells it.
func between(at time.Time, h http.Header, now time.Time) time.Duration {
	if date := first(h, "Date"); date != "" {
		if t, err := http.ParseTime(date); err == nil {
			now = t
		}
	}
	return min(max(at.Sub(now), 0), longestWait)
}

// first returns the first value of a header. Its name is in canonical form.
func first(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// requestIDHeaders lists where providers name a request, the most telling first.
func requestIDHeaders() [5]string {
	return [...]string{
		"Apim-Request-Id",  // Azure, which sends X-Request-Id, too
		"X-Request-Id",     // OpenAI and most of those that speak its protocol
		"Request-Id",       // Anthropic
		"X-Amzn-Requestid", // Bedrock
		"X-Generation-Id",  // OpenRouter
	}
}

// requestIDIn returns the request's name as the headers tell it.
func requestIDIn(h http.Header) string {
	for _, name := range requestIDHeaders() {
		if id := first(h, name); id != "" {
			return id
		}
	}
	return ""
}

// requestID returns the name under which the provider's support finds the
// request.
func (e *evidence) requestID() string {
	if id := requestIDIn(e.header); id != "" {
		return id
	}
	if id := e.report.requestID; len(id) > 0 {
		return string(id[:min(len(id), 128)])
	}
	return first(e.header, "Cf-Ray") // an answer of the edge before the provider
}
