package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
	"github.com/trysail-go/trysail/server/wire"
)

// Where no hedge may begin, none does: the first target answers, late as it is.
func TestNoHedge(t *testing.T) {
	late := replies("a", 3*hedgeAfter)
	fine := replies("b", 0)
	parked := func(f *fleet) {
		op, _ := f.orchestrator.Lookup("target/b")
		op.Breaker().OpenUntil(time.Now().Add(time.Minute), "a test")
	}
	for name, tc := range map[string]struct {
		change  func(*gateway.Config)
		before  func(*fleet)
		body    string
		path    string
		headers []string
	}{
		"the request is not to be repeated": {headers: []string{gateway.RetriesHeader, "0"}},
		"it is not to go elsewhere":         {headers: []string{gateway.FallbackHeader, "off"}},
		"it begins a piece of work":         {path: "/v1/responses", body: `{"model":"m","input":"x","background":true}`},
		"it is no question to a model":      {path: "/v1/files", body: `{"model":"m"}`},
		"nobody else takes calls":           {before: parked},
		"the other one is full":             {change: func(c *gateway.Config) { c.Plan.Targets[1].Limits.Requests = 1 }, before: func(f *fleet) { takeAll(f, "b") }},
		"the other one is drained":          {change: func(c *gateway.Config) { c.Plan.Targets[1].Draining = true }},
		"the other one has too few tokens":  {change: func(c *gateway.Config) { c.Plan.Targets[1].Limits.Tokens = 1 }, before: func(f *fleet) { askFor(f, "b") }},
		"it is the only one": {change: func(c *gateway.Config) {
			onlyFirst(c)
			c.Plan.Routes[0].Hedge.SameTarget = false
			c.Plan.Routes[0].Hedge.After = 0
		}},
		"the operation makes no retries":          {headers: []string{gateway.OperationHeader, "once"}},
		"the percentile is not known":             {change: func(c *gateway.Config) { c.Plan.Routes[0].Hedge.Percentile = 0.5 }},
		"there is none on the route":              {change: func(c *gateway.Config) { c.Plan.Routes[0].Hedge = gateway.Hedge{} }},
		"the budget is used up":                   {headers: []string{gateway.OperationHeader, "poor"}, before: func(f *fleet) { spend(f, "poor") }},
		"the operation's breaker is being probed": {headers: []string{gateway.OperationHeader, "probed"}},
	} {
		t.Run(name, func(t *testing.T) {
			f, lanes := newHedged(t, func(c *gateway.Config) {
				register(t, c)
				if tc.change != nil {
					tc.change(c)
				}
			}, late, fine)
			if tc.before != nil {
				tc.before(f)
			}
			if strings.Contains(name, "probed") {
				halfOpen(t, f, "probed")
			}
			for len(lanes[1].got) > 0 {
				<-lanes[1].got
			}
			body, path := plainBody, "/v1/chat/completions"
			if tc.body != "" {
				body = tc.body
			}
			if tc.path != "" {
				path = tc.path
			}
			got := f.do(t.Context(), http.MethodPost, path, body, tc.headers...)
			if got.status != 200 || got.body != plainOf("a") || got.header.Get(gateway.HedgeHeader) != "" || got.header.Get(gateway.AttemptsHeader) != "1" {
				t.Errorf("status %d from %q after %s sends, hedge %q: %s; want the first target's answer alone", got.status,
					got.header.Get(gateway.TargetHeader), got.header.Get(gateway.AttemptsHeader), got.header.Get(gateway.HedgeHeader), got.body)
			}
			if len(lanes[1].got) != 0 {
				t.Error("the other target was asked")
			}
		})
	}
}

// register makes operations that hedge nothing.
func register(t *testing.T, c *gateway.Config) {
	t.Helper()
	budget, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{Share: 0.001, Floor: 0.02}) // one in a minute
	if err != nil {
		t.Fatal(err)
	}
	for name, policy := range map[string]trysail.Policy{
		"once":   {Retry: trysail.RetryPolicy{Disabled: true}},
		"poor":   {Retry: trysail.RetryPolicy{Budget: budget}},
		"probed": {Breaker: trysail.BreakerPolicy{RecoveryTimeout: time.Millisecond * 100}},
	} {
		if _, err := c.Orchestrator.Register(name, trysail.OperationConfig{Policy: policy}); err != nil {
			t.Fatal(err)
		}
	}
}

func spend(f *fleet, operation string) {
	op, _ := f.orchestrator.Lookup(operation)
	for op.Policy().Retry.Budget.Take(0) {
	}
}

// halfOpen brings the breaker of an operation to where its next call is a probe.
func halfOpen(t *testing.T, f *fleet, operation string) {
	t.Helper()
	op, _ := f.orchestrator.Lookup(operation)
	op.Breaker().OpenUntil(time.Now().Add(20*time.Millisecond), "a test")
	for op.Breaker().State() != trysail.HalfOpen {
		time.Sleep(time.Millisecond)
	}
}

// takeAll takes the calls that a target's limit allows at once.
func takeAll(f *fleet, target string) {
	op, _ := f.orchestrator.Lookup("target/" + target)
	for {
		permit, err := op.Acquire(f.t.Context())
		if err != nil {
			return
		}
		permit.Done(nil)
	}
}

// askFor uses up the tokens of a target.
func askFor(f *fleet, target string) {
	f.t.Helper()
	plan := f.plan
	routes := plan.Routes
	plan.Routes = []gateway.Route{{Targets: []gateway.RouteTarget{{Target: target}}}}
	if err := f.gateway.Apply(plan); err != nil {
		f.t.Fatal(err)
	}
	if got := f.chat(plainBody); got.status != 200 {
		f.t.Fatalf("status %d: %s", got.status, got.body)
	}
	plan.Routes = routes
	if err := f.gateway.Apply(plan); err != nil {
		f.t.Fatal(err)
	}
}

// onlyFirst leaves a route its first target.
func onlyFirst(c *gateway.Config) {
	c.Plan.Routes[0].Targets = c.Plan.Routes[0].Targets[:1]
	c.Plan.Routes[0].Hedge.SameTarget = true
}

// A budget is used up by hedges as by retries: calls beyond it wait for the first target.
func TestHedgesAreTakenFromTheBudget(t *testing.T) {
	f, lanes := newHedged(t, func(c *gateway.Config) {
		register(t, c)
		c.Plan.Routes[0].Operation = "poor"
	}, replies("a", 20*hedgeAfter), replies("b", 0))
	var answered []string
	for range 4 {
		got := f.chat(plainBody)
		answered = append(answered, got.header.Get(gateway.TargetHeader))
	}
	if got := strings.Join(answered, ""); got != "baaa" || len(lanes[1].got) != 1 {
		t.Errorf("answered by %s, the other target was asked %d times; want one hedge in a minute", got, len(lanes[1].got))
	}
	if m := f.metrics("poor"); m.Hedges != 1 || m.Denied != 3 {
		t.Errorf("%d hedges, %d denied; want 1 and 3", m.Hedges, m.Denied)
	}
}

// The only target of a route is asked twice if the route says so.
func TestHedgeAtTheSameTarget(t *testing.T) {
	var n atomic.Int32
	first := make(chan struct{})
	f, lanes := newHedged(t, onlyFirst, func(l *lane, w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			close(first)
			l.sees(r)
			return
		}
		<-first
		replies("again", 0)(l, w, r)
	})
	got := f.chat(plainBody)
	if got.body != plainOf("again") || !strings.HasPrefix(got.header.Get(gateway.HedgeHeader), "won; target=a;") || got.header.Get(gateway.AttemptsHeader) != "2" {
		t.Errorf("%d %s %v", got.status, got.body, got.header)
	}
	<-lanes[0].left
}

// The gateway's own transport tells the loser's provider, too, and is fit for use afterwards.
func TestHedgeWithOwnConnections(t *testing.T) {
	transport := wire.New(&http.Transport{MaxIdleConnsPerHost: 10, DisableCompression: true})
	defer transport.CloseIdleConnections()
	f, lanes := newHedged(t, func(c *gateway.Config) { c.Transport = transport }, hangsInside, asked(replies("b", 0)))
	for i := range 5 {
		if got := f.chat(streamBody, accepts, "text/event-stream"); got.body != streamOf("b") {
			t.Fatalf("call %d: status %d, %v: %s", i, got.status, got.err, got.body)
		}
		select {
		case <-lanes[0].left:
		case <-time.After(10 * time.Second):
			t.Fatal("the first target was never told")
		}
	}
}

// A race that is lost gives its tokens back but for the prompt, which the provider has read.
func TestHedgeThatLosesKeepsItsPrompt(t *testing.T) {
	f, _ := newHedged(t, func(c *gateway.Config) {
		c.Plan.Targets[0].Limits.Tokens = 6000
	}, hangs, replies("b", 0))
	prompt := strings.Repeat("word ", 800) // 1,000 tokens
	hedged := func(output int) bool {
		body := fmt.Sprintf(`{"model":"m-1","max_tokens":%d,"messages":[{"role":"user","content":%q}]}`, output, prompt)
		got := f.chat(body)
		if got.body != plainOf("b") {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return strings.HasPrefix(got.header.Get(gateway.HedgeHeader), "won")
	}
	for i := range 3 { // 3,500 each would not go twice
		if !hedged(2500 - 500*i) {
			t.Fatalf("call %d did not go to the first target", i)
		}
	}
	if hedged(3000) { // of 6,000 no more than 3,000 are left
		t.Error("the prompts are forgotten")
	}
}

// An answer too large to be kept, and one that is compressed against the request, win a race as they come.
func TestHedgePassesOnWhatIsNotKept(t *testing.T) {
	large := strings.Repeat("x", 5000)
	for name, send := range map[string]does{
		"large": func(_ *lane, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, large)
		},
		"compressed": func(_ *lane, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			_, _ = io.WriteString(w, large)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, lanes := newHedged(t, func(c *gateway.Config) { c.Limits.Answer = 1000 }, hangs, asked(send))
			if got := f.chat(plainBody); got.body != large || !strings.HasPrefix(got.header.Get(gateway.HedgeHeader), "won") {
				t.Errorf("%d, %d bytes, %v", got.status, len(got.body), got.header)
			}
			<-lanes[0].left
		})
	}
}
