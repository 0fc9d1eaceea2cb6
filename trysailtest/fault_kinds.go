package trysailtest

import "slices"

// A FaultKind names what happens to a request.
type FaultKind string

// Faults of the connection, of the body and of the stream. A "plain" answer is one
// that is not streamed.
const (
	FaultOK         FaultKind = "ok"          // a good answer
	FaultStatus     FaultKind = "status"      // an error answer with the status Fault.Status; 2xx answers well
	FaultReset      FaultKind = "reset"       // the connection is reset before any byte
	FaultHang       FaultKind = "hang"        // no answer until the client leaves or the provider closes
	FaultFirstToken FaultKind = "first-token" // waits Fault.After before the first token or plain answer
	FaultKeepAlive  FaultKind = "keep-alive"  // the same wait, with a comment or ping each second; blank lines before a plain answer
	FaultEmpty      FaultKind = "empty"       // Fault.Tokens deltas without text come before the first token
	FaultCut        FaultKind = "cut"         // the stream breaks off after Fault.Tokens tokens; a plain answer half-way
	FaultEnd        FaultKind = "end"         // the same, but the connection is closed as if all were sent
	FaultError      FaultKind = "error"       // an error frame after Fault.Tokens tokens; a plain answer is an error
	FaultStall      FaultKind = "stall"       // after Fault.Tokens tokens only comments or pings; a plain answer hangs
	FaultShort      FaultKind = "short"       // less than Content-Length promises; a stream is cut after one token
	FaultGarbage    FaultKind = "garbage"     // status 200 and a body that is not JSON
	FaultHTML       FaultKind = "html"        // status 200 and a web page
	FaultShape      FaultKind = "shape"       // another provider's answer, named by Fault.Form
)

// Faults named by what they mean. Each is the error that the protocol spoken has for
// it, with the status, the codes and the hints that its provider documents.
const (
	FaultRateLimit     FaultKind = "rate-limit"      // a short window is full; wait
	FaultQuota         FaultKind = "quota"           // what was paid for, or a day's share, is used up; waiting does not help
	FaultBilling       FaultKind = "billing"         // there is no money
	FaultOverloaded    FaultKind = "overloaded"      // the provider has no capacity
	FaultContextLength FaultKind = "context-length"  // prompt and answer exceed the model's window
	FaultTooLarge      FaultKind = "too-large"       // the request exceeds a limit on its own; waiting does not help
	FaultContentPolicy FaultKind = "content-policy"  // refused for what it says
	FaultAuth          FaultKind = "auth"            // the key is not valid
	FaultModelNotFound FaultKind = "model-not-found" // there is no such model
)

// meanings lists the faults named by what they mean.
func meanings() []FaultKind {
	return []FaultKind{
		FaultRateLimit, FaultQuota, FaultBilling, FaultOverloaded, FaultContextLength,
		FaultTooLarge, FaultContentPolicy, FaultAuth, FaultModelNotFound,
	}
}

func (k FaultKind) isMeaning() bool { return slices.Contains(meanings(), k) }

// Forms of a hint, in which an error says when to come back. Blank is the protocol's
// own: see the package comment.
const (
	formRetryAfter     = "retry-after"      // Retry-After in seconds
	formRetryAfterMS   = "retry-after-ms"   // Retry-After-Ms
	formHTTPDate       = "http-date"        // Retry-After as a date
	formMessage        = "message"          // in the error's text
	formReset          = "reset"            // in the rate limit headers; RetryInfo at Gemini
	formShouldRetry    = "should-retry"     // X-Should-Retry: true, and Retry-After
	formShouldNotRetry = "should-not-retry" // X-Should-Retry: false, and Retry-After
)

func hintForms() []string {
	return []string{
		formRetryAfter, formRetryAfterMS, formHTTPDate, formMessage, formReset,
		formShouldRetry, formShouldNotRetry,
	}
}

// Forms of an error frame that only some streams know. Blank is the usual one.
const (
	formDone   = "done"   // chat: [DONE] follows the error, as from vLLM
	formChunk  = "chunk"  // chat: the error is in a chunk that ends a choice, as from OpenRouter
	formNested = "nested" // responses: the error is an object inside the error event
	formFailed = "failed" // responses: response.failed
)

// frameForms tells which path each form of an error frame belongs to.
func frameForms() map[string]string {
	return map[string]string{
		formDone: pathChat, formChunk: pathChat, formNested: pathResponses, formFailed: pathResponses,
	}
}

// formRefusal makes FaultContentPolicy an answer with status 200 that refuses.
const formRefusal = "refusal"

// streamStop returns after how many tokens the fault stops a stream, or -1.
func (f Fault) streamStop() int {
	switch f.Kind {
	case FaultCut, FaultEnd, FaultError, FaultStall:
		return f.Tokens
	case FaultShort:
		return 1
	case FaultGarbage:
		return 0
	default:
		return -1
	}
}
