package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/gateway"
)

// A fakeGateway takes plans.
type fakeGateway struct {
	plans  []gateway.Plan
	refuse error
}

func (f *fakeGateway) Apply(plan gateway.Plan) error {
	if f.refuse == nil {
		f.plans = append(f.plans, plan)
	}
	return f.refuse
}

func (f *fakeGateway) newest() gateway.Plan { return f.plans[len(f.plans)-1] }

// A reloadRig is a server whose gateway only takes plans.
type reloadRig struct {
	t       *testing.T
	srv     *server
	gateway *fakeGateway
	log     *bytes.Buffer
	file    string
}

// newReloadRig builds a server with a file, in whose directory dir stands for DIR.
func newReloadRig(t *testing.T, text string, variables map[string]string) *reloadRig {
	t.Helper()
	r := &reloadRig{t: t, gateway: &fakeGateway{}, log: &bytes.Buffer{}, file: filepath.Join(t.TempDir(), "trysail.yaml")}
	r.write(text)
	settings, err := defaultSettings()
	if err != nil {
		t.Fatal(err)
	}
	settings.Config, settings.EnvFile, settings.Addr, settings.LogFormat = r.file, "", "127.0.0.1:0", "text"
	r.srv, err = settings.build(&program{ctx: t.Context(), stderr: r.log, lookup: func(name string) (string, bool) {
		v, ok := variables[name]
		return v, ok
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.srv.close)
	r.srv.applier = r.gateway
	return r
}

func (r *reloadRig) write(text string) {
	r.t.Helper()
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *reloadRig) reload(text string) error {
	r.t.Helper()
	r.log.Reset()
	r.write(text)
	return r.srv.reload(r.t.Context(), config.TriggerAPI) // of a signal the watcher would tell, which does not run here
}

func (r *reloadRig) wantLogged(texts ...string) {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.log.String(), text) {
			r.t.Errorf("the log lacks %q:\n%s", text, r.log)
		}
	}
}

func (r *reloadRig) attempts() int { return r.srv.orchestrator.Configuration().Default.Retry.Attempts }

func TestReloadOfTargets(t *testing.T) {
	key := write(t, filepath.Join(t.TempDir(), "key"), "hunter1\n")
	r := newReloadRig(t, "gateway: {targets: {openai: {api_key: {file: "+key+"}}}}", nil)

	if err := r.reload("gateway:\n  targets:\n    openai: {api_key: {file: " + key + "}}\n    toy: {protocol: openai, simulated: true}\n  routes: [{targets: [openai, toy]}]\n"); err != nil {
		t.Fatal(err)
	}
	plan := r.gateway.newest()
	if len(plan.Targets) != 2 || plan.Targets[1].BaseURL != r.srv.simulated.URL || !plan.Targets[1].Simulated || len(plan.Routes) != 1 {
		t.Errorf("the gateway got %+v", plan)
	}
	r.wantLogged("gateway reloaded", "gateway.targets.toy.base_url - -> simulated", "gateway.routes.route-1.targets - -> openai (priority 0), toy (priority 1)")

	// Another key in the same file, and nothing else: a reload finds it, and nobody prints it.
	write(t, key, "hunter2\n")
	text, err := os.ReadFile(r.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.reload(string(text)); err != nil || r.gateway.newest().Targets[0].Credentials[0].Key != "hunter2" {
		t.Errorf("%v, %+v", err, r.gateway.newest())
	}
	r.wantLogged("gateway.targets.openai.credentials[0] [secret] -> [another secret]")

	// Nothing new: the gateway hears of it, the log does not.
	before := len(r.gateway.plans)
	if err := r.reload("# a comment\n" + string(text)); err != nil || len(r.gateway.plans) != before+1 || strings.Contains(r.log.String(), "gateway reloaded") {
		t.Errorf("%v, %d plans, want %d\n%s", err, len(r.gateway.plans), before+1, r.log)
	}
	if strings.Contains(r.log.String(), "hunter") {
		t.Errorf("the log shows a key:\n%s", r.log)
	}
}

// A reload is whole or not at all, whoever finds the fault: the reader, the planner, the engine or the gateway.
func TestReloadOfBadTargets(t *testing.T) {
	const good = "policy: {retry: {attempts: 4}}\ngateway: {targets: {openai: {}}}\n"
	r := newReloadRig(t, good, nil)
	for name, tc := range map[string]struct {
		text, want string
		refuse     error
	}{
		"a kind":       {"policy: {retry: {attempts: 5}}\ngateway: {targets: [openai]}\n", "trysail.yaml:2:20: gateway.targets: found a list, want a mapping", nil},
		"a meaning":    {"policy: {retry: {attempts: 5}}\ngateway: {targets: {openai: {}}, routes: [{targets: [opnai]}]}\n", `gateway.routes[0].targets[0]: found the target \"opnai\", which is not known, want openai`, nil},
		"a key's file": {"policy: {retry: {attempts: 5}}\ngateway: {targets: {openai: {api_key: {file: gone}}}}\n", "found the file of a secret, but it cannot be read", nil},
		"the engine":   {"policy: {retry: {attempts: 99}}\ngateway: {targets: {anthropic: {}}}\n", "Attempts is 99", nil},
		"the gateway":  {"policy: {retry: {attempts: 5}}\ngateway: {targets: {anthropic: {}}}\n", "the gateway's targets, routes and keys stay as they were: no room", errors.New("no room")},
	} {
		t.Run(name, func(t *testing.T) {
			r.gateway.refuse = tc.refuse
			before := len(r.gateway.plans)
			err := r.reload(tc.text)
			if err == nil || len(r.gateway.plans) != before || r.attempts() != 4 {
				t.Errorf("%v, %d plans more, %d attempts, want an error, none and 4", err, len(r.gateway.plans)-before, r.attempts())
			}
			r.wantLogged("configuration not reloaded", tc.want)
			if got := r.srv.planned.plan.Targets[0].Name; got != "openai" {
				t.Errorf("in force is %s", got)
			}
		})
	}
	r.gateway.refuse = nil
	if err := r.reload("policy: {retry: {attempts: 5}}\ngateway: {targets: {anthropic: {}}}\n"); err != nil || r.attempts() != 5 || r.gateway.newest().Targets[0].Name != "anthropic" {
		t.Errorf("a good one: %v, %d attempts", err, r.attempts())
	}
	// A dry run changes nothing.
	before := len(r.gateway.plans)
	r.write(good)
	if _, err := r.srv.reloader.Reload(t.Context(), config.Request{DryRun: true}); err != nil || len(r.gateway.plans) != before {
		t.Errorf("a dry run: %v, %d plans more", err, len(r.gateway.plans)-before)
	}
}

// The port that the system chose is the server's, too.
func TestReloadOfTheServerItself(t *testing.T) {
	r := newReloadRig(t, "gateway: {targets: {openai: {}}}", nil)
	own := r.srv.listener.Addr().String()
	err := r.reload("gateway: {targets: {openai: {base_url: http://" + own + "/v1}}}")
	if err == nil || !strings.Contains(err.Error(), "which is this server itself (it listens on "+own+")") {
		t.Error(err)
	}
}

// Every field of a plan is a line in the list that changes are told by.
func TestEveryChangeIsTold(t *testing.T) {
	const base = `gateway:
  targets:
    a: {protocol: openai, base_url: https://a.example/v1}
    b: {protocol: openai, base_url: https://b.example/v1, price: {input: $1/1M, output: $1/1M}, models: {m: n}}
    p: {protocol: openai, base_url: https://p.example/v1, probe: {path: /x}}
  routes: [{targets: [a, b]}, {targets: [b]}]
  keys: [{name: k, key: {env: L}}]
`
	variables := []string{"K=hunter2-0123456789", "L=hunter3-0123456789"}
	was, err := readingOf(t, base, variables...)
	if err != nil {
		t.Fatal(err)
	}
	srv := &server{}
	planOfReading := func(r *reading) *planned {
		t.Helper()
		r.settings.Addr = "127.0.0.1:8000"
		p, err := srv.plan(r)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if got := changeLines(planOfReading(was).Since(planOfReading(was))); len(got) != 0 {
		t.Errorf("nothing changes, and %q is told", got)
	}
	a, b, route := "base_url: https://a.example/v1}", "output: $1/1M}, models: {m: n}}", "{targets: [a, b]}"
	for _, change := range [][2]string{
		{"a: {protocol: openai", "a: {protocol: gemini"},
		{"https://a.", "https://c."},
		{a, "base_url: https://a.example/v1, provider: groq}"},
		{a, "base_url: https://a.example/v1, api_key: {env: K}}"},
		{a, "base_url: https://a.example/v1, credentials: [{env: K}]}"},
		{a, "base_url: https://a.example/v1, models: {x: y}}"},
		{a, "base_url: https://a.example/v1, window: 5}"},
		{a, "base_url: https://a.example/v1, region: here}"},
		{a, "base_url: https://a.example/v1, draining: true}"},
		{"base_url: https://a.example/v1", "simulated: true"},
		{a, "base_url: https://a.example/v1, policy: {breaker: {window: 1m, failure_rate: 0.3}}}"},
		{"input: $1/1M", "input: $2/1M"},
		{"output: $1/1M", "output: $2/1M"},
		{b, "output: $1/1M, cached_input: $1/1M}, models: {m: n}}"},
		{b, "output: $1/1M}, models: {m: n}, models_only: true}"},
		{b, "output: $1/1M}, models: {m: o}}"},
		{b, "output: $1/1M}, models: {m: n}, limits: {requests_per_minute: 1}}"},
		{b, "output: $1/1M}, models: {m: n}, limits: {tokens_per_minute: 1}}"},
		{b, "output: $1/1M}, models: {m: n}, limits: {dollars_per_day: 1}}"},
		{b, "output: $1/1M}, models: {m: n}, limits: {concurrent: 1}}"},
		{b, "output: $1/1M}, models: {m: n}, limits: {adaptive: true}}"},
		{route, "{targets: [b, a]}"},
		{route, "{targets: [a, {target: b, weight: 2}]}"},
		{route, "{name: x, targets: [a, b]}"},
		{route, "{path: /v1/x, targets: [a, b]}"},
		{route, "{model: x, targets: [a, b]}"},
		{route, "{headers: {X-A: x}, targets: [a, b]}"},
		{route, "{operation: x, targets: [a, b]}"},
		{route, "{strategy: critical, targets: [a, b]}"},
		{route, "{timeout: 5s, targets: [a, b]}"},
		{route, "{on_content_policy: next, targets: [a, b]}"},
		{route, "{allow: {strategy: false}, targets: [a, b]}"},
		{route, "{allow: {retries: false}, targets: [a, b]}"},
		{route, "{allow: {timeout: false}, targets: [a, b]}"},
		{route, "{allow: {priority: false}, targets: [a, b]}"},
		{route, "{allow: {fallback: false}, targets: [a, b]}"},
		{a, "base_url: https://a.example/v1, probe: {path: /models}}"},
		{"probe: {path: /x}", "probe: {path: /x, interval: 1s}"},
		{"probe: {path: /x}", "probe: {path: /x, timeout: 1s}"},
		{"name: k, ", "name: l, "},
		{"{env: L}", "{env: K}"},
		{"env: L}", "env: L}, operations: [chat]"},
		{"env: L}", "env: L}, routes: [route-1]"},
		{"env: L}", "env: L}, targets: [b]"},
		{"env: L}", "env: L}, limits: {requests_per_minute: 1}"},
		{"env: L}", "env: L}, limits: {tokens_per_minute: 1}"},
		{"env: L}", "env: L}, targets: [b], limits: {dollars_per_day: 1}"},
		{"env: L}", "env: L}, max_priority: batch"},
		{", {targets: [b]}", ""},
	} {
		text := strings.Replace(base, change[0], change[1], 1)
		if change[1] == "a: {protocol: gemini" {
			text = strings.Replace(strings.Replace(text, "[a, b]", "[a]", 1), "a.example/v1", "a.example", 1)
		}
		is, err := readingOf(t, text, variables...)
		if err != nil || text == base {
			t.Fatalf("%s: %v", text, err)
		}
		got := changeLines(planOfReading(is).Since(planOfReading(was)))
		if len(got) == 0 || strings.Contains(strings.Join(got, "\n"), "hunter") {
			t.Errorf("of %q to %q is told %q", change[0], change[1], got)
		}
	}
	reordered, err := readingOf(t, strings.Replace(strings.Replace(strings.Replace(base, "    a:", "    x:", 1), "    b:", "    a:", 1), "    x:", "    b:", 1), variables...)
	if err != nil {
		t.Fatal(err)
	}
	if got := changeLines(planOfReading(reordered).Since(planOfReading(was))); len(got) == 0 {
		t.Error("another order is not told")
	}
}
