package gateway_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// A patient is a provider whose answers to probes can be changed.
type patient struct {
	*httptest.Server
	status atomic.Int64
	probes atomic.Int64
	mu     sync.Mutex // guards seen
	seen   string     // the newest probe
}

func newPatient(t *testing.T, status int64) *patient {
	t.Helper()
	p := &patient{}
	p.status.Store(status)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			p.probes.Add(1)
			p.mu.Lock()
			p.seen = r.URL.RequestURI() + " " + r.Header.Get("Authorization")
			p.mu.Unlock()
		}
		w.Header().Set("Content-Type", "application/json")
		if s := p.status.Load(); s == 0 {
			<-r.Context().Done()
		} else {
			w.WriteHeader(int(s))
			_, _ = io.WriteString(w, `{}`)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

// ward is a gateway with a patient, whose breaker opens after three failures and stays open for long.
func ward(t *testing.T, p *patient, probe gateway.Probe) *fleet {
	t.Helper()
	f := newFleet(t, nil, func(c *gateway.Config) {
		c.Plan.Targets = []gateway.Target{{
			Name: "a", Protocol: gateway.OpenAIProtocol, BaseURL: p.URL + "/v1", Probe: probe,
			Credentials: []gateway.Credential{{Key: "key-a"}},
			Policy:      trysail.Policy{Breaker: trysail.BreakerPolicy{FailureThreshold: 3, RecoveryTimeout: 5 * time.Minute}},
		}}
	})
	t.Cleanup(f.gateway.Close)
	return f
}

// until waits for something that real sockets bring about.
func until(t *testing.T, what string, good func() bool) {
	t.Helper()
	for range 4000 {
		if good() {
			return
		}
		time.Sleep(5 * time.Millisecond) // a real socket cannot be waited for otherwise
	}
	t.Fatalf("%s has not come within 20 s", what)
}

func everySoOften() gateway.Probe {
	return gateway.Probe{Path: "/models?limit=1", Interval: 100 * time.Millisecond}
}

// Probes that fail open the breaker by its rules, without any call, and a good one closes it before its time.
func TestProbes(t *testing.T) {
	for name, status := range map[string]int64{"an error": 500, "overload": 503, "silence": 0} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, status)
			f := ward(t, p, everySoOften())
			until(t, "the breaker's opening", func() bool { return f.breaker("a").State == trysail.Open })
			if n := p.probes.Load(); n < 3 {
				t.Errorf("the breaker opened after %d probes, want 3", n)
			}
			p.status.Store(200)
			until(t, "the breaker's closing", func() bool { return f.breaker("a").State == trysail.Closed })
			if got := f.chat(plainBody); got.status != 200 {
				t.Errorf("after it: status %d, want 200", got.status)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.seen != "/v1/models?limit=1 Bearer key-a" {
				t.Errorf("the probe was %q, want the path behind the base URL, with the target's key", p.seen)
			}
		})
	}
}

// A provider that cannot be reached fails its probes, too.
func TestProbeOfADeadTarget(t *testing.T) {
	p := newPatient(t, 200)
	f := ward(t, p, everySoOften())
	p.Close()
	until(t, "the breaker's opening", func() bool { return f.breaker("a").State == trysail.Open })
}

// What says nothing about the target moves its breaker nowhere, and good probes hide no failed calls.
func TestProbesThatSayNothing(t *testing.T) {
	for name, status := range map[string]int64{"no such path": 404, "a rate limit": 429, "a good one": 200} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, status)
			f := ward(t, p, everySoOften())
			until(t, "the fifth probe", func() bool { return p.probes.Load() >= 5 })
			if b := f.breaker("a"); b.State != trysail.Closed || b.WindowCalls != 0 || b.Failures != 0 {
				t.Errorf("the breaker is %v with %d calls, %d failures; want closed, none", b.State, b.WindowCalls, b.Failures)
			}
		})
	}
}

// A good probe does not overrule an operator, nor what is known of an account.
func TestProbesOverruleNobody(t *testing.T) {
	p := newPatient(t, 200)
	f := ward(t, p, everySoOften())
	f.orchestrator.Operation("target/a").Breaker().ForceOpen(trysail.Override{Reason: "repairs", Author: "me"})
	before := p.probes.Load()
	until(t, "three more probes", func() bool { return p.probes.Load() >= before+3 })
	if s := f.breaker("a").State; s != trysail.ForcedOpen {
		t.Errorf("the breaker is %v, want it forced open", s)
	}
	q := newPatient(t, 401)
	g := ward(t, q, everySoOften())
	g.chat(plainBody)
	if s := g.breaker("a").State; s != trysail.Open {
		t.Fatalf("after a refused key the breaker is %v, want open", s)
	}
	q.status.Store(200)
	begun := time.Now()
	until(t, "some time", func() bool { return time.Since(begun) > 350*time.Millisecond })
	if s := g.breaker("a").State; s != trysail.Open {
		t.Errorf("the breaker of a parked account is %v, want open", s)
	}
}

// Without a probe nobody asks; a plan without ends them, and so does Close.
func TestProbesEnd(t *testing.T) {
	p := newPatient(t, 200)
	quiet := newPatient(t, 200)
	ward(t, quiet, gateway.Probe{})
	f := ward(t, p, everySoOften())
	until(t, "a probe", func() bool { return p.probes.Load() > 0 })
	f.plan.Targets[0].Probe = gateway.Probe{}
	if err := f.gateway.Apply(f.plan); err != nil {
		t.Fatal(err)
	}
	f.gateway.Close() // waits for one that is under way
	n, begun := p.probes.Load(), time.Now()
	until(t, "some time", func() bool { return time.Since(begun) > 350*time.Millisecond })
	if p.probes.Load() != n || quiet.probes.Load() != 0 {
		t.Errorf("%d probes came after the end, and %d without a probe; want none", p.probes.Load()-n, quiet.probes.Load())
	}
	f.plan.Targets[0].Probe = everySoOften()
	if err := f.gateway.Apply(f.plan); err != nil {
		t.Errorf("Apply after Close = %v, want a plan in force without probes", err)
	}
	if got := f.do(context.Background(), http.MethodPost, "/v1/chat/completions", plainBody); got.status != 200 {
		t.Errorf("after Close: status %d, want requests to be served", got.status)
	}
}

func TestBadProbes(t *testing.T) {
	for want, probe := range map[string]gateway.Probe{
		`Probe.Path is "models", want a path behind BaseURL`:                     {Path: "models"},
		`Probe.Path is "", want a path`:                                          {Interval: time.Second},
		`Probe.Path is "//host/", want a path`:                                   {Path: "//host/"},
		`Probe.Interval is 1ms, want 100ms to 1h`:                                {Path: "/", Interval: time.Millisecond},
		`Probe.Timeout is 2s, want more than 0s, and at most the interval, 1s`:   {Path: "/", Interval: time.Second, Timeout: 2 * time.Second},
		`Probe.Timeout is -1s, want more than 0s, and at most the interval, 30s`: {Path: "/", Timeout: -time.Second},
	} {
		plan := planOf("http://localhost/v1")
		plan.Targets[0].Probe = probe
		orc, err := trysail.New(trysail.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gateway.New(gateway.Config{Orchestrator: orc, Plan: plan}); err == nil || !strings.Contains(err.Error(), `target "one": `+want) {
			t.Errorf("New = %v, want %q in it", err, want)
		}
	}
}
