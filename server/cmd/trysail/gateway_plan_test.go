package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/configfile"
	"github.com/trysail-go/trysail/server/gateway"
)

// settingsOnce are the defaults of the flags; making them takes longer than a plan.
var settingsOnce = sync.OnceValues(defaultSettings)

// readingOf is what serve reads of a text for the file and of variables.
func readingOf(t testing.TB, text string, variables ...string) (*reading, error) {
	t.Helper()
	made, err := settingsOnce()
	if err != nil {
		t.Fatal(err)
	}
	defaults := new(*made)
	lookup := func(name string) (string, bool) {
		for _, pair := range variables {
			if known, value, _ := strings.Cut(pair, "="); known == name {
				return value, true
			}
		}
		return "", false
	}
	if base, set := lookup("OPENAI_BASE_URL"); set {
		defaults.OpenAIBaseURL = base
		defaults.given = map[string]config.Origin{"openai-base-url": {Source: config.FromVariable, Detail: "OPENAI_BASE_URL"}}
	}
	r := &reading{file: &configuration{}, settings: defaults, sources: config.Sources{Lookup: lookup}}
	if text == "" {
		return r, nil
	}
	file, err := configfile.Parse("trysail.yaml", []byte(text), lookup)
	if err != nil {
		return r, err
	}
	r.file, err = readConfiguration(&configfile.Loader{}, file)
	r.settings = defaults.over(r.file)
	return r, err
}

// compiled is the plan of a text for the file and of variables, for the default address.
func compiled(t testing.TB, text string, variables ...string) (gateway.Plan, error) {
	t.Helper()
	r, bad := readingOf(t, text, variables...)
	plan, err := planOf(r, "127.0.0.1:8000")
	return plan, errors.Join(bad, err)
}

func TestPlanOfAFile(t *testing.T) {
	secret := write(t, filepath.Join(t.TempDir(), "key"), "hunter3\n")
	got, err := compiled(t, `
policy: {retry: {attempts: 2}}
gateway:
  targets:
    west:
      protocol: openai
      base_url: https://acme.openai.azure.com/openai/v1/
      provider: azure_openai
      credentials:
        - ${AZURE}
        - {name: reserve, file: `+secret+`}
      models: {gpt-5-mini: prod-mini}
      models_only: true
      window: 128000
      price: {input: $1.25/1M, cached_input: "$0.125 / 1M tokens", output: $0.01/1K}
      limits: {requests_per_minute: 500, tokens_per_minute: 200000, dollars_per_day: 50.5, concurrent: 64, adaptive: true}
      region: swedencentral
      policy: {breaker: {failure_threshold: 9}}
      draining: true
    openai: {api_key: "${OPENAI_API_KEY}"}
    anthropic:
    toy: {protocol: gemini, simulated: true}
  routes:
    - name: research
      path: /v1/chat/*
      model: gpt-5*
      headers: {X-Team: research*}
      targets: [openai, west]
      operation: ask
      strategy: critical
      timeout: 2m
      on_content_policy: next
      allow: {strategy: false, retries: true, fallback: false}
    - targets: [{target: openai, weight: 9}, {target: west, priority: 2}, {target: west}]
    - targets: [anthropic]
`, "AZURE=hunter1", "OPENAI_API_KEY=hunter2")
	if want := `trysail.yaml:34:75: gateway.routes[1].targets[2]: found "west", which is targets[1] already, want each once`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	got.Routes[1].Targets = got.Routes[1].Targets[:2]
	want := gateway.Plan{
		Targets: []gateway.Target{
			{
				Name: "west", Protocol: gateway.OpenAIProtocol, BaseURL: "https://acme.openai.azure.com/openai/v1", Provider: "azure_openai",
				Credentials: []gateway.Credential{{Name: "west-1", Key: "hunter1"}, {Name: "reserve", Key: "hunter3"}},
				Models:      map[string]string{"gpt-5-mini": "prod-mini"}, Only: true, Window: 128000,
				Price:  gateway.Price{Input: 1.25, CachedInput: 0.125, Output: 10},
				Limits: gateway.TargetLimits{Requests: 500, Tokens: 200000, Dollars: 50.5, Concurrent: 64, Adaptive: true},
				Region: "swedencentral", Draining: true,
			},
			{Name: "openai", Protocol: gateway.OpenAIProtocol, BaseURL: gateway.OpenAI, Credentials: []gateway.Credential{{Name: "openai-1", Key: "hunter2"}}},
			{Name: "anthropic", Protocol: gateway.AnthropicProtocol, BaseURL: "https://api.anthropic.com"},
			{Name: "toy", Protocol: gateway.GeminiProtocol, Simulated: true},
		},
		Routes: []gateway.Route{
			{
				Name: "research", Path: "/v1/chat/*", Model: "gpt-5*", Headers: map[string]string{"X-Team": "research*"},
				Targets:   []gateway.RouteTarget{{Target: "openai", Priority: 0, Weight: 1}, {Target: "west", Priority: 1, Weight: 1}},
				Operation: "ask", Strategy: "critical", Timeout: 2 * 60e9, OnContentPolicy: gateway.Next,
				Allow: gateway.Allowed{NoStrategy: true, NoFallback: true},
			},
			{Name: "route-2", Targets: []gateway.RouteTarget{{Target: "openai", Weight: 9}, {Target: "west", Priority: 2, Weight: 1}}},
			{Name: "route-3", Targets: []gateway.RouteTarget{{Target: "anthropic", Weight: 1}}},
		},
	}
	want.Targets[0].Policy.Breaker.FailureThreshold = 9
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPlanOfTheEnvironment(t *testing.T) {
	for name, tc := range map[string]struct {
		file      string
		variables []string
		want      []string // name protocol address keys
	}{
		"nothing": {"", nil, []string{"simulated openai  []", "simulated-anthropic anthropic  []", "simulated-gemini gemini  []"}},
		"keys": {"", []string{"OPENAI_API_KEY=o", "ANTHROPIC_API_KEY=a", "GEMINI_API_KEY=g", "GOOGLE_API_KEY=maps"}, []string{
			"openai openai https://api.openai.com/v1 [o]", "anthropic anthropic https://api.anthropic.com [a]",
			"gemini gemini https://generativelanguage.googleapis.com [g]",
		}},
		"google's key":    {"", []string{"GOOGLE_API_KEY=g"}, []string{"gemini gemini https://generativelanguage.googleapis.com [g]"}},
		"an address only": {"", []string{"OPENAI_BASE_URL=http://127.0.0.1:11434/v1/"}, []string{"openai openai http://127.0.0.1:11434/v1 []"}},
		"addresses": {"", []string{"ANTHROPIC_BASE_URL=https://a.example", "GOOGLE_GEMINI_BASE_URL=https://g.example/"}, []string{
			"anthropic anthropic https://a.example []", "gemini gemini https://g.example []",
		}},
		"empty ones": {"", []string{"OPENAI_API_KEY=", "ANTHROPIC_BASE_URL=", "GEMINI_BASE_URL=", "GEMINI_API_KEY=g"}, []string{
			"gemini gemini https://generativelanguage.googleapis.com [g]",
		}},
		"the file's": {"literal_secrets: true\ngateway: {openai_base_url: https://o.example/v1, openai_api_key: o}", []string{"ANTHROPIC_API_KEY=a"}, []string{
			"openai openai https://o.example/v1 [o]", "anthropic anthropic https://api.anthropic.com [a]",
		}},
		"variables before the file's": {
			"literal_secrets: true\ngateway: {openai_base_url: https://o.example/v1, openai_api_key: o}",
			[]string{"OPENAI_API_KEY=v", "OPENAI_BASE_URL=https://v.example/v1"},
			[]string{"openai openai https://v.example/v1 [v]"},
		},
		"targets of the file alone count": {"gateway: {targets: {anthropic: {}}}", []string{"OPENAI_API_KEY=o"}, []string{"anthropic anthropic https://api.anthropic.com []"}},
	} {
		t.Run(name, func(t *testing.T) {
			plan, err := compiled(t, tc.file, tc.variables...)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, target := range plan.Targets {
				keys := []string{}
				for _, c := range target.Credentials {
					keys = append(keys, c.Key)
				}
				got = append(got, strings.Join([]string{target.Name, wordOf(target.Protocol), target.BaseURL, "[" + strings.Join(keys, " ") + "]"}, " "))
				if target.Simulated != strings.HasPrefix(target.Name, "simulated") {
					t.Errorf("%s: simulated is %v", target.Name, target.Simulated)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Routes may lead to targets of the environment.
func TestRoutesOfTheEnvironmentsTargets(t *testing.T) {
	plan, err := compiled(t, "gateway: {routes: [{model: gpt-*, targets: [openai]}]}", "OPENAI_API_KEY=o")
	if err != nil || len(plan.Routes) != 1 || plan.Routes[0].Targets[0].Target != "openai" {
		t.Errorf("%+v, %v", plan, err)
	}
	_, err = compiled(t, "gateway: {routes: [{targets: [openai]}]}", "ANTHROPIC_API_KEY=a")
	if err == nil || !strings.Contains(err.Error(), `trysail.yaml:1:31: gateway.routes[0].targets[0]: found the target "openai", which is not known, want anthropic`) {
		t.Error(err)
	}
}

func TestPrices(t *testing.T) {
	for text, want := range map[string]string{
		"$1.25/1M": "$1.25/1M", "$1.25 / 1M tokens": "$1.25/1M", "$3/MTok": "$3/1M", "USD 3 per million tokens": "$3/1M",
		"$0.0003/1K": "$0.3/1M", "$0.00125 / 1K tokens": "$1.25/1M", "$0.000001/token": "$1/1M", "$0/1M": "",
		"1.25": "", "$1.25": "", "1.25/1M": "", "$-1/1M": "", "$1e3/1M": "", "$1/year": "", "$1/": "", "": "", "$20/1K tokens": "", "$NaN/1M": "",
	} {
		var p price
		if err := p.UnmarshalText([]byte(text)); p.String() != want || (err == nil) != (want != "" || text == "$0/1M") {
			t.Errorf("%q is %q, %v, want %q", text, p, err, want)
		}
	}
}

// A key file is read anew with every reading.
func TestPlanReadsKeyFilesAnew(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "key"), "hunter1\n")
	text := "gateway: {targets: {openai: {api_key: {file: " + file + "}}}}"
	for _, want := range []string{"hunter1", "hunter2"} {
		if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		plan, err := compiled(t, text)
		if err != nil || plan.Targets[0].Credentials[0].Key != want {
			t.Errorf("%+v, %v, want %s", plan, err, want)
		}
	}
}
