package gateway_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
	"github.com/trysail-go/trysail/trysailtest"
)

// A fleet is a gateway in front of several providers, the targets "a", "b" and so on, each with a key of its own.
type fleet struct {
	rig
	gateway   *gateway.Gateway
	plan      gateway.Plan
	providers []*trysailtest.ProviderServer

	tokenDelay time.Duration // of the providers. 0: 1 ms
	stop       func()        // stops it before the test ends
	panics     bool          // calls may end in one
	oneOfMany  bool          // lost permits are looked for at another one of its kind: that takes milliseconds
}

// newFleet starts one provider for each script. Change adjusts the gateway before it starts.
func newFleet(t *testing.T, scripts []string, change func(*gateway.Config)) *fleet {
	t.Helper()
	budget, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{Share: 1, Floor: 1000})
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{rig: rig{t: t}}
	f.orchestrator, err = trysail.New(trysail.Config{Default: trysail.Policy{
		Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone, Budget: budget},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return f.start(scripts, change)
}

func (f *fleet) start(scripts []string, change func(*gateway.Config)) *fleet {
	f.t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	cfg := gateway.Config{Orchestrator: f.orchestrator, Transport: transport}
	for i, script := range scripts {
		p, err := trysailtest.StartProvider(trysailtest.ProviderConfig{TokenDelay: cmp.Or(f.tokenDelay, time.Millisecond)})
		if err != nil {
			f.t.Fatal(err)
		}
		f.providers = append(f.providers, p)
		f.script(i, script)
		name := string(rune('a' + i))
		cfg.Plan.Targets = append(cfg.Plan.Targets, gateway.Target{
			Name: name, Protocol: gateway.OpenAIProtocol, BaseURL: p.URL,
			Credentials: []gateway.Credential{{Key: "key-" + name}},
		})
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if f.gateway, err = gateway.New(cfg); err != nil {
		f.t.Fatal(err)
	}
	f.plan = cfg.Plan
	server := httptest.NewServer(f.gateway)
	f.url = server.URL
	f.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	f.stop = sync.OnceFunc(func() {
		f.client.CloseIdleConnections()
		transport.CloseIdleConnections()
		server.Close()
		f.checkPermits()
		for _, p := range f.providers {
			if err := p.Close(); err != nil {
				f.t.Error(err)
			}
		}
	})
	f.t.Cleanup(f.stop)
	return f
}

// checkPermits sees to it that each call gave back what it had taken of its targets, once.
func (f *fleet) checkPermits() {
	f.t.Helper()
	if !f.oneOfMany {
		runtime.GC() // which finds permits that were lost
	}
	for _, op := range f.orchestrator.Operations() {
		if m := op.Metrics(); m.Misuses != 0 || m.Panics != 0 && !f.panics || m.Calls != m.Succeeded+m.Failed {
			f.t.Errorf("operation %q: %d misuses, %d panics, %d calls of which %d succeeded and %d failed", op.Name(), m.Misuses, m.Panics, m.Calls, m.Succeeded, m.Failed)
		}
		if in, ok := op.Bulkhead(); ok && in.Running != 0 {
			f.t.Errorf("operation %q: %d places are taken", op.Name(), in.Running)
		}
	}
}

// script says what a provider does with the requests that come from now on, one entry for each. The last one counts for all later ones.
func (f *fleet) script(i int, script string) {
	f.t.Helper()
	if err := f.providers[i].Script("", script); err != nil {
		f.t.Fatal(err)
	}
}

// totals returns how many requests each provider has had, such as "2 1".
func (f *fleet) totals() string {
	text := ""
	for _, p := range f.providers {
		text += fmt.Sprintf(" %d", p.Total())
	}
	return text[1:]
}

// chat sends a completion.
func (f *fleet) chat(body string, headers ...string) reply {
	f.t.Helper()
	return f.do(f.t.Context(), http.MethodPost, "/v1/chat/completions", body, headers...)
}

func (f *fleet) breaker(target string) trysail.BreakerSnapshot {
	f.t.Helper()
	op, ok := f.orchestrator.Lookup("target/" + target)
	if !ok {
		f.t.Fatalf("there is no operation of the target %q", target)
	}
	return op.Breaker().Snapshot()
}
