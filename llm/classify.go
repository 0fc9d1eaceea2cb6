package llm

import (
	"net/http"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
)

// longWait is the wait from which on a limit is as good as used up: nobody waits
// a quarter of an hour for an answer.
const longWait = 15 * time.Minute

// Classify judges an answer, or a frame of a stream. Codes count before texts, texts
// before the status, and a code that is not known counts for nothing, so
// that what providers add later falls to the table of statuses.
//
// An answer with a good status fails when its body is an error, when the content was
// refused, or when the model broke off. It costs a few microseconds at most;
// a success allocates nothing.
func Classify(r Response) Verdict {
	var rep report
	return rep.judge(&r)
}

// judge judges r with what the report holds already.
func (r *report) judge(resp *Response) Verdict {
	r.readHeader(resp)
	r.read(resp.Body[:min(len(resp.Body), MaxBody)])
	if resp.Status >= http.StatusBadRequest || r.announced {
		r.failed = true
	}
	e := evidence{provider: resp.Provider, header: resp.Header, report: r, status: resp.Status}
	if resp.Status < http.StatusBadRequest {
		e.status = r.number
	}
	if r.failed {
		e.judge()
	} else if found, ok := r.ended(); ok {
		e.found = found
	} else {
		return Verdict{Status: resp.Status}
	}
	return e.verdict()
}

// readHeader reads what headers say in place of the body: Amazon's name of the
// error, and the headers of a frame.
func (r *report) readHeader(resp *Response) {
	if name := first(resp.Header, "X-Amzn-Errortype"); name != "" {
		r.codes[headerCode] = cutType([]byte(name))
	}
	if !resp.Stream {
		return
	}
	switch first(resp.Header, ":message-type") {
	case "exception":
		r.codes[headerCode] = []byte(first(resp.Header, ":exception-type"))
		r.announced = true
	case "error":
		r.codes[headerCode] = []byte(first(resp.Header, ":error-code"))
		r.topMessage = []byte(first(resp.Header, ":error-message"))
		r.announced = true
	}
	switch {
	case resp.Event == "error":
		r.announced = true
	case strings.HasSuffix(resp.Event, "Exception"):
		r.codes[headerCode] = []byte(resp.Event)
		r.announced = true
	}
}

// A finding is what a rule concludes.
type finding struct {
	class  trysail.Class
	scope  Scope
	reason string
}

// evidence is what the rules look at.
type evidence struct {
	provider Provider
	status   int // 0: an error inside an answer whose status was good
	header   http.Header
	report   *report
	now      time.Time

	// Message and codes are in lower case.
	text         searched
	codes        [places]string // without gaps
	coded        int
	mainCode     string // of error.code
	googleStatus string // of error.status

	wait  time.Duration
	waits bool
	found finding
}

// judge goes through the rules; the first that applies decides.
func (e *evidence) judge() {
	e.fold()
	e.now = time.Now()
	e.delay()
	_ = e.overridden() || e.largerThanLimit() || e.googleQuota() || e.quota() || e.longWindow() ||
		e.policy() || e.context() || e.hopeless() || e.capacity() || e.broken() || e.invited() ||
		e.byStatus() || e.byCode()
	e.resetWait(e.found.class)
	if e.waits && e.wait >= longWait && (e.found.class == trysail.ClassRateLimited || e.found.class == trysail.ClassOverloaded) {
		e.found = finding{trysail.ClassQuotaExhausted, ScopeTarget, "long wait"}
	}
}

// longestMessage is how much of a message is searched, and longestCode how long a code may be.
const (
	longestMessage = 4 << 10
	longestCode    = 64
)

// fold makes codes and message comparable. They share one text, which is the only
// thing allocated for most errors.
func (e *evidence) fold() {
	message := e.report.message
	if len(message) == 0 {
		message = e.report.topMessage
	}
	var buffer [1 << 10]byte
	folded := buffer[:0]
	var ends [places]int
	for place, code := range e.report.codes {
		if len(code) <= longestCode {
			folded = appendLower(folded, code)
		}
		ends[place] = len(folded)
	}
	folded = appendLower(folded, message[:min(len(message), longestMessage)])
	if len(folded) == 0 {
		return
	}
	text, start := string(folded), 0
	for place, end := range ends {
		code := text[start:end]
		start = end
		if code == "" {
			continue
		}
		switch place {
		case errorCode:
			e.mainCode = code
		case errorStatus:
			e.googleStatus = code
		}
		e.codes[e.coded] = code
		e.coded++
	}
	e.text.search(text[start:])
}

// verdict puts together what was found.
func (e *evidence) verdict() Verdict {
	retryable := mayRetry(e.found.class) && !strings.EqualFold(e.shouldRetry(), "false")
	return Verdict{
		Class:     e.found.class,
		Failed:    true,
		Retryable: retryable,
		Once:      retryable && e.once(),
		Delay:     e.wait,
		HasDelay:  e.waits,
		Scope:     e.found.scope,
		Reason:    e.found.reason,
		Status:    e.status,
		RequestID: e.requestID(),
	}
}

// shouldRetry is what the servers of OpenAI and Anthropic tell their SDKs.
func (e *evidence) shouldRetry() string {
	return strings.TrimSpace(first(e.header, "X-Should-Retry"))
}

// code returns the first of the error's codes that the list holds, or "".
func (e *evidence) code(list string) string {
	for _, code := range e.codes[:e.coded] {
		if entry := listed(list, code); entry != "" {
			return entry
		}
	}
	return ""
}

// conclude ends the search when there is a reason.
func (e *evidence) conclude(class trysail.Class, scope Scope, reason string) bool {
	if reason == "" {
		return false
	}
	e.found = finding{class, scope, reason}
	return true
}
