// Package gateway forwards AI traffic under operations, so that a program in
// any language gets retries, circuit breakers and other providers by changing one base URL.
//
// A [Plan] has targets and routes. A call goes from target to target as its failures demand: after each, decide says what
// follows by class and scope, and choose which target is next. What is known of targets and of the accounts behind their
// keys outlives the plan.
//
// It preserves the protocol: what the provider sends reaches the client byte
// for byte. Until the first token of a stream has come nothing is sent to the
// client, and any failure may be retried, also an error inside a 200. This is
// the commit point. After it nothing is repeated, and a stream that breaks ends
// with an error event and a broken connection, never with a clean end.
package gateway
