package trysailtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
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
	args := strings.Split(entry, ":")
	for i := range args {
		args[i] = strings.TrimSpace(args[i])
	}
	kind, args := FaultKind(args[0]), args[1:]
	switch kind {
	case FaultOK, FaultReset, FaultHang, FaultHTML, FaultShort, FaultGarbage,
		FaultContextLength, FaultTooLarge, FaultBilling, FaultAuth, FaultModelNotFound:
		if len(args) > 0 {
			return Fault{}, fmt.Errorf("%q alone", kind)
		}
		return Fault{Kind: kind}, nil
	case FaultCut, FaultEnd, FaultStall, FaultEmpty:
		n, ok := parseTokens(args)
		if !ok || len(args) > 1 {
			return Fault{}, fmt.Errorf("%s:N with N from 0 to %d tokens", kind, maxFaultTokens)
		}
		return Fault{Kind: kind, Tokens: n}, nil
	case FaultFirstToken, FaultKeepAlive:
		wait, ok := parseWait(args)
		if !ok || len(args) > 1 {
			return Fault{}, fmt.Errorf("%s:DURATION, for example %s:6s", kind, kind)
		}
		return Fault{Kind: kind, After: wait}, nil
	case FaultError:
		return parseFrame(args)
	case FaultRateLimit, FaultQuota, FaultOverloaded:
		return parseHint(kind, args)
	case FaultContentPolicy:
		return parseRefusal(args)
	case FaultShape:
		return parseShape(args)
	default:
		return parseStatus(string(kind), args)
	}
}

func parseTokens(args []string) (n int, ok bool) {
	if len(args) == 0 {
		return 0, false
	}
	tokens, err := strconv.ParseUint(args[0], 10, 32)
	return int(tokens), err == nil && tokens <= maxFaultTokens
}

func parseWait(args []string) (wait time.Duration, ok bool) {
	if len(args) == 0 {
		return 0, false
	}
	wait, err := time.ParseDuration(args[0])
	return wait, err == nil && wait >= 0
}

// parseFrame reads the arguments of error:N:MEANING:FORM.
func parseFrame(args []string) (Fault, error) {
	n, ok := parseTokens(args)
	fault := Fault{Kind: FaultError, Tokens: n}
	for i, arg := range args[min(1, len(args)):] {
		switch _, isForm := frameForms()[arg]; {
		case i == 0 && FaultKind(arg).isMeaning():
			fault.Cause = FaultKind(arg)
		case isForm && fault.Form == "":
			fault.Form = arg
		default:
			ok = false
		}
	}
	if !ok {
		return Fault{}, fmt.Errorf("error:N with N from 0 to %d tokens, or error:N:MEANING:FORM of which either may be left out; MEANING is %s, FORM is %s",
			maxFaultTokens, either(meanings()), either(slices.Sorted(maps.Keys(frameForms()))))
	}
	return fault, nil
}

// parseHint reads the arguments of rate-limit:DURATION:FORM and its like.
func parseHint(kind FaultKind, args []string) (Fault, error) {
	fault := Fault{Kind: kind}
	wait, hasWait := parseWait(args)
	if hasWait {
		args, fault.After = args[1:], wait
		if wait == 0 {
			fault.After = RetryNow
		}
	}
	switch {
	case len(args) == 0:
		return fault, nil
	case len(args) == 1 && slices.Contains(hintForms(), args[0]) &&
		(hasWait || args[0] == formShouldRetry || args[0] == formShouldNotRetry):
		fault.Form = args[0]
		return fault, nil
	default:
		return Fault{}, fmt.Errorf("%s, %s:DURATION or %s:DURATION:FORM, for example %s:2s:http-date; FORM is %s",
			kind, kind, kind, kind, either(hintForms()))
	}
}

func parseRefusal(args []string) (Fault, error) {
	fault := Fault{Kind: FaultContentPolicy}
	switch {
	case len(args) == 0:
		return fault, nil
	case len(args) == 1 && args[0] == formRefusal:
		fault.Form = formRefusal
		return fault, nil
	default:
		return Fault{}, fmt.Errorf("%s or %s:%s", FaultContentPolicy, FaultContentPolicy, formRefusal)
	}
}

func parseShape(args []string) (Fault, error) {
	if len(args) == 1 && slices.Contains(shapeNames(), args[0]) {
		return Fault{Kind: FaultShape, Form: args[0]}, nil
	}
	return Fault{}, fmt.Errorf("shape:NAME; NAME is %s", either(shapeNames()))
}

// parseStatus reads "503" and "429:1.5".
func parseStatus(number string, args []string) (Fault, error) {
	status, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return Fault{}, fmt.Errorf("a status from 200 to 599, reset, hang, first-token:DURATION, keep-alive:DURATION, "+
			"empty:N, cut:N, end:N, html, short, error:N, stall:N, garbage, shape:NAME, ok, or by its meaning %s",
			either(meanings()))
	}
	if status < 200 || status > 599 {
		return Fault{}, errors.New("a status from 200 to 599")
	}
	fault := Fault{Kind: FaultStatus, Status: int(status)}
	if len(args) == 0 {
		return fault, nil
	}
	// ParseDuration alone would take signs and units, which Retry-After does not know.
	after, err := time.ParseDuration(args[0] + "s")
	if err != nil || len(args) > 1 || strings.Trim(args[0], "0123456789.") != "" {
		return Fault{}, fmt.Errorf("%d:S with S seconds for Retry-After, for example %d:1.5", status, status)
	}
	fault.After = after
	if after == 0 {
		fault.After = RetryNow
	}
	return fault, nil
}

// either lists words: "a, b or c".
func either[S ~string](words []S) string {
	var b strings.Builder
	for i, word := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(word))
	}
	return b.String()
}
