// Package llm reads the answers of AI providers: where an answer really begins,
// whether it came to its end, which errors hide inside a success, and what it cost.
//
// An [Inspector] watches a stream while it passes, whatever its [Protocol]. [Parser] is
// the part of it that reads event streams.
package llm
