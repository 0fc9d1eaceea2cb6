// Package trysailtest simulates an AI provider, with faults on demand.
//
// A [Provider] speaks four protocols, by the path of the request:
//
//	POST /v1/chat/completions              OpenAI chat, plain and streamed
//	POST /v1/responses                     OpenAI Responses, plain and streamed
//	POST /v1/embeddings, GET /v1/models    OpenAI
//	POST /v1/messages                      Anthropic, plain and streamed
//	POST /v1/messages/count_tokens         Anthropic
//	GET  /v1/models                        Anthropic, with the header Anthropic-Version
//	POST /v1beta/models/M:generateContent  Gemini; also :streamGenerateContent, with and
//	                                       without alt=sse, and :countTokens
//	GET  /v1beta/models                    Gemini
//
// Its answers are made up, but have the form, the headers, the token counts and the
// errors of real ones, and the same question always gets the same text. Any model name
// is accepted, and no key is needed.
//
// # Faults on demand
//
// A request says in the header X-Trysail-Simulate what is to happen to it, one entry
// for each attempt; the last entry counts for all later attempts:
//
//	ok            a good answer
//
//	500           an error answer with this status (200 to 599; 2xx answers well)
//	429:1.5       the same, with "Retry-After: 1.5"; Gemini tells it in RetryInfo
//
//	reset         the connection is reset before any byte
//	hang          no answer, until the client leaves
//	short         less is sent than Content-Length says; a stream is cut after 1 token
//	garbage       a 200 that is not JSON
//	html          a 200 with a web page
//
//	first-token:6s  a silent wait before the first token or the plain answer
//	keep-alive:6s   the same wait with a comment (OpenAI) or ping (Anthropic) each second;
//	                blank lines before a plain answer; Gemini's streams are silent
//	empty:3         three deltas without text before the first token
//
//	cut:20        the stream breaks off after 20 tokens; a plain answer half-way
//	end:20        the same, but the connection is closed as if that were all
//	stall:20      after 20 tokens only keep-alives, each second; a plain answer hangs
//	error:20      an error inside the 200 stream after 20 tokens; a plain answer is a 500
//	error:20:overloaded       that error instead, of those below
//	error:20:overloaded:done  and in that form
//
// An error inside a stream has the protocol's own form, or, with the error's meaning
// or without it,
//
//	done          chat: "data: [DONE]" follows, as from vLLM
//	chunk         chat: in a chunk with finish_reason "error", as from OpenRouter
//	nested        responses: an object inside the event, as seen live but not documented
//	failed        responses: response.failed
//
// Errors can be named by what they mean. Each protocol has its own status, codes and
// hints for them:
//
//	rate-limit       a short window is full
//	quota            what was bought, or a day's share, is used up
//	billing          there is no money
//	overloaded       the provider has no capacity
//	context-length   the prompt does not fit the model
//	too-large        the request exceeds a limit by itself: a 429 at OpenAI, no wait helps
//	content-policy   refused; at Gemini the prompt is blocked in a 200
//	content-policy:refusal  refused in a 200, by what ends the answer
//	auth             the key is not valid
//	model-not-found  there is no such model
//
// The first, second and fourth of them take a hint and its form, as in
// "rate-limit:2s:http-date". Without a form it is the protocol's own: Retry-After,
// text and reset headers at OpenAI, Retry-After and reset headers at Anthropic,
// RetryInfo and text at Gemini. The forms are
//
//	retry-after       Retry-After in seconds
//	retry-after-ms    Retry-After-Ms
//	http-date         Retry-After as a date
//	message           in the error's text
//	reset             in the reset headers; in RetryInfo at Gemini
//	should-retry      "X-Should-Retry: true", and Retry-After
//	should-not-retry  "X-Should-Retry: false", and Retry-After
//
// Of these the last two also stand without a duration: "rate-limit:should-retry".
//
// Last, "shape:NAME" sends another provider's answer as it is on the wire, such as
// "shape:azure-content-filter" or "shape:cloudflare-521". The names are those of the
// files in the folder shapes; docs/reference/simulated-provider.md lists them.
//
// So "X-Trysail-Simulate: 500, rate-limit:1s, ok" fails twice and then answers. The
// provider remembers nothing of earlier attempts: a request tells its attempt in the
// header X-Trysail-Attempt, counted from 1, or, as the providers' own SDKs do, in
// X-Stainless-Retry-Count, counted from 0. Clients that cannot do either are scripted
// from Go, by [Provider.Script], which counts the requests for a path itself.
//
// Requests without a script can be made to fail by chance: see [ProviderConfig].
//
// # In a test
//
// [StartProvider] listens on a port of its own and tells the URLs that the SDKs want as
// their base URL. [NewProvider] returns the same as an [net/http.Handler].
//
// # Tests of policies
//
// For a test of how a program calls, rather than whom, there is a kit that needs no HTTP.
// It works with the durations of production, which cost no time in a [testing/synctest]
// bubble:
//
//		synctest.Test(t, func(t *testing.T) {
//			op, _ := trysailtest.Operation(t, policy)
//			trysailtest.Run(t, op, "fail x2, ok").Want(t, "ok after 3 attempts in 4s, waits 2s 2s")
//		})
//
//	  - [Operation] gives a policy an operation and a [Recorder]; [Exact] takes chance out of a policy,
//	  - [Run] makes a [Call] whose attempts go as a script says: see [ParseOutcomes],
//	  - a [Dependency] stands for what your own code calls, and [Dependency.Trace] looks at
//	    what became of it,
//	  - [Trip], [HalfOpen] and [WantState] deal with the breaker,
//	  - a [Recorder] is an observer that tells what happened, line by line.
//
// Outside a bubble everything works as well, in real time.
package trysailtest
