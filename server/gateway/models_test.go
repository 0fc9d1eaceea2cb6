package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trysail-go/trysail/server/gateway"
)

// A shelf is a provider that has certain models.
type shelf struct {
	*httptest.Server
	protocol gateway.Protocol
	lists    atomic.Int64 // how often it was asked for the list
	broken   atomic.Bool
	mu       sync.Mutex // guards single and key
	single   []string   // the paths of requests for one model
	key      string     // of the newest request
}

func newShelf(t *testing.T, p gateway.Protocol, models ...string) *shelf {
	t.Helper()
	s := &shelf{protocol: p}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.key = r.Header.Get("Authorization") + r.Header.Get("X-Api-Key") + r.Header.Get("X-Goog-Api-Key") + r.URL.Query().Get("key")
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if s.broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		if !strings.HasSuffix(r.URL.Path, "/models") {
			s.mu.Lock()
			s.single = append(s.single, r.URL.RequestURI())
			s.mu.Unlock()
			_, _ = io.WriteString(w, `{"asked":true}`)
			return
		}
		s.lists.Add(1)
		var objects []string
		for _, m := range models {
			format := `{"id":%q, "created": 1767225600,"of":%q}`
			if p == gateway.GeminiProtocol {
				format = `{"name":"models/%s", "created": 1767225600,"of":%q}`
			}
			objects = append(objects, fmt.Sprintf(format, m, r.URL.RequestURI()))
		}
		field := "data"
		if p == gateway.GeminiProtocol {
			field = "models"
		}
		_, _ = fmt.Fprintf(w, `{%q:[%s]}`, field, strings.Join(objects, ","))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *shelf) target(name, key string) gateway.Target {
	made := gateway.Target{Name: name, Protocol: s.protocol, BaseURL: s.URL}
	if s.protocol == gateway.OpenAIProtocol {
		made.BaseURL += "/v1"
	}
	if key != "" {
		made.Credentials = []gateway.Credential{{Key: key}}
	}
	return made
}

// library starts a gateway with targets.
func library(t *testing.T, targets ...gateway.Target) *fleet {
	t.Helper()
	f := newFleet(t, nil, func(c *gateway.Config) { c.Plan.Targets = targets })
	t.Cleanup(f.gateway.Close)
	return f
}

// names returns the names in a list of models, in its order.
func names(t *testing.T, body string) (names []string) {
	t.Helper()
	var list struct {
		Data   []struct{ ID string }
		Models []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatalf("the list is no JSON: %v\n%s", err, body)
	}
	for _, m := range list.Data {
		names = append(names, m.ID)
	}
	for _, m := range list.Models {
		names = append(names, m.Name)
	}
	return names
}

// The list is that of all targets of the client's protocol, in the protocol's own form.
func TestModelsOfAllTargets(t *testing.T) {
	for name, tc := range map[string]struct {
		protocol gateway.Protocol
		path     string
		headers  []string
		want     string
		form     string // in the body
		query    string // that the targets get
	}{
		"openai":    {gateway.OpenAIProtocol, "/v1/models?limit=2", nil, "big small tiny mine", `"object":"list"`, "/v1/models"},
		"anthropic": {gateway.AnthropicProtocol, "/v1/models", []string{"Anthropic-Version", "2023-06-01"}, "big small tiny mine", `"has_more":false,"first_id":"big","last_id":"mine"`, "/v1/models?limit=1000"},
		"gemini":    {gateway.GeminiProtocol, "/v1beta/models", nil, "models/big models/small models/tiny models/mine", `{"models":[`, "/v1beta/models?pageSize=1000"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newShelf(t, tc.protocol, "big", "small"), newShelf(t, tc.protocol, "small", "tiny")
			second := b.target("b", "key-b")
			second.Models = map[string]string{"mine": "tiny"}
			other := newShelf(t, gateway.OpenAIProtocol, "of-another-protocol")
			targets := []gateway.Target{a.target("a", "key-a"), second}
			if tc.protocol != gateway.OpenAIProtocol {
				targets = append(targets, other.target("c", "key-c"))
			}
			f := library(t, targets...)
			got := f.do(t.Context(), http.MethodGet, tc.path, "", tc.headers...)
			want := strings.Fields(tc.want)
			all := names(t, got.body)
			if got.status != 200 || !slices.Equal(all, want) || !strings.Contains(got.body, tc.form) {
				t.Errorf("status %d, %v; want 200 and %v, with %s\n%s", got.status, all, want, tc.form, got.body)
			}
			if !strings.Contains(got.body, fmt.Sprintf(`"of":%q`, tc.query)) {
				t.Errorf("the targets were asked otherwise than %s: %s", tc.query, got.body)
			}
			if missing := got.header.Get(gateway.MissingHeader); missing != "" || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("missing %q, Content-Type %q; want none, application/json", missing, got.header.Get("Content-Type"))
			}
			again := f.do(t.Context(), http.MethodGet, tc.path, "", tc.headers...)
			if again.body != got.body || a.lists.Load() != 1 || b.lists.Load() != 1 {
				t.Errorf("after two requests the targets were asked %d and %d times, want once", a.lists.Load(), b.lists.Load())
			}
			if other.lists.Load() != 0 {
				t.Error("a target of another protocol was asked")
			}
		})
	}
}

// A target that takes no other models than those of its map has no others, and one that it does not list itself is there all the same.
func TestModelsByTheirMap(t *testing.T) {
	a := newShelf(t, gateway.OpenAIProtocol, "inner", "hidden")
	target := a.target("a", "key")
	target.Models, target.Only = map[string]string{"mine": "inner", "unlisted": "deployment-7"}, true
	got := library(t, target).do(t.Context(), http.MethodGet, "/v1/models", "")
	const want = `{"data":[{"created":1767225600,"id":"mine","of":"/v1/models"},{"created":0,"id":"unlisted","object":"model","owned_by":"a"}],"object":"list"}` + "\n"
	if got.body != want {
		t.Errorf("the list is %s, want %s", got.body, want)
	}
}

// A target that fails is left out and named; when all fail, that is an error in the protocol's form.
func TestModelsOfTargetsThatFail(t *testing.T) {
	a, b := newShelf(t, gateway.OpenAIProtocol, "big"), newShelf(t, gateway.OpenAIProtocol, "small")
	b.broken.Store(true)
	dead := a.target("c", "key-c")
	dead.BaseURL = "http://127.0.0.1:1/v1"
	f := library(t, a.target("a", "key-a"), b.target("b", "key-b"), dead)
	got := f.do(t.Context(), http.MethodGet, "/v1/models", "")
	if missing := got.header.Get(gateway.MissingHeader); got.status != 200 || missing != "b, c" || !slices.Equal(names(t, got.body), []string{"big"}) {
		t.Errorf("status %d, missing %q; want 200, b and c\n%s", got.status, missing, got.body)
	}
	a.broken.Store(true)
	f = library(t, a.target("a", "key-a"), b.target("b", "key-b"))
	got = f.do(t.Context(), http.MethodGet, "/v1/models", "")
	if _, code, message := got.failure(t); got.status != 503 || code != "models_unavailable" || !strings.Contains(message, "a, b") || got.header.Get("Retry-After") == "" {
		t.Errorf("status %d, %q, %q; want 503, models_unavailable", got.status, code, message)
	}
	if op := f.orchestrator.Operation("target/a").Breaker().Snapshot(); op.WindowCalls != 0 {
		t.Errorf("the breaker has counted %d lists, want none", op.WindowCalls)
	}
}

// A slow target costs a bounded time.
func TestModelsOfASlowTarget(t *testing.T) {
	a := newShelf(t, gateway.OpenAIProtocol, "big")
	mute := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(mute.Close)
	slow := a.target("slow", "key")
	slow.BaseURL = mute.URL + "/v1"
	f := library(t, a.target("a", "key-a"), slow)
	begun := time.Now()
	got := f.do(t.Context(), http.MethodGet, "/v1/models", "", "X-Trysail-Timeout", "500ms")
	if took := time.Since(begun); got.status != 200 || got.header.Get(gateway.MissingHeader) != "slow" || took > 2500*time.Millisecond {
		t.Errorf("status %d, missing %q, after %v; want 200, slow, after half a second", got.status, got.header.Get(gateway.MissingHeader), took)
	}
}

// A client that brings its own key sees what that key sees, and nobody else does.
func TestModelsByTheClientsKey(t *testing.T) {
	for name, tc := range map[string]struct {
		protocol gateway.Protocol
		path     string
		headers  []string
		want     string
	}{
		"in a header":      {gateway.OpenAIProtocol, "/v1/models", []string{"Authorization", "Bearer mine"}, "Bearer mine"},
		"in the address":   {gateway.GeminiProtocol, "/v1beta/models?key=mine", nil, "mine"},
		"as Anthropic has": {gateway.AnthropicProtocol, "/v1/models", []string{"X-Api-Key", "mine", "Anthropic-Version", "2023-06-01"}, "mine"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newShelf(t, tc.protocol, "big"), newShelf(t, tc.protocol, "small")
			f := library(t, a.target("a", ""), b.target("b", "key-b"))
			for range 2 {
				f.do(t.Context(), http.MethodGet, tc.path, "", tc.headers...)
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			b.mu.Lock()
			defer b.mu.Unlock()
			if a.lists.Load() != 2 || a.key != tc.want || strings.Contains(b.key, "mine") {
				t.Errorf("a was asked %d times with %q, and b with %q; want twice, with the client's key, and its own", a.lists.Load(), a.key, b.key)
			}
		})
	}
}

// A request for one model goes to the target that has it.
func TestOneModel(t *testing.T) {
	for name, tc := range map[string]struct {
		protocol        gateway.Protocol
		path            string
		target, arrives string
	}{
		"of the first target":    {gateway.OpenAIProtocol, "/v1/models/big", "a", "/v1/models/big"},
		"of the second":          {gateway.OpenAIProtocol, "/v1/models/small", "b", "/v1/models/small"},
		"under a name of ours":   {gateway.OpenAIProtocol, "/v1/models/mine", "b", "/v1/models/org%2Finner:1"},
		"with a slash and colon": {gateway.OpenAIProtocol, "/v1/models/org%2Finner:1", "b", "/v1/models/org%2Finner:1"},
		"of Gemini":              {gateway.GeminiProtocol, "/v1beta/models/mine", "b", "/v1beta/models/org%2Finner:1"},
		"that nobody lists":      {gateway.OpenAIProtocol, "/v1/models/new", "a", "/v1/models/new"},
	} {
		t.Run(name, func(t *testing.T) {
			shelves := map[string]*shelf{"a": newShelf(t, tc.protocol, "big"), "b": newShelf(t, tc.protocol, "small", "org/inner:1")}
			second := shelves["b"].target("b", "key-b")
			second.Models = map[string]string{"mine": "org/inner:1"}
			f := library(t, shelves["a"].target("a", "key-a"), second)
			got := f.do(t.Context(), http.MethodGet, tc.path, "")
			single := shelves[tc.target].single
			if got.status != 200 || got.header.Get("X-Trysail-Target") != tc.target || len(single) != 1 || single[0] != tc.arrives {
				t.Errorf("status %d from %q, which was asked %q; want 200 from %s, asked %s", got.status, got.header.Get("X-Trysail-Target"), single, tc.target, tc.arrives)
			}
		})
	}
}
