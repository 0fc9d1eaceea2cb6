package main

import (
	"strings"
	"testing"
)

// editedFile has every section and most keys of gateway.
const editedFile = `gateway:
  log_body: 40B
  keys:
    - name: team-a
      key: ${C}
      operations: [chat, "team-a/*"]
      routes: [main]
      targets: [first, second]
      limits: {requests_per_minute: 600, tokens_per_minute: 1e6, dollars_per_day: 100}
      max_priority: batch
  operations:
    chat: {tokens_per_minute: 1e6, dollars_per_day: 5}
  targets:
    first:
      protocol: openai
      base_url: http://127.0.0.1:19001/v1
      credentials:
        - {name: main, env: K}
      models: {gpt-5: prod-large}
      window: 8000
      price: {input: $1/1M, output: $4/1M}
      limits: {dollars_per_day: 0.5, concurrent: 4}
      probe: {path: /models, interval: 1s}
      policy: {breaker: {recovery_timeout: 10s}}
    second:
      protocol: openai
      base_url: http://127.0.0.1:19002/v1
      api_key: ${K}
      price: {input: $1/1M, output: $4/1M}
  routes:
    - name: main
      path: /v1/chat/completions
      headers: {X-Team: "a*"}
      targets: [{target: first, priority: 1}, {target: second, priority: 2, weight: 3}]
      hedge: {after: p95, at_least: 300ms}
      continue: true
      strategy: balanced
    - targets: [second]
`

// A file that is being edited may be anything between two good ones. Whatever is wrong with it has a place and a word; nothing panics, for that would end
// the calls of a program that reads it anew.
func TestFilesThatAreBeingEdited(t *testing.T) {
	lines := strings.SplitAfter(editedFile, "\n")
	variables := []string{"K=hunter2-of-a-provider", "C=hunter7-0123456789"}
	if _, err := compiled(t, editedFile, variables...); err != nil {
		t.Fatalf("the file that is edited: %v", err)
	}
	for i, line := range lines[1 : len(lines)-1] {
		before, after := strings.Join(lines[:i+1], ""), strings.Join(lines[i+2:], "")
		start, value, _ := strings.Cut(line, ":")
		inner := strings.NewReplacer("target:", "name:", "env:", "environment:", "first", "frist", "priority", "prio", "path:", "paht:").Replace(line)
		for what, edited := range map[string]string{
			"taken away": "", "the end": line, "another key": start + "x:" + value, "another word in it": inner, "no value": start + ":\n", "a list": start + ": []\n",
			"a mapping": start + ": {}\n", "a number": start + ": -5\n", "a text": start + ": nonsense\n", "twice": line + line, "deeper": "  " + line,
		} {
			rest := after
			if what == "the end" {
				rest = ""
			}
			r, bad := readingOf(t, before+edited+rest, variables...)
			planned, err := (&server{}).plan(r)
			if planned == nil {
				t.Fatalf("line %d, %s: no plan", i+2, what)
			}
			for _, err := range []error{bad, err} {
				if err != nil {
					wantPlaces(t, err)
				}
			}
		}
	}
}
