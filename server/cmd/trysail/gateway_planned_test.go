package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/gateway"
)

// everythingOfAGateway says all that a plan can hold.
const everythingOfAGateway = `gateway:
  targets:
    a:
      protocol: openai
      base_url: https://a.example/v1
      provider: groq
      credentials: [{name: main, env: K1}, {file: key}]
      models: {m: n}
      models_only: true
      window: 128000
      price: {input: $1/1M, cached_input: $0.1/1M, output: $2/1M}
      limits: {requests_per_minute: 60, tokens_per_minute: 1e5, dollars_per_day: 5.5, concurrent: 7, adaptive: true}
      policy: {breaker: {window: 1m, failure_rate: 0.3}, throttle: {factor: 2}}
      probe: {path: "/models?x=1", interval: 3s, timeout: 2s}
      region: here
      draining: true
    toy: {protocol: openai, simulated: true, price: {input: $1/1M, output: $2/1M}}
  operations:
    ask: {tokens_per_minute: 7000, dollars_per_day: 8}
  routes:
    - name: main
      path: /v1/chat/*
      model: gpt*
      headers: {X-Team: "a*"}
      targets: [{target: a, priority: 3, weight: 2.5}, toy]
      operation: ask
      strategy: critical
      timeout: 90s
      on_content_policy: next
      hedge: {after: p95, at_least: 300ms, samples: 50, same_target: true}
      continue: true
      allow: {strategy: false, retries: false, timeout: false, priority: false, fallback: false}
  keys:
    - {name: x, key: {env: K3}, operations: [ask, "x/*"], routes: [main], targets: [toy], limits: {requests_per_minute: 5, tokens_per_minute: 6, dollars_per_day: 7}, max_priority: batch}
    - {name: y, key: {file: client}}
    - {name: z, key: {sha256: "abababababababababababababababababababababababababababababababab"}}
`

// stored is what comes back of a version that was stored.
func stored(t *testing.T, v config.Version) (config.Version, string) {
	t.Helper()
	text, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := config.DecodeVersion(text)
	if err != nil {
		t.Fatal(err)
	}
	return again, string(text)
}

// A plan comes back from what is stored of it, whole, with its keys read again.
func TestPlansComeBack(t *testing.T) {
	variables := map[string]string{"K1": "hunter1", "K3": "hunter3-0123456789"}
	r := newReloadRig(t, "preset: simple\n", variables)
	for name, content := range map[string]string{"key": "hunter2", "client": "hunter4-0123456789"} {
		write(t, filepath.Join(filepath.Dir(r.file), name), content+"\n")
	}
	if err := r.reload(everythingOfAGateway); err != nil {
		t.Fatal(err)
	}
	want := r.srv.planned
	text, err := json.Marshal(want.plan)
	var full any
	if err = errors.Join(err, json.Unmarshal(text, &full)); err != nil {
		t.Fatal(err)
	}
	wantFull(t, full, "Plan")
	for name, v := range map[string]config.Version{"of this process": r.srv.reloader.Current(), "of another": func() config.Version { v, _ := stored(t, r.srv.reloader.Current()); return v }()} {
		restored, err := r.srv.restore(t.Context(), v.Loaded.Companion)
		if err != nil {
			t.Fatal(err)
		}
		got := restored.(*planned)
		if diff := cmp.Diff(want.plan, got.plan); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := append(got.Since(want), want.Since(got)...); len(diff) != 0 {
			t.Errorf("%s: it differs in %v", name, diff)
		}
		if again, err := got.Kept(); err != nil || !strings.Contains(string(again), `"from":"variable K1"`) {
			t.Errorf("%s: it is kept as %s, %v", name, again, err)
		}
	}
	if _, text := stored(t, r.srv.reloader.Current()); strings.Contains(text, "hunter") {
		t.Errorf("it holds a secret: %s", text)
	}
	// Keys are those of now, and all that are gone are named.
	variables["K1"] = "hunter5"
	write(t, filepath.Join(filepath.Dir(r.file), "client"), "hunter6-0123456789\n")
	v, _ := stored(t, r.srv.reloader.Current())
	restored, err := r.srv.restore(t.Context(), v.Loaded.Companion)
	if err != nil {
		t.Fatal(err)
	}
	if plan := restored.(*planned).plan; plan.Targets[0].Credentials[0].Key != "hunter5" || plan.Keys[1].Hash != gateway.HashKey("hunter6-0123456789") {
		t.Error("the keys are not those of now")
	}
	delete(variables, "K3")
	variables["K1"] = "hunter3-0123456789"
	for _, name := range []string{"key", "client"} {
		if err := os.Remove(filepath.Join(filepath.Dir(r.file), name)); err != nil {
			t.Fatal(err)
		}
	}
	_, err = r.srv.restore(t.Context(), v.Loaded.Companion)
	for _, want := range []string{
		"gateway.targets.a.credentials[1]: the file key: it cannot be read", "gateway.keys.x.key: the variable K3 is not set or empty", "gateway.keys.y.key: the file client: it cannot be read",
	} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter") {
			t.Errorf("restore = %v, want %q", err, want)
		}
	}
}

// wantFull wants a value in every field, so that a field that is new cannot be forgotten here.
func wantFull(t *testing.T, v any, path string) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for name, field := range v {
			if name != "Policy" && name != "Simulated" { // of many fields some are enough, and simulated is the second target
				wantFull(t, field, path+"."+name)
			}
		}
	case []any:
		if len(v) == 0 {
			t.Errorf("%s is empty: want one in everythingOfAGateway", path)
			return
		}
		wantFull(t, v[0], path+"[0]")
	case nil, bool, string, float64:
		if v == nil || v == false || v == "" || v == 0.0 {
			t.Errorf("%s is zero: want it in everythingOfAGateway", path)
		}
	}
}

// A key in the file itself is not stored: it is the one that is in force, or nothing.
func TestPlansWithKeysInTheFile(t *testing.T) {
	const first, second = "literal_secrets: true\ngateway: {targets: {a: {protocol: openai, base_url: https://a.example/v1, api_key: hunter1}}}\n",
		"literal_secrets: true\ngateway: {targets: {b: {protocol: openai, base_url: https://b.example/v1, api_key: hunter2}}}\n"
	r := newReloadRig(t, first, nil)
	if err := r.reload(second); err != nil {
		t.Fatal(err)
	}
	v, text := stored(t, r.srv.reloader.Versions()[0])
	if strings.Contains(text, "hunter") {
		t.Errorf("it holds a secret: %s", text)
	}
	if _, err := r.srv.restore(t.Context(), v.Loaded.Companion); err == nil || !strings.Contains(err.Error(), "gateway.targets.a.credentials[0]: it is from the configuration file, which is not kept, want a variable or a file") {
		t.Errorf("of another process: %v", err)
	}
	if _, err := r.srv.reloader.Rollback(t.Context(), 1, config.Request{}); err != nil || r.gateway.newest().Targets[0].Credentials[0].Key != "hunter1" {
		t.Errorf("of this process: %v, %+v", err, r.gateway.newest())
	}
	if restored, err := r.srv.restore(t.Context(), v.Loaded.Companion); err != nil || restored.(*planned).plan.Targets[0].Credentials[0].Key != "hunter1" {
		t.Errorf("with that key in force: %v", err)
	}
}

// What was good once, and is not any more, is refused.
func TestPlansThatDoNotFitAnyMore(t *testing.T) {
	variables := map[string]string{"API_KEY": "hunter0-0123456789", "A": "hunter1-0123456789", "B": "hunter2-0123456789"}
	r := newReloadRig(t, "gateway: {targets: {a: {protocol: openai, base_url: https://a.example/v1, api_key: {env: A}}}, keys: [{name: b, key: {env: B}}]}\n", variables)
	v, text := stored(t, r.srv.reloader.Current())
	own := r.srv.listener.Addr().String()
	for name, tc := range map[string]struct {
		old, new string
		change   func()
		want     string
	}{
		"another form":           {`"Window":0`, `"Widow":0`, nil, `the gateway's targets, routes and keys are in the form of another program: json: unknown field "Widow"`},
		"this server itself":     {"https://a.example/v1", "http://" + own + "/v1", nil, "the target a is this server itself now"},
		"a plan that is no good": {"https://a.example/v1", "ftp://a.example", nil, "BaseURL is"},
		"an own key as theirs":   {"", "", func() { variables["A"] = variables["API_KEY"] }, "a key of the target a is one of the server's own now"},
		"an own key":             {"", "", func() { variables["A"] = "x"; variables["B"] = variables["API_KEY"] }, "the key b is one of the server's own, or a provider's, now"},
		"one key as both":        {"", "", func() { variables["A"], variables["B"] = "hunter3-0123456789", "hunter3-0123456789" }, "the key b is one of the server's own, or a provider's, now"},
		"a short key":            {"", "", func() { variables["A"], variables["B"] = "x", "hunter2" }, "gateway.keys.b.key: a key of 7 characters, want 16 to 1000"},
	} {
		variables["A"], variables["B"] = "hunter1-0123456789", "hunter2-0123456789"
		bad := v
		if tc.old != "" {
			var err error
			if bad, err = config.DecodeVersion([]byte(strings.ReplaceAll(text, tc.old, tc.new))); err != nil || !strings.Contains(text, tc.old) {
				t.Fatalf("%s: %v\n%s", name, err, text)
			}
		} else {
			tc.change()
		}
		if _, err := r.srv.restore(t.Context(), bad.Loaded.Companion); err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

// The order of targets says who is asked first: another one is a change, also against what another process has stored.
func TestAnotherOrderOfTargetsIsAChange(t *testing.T) {
	r := newReloadRig(t, "gateway: {targets: {a: {protocol: openai, base_url: https://a.example/v1}, b: {protocol: openai, base_url: https://b.example/v1}}}\n", nil)
	v, _ := stored(t, r.srv.reloader.Current())
	if err := r.reload("gateway: {targets: {b: {protocol: openai, base_url: https://b.example/v1}, a: {protocol: openai, base_url: https://a.example/v1}}}\n"); err != nil {
		t.Fatal(err)
	}
	now := r.srv.reloader.Current()
	for _, was := range []config.Version{v, r.srv.reloader.Versions()[0]} {
		if got := changeLines(now.Loaded.Since(&was.Loaded)); now.Number != 2 || len(got) != 1 || got[0] != "gateway.targets a, b -> b, a" {
			t.Errorf("version %d: it differs in %q", now.Number, got)
		}
	}
}
