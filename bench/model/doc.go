// Package model holds the engine against models of it, by state machines that rapid makes up. It is here
// because the root module requires nothing.
//
// A model says the rules as one would explain them, one thing at a time: no locks, no atomics, nothing that is worked out
// ahead. Breaker, bulkhead, adaptive limit, limiter, calls with a limit, retry budget and throttle have one each. A machine does the same to a
// model and to the engine, through what the root package exports, and wants the same verdicts at the same instants, the
// same snapshots and the same counters after every step. Each history runs in a synctest bubble of its own.
//
// A thousand histories of each machine are played. More of them, and one that failed again:
//
//	go test ./model -rapid.checks=100000
//	go test ./model -run TestBulkheadAgreesWithModel -rapid.seed=SEED
//
// rapid shortens a history that fails, and keeps it below testdata until it passes.
package model
