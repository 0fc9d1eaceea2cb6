package sdks_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail/server/gateway"
	"github.com/trysail-go/trysail/trysailtest"
)

// A nodeCase is one question by an SDK for Node.
type nodeCase struct {
	SDK     string `json:"sdk"`
	Origin  string `json:"origin"`
	Stream  bool   `json:"stream"`
	Tools   bool   `json:"tools"`
	Retries *int   `json:"retries,omitempty"` // the SDK's own; nil: as they are
}

// A nodeResult is what came of it.
type nodeResult struct {
	Text string `json:"text"`
	Tool struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"tool"`
	Error *struct {
		told
		Message string `json:"message"`
	} `json:"error"`
}

func (r nodeResult) told() told {
	if r.Error == nil {
		return told{}
	}
	return r.Error.told
}

// printed is the line that a script prints, which installs something if it is missing.
func printed(t *testing.T, script string) string {
	t.Helper()
	line, err := exec.CommandContext(t.Context(), script).Output()
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return strings.TrimSpace(string(line))
}

// byNode asks all of the cases in one process.
func byNode(t *testing.T, cases []nodeCase) []nodeResult {
	t.Helper()
	folder, programs := printed(t, "../../scripts/npm.sh"), printed(t, "../../scripts/node.sh")
	input, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	node := exec.CommandContext(t.Context(), filepath.Join(programs, "node"), "testdata/gateway.mjs", folder)
	node.Stdin, node.Stderr = bytes.NewReader(input), &stderr
	output, err := node.Output()
	var results []nodeResult
	if err == nil {
		err = json.Unmarshal(output, &results)
	}
	if err != nil || len(results) != len(cases) {
		t.Fatalf("node: %v, %d results of %d\n%s", err, len(results), len(cases), &stderr)
	}
	return results
}

// nodeSpeakers are the protocols that the SDKs for Node speak; their providers with tools are those of the Go SDKs.
func nodeSpeakers() map[string]speaker {
	return map[string]speaker{"openai": byOpenAI(), "anthropic": byAnthropic()}
}

func TestNodeSDKsThroughTheGateway(t *testing.T) {
	type check struct {
		name string
		hold func(nodeResult) bool
		want string
	}
	var (
		cases  []nodeCase
		checks []check
	)
	add := func(name string, c nodeCase, want string, hold func(nodeResult) bool) {
		for _, stream := range []bool{false, true} {
			c.Stream = stream
			cases = append(cases, c)
			checks = append(checks, check{c.SDK + ", " + name + map[bool]string{true: ", stream"}[stream], hold, want})
		}
	}
	for sdk, s := range nodeSpeakers() {
		provider := start(t, "ok")
		whole, err := s.plain(t, provider.Origin)
		if err != nil {
			t.Fatal(err)
		}
		same := func(r nodeResult) bool { return r.Error == nil && r.Text == whole }
		add("one target", nodeCase{SDK: sdk, Origin: newFront(t, s.protocol, provider.Origin).origin}, "the whole text", same)
		add("a dead one first", nodeCase{SDK: sdk, Origin: newFront(t, s.protocol, nobody(), provider.Origin).origin}, "the whole text", same)
		add("one that fails first", nodeCase{SDK: sdk, Origin: newFront(t, s.protocol, start(t, "500").Origin, provider.Origin).origin}, "the whole text", same)
		toolbox := httptest.NewServer(s.toolbox)
		defer toolbox.Close()
		add("a tool", nodeCase{SDK: sdk, Tools: true, Origin: newFront(t, s.protocol, nobody(), toolbox.URL).origin}, "get_wind of Kiel", func(r nodeResult) bool {
			return r.Error == nil && r.Tool.Name == "get_wind" && r.Tool.Arguments == `{"place":"Kiel"}`
		})
	}
	for i, got := range byNode(t, cases) {
		if !checks[i].hold(got) {
			t.Errorf("%s: %+v (%+v), want %s", checks[i].name, got, got.Error, checks[i].want)
		}
	}
}

// nodeFailures are the typed errors that the SDKs for Node make of a provider's, by the script.
func nodeFailures() map[string]map[string]told {
	return map[string]map[string]told{
		"openai": {
			"rate-limit":      {"RateLimitError", 429, "rate_limit_exceeded"},
			"quota":           {"RateLimitError", 429, "insufficient_quota"},
			"auth":            {"AuthenticationError", 401, "invalid_api_key"},
			"context-length":  {"BadRequestError", 400, "context_length_exceeded"},
			"model-not-found": {"NotFoundError", 404, "model_not_found"},
			"overloaded":      {"InternalServerError", 503, "server_is_overloaded"},
			"reset":           {"InternalServerError", 502, "provider_unreachable"},
			"open":            {"InternalServerError", 503, "circuit_breaker_open"},
		},
		"anthropic": {
			"rate-limit":      {"RateLimitError", 429, "rate_limit_error"},
			"quota":           {"EnforcedSpendLimitReachedError", 429, "rate_limit_error"},
			"auth":            {"AuthenticationError", 401, "authentication_error"},
			"context-length":  {"BadRequestError", 400, "invalid_request_error"},
			"model-not-found": {"NotFoundError", 404, "not_found_error"},
			"overloaded":      {"OverloadedError", 529, "overloaded_error"},
			"reset":           {"InternalServerError", 502, "api_error"},
			"open":            {"ServiceUnavailableError", 503, "overloaded_error"},
		},
	}
}

// The errors are the SDKs' own types. Their own retries are on, as they are by default, and do not multiply the gateway's; a breaker's refusal
// is asked for without them.
func TestNodeErrorsThroughTheGateway(t *testing.T) {
	var (
		cases     []nodeCase
		names     []string
		wants     []told
		providers []*trysailtest.ProviderServer
		none      = 0
	)
	for sdk, s := range nodeSpeakers() {
		for script, want := range nodeFailures()[sdk] {
			for _, stream := range []bool{false, true} {
				c := nodeCase{SDK: sdk, Stream: stream}
				c.Origin, providers = s.failing(t, script, providers)
				if script == "open" {
					c.Retries = &none
				}
				cases, names, wants = append(cases, c), append(names, sdk+", "+script), append(wants, want)
			}
		}
	}
	for i, got := range byNode(t, cases) {
		if got.told() != wants[i] {
			t.Errorf("%s, stream %t: %+v (%+v), want %+v", names[i], cases[i].Stream, got.told(), got.Error, wants[i])
		}
		if n := providers[i].Total(); n > 3 {
			t.Errorf("%s, stream %t: the provider was asked %d times, want at most 3", names[i], cases[i].Stream, n)
		}
	}
}

// failing starts a gateway before a provider with a script, of which "open" is a target whose breaker is open.
func (s speaker) failing(t *testing.T, script string, before []*trysailtest.ProviderServer) (string, []*trysailtest.ProviderServer) {
	t.Helper()
	meet := script
	if script == "open" {
		meet = "ok"
	}
	provider := start(t, meet)
	f := newFront(t, s.protocol, provider.Origin)
	if script == "open" {
		f.open(t)
	}
	return f.origin, append(before, provider)
}

// open opens the breaker of the first target.
func (f *front) open(t *testing.T) {
	t.Helper()
	op, ok := f.orchestrator.Lookup("target/a")
	if !ok {
		t.Fatal("the target has no operation")
	}
	op.Breaker().OpenUntil(time.Now().Add(time.Minute), "a test")
}

// A stream that breaks off is an error, and never a short answer.
func TestNodeBrokenStreamsThroughTheGateway(t *testing.T) {
	var (
		cases []nodeCase
		names []string
	)
	for sdk, p := range map[string]gateway.Protocol{"openai": gateway.OpenAIProtocol, "anthropic": gateway.AnthropicProtocol} {
		for _, script := range []string{"cut:9", "end:9", "error:9"} {
			cases = append(cases, nodeCase{SDK: sdk, Stream: true, Origin: newFront(t, p, slowly(t, script)).origin})
			names = append(names, sdk+", "+script)
		}
	}
	for i, got := range byNode(t, cases) {
		if got.Error == nil || got.Text == "" || !strings.HasPrefix(begin, got.Text[:min(len(got.Text), len(begin))]) {
			t.Errorf("%s: %q, %+v; want some text and an error", names[i], got.Text, got.Error)
		}
	}
}
