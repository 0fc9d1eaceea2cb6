// Package llm reads the answers of AI providers: where an answer really begins,
// whether it came to its end, and which errors hide inside a success.
//
// So far it knows the streams of OpenAI's protocol (chat completions and
// responses).
package llm
