package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
)

// A fakeGateway has three targets: one that is well, one without money and with accounts that cannot be used, one that the configuration drains.
type fakeGateway struct {
	mu      sync.Mutex
	drained bool // the first one
}

func (g *fakeGateway) Usage() api.GatewayUsage {
	count := api.GatewayCount{Requests: 12, Attempts: 14, Estimated: 1, Input: 1000, Cached: 300, Output: 200, Dollars: 0.1 + 0.2}
	counts := map[string]api.GatewayCounts{"b": {All: count, Today: api.GatewayCount{Requests: 1, Attempts: 1}}, "a": {All: count}}
	return api.GatewayUsage{Since: time.Now().Add(-25 * time.Hour), Targets: counts, Operations: counts}
}

func (g *fakeGateway) Targets() []api.GatewayTarget {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	return []api.GatewayTarget{
		{Name: "well", Protocol: "openai", Region: "eu", State: "closed", Calls: 3, Drained: g.drained, Accounts: []api.GatewayAccount{
			{Name: "well-1", Parked: now.Add(time.Hour), Reason: "the quota is used up"}, {Name: "well-2"},
		}},
		{
			Name: "poor", Protocol: "anthropic", State: "open", Reason: "half of 10 calls failed", OpenUntil: now.Add(30 * time.Second), Exhausted: now.Add(time.Minute),
			Accounts:     []api.GatewayAccount{{Name: "poor-1", Closed: now.Add(time.Second)}},
			RequestLimit: 600, RequestsLeft: 59.9, TokenLimit: 1e6, TokensLeft: 1234.5, DollarLimit: 5, DollarsSpent: 4.9, DollarsHeld: 0.1, MoneyBack: now.Add(time.Hour),
		},
		{Name: "away", Protocol: "gemini", Draining: true},
	}
}

func (g *fakeGateway) Drain(target string, drained bool) (was, known bool) {
	if target == "away" {
		return false, true
	}
	if target != "well" {
		return false, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	was, g.drained = g.drained, drained
	return was, true
}

// TestAnswersAboutTheGateway keeps the good answer and each problem of the gateway's routes.
func TestAnswersAboutTheGateway(t *testing.T) {
	const (
		targets = base + "/gateway/targets"
		row     = targets + "/{target_name}/"
		reason  = `{"reason":"maintenance of the provider"}`
	)
	for name, tc := range map[string]struct {
		row    string
		ask    request
		status int
	}{
		"gateway usage":                 {"", get(base + "/gateway/usage"), 200},
		"gateway usage without a key":   {"", get(base+"/gateway/usage").with("X-API-Key", ""), 401},
		"gateway targets":               {"", get(targets), 200},
		"gateway targets without a key": {"", get(targets).with("X-API-Key", ""), 401},
		"drain":                         {row + "drain", post(targets+"/well/drain", reason), 200},
		"drain of the drained":          {row + "drain", post(targets+"/away/drain", reason), 200},
		"drain of an unknown target":    {row + "drain", post(targets+"/nobody/drain", reason), 404},
		"drain without a reason":        {row + "drain", post(targets+"/well/drain", "{}"), 422},
		"drain without a body":          {row + "drain", post(targets+"/well/drain", ""), 422},
		"drain for an empty reason":     {row + "drain", post(targets+"/well/drain", `{"reason":"  "}`), 422},
		"drain of an unusable name":     {row + "drain", post(targets+"/a%0Ab/drain", reason), 422},
		"undrain":                       {row + "undrain", post(targets+"/well/undrain", reason), 200},
		"undrain of an unknown target":  {row + "undrain", post(targets+"/nobody/undrain", reason), 404},
		"undrain of what is configured": {row + "undrain", post(targets+"/away/undrain", reason), 409},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				checkRow(t, newAPI(t, newOrchestrator(t, trysail.Config{})), tc.row, tc.ask, tc.status)
			})
		})
	}
}

// Draining is shown, noted with who and why, and taken back.
func TestDrainingIsInTheAuditLog(t *testing.T) {
	a := newAPI(t, newOrchestrator(t, trysail.Config{}))
	for _, word := range []string{"drain", "drain", "undrain"} {
		w := send(a, post(base+"/gateway/targets/well/"+word, `{"reason":"because of `+word+`"}`))
		if w.Code != 200 {
			t.Fatalf("%s: %s", word, w.Body)
		}
		shown := decode[struct {
			Targets []struct {
				Drained bool `json:"drained_by_operator"`
				Takes   bool `json:"takes_calls"`
			} `json:"targets"`
		}](t, send(a, get(base+"/gateway/targets")))
		if drained := word == "drain"; shown.Targets[0].Drained != drained || shown.Targets[0].Takes == drained {
			t.Errorf("after %s: %+v", word, shown.Targets[0])
		}
	}
	log := send(a, get(base+"/audit-log?target=well")).Body.String()
	for _, want := range []string{
		`"count":2`, `"what":"target.drain"`, `"what":"target.undrain"`, `"before":{"drained":false}`, `"after":{"drained":true,"reason":"because of drain"}`,
		`"before":{"drained":true}`, `"after":{"drained":false,"reason":"because of undrain"}`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log has no %s: %s", want, log)
		}
	}
}

// Without a gateway there are no routes about one.
func TestWithoutAGateway(t *testing.T) {
	a, err := api.New(api.Config{Orchestrator: newOrchestrator(t, trysail.Config{})})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/gateway/usage", "/gateway/targets"} {
		checkProblem(t, send(a, get(base+path)), http.StatusNotFound, "NOT_FOUND")
	}
	if document := send(a, get("/internal/openapi.json")).Body.String(); strings.Contains(document, "/gateway/") || strings.Contains(document, `"name":"gateway"`) {
		t.Error("the document has the gateway's routes")
	}
}
