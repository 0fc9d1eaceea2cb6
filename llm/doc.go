// Package llm reads the answers of AI providers: where an answer really begins,
// whether it came to its end, which errors hide inside a success, and what it cost.
//
// A [Stream] is the body of an answer that is watched: what fails before its first token can be
// retried, limits run on progress and not on bytes, and only a complete answer ends with [io.EOF].
// An [Inspector] is the part of it that reads the frames of a [Protocol] as they pass, for those who
// move the bytes themselves; a [Parser] reads event streams alone.
package llm
