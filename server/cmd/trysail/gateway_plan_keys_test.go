package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// The page that shows how has a file that is good.
func TestKeysPageHasAGoodFile(t *testing.T) {
	page, err := os.ReadFile("../../../docs/how-to/give-out-keys.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "cat > trysail.yaml <<'FILE'\n")
	text, _, ended := strings.Cut(rest, "FILE\n")
	if !found || !ended {
		t.Fatal("the page has no file")
	}
	got := try{args: []string{"config", "validate", "trysail.yaml"}, env: []string{"TEAM_A_KEY=" + keyOfA}, files: map[string]string{"trysail.yaml": text}}.run(t)
	if got.code != 0 || !strings.Contains(got.stdout, "valid, 0 errors, 0 warnings") {
		t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

const (
	keyOfA = "tsk_hunter-a-0123456789"
	keyOfB = "tsk_hunter-b-0123456789"
)

// A key of the file has all that one of Go has.
func TestKeysOfAFile(t *testing.T) {
	r, err := readingOf(t, `
operations: {batch/night: {strategy: conservative}}
gateway:
  targets:
    a: {protocol: openai, base_url: https://a.example/v1, price: {input: $1/1M, output: $2/1M}}
    b: {protocol: openai, base_url: https://b.example/v1}
  routes: [{name: main, operation: chat, targets: [a]}, {operation: other, targets: [b]}]
  keys:
    - name: team-a
      key: ${A}
      operations: [chat, other, batch/night, qa, "team-a/*"]
      routes: [main, route-2]
      targets: [a]
      limits: {requests_per_minute: 60, tokens_per_minute: 1e5, dollars_per_day: 2.5}
      max_priority: background
    - {name: b, key: {env: B}}
`, "A="+keyOfA, "B="+keyOfB)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := planOf(r, "127.0.0.1:8000")
	if err != nil {
		t.Fatal(err)
	}
	want := []gateway.ClientKey{
		{
			Name: "team-a", Hash: gateway.HashKey(keyOfA), Operations: []string{"chat", "other", "batch/night", "qa", "team-a/*"}, Routes: []string{"main", "route-2"},
			Targets: []string{"a"}, Requests: 60, Tokens: 1e5, Dollars: 2.5, Ceiling: trysail.PriorityBackground,
		},
		{Name: "b", Hash: gateway.HashKey(keyOfB)},
	}
	if diff := cmp.Diff(want, plan.Keys); diff != "" {
		t.Error(diff)
	}
	if err := gateway.CheckPlan(plan); err != nil {
		t.Errorf("the gateway refuses it: %v", err)
	}
	text := ""
	for _, v := range r.planInForce(&plan) {
		if strings.HasPrefix(v.Name, keysPath) {
			text += v.Name + " " + v.Value + " " + v.Origin.String() + "\n"
		}
	}
	wantText := `gateway.keys.team-a.key [secret] file trysail.yaml:10
gateway.keys.team-a.operations chat, other, batch/night, qa, team-a/* file trysail.yaml:11
gateway.keys.team-a.routes main, route-2 file trysail.yaml:12
gateway.keys.team-a.targets a file trysail.yaml:13
gateway.keys.team-a.limits.requests_per_minute 60 file trysail.yaml:14
gateway.keys.team-a.limits.tokens_per_minute 100000 file trysail.yaml:14
gateway.keys.team-a.limits.dollars_per_day 2.5 file trysail.yaml:14
gateway.keys.team-a.max_priority background file trysail.yaml:15
gateway.keys.b.key [secret] file trysail.yaml:16
`
	if diff := cmp.Diff(wantText, text); diff != "" {
		t.Error(diff)
	}
}
