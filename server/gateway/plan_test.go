package gateway_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// A plan with faults is refused with all of them, changes nothing, and no message holds a key.
func TestBadPlans(t *testing.T) {
	f := newFleet(t, []string{"ok"}, nil)
	bad := gateway.Plan{
		Targets: []gateway.Target{
			{Name: "x", Protocol: gateway.OpenAIProtocol, BaseURL: "ftp://host"},
			{Name: "x", Protocol: gateway.AnthropicProtocol, BaseURL: "https://host/v1"},
			{Name: "two words", Protocol: 9},
			{Name: "y", Protocol: gateway.GeminiProtocol, Credentials: []gateway.Credential{{Key: "se cret"}, {Key: ""}, {Key: "same"}, {Key: "same"}}},
			{Name: "z", Protocol: gateway.OpenAIProtocol, Window: -1, Price: gateway.Price{Input: math.NaN()}, Only: true, Limits: gateway.TargetLimits{Requests: -1}},
			{Name: "p", Protocol: gateway.OpenAIProtocol, Policy: trysail.Policy{Breaker: trysail.BreakerPolicy{FailureRate: 2}}},
			{Name: "m", Protocol: gateway.OpenAIProtocol, Models: map[string]string{"a": ""}, Limits: gateway.TargetLimits{Dollars: 1}},
		},
		Routes: []gateway.Route{
			{Name: "r", Path: "v1/*", Model: "[", Headers: map[string]string{"X-Team": "["}, Operation: "target/x", Strategy: "heroic", Timeout: -1, OnContentPolicy: 7},
			{Name: "r", Targets: []gateway.RouteTarget{{Target: "z"}, {Target: "y"}, {Target: "z", Weight: -1}, {Target: "nobody"}}},
		},
	}
	err := f.gateway.Apply(bad)
	for _, want := range []string{
		`target "x": BaseURL is "ftp://host", want something like https://api.openai.com/v1`,
		`target "x": another target has the same name`,
		`target "x": BaseURL is "https://host/v1", want it without the version, such as https://api.anthropic.com`,
		`Targets[2]: the name is "two words", want 1 to 64`, `Targets[2]: the protocol is Protocol(9), want one of [openai anthropic gemini]`,
		`target "y", credential "y-1": the key holds a space`, `credential "y-2": the key is empty`, `credential "y-4": another credential of the target has the same key`,
		`target "z": Window is -1`, `target "z": Price.Input is NaN`, `target "z": Only is set, but there are no Models`, `target "z": Limits.Requests is -1`,
		`Breaker.FailureRate`, `target "m": Models leads "a" to ""`, `target "m": Limits.Dollars is 1, but there is no Price`,
		`route "r": Path is "v1/*", want a pattern that begins with a slash`, `route "r": Model is "["`, `the header X-Team is "["`, `route "r": it has no targets`,
		`route "r": Operation is "target/x"`, `route "r": Strategy: unknown strategy "heroic"`, `route "r": Timeout is -1ns`, `route "r": OnContentPolicy is 7`,
		`route "r": another route has the same name`, `the target "y" speaks gemini, but "z" speaks openai`, `it names the target "z" twice`,
		`the weight of the target "z" is -1`, `there is no target "nobody", want one of ["x" "two words" "y" "z" "p" "m"]`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Apply does not say %q", want)
		}
	}
	if err != nil && (strings.Contains(err.Error(), "cret") || strings.Contains(err.Error(), "same\"")) {
		t.Errorf("a message holds a key: %v", err)
	}
	if err := f.gateway.Apply(gateway.Plan{}); err == nil {
		t.Error("an empty plan is no error")
	}
	if got := f.chat(plainBody); got.status != 200 {
		t.Errorf("after it: status %d, want the plan from before", got.status)
	}
}

// Who goes where.
func TestRoutes(t *testing.T) {
	f := newFleet(t, []string{"ok", "ok", "ok"}, func(c *gateway.Config) {
		to := func(names ...string) (targets []gateway.RouteTarget) {
			for i, name := range names {
				targets = append(targets, gateway.RouteTarget{Target: name, Priority: -i}) // the last goes first
			}
			return targets
		}
		c.Plan.Routes = []gateway.Route{
			{Name: "team", Headers: map[string]string{"x-team": "blue*"}, Targets: to("c"), Operation: "blue", Strategy: trysail.Aggressive},
			{Name: "small", Path: "/v1/chat/*", Model: "*mini*", Targets: to("a", "b")},
			{Name: "embeddings", Path: "/v1/embeddings", Targets: to("c")},
		}
	})
	for name, tc := range map[string]struct {
		path, model       string
		headers           []string
		target, operation string
	}{
		"by a header":            {"/v1/chat/completions", "gpt-4", []string{"X-Team", "blue-7"}, "c", "blue"},
		"the request says more":  {"/v1/chat/completions", "gpt-4", []string{"X-Team", "blue", gateway.OperationHeader, "own"}, "c", "own"},
		"by model":               {"/v1/chat/completions", "openai/gpt-4o-mini", nil, "b", "chat"},
		"by path":                {"/v1/embeddings", "mini", nil, "c", "chat"},
		"by none: the plan's":    {"/v1/chat/completions", "gpt-4", nil, "a", "chat"},
		"a header with no value": {"/v1/chat/completions", "gpt-4", []string{"X-Team", "green"}, "a", "chat"},
	} {
		t.Run(name, func(t *testing.T) {
			before := f.orchestrator.Operation(tc.operation).Metrics().Calls
			got := f.post(tc.path, fmt.Sprintf(`{"model":%q,"input":"x","messages":[{"role":"user","content":"x"}]}`, tc.model), tc.headers...)
			if got.status != 200 || got.header.Get(gateway.TargetHeader) != tc.target {
				t.Errorf("status %d from %q, want 200 from %q\n%s", got.status, got.header.Get(gateway.TargetHeader), tc.target, got.body)
			}
			if now := f.metrics(tc.operation).Calls; now != before+1 {
				t.Errorf("operation %q has %d calls more, want 1", tc.operation, now-before)
			}
		})
	}
}

// Targets get the model's name as they know it; everything else stays byte for byte.
func TestModelMap(t *testing.T) {
	odd := "{ \"messages\":[{\"role\":\"user\",\"content\":\"the \\\"model\\\":\\\"fast\\\"\"}],\n\t\"seed\":12345678901234567890, \"model\" : \"fast\" }"
	f := newFleet(t, []string{"500", "ok"}, func(c *gateway.Config) {
		c.Plan.Targets[0].Models = map[string]string{"fast": "gpt-a"}
		c.Plan.Targets[1].Models = map[string]string{"fast": "vendor/gpt-b"}
		c.Plan.Targets[1].Only = true
	})
	if got := f.chat(odd); got.status != 200 || got.header.Get(gateway.TargetHeader) != "b" {
		t.Fatalf("status %d from %q", got.status, got.header.Get(gateway.TargetHeader))
	}
	for i, name := range []string{"gpt-a", "vendor/gpt-b"} {
		want := strings.Replace(odd, `"model" : "fast"`, `"model" : "`+name+`"`, 1)
		if seen := string(f.providers[i].Requests()[0].Body); seen != want {
			t.Errorf("provider %d sees %q, want %q", i, seen, want)
		}
	}
	before := f.providers[1].Total()
	if got := f.chat(plainBody); got.status != 500 || f.providers[1].Total() != before {
		t.Errorf("a model that only the first target has: status %d, want its 500", got.status)
	}
	g := speaking(t, gateway.GeminiProtocol, "ok")
	g.plan.Targets[0].Models = map[string]string{"fast": "gemini-9"}
	if err := g.gateway.Apply(g.plan); err != nil {
		t.Fatal(err)
	}
	if got := g.post("/v1beta/models/fast:generateContent", geminiBody); got.status != 200 {
		t.Errorf("Gemini: status %d\n%s", got.status, got.body)
	}
	if seen := g.providers[0].Requests()[0]; seen.Path != "/v1beta/models/gemini-9:generateContent" || string(seen.Body) != geminiBody {
		t.Errorf("Gemini's provider sees %s %s", seen.Path, seen.Body)
	}
}

// A prompt that is too long goes on only to a target that is known to take more.
func TestLargerWindows(t *testing.T) {
	for name, tc := range map[string]struct {
		windows [3]int64
		status  int
		sent    string
	}{
		"the next larger one":       {[3]int64{8000, 4000, 128000}, 200, "1 0 1"},
		"none is larger":            {[3]int64{8000, 4000, 8000}, 400, "1 0 0"},
		"nobody knows the others'":  {[3]int64{8000, 0, 0}, 400, "1 0 0"},
		"nobody knows the first's":  {[3]int64{0, 8000, 128000}, 400, "1 0 0"},
		"the first that is larger,": {[3]int64{8000, 16000, 128000}, 200, "1 1 0"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, []string{"context-length", "ok", "ok"}, func(c *gateway.Config) {
				for i, window := range tc.windows {
					c.Plan.Targets[i].Window = window
				}
			})
			if got := f.chat(plainBody); got.status != tc.status || f.totals() != tc.sent {
				t.Errorf("status %d after %s requests, want %d after %s", got.status, f.totals(), tc.status, tc.sent)
			}
		})
	}
}

// A refusal goes on if the route says so, also one inside a good answer.
func TestRefusalsGoOn(t *testing.T) {
	for _, script := range []string{"content-policy", "content-policy:refusal"} {
		f := newFleet(t, []string{script, "ok"}, func(c *gateway.Config) {
			c.Plan.Routes = []gateway.Route{{
				Targets:         []gateway.RouteTarget{{Target: "a"}, {Target: "b", Priority: 1}},
				OnContentPolicy: gateway.Next,
			}}
		})
		got := f.chat(plainBody)
		if got.status != 200 || f.totals() != "1 1" || strings.Contains(got.body, "content_filter") {
			t.Errorf("%s: status %d after %s requests\n%s", script, got.status, f.totals(), got.body)
		}
	}
}

// If nobody has a better answer than the refusal, the client gets that.
func TestRefusalIsKept(t *testing.T) {
	for _, second := range []string{"500", "reset", "content-policy:refusal"} {
		f := newFleet(t, []string{"content-policy:refusal", second}, func(c *gateway.Config) {
			c.Plan.Routes = []gateway.Route{{
				Targets:         []gateway.RouteTarget{{Target: "a"}, {Target: "b", Priority: 1}},
				OnContentPolicy: gateway.Next,
			}}
		})
		if got := f.chat(plainBody); got.status != 200 || !strings.Contains(got.body, "content_filter") || f.providers[1].Total() == 0 {
			t.Errorf("%s: status %d after %s requests, want the refusal\n%s", second, got.status, f.totals(), got.body)
		}
	}
}

// A model that no target has is not found, and nobody is asked.
func TestModelOfNobody(t *testing.T) {
	f := newFleet(t, []string{"ok"}, func(c *gateway.Config) {
		c.Plan.Targets[0].Models, c.Plan.Targets[0].Only = map[string]string{"fast": "gpt-a"}, true
	})
	got := f.chat(plainBody)
	if _, code, _ := got.failure(t); got.status != 404 || code != "model_not_found" || f.totals() != "0" {
		t.Errorf("status %d, code %q after %s requests; want 404, model_not_found and none", got.status, code, f.totals())
	}
	if b := f.orchestrator.Operation("chat").Breaker().Snapshot(); b.Failures != 0 {
		t.Errorf("the operation's breaker counts %d failures", b.Failures)
	}
}

// A change of the plan cuts no stream, and what is known of targets and accounts outlives it.
func TestApplyDuringStreams(t *testing.T) {
	const streams = 200
	f := newFleet(t, []string{"ok", "ok"}, nil)
	f.openUntil("b", time.Hour)
	var clients sync.WaitGroup
	started := make(chan struct{}, streams)
	for range streams {
		clients.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+"/v1/chat/completions", strings.NewReader(streamBody))
			if err != nil {
				t.Error(err)
				return
			}
			resp, err := f.client.Do(req)
			started <- struct{}{}
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			var whole strings.Builder
			if _, err := fmt.Fprint(&whole, readAll(resp)); err != nil || !strings.HasSuffix(whole.String(), doneEvent) {
				t.Errorf("a stream ends with %q", whole.String()[max(0, whole.Len()-80):])
			}
		})
	}
	for range streams / 2 {
		<-started
	}
	renamed := f.plan
	renamed.Targets = slices.Clone(f.plan.Targets)
	renamed.Targets[0].Name = "new"
	for i := range 50 {
		plan := f.plan
		if i%2 == 0 {
			plan = renamed
		}
		if err := f.gateway.Apply(plan); err != nil {
			t.Error(err)
		}
	}
	for range streams / 2 {
		<-started
	}
	clients.Wait()
	if b := f.breaker("b"); b.State != trysail.Open {
		t.Errorf("the breaker of a target that stayed is %v, want open as before", b.State)
	}
	if _, ok := f.orchestrator.Lookup("target/new"); !ok {
		t.Error("the operation of a target that is gone is gone, too")
	}
}

func readAll(resp *http.Response) string {
	var b strings.Builder
	buffer := make([]byte, 4096)
	for {
		n, err := resp.Body.Read(buffer)
		b.Write(buffer[:n])
		if err != nil {
			return b.String()
		}
	}
}

// Each target is visited once in a call at most, whatever they do, and what the client gets is a whole answer.
func TestWalksOverManyTargets(t *testing.T) {
	scripts := []string{"500", "billing", "429:60", "overloaded", "reset", "auth", "model-not-found", "html", "ok"}
	f := newFleet(t, scripts, func(c *gateway.Config) {
		route := gateway.Route{}
		for i, target := range c.Plan.Targets {
			route.Targets = append(route.Targets, gateway.RouteTarget{Target: target.Name, Weight: float64(i + 1)})
		}
		c.Plan.Routes = []gateway.Route{route}
	})
	for range 30 {
		before := make([]int, len(scripts))
		for i, p := range f.providers {
			before[i] = p.Total()
		}
		got := f.chat(plainBody)
		tried := strings.Split(got.header.Get(gateway.FallbackHeader), ", ")
		if got.status != 200 || !json.Valid([]byte(got.body)) || got.header.Get(gateway.TargetHeader) != "i" {
			t.Fatalf("status %d from %q after %v", got.status, got.header.Get(gateway.TargetHeader), tried)
		}
		slices.Sort(tried)
		if once := slices.Compact(slices.Clone(tried)); len(once) != len(tried) {
			t.Errorf("visited %v, want each once", tried)
		}
		sum := 0
		for i, p := range f.providers {
			sent := p.Total() - before[i]
			if sum += sent; sent > 3 {
				t.Errorf("%d requests of one call to %q", sent, scripts[i])
			}
		}
		if fmt.Sprint(sum) != got.header.Get(gateway.AttemptsHeader) {
			t.Errorf("%d requests, but the answer says %s", sum, got.header.Get(gateway.AttemptsHeader))
		}
	}
}
