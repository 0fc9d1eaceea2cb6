// Package sse holds no program: its test compares llm.Parser with another implementation of
// event streams. It is here because the library's own module requires nothing, tests included.
package sse
