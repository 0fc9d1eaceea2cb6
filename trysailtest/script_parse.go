package trysailtest

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxScriptEntries = 64
	maxScriptBytes   = 1024 // of a header; no script worth sending is longer
	maxFaultTokens   = 1_000_000
)

// ParseScript reads a script: one to 64 entries, separated by commas. Blanks around
// entries and upper case do not matter. The package comment lists the entries. An
// error names the first unusable entry, its position and what would be right.
func ParseScript(s string) (Script, error) {
	count := strings.Count(s, ",") + 1
	if count > maxScriptEntries {
		return nil, fmt.Errorf("script has %d entries, want at most %d", count, maxScriptEntries)
	}
	script := make(Script, 0, count)
	for entry := range strings.SplitSeq(s, ",") {
		entry = strings.TrimSpace(entry)
		fault, err := parseFault(strings.ToLower(entry))
		if err != nil {
			return nil, fmt.Errorf("script entry %d is %.40q, want %w", len(script)+1, entry, err)
		}
		script = append(script, fault)
	}
	return script, nil
}

// parseFault reads one entry. Its error says what would be right.
func parseFault(entry string) (Fault, error) {
	word, arg, hasArg := strings.Cut(entry, ":")
	kind, arg := FaultKind(strings.TrimSpace(word)), strings.TrimSpace(arg)
	switch kind {
	case FaultOK, FaultReset, FaultHang, FaultHTML, FaultShort, FaultGarbage:
		if hasArg {
			return Fault{}, fmt.Errorf("%q alone", kind)
		}
		return Fault{Kind: kind}, nil
	case FaultCut, FaultError, FaultStall:
		n, err := strconv.ParseUint(arg, 10, 32)
		if err != nil || n > maxFaultTokens {
			return Fault{}, fmt.Errorf("%s:N with N from 0 to %d tokens", kind, maxFaultTokens)
		}
		return Fault{Kind: kind, Tokens: int(n)}, nil
	case FaultFirstToken:
		wait, err := time.ParseDuration(arg)
		if err != nil || wait < 0 {
			return Fault{}, fmt.Errorf("%s:DURATION, for example %s:6s", kind, kind)
		}
		return Fault{Kind: kind, After: wait}, nil
	default:
		return parseStatus(string(kind), arg, hasArg)
	}
}

// parseStatus reads "503" and "429:1.5".
func parseStatus(number, arg string, hasArg bool) (Fault, error) {
	status, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return Fault{}, errors.New("a status from 200 to 599, reset, hang, first-token:DURATION, " +
			"cut:N, html, short, error:N, stall:N, garbage or ok")
	}
	if status < 200 || status > 599 {
		return Fault{}, errors.New("a status from 200 to 599")
	}
	fault := Fault{Kind: FaultStatus, Status: int(status)}
	if !hasArg {
		return fault, nil
	}
	// ParseDuration alone would take signs and units, which Retry-After does not know.
	after, err := time.ParseDuration(arg + "s")
	if err != nil || strings.Trim(arg, "0123456789.") != "" {
		return Fault{}, fmt.Errorf("%d:S with S seconds for Retry-After, for example %d:1.5", status, status)
	}
	fault.After = after
	if after == 0 {
		fault.After = RetryNow
	}
	return fault, nil
}

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
