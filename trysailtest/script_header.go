package trysailtest

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// headerScript returns the script that a request carries; none gives an empty one.
func headerScript(h http.Header) (Script, error) {
	text := strings.Join(h.Values(SimulateHeader), ",")
	switch {
	case strings.TrimSpace(text) == "":
		return nil, nil
	case len(text) > maxScriptBytes:
		return nil, fmt.Errorf("script has %d bytes, want at most %d", len(text), maxScriptBytes)
	}
	return ParseScript(text)
}

// attemptOf returns which attempt of a call a request says it is.
func attemptOf(h http.Header) int {
	if n, ok := headerNumber(h, AttemptHeader); ok && n >= 1 {
		return n
	}
	// What the SDKs made by Stainless (OpenAI's, Anthropic's) send: 0 at first.
	if n, ok := headerNumber(h, "X-Stainless-Retry-Count"); ok && n < math.MaxInt {
		return n + 1
	}
	return 1
}

// headerNumber reads a header that holds a number of 0 or more.
func headerNumber(h http.Header, name string) (n int, ok bool) {
	value := h.Get(name)
	if value == "" { // the usual case, without the cost of an error
		return 0, false
	}
	n, err := strconv.Atoi(value)
	return n, err == nil && n >= 0
}
