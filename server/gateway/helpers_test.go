package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
	"github.com/trysail-go/trysail/trysailtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A rig is a gateway on a real socket in front of a provider on another.
type rig struct {
	t            *testing.T
	url          string
	provider     *trysailtest.ProviderServer // nil with a provider of the test's own
	orchestrator *trysail.Orchestrator
	client       *http.Client
}

// newRig starts both. Attempts follow each other at once, so that a test of
// three attempts costs no time, and the budget allows as many as there are. Change adjusts the gateway before it starts.
func newRig(t *testing.T, change func(*gateway.Config)) *rig {
	t.Helper()
	budget, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{Share: 1, Floor: 1000})
	if err != nil {
		t.Fatal(err)
	}
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{
		Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone, Budget: budget},
	}})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, orchestrator: orc}
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	cfg := gateway.Config{Orchestrator: orc, Transport: transport}
	if change != nil {
		change(&cfg)
	}
	if len(cfg.Plan.Targets) == 0 {
		r.provider, err = trysailtest.StartProvider(trysailtest.ProviderConfig{})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Plan = planOf(r.provider.URL)
	}
	gw, err := gateway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gw)
	r.url = server.URL
	r.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		transport.CloseIdleConnections()
		server.Close()
		if r.provider != nil {
			if err := r.provider.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return r
}

// planOf is a plan of one target, which gets the headers that ask for faults.
func planOf(url string) gateway.Plan {
	return gateway.SingleTarget(gateway.Target{Name: "one", Protocol: gateway.OpenAIProtocol, BaseURL: url, Simulated: true})
}

// paced starts a provider whose tokens come one by one. Without a pause between
// them an error may arrive together with the first token, before the client has seen
// anything, and the attempt is rightly repeated.
func paced(t *testing.T) (url string) {
	t.Helper()
	provider, err := trysailtest.StartProvider(trysailtest.ProviderConfig{TokenDelay: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := provider.Close(); err != nil {
			t.Error(err)
		}
	})
	return provider.URL
}

// A reply is what a client got.
type reply struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

// failure is the error object of a reply in OpenAI's shape.
func (r reply) failure(t *testing.T) (kind, code, message string) {
	t.Helper()
	var body struct {
		Error *struct{ Message, Type, Code string } `json:"error"`
	}
	if err := json.Unmarshal([]byte(r.body), &body); err != nil || body.Error == nil {
		t.Fatalf("body is %q, want an object with an error in it (%v)", r.body, err)
	}
	return body.Error.Type, body.Error.Code, body.Error.Message
}

const (
	plainBody  = `{"model":"m-1","messages":[{"role":"user","content":"Is the wind fair?"}]}`
	streamBody = `{"model":"m-1","stream":true,"messages":[{"role":"user","content":"Is the wind fair?"}]}`
)

// ask sends a completion with a script for the provider.
func (r *rig) ask(body, script string, headers ...string) reply {
	r.t.Helper()
	return r.do(r.t.Context(), http.MethodPost, "/v1/chat/completions", body, append(headers, trysailtest.SimulateHeader, script)...)
}

func (r *rig) do(ctx context.Context, method, path, body string, headers ...string) reply {
	r.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(text), err}
}

func (r *rig) metrics(operation string) trysail.OperationMetrics {
	r.t.Helper()
	op, ok := r.orchestrator.Lookup(operation)
	if !ok {
		r.t.Fatalf("there is no operation %q", operation)
	}
	return op.Metrics()
}
