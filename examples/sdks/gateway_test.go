package sdks_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
	"github.com/trysail-go/trysail/trysailtest"
)

// A front is a gateway on a socket, with the providers behind it.
type front struct {
	origin       string
	orchestrator *trysail.Orchestrator
	gateway      *gateway.Gateway
	plan         gateway.Plan
}

// newFront starts a gateway in front of targets that speak a protocol, the first of them first.
func newFront(t *testing.T, p gateway.Protocol, origins ...string) *front {
	t.Helper()
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone}}})
	if err != nil {
		t.Fatal(err)
	}
	var plan gateway.Plan
	for i, origin := range origins {
		if p == gateway.OpenAIProtocol {
			origin += "/v1"
		}
		name := string(rune('a' + i))
		plan.Targets = append(plan.Targets, gateway.Target{
			Name: name, Protocol: p, BaseURL: origin, Credentials: []gateway.Credential{{Key: "key-" + name}},
		})
	}
	transport := &http.Transport{}
	gw, err := gateway.New(gateway.Config{Orchestrator: orc, Plan: plan, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gw)
	t.Cleanup(func() {
		server.Close()
		transport.CloseIdleConnections()
	})
	return &front{server.URL, orc, gw, plan}
}

// nobody is the origin of a provider that is not there any more.
func nobody() string {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return server.URL
}

// A told is what an SDK's own typed error says.
type told struct {
	Type   string `json:"type"` // of the error in the SDK's language
	Status int    `json:"status"`
	Kind   string `json:"kind"` // what the provider, or the gateway, calls it
}

// A speaker asks by one SDK, of which nothing is changed but the base URL.
type speaker struct {
	protocol gateway.Protocol
	plain    func(*testing.T, string) (string, error)
	stream   func(*testing.T, string) (string, error)
	tool     func(t *testing.T, origin string, stream bool) (name, arguments string, err error)
	told     func(error) told
	toolbox  http.HandlerFunc // a provider that answers by calling a tool
	failures map[string]told  // by the script
	refusal  told             // of an open breaker
}

func speakers() map[string]speaker {
	return map[string]speaker{"openai-go": byOpenAI(), "anthropic-sdk-go": byAnthropic(), "genai": byGenAI()}
}

// What the SDKs read through the gateway is what they read without it, also when the first target is dead.
func TestSDKsThroughTheGateway(t *testing.T) {
	for name, s := range speakers() {
		t.Run(name, func(t *testing.T) {
			provider := start(t, "ok")
			want, err := s.plain(t, provider.Origin)
			if err != nil || !strings.HasPrefix(want, begin) {
				t.Fatalf("without the gateway: %q, %v", want, err)
			}
			for where, origins := range map[string][]string{
				"one target": {provider.Origin}, "a dead one first": {nobody(), provider.Origin},
				"one that fails first": {start(t, "500").Origin, provider.Origin},
			} {
				f := newFront(t, s.protocol, origins...)
				if text, err := s.plain(t, f.origin); err != nil || text != want {
					t.Errorf("%s, plain: %q, %v; want %q", where, text, err, want)
				}
				if text, err := s.stream(t, f.origin); err != nil || text != want {
					t.Errorf("%s, stream: %q, %v; want %q", where, text, err, want)
				}
			}
		})
	}
}

func TestToolsThroughTheGateway(t *testing.T) {
	for name, s := range speakers() {
		t.Run(name, func(t *testing.T) {
			toolbox := httptest.NewServer(s.toolbox)
			defer toolbox.Close()
			f := newFront(t, s.protocol, nobody(), toolbox.URL)
			for _, stream := range []bool{false, true} {
				tool, arguments, err := s.tool(t, f.origin, stream)
				if err != nil || tool != "get_wind" || strings.ReplaceAll(arguments, " ", "") != `{"place":"Kiel"}` {
					t.Errorf("stream %t: %s(%s), %v; want get_wind of Kiel", stream, tool, arguments, err)
				}
			}
		})
	}
}

// Errors are the SDK's own typed errors, and an SDK whose own retries are on does not multiply the attempts of the gateway.
func TestErrorsThroughTheGateway(t *testing.T) {
	for name, s := range speakers() {
		for script, want := range s.failures {
			t.Run(name+", "+script, func(t *testing.T) {
				for kind, ask := range map[string]func(*testing.T, string) (string, error){"plain": s.plain, "stream": s.stream} {
					provider := start(t, script)
					_, err := ask(t, newFront(t, s.protocol, provider.Origin).origin)
					if got := s.told(err); got != want {
						t.Errorf("%s: %+v (%v), want %+v", kind, got, err, want)
					}
					if n := provider.Total(); n > 3 {
						t.Errorf("%s: the provider was asked %d times, want at most 3", kind, n)
					}
				}
			})
		}
	}
}

func TestOpenBreakersThroughTheGateway(t *testing.T) {
	for name, s := range speakers() {
		t.Run(name, func(t *testing.T) {
			provider := start(t, "ok")
			f := newFront(t, s.protocol, provider.Origin)
			f.open(t)
			for kind, ask := range map[string]func(*testing.T, string) (string, error){"plain": s.plain, "stream": s.stream} {
				begun := time.Now()
				_, err := ask(t, f.origin)
				if got := s.told(err); got != s.refusal {
					t.Errorf("%s: %+v (%v), want %+v", kind, got, err, s.refusal)
				}
				if took := time.Since(begun); took > 10*time.Second {
					t.Errorf("%s: it took %v: the SDK has waited for a breaker", kind, took)
				}
			}
			if provider.Total() != 0 {
				t.Errorf("the provider was asked %d times", provider.Total())
			}
		})
	}
}

// A stream that breaks off is an error for each SDK, and never a short answer.
func TestBrokenStreamsThroughTheGateway(t *testing.T) {
	for name, s := range speakers() {
		for _, script := range []string{"cut:9", "end:9", "error:9"} {
			t.Run(name+", "+script, func(t *testing.T) {
				text, err := s.stream(t, newFront(t, s.protocol, slowly(t, script)).origin)
				if err == nil || text == "" || !strings.HasPrefix(begin+" ", text[:min(len(text), len(begin))]) {
					t.Errorf("%q, %v; want some text and an error", text, err)
				}
			})
		}
	}
}

// slowly starts a provider whose tokens come one by one, so that some have been passed on when the stream breaks.
func slowly(t *testing.T, script string) string {
	t.Helper()
	provider, err := trysailtest.StartProvider(trysailtest.ProviderConfig{TokenDelay: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = provider.Close() })
	if err := provider.Script("", script); err != nil {
		t.Fatal(err)
	}
	return provider.Origin
}
