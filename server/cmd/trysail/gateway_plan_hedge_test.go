package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trysail-go/trysail/server/gateway"
)

// Two targets, for a route that hedges.
const hedgeTargets = "gateway:\n  targets: {a: {protocol: openai}, b: {protocol: openai}, g: {protocol: gemini}}\n  routes:\n"

func TestHedgesInTheFile(t *testing.T) {
	for hedge, want := range map[string]gateway.Hedge{
		"800ms":                        {After: 800 * time.Millisecond},
		"1m30s":                        {After: 90 * time.Second},
		"p95":                          {Percentile: 0.95},
		"{after: p99.9, samples: 100}": {Percentile: 0.999, Samples: 100},
		"{after: p50, at_least: 200ms, same_target: true}": {Percentile: 0.5, After: 200 * time.Millisecond, SameTarget: true},
		"{after: 10m}": {After: 10 * time.Minute},
	} {
		plan, err := compiled(t, hedgeTargets+"    - {targets: [a, b], hedge: "+hedge+"}\n")
		if err != nil {
			t.Errorf("%s: %v", hedge, err)
			continue
		}
		if diff := cmp.Diff(want, plan.Routes[0].Hedge); diff != "" {
			t.Errorf("%s: %s", hedge, diff)
		}
		if err := gateway.CheckPlan(plan); err != nil {
			t.Errorf("%s: the gateway refuses it: %v", hedge, err)
		}
	}
}

// What is wrong with a hedge is said with its place and what would be right.
func TestHedgeFaults(t *testing.T) {
	const refused = ", which is refused: want a time from 1ms to 10m such as 800ms, or a percentile from p50 to p99.9 such as p95"
	for route, want := range map[string]string{
		"targets: [a, b], hedge: p100":        `4:32: gateway.routes[0].hedge: found the text "p100"` + refused,
		"targets: [a, b], hedge: p49":         `4:32: gateway.routes[0].hedge: found the text "p49"` + refused,
		"targets: [a, b], hedge: p99.95":      `4:32: gateway.routes[0].hedge: found the text "p99.95"` + refused,
		"targets: [a, b], hedge: P95":         `4:32: gateway.routes[0].hedge: found the text "P95"` + refused,
		"targets: [a, b], hedge: 0":           `4:32: gateway.routes[0].hedge: found a number, want a text, which is the after, or a mapping with after, at_least, samples or same_target`,
		"targets: [a, b], hedge: 0.95":        `4:32: gateway.routes[0].hedge: found a number, want a text, which is the after, or a mapping with after, at_least, samples or same_target`,
		"targets: [a, b], hedge: -5s":         `4:32: gateway.routes[0].hedge: found the text "-5s"` + refused,
		"targets: [a, b], hedge: 11m":         `4:32: gateway.routes[0].hedge: found the text "11m"` + refused,
		"targets: [a, b], hedge: soon":        `4:32: gateway.routes[0].hedge: found the text "soon"` + refused,
		"targets: [a, b], hedge: true":        `4:32: gateway.routes[0].hedge: found a truth value, want a text, which is the after, or a mapping with after, at_least, samples or same_target`,
		"targets: [a, b], hedge: {}":          `4:32: gateway.routes[0].hedge: found no after, want it: it is required`,
		"targets: [a, b], hedge: {after: 95}": `4:40: gateway.routes[0].hedge.after: found 95` + refused,
		"targets: [a, b], hedge: {delay: p95}": "4:32: gateway.routes[0].hedge: found no after, want it: it is required\n" +
			`4:33: gateway.routes[0].hedge.delay: found a key that is not known, want after, at_least, samples or same_target`,
		"targets: [a, b], hedge: {after: p95, samples: 501}":  `4:45: gateway.routes[0].hedge.samples: found 501, want 1 to 500`,
		"targets: [a, b], hedge: {after: p95, samples: -1}":   `4:45: gateway.routes[0].hedge.samples: found -1, want 1 to 500`,
		"targets: [a, b], hedge: {after: p95, at_least: 1us}": `4:45: gateway.routes[0].hedge.at_least: found 1µs, want 1ms to 10m`,
		"targets: [a, b], hedge: {after: 1s, at_least: 1s}":   `4:44: gateway.routes[0].hedge.at_least: found it beside after: 1s, which is a time: want it beside a percentile, such as p95, alone`,
		"targets: [a, b], hedge: {after: 1s, samples: 9}":     `4:44: gateway.routes[0].hedge.samples: found it beside after: 1s, which is a time: want it beside a percentile, such as p95, alone`,
		"targets: [a, b], timeout: 5s, hedge: 5s":             `4:38: gateway.routes[0].hedge.after: found 5s, want less than timeout of the route, which is 5s: no second target would ever be asked`,
		"targets: [g], continue: true":                        `4:22: gateway.routes[0].continue: found true on a route whose target g speaks gemini, want it for openai and anthropic alone: there is no way to ask for the rest of an answer`,
		"targets: [a], continue: maybe":                       `4:32: gateway.routes[0].continue: found the text "maybe", want true or false`,
		"targets: [a], hedge: p95":                            `4:22: gateway.routes[0].hedge: found it on a route with one target, want a second one, or same_target: true, to ask the only one twice`,
	} {
		_, err := compiled(t, hedgeTargets+"    - {"+route+"}\n")
		if err == nil {
			t.Errorf("{%s}: no fault, want %s", route, want)
			continue
		}
		if got := strings.ReplaceAll(err.Error(), "trysail.yaml:", ""); got != want {
			t.Errorf("{%s}: \n%s\nwant\n%s", route, got, want)
		}
	}
}

// The example of the how-to is valid.
func TestHedgePageHasAnExample(t *testing.T) {
	page, err := os.ReadFile("../../../docs/how-to/hedge-a-slow-provider.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	plan, err := compiled(t, example, "OPENAI_API_KEY=x", "AZURE_OPENAI_API_KEY=y")
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Routes[0].Hedge.Percentile; got != 0.95 {
		t.Errorf("it hedges after the percentile %v, want 0.95", got)
	}
}

func TestContinueInTheFile(t *testing.T) {
	plan, err := compiled(t, hedgeTargets+"    - {targets: [a, b], continue: true}\n    - {targets: [a]}\n")
	if err != nil || !plan.Routes[0].Continue || plan.Routes[1].Continue {
		t.Errorf("%v: %+v, want it at the first route alone", err, plan.Routes)
	}
}
