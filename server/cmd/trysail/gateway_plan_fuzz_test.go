package main

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/configfile"
	"github.com/trysail-go/trysail/server/gateway"
)

// Whatever the section gateway holds: it becomes a plan that a gateway takes, or there are faults with lines. Nothing panics, and no message holds
// a key.
func FuzzPlan(f *testing.F) {
	for _, seed := range []string{
		"", "targets: {openai: {api_key: '${K}'}}", "targets: [openai]", "targets: {a: {protocol: gemini, simulated: true}, b: {protocol: gemini}}\nroutes: [{targets: [a, b]}]",
		"routes: [{targets: [{target: simulated, weight: 2}]}]", "targets: {a b: 5}", "targets: {openai: {price: {input: $1/1M}, limits: {dollars_per_day: 1}}}",
		"targets: {openai: {policy: {breaker: {recovery_timeout: 10m}}}}", "targets: {openai: {policy: {breaker: {disabled: true}, bulkhead: {max_queue: 5}}}}",
		"targets: {openai: {models: {a: b}, models_only: true, credentials: [{name: x, env: K}]}}", "x: &a {protocol: openai}\ntargets: {b: *a, c: {<<: *a}}",
		"routes: [{path: '[', model: '\\', headers: {'': x}, targets: []}]", "targets: {openai: {base_url: 'http://h/%zz'}}", "openai_base_url: http://localhost:8000",
		"targets: {openai: {window: 9223372036854775807, limits: {requests_per_minute: 1e-300}}}", "routes: [{strategy: critical, targets: [simulated]}, {strategy: balanced, targets: [simulated]}]",
		"targets:\n  \"\\0\": {protocol: openai}\nroutes: [{name: \"\\u2028\", targets: [\"\\0\"]}]",
		"keys: [{name: a, key: '${C}', operations: [chat, 'x*'], targets: [simulated], limits: {requests_per_minute: 1e10}, max_priority: batch}, {name: b, key: {sha256: " + strings.Repeat("1e", 32) + "}}]",
		"targets: {openai: {probe: {path: /models, interval: 1s, timeout: 1s}, price: {input: $1/1M, output: $1/1M}}}\nkeys: [{name: a, key: {env: C}, limits: {dollars_per_day: 1}}]",
		"routes: [{targets: [{name: simulated, priority: 1}]}]",
		"keys: [{name: a, key: {env: C}, routes: [''], operations: ['[', ''], limits: {tokens_per_minute: 0.1}}]",
	} {
		f.Add(seed)
	}
	if example, err := os.ReadFile(failOverFile); err == nil {
		_, section, _ := strings.Cut(string(example), "gateway:\n")
		f.Add(section)
	}
	f.Fuzz(func(t *testing.T, section string) {
		text := "gateway:\n  " + strings.ReplaceAll(section, "\n", "\n  ")
		r, bad := readingOf(t, text, "K=hunter2", "OPENAI_API_KEY=hunter3", "AZURE_OPENAI_API_KEY=hunter4", "AZURE_OPENAI_API_KEY_2=hunter5", "ANTHROPIC_API_KEY=hunter6", "C=hunter7-0123456789")
		plan, err := planOf(r, "127.0.0.1:8000")
		if err == nil && bad != nil { // a running server goes on with such a plan, to find all faults
			r.planInForce(&plan)
			r.planWarnings(&plan)
		}
		if err = errors.Join(bad, err); err != nil {
			wantPlaces(t, err)
			return
		}
		orc, err := trysail.New(trysail.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gateway.New(gateway.Config{Orchestrator: orc, Plan: plan}); err != nil {
			t.Errorf("planOf takes it, and the gateway does not: %v\n%s", err, text)
		}
		for _, v := range r.planInForce(&plan) {
			if strings.Contains(v.Name+v.Value, "hunter") && !strings.Contains(section, "hunter") {
				t.Errorf("%s shows a key: %s", v.Name, v.Value)
			}
		}
		r.planWarnings(&plan)
	})
}

// wantPlaces looks for a line in every fault.
func wantPlaces(t *testing.T, err error) {
	t.Helper()
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, part := range joined.Unwrap() {
			wantPlaces(t, part)
		}
		return
	}
	bad, ok := errors.AsType[*configfile.Error](err)
	if !ok || len(bad.Faults) == 0 {
		t.Fatalf("a fault without a place: %T %v", err, err)
	}
	for _, fault := range bad.Faults {
		if fault.Line == 0 && !strings.HasPrefix(fault.Message, "and ") && !strings.HasPrefix(fault.Message, "found YAML that") && !strings.HasPrefix(fault.Message, "found no good YAML") {
			t.Errorf("no line: %v", fault)
		}
		if strings.Contains(fault.String(), "hunter") {
			t.Errorf("it shows a key: %v", fault)
		}
	}
}
