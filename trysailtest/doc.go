// Package trysailtest simulates an AI provider, with faults on demand.
//
// A [Provider] speaks OpenAI's protocol: POST /v1/chat/completions (plain and
// streamed), POST /v1/embeddings and GET /v1/models. Its answers are made up, but
// have the form, the headers, the token counts and the errors of real ones, and the
// same question always gets the same text. Any model name is accepted, and no key
// is needed.
//
// # Faults on demand
//
// A request says in the header X-Trysail-Simulate what is to happen to it, one entry
// for each attempt; the last entry counts for all later attempts:
//
//	500           an error answer with this status (200 to 599; 2xx answers well)
//	429:1.5       the same, with "Retry-After: 1.5"
//	reset         the connection is reset before any byte
//	hang          no answer, until the client leaves
//	first-token:6s  a wait before the first token or the plain answer, then all is well
//	cut:20        the stream breaks off after 20 tokens; a plain answer half-way
//	error:20      an error inside the 200 stream after 20 tokens; a plain answer is a 500
//	stall:20      after 20 tokens only comments, each second; a plain answer hangs
//	short         less is sent than Content-Length says; a stream is cut after 1 token
//	garbage       a 200 that is not JSON
//	html          a 200 with a web page
//	ok            a good answer
//
// So "X-Trysail-Simulate: 500, 429:1, ok" fails twice and then answers. The provider
// remembers nothing of earlier attempts: a request tells its attempt in the header
// X-Trysail-Attempt, counted from 1, or, as the providers' own SDKs do, in
// X-Stainless-Retry-Count, counted from 0.
//
// Requests without a script can be made to fail by chance: see [ProviderConfig].
//
// # In a test
//
// [StartProvider] listens on a port of its own and tells the URL that an SDK wants as
// its base URL. [NewProvider] returns the same as an [net/http.Handler].
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
