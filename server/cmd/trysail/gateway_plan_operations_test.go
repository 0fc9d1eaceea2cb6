package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trysail-go/trysail/server/gateway"
)

func TestOperationsOfAFile(t *testing.T) {
	r, err := readingOf(t, `gateway:
  targets:
    openai: {simulated: true, price: {input: $1/1M, output: $4/1M}}
  operations:
    billing: {tokens_per_minute: 50000, dollars_per_day: 2.5}
    team-a/chat: {tokens_per_minute: 1}
`)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := planOf(r, "127.0.0.1:8000")
	want := map[string]gateway.OperationLimits{"billing": {Tokens: 50000, Dollars: 2.5}, "team-a/chat": {Tokens: 1}}
	if diff := cmp.Diff(want, plan.Operations); err != nil || diff != "" {
		t.Errorf("operations (-want +got), %v:\n%s", err, diff)
	}
	got := []string{}
	for _, v := range r.planInForce(&plan) {
		if strings.HasPrefix(v.Name, gatewayOperationsPath) {
			got = append(got, fmt.Sprintf("%s=%s %s", v.Name, v.Value, v.Origin.Detail))
		}
	}
	if diff := cmp.Diff([]string{
		"gateway.operations.billing.tokens_per_minute=50000 trysail.yaml:5", "gateway.operations.billing.dollars_per_day=2.5 trysail.yaml:5",
		"gateway.operations.team-a/chat.tokens_per_minute=1 trysail.yaml:6",
	}, got); diff != "" {
		t.Errorf("what is in force (-want +got):\n%s", diff)
	}
}

func TestFaultsOfOperations(t *testing.T) {
	_, err := compiled(t, `gateway:
  targets:
    openai: {simulated: true}
  operations:
    target/a: {}
    x: {tokens_per_minute: 0.5, dollars_per_day: -1}
    y: {dollars_per_day: 5, requests: 3}
    z: {dollars_per_day: 5}
`)
	const want = `trysail.yaml:7:29: gateway.operations.y.requests: found a key that is not known, want tokens_per_minute or dollars_per_day
trysail.yaml:5:5: gateway.operations.target/a: found the name "target/a", want 1 to 64 of the characters A-Z a-z 0-9 . _ : / -, and not one that begins with target/
trysail.yaml:6:9: gateway.operations.x.tokens_per_minute: found 0.5, want 1 to 1e+10, or 0, which is any number
trysail.yaml:6:33: gateway.operations.x.dollars_per_day: found -1, want 0, which is any amount, to 1e+07
trysail.yaml:7:9: gateway.operations.y.dollars_per_day: found it, but the target openai has no price by which to count, want input and output of price there
trysail.yaml:8:9: gateway.operations.z.dollars_per_day: found it, but the target openai has no price by which to count, want input and output of price there`
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}
