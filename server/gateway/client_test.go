package gateway_test

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// keyed gives a plan a key.
func keyed(k gateway.ClientKey) func(*gateway.Config) {
	return func(c *gateway.Config) {
		k.Name, k.Hash = "team", gateway.HashKey("team-key")
		for i := range c.Plan.Targets {
			c.Plan.Targets[i].Price = gateway.Price{Input: 1000, Output: 1000}
		}
		c.Plan.Keys = []gateway.ClientKey{k}
	}
}

const teamKey = "Bearer team-key"

// A mirror is a provider of any protocol that remembers what it was sent.
func mirror(t *testing.T) (url string, seen func() []string) {
	t.Helper()
	var mu sync.Mutex
	var requests []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var all strings.Builder
		_, _ = fmt.Fprintln(&all, r.URL.RequestURI())
		_ = r.Header.Write(&all)
		mu.Lock()
		requests = append(requests, all.String())
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"ok":true}`)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return requests
	}
}

// A key counts wherever an SDK puts it, and no provider gets it. The client's own provider key goes where there is no other.
func TestClientKeys(t *testing.T) {
	const chat, claude, gemini = "/v1/chat/completions", "/v1/messages", "/v1beta/models/m:generateContent"
	for name, tc := range map[string]struct {
		path    string
		headers []string
		status  int
		passed  string // of the client's, that the provider gets
	}{
		"in Authorization":                {chat, []string{"Authorization", teamKey}, 200, ""},
		"in X-Api-Key":                    {claude, []string{"X-Api-Key", "team-key"}, 200, ""},
		"in X-Goog-Api-Key":               {gemini, []string{"X-Goog-Api-Key", "team-key"}, 200, ""},
		"in the address":                  {gemini + "?key=team-key&alt=json", nil, 200, "?alt=json"},
		"beside a provider's key":         {chat, []string{"X-Trysail-Key", "team-key", "Authorization", "Bearer sk-client"}, 200, "Authorization: Bearer sk-client"},
		"beside one of Anthropic's":       {claude, []string{"X-Trysail-Key", "team-key", "X-Api-Key", "sk-client"}, 200, "X-Api-Key: sk-client"},
		"none":                            {chat, nil, 401, ""},
		"a wrong one":                     {claude, []string{"X-Api-Key", "team-kez"}, 401, ""},
		"a wrong one before a right one":  {chat, []string{"X-Trysail-Key", "wrong", "Authorization", teamKey}, 401, ""},
		"a provider's alone":              {chat, []string{"Authorization", "Bearer sk-client"}, 401, ""},
		"one for which no limits hold":    {chat, []string{"X-Who", "admin"}, 200, ""},
		"somebody who is denied":          {chat, []string{"X-Who", "stranger"}, 401, ""},
		"a key, from somebody who is not": {chat, []string{"X-Who", "stranger", "Authorization", teamKey}, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			url, seen := mirror(t)
			f := newFleet(t, nil, func(c *gateway.Config) {
				c.Plan.Targets = []gateway.Target{
					{Name: "o", Protocol: gateway.OpenAIProtocol, BaseURL: url + "/v1"},
					{Name: "a", Protocol: gateway.AnthropicProtocol, BaseURL: url},
					{Name: "g", Protocol: gateway.GeminiProtocol, BaseURL: url},
				}
				keyed(gateway.ClientKey{})(c)
				c.Access = func(r *http.Request) gateway.Access {
					switch r.Header.Get("X-Who") {
					case "admin":
						return gateway.Access{Trusted: true}
					case "stranger":
						return gateway.Access{Denied: "Who are you?"}
					}
					return gateway.Access{}
				}
			})
			got := f.do(t.Context(), http.MethodPost, tc.path, plainBody, tc.headers...)
			sent := strings.Join(seen(), "\n")
			if got.status != tc.status || (tc.status == 401) != (sent == "") || !strings.Contains(sent, tc.passed) {
				t.Errorf("status %d, want %d; the provider was sent %q, want %q in it", got.status, tc.status, sent, tc.passed)
			}
			if strings.Contains(sent, "team-key") || tc.passed == "" && strings.Contains(sent, "sk-client") {
				t.Errorf("the provider was sent a key: %s", sent)
			}
			if tc.status == 401 && !strings.Contains(got.body, `"error"`) {
				t.Errorf("the refusal is %s, want an error object", got.body)
			}
		})
	}
}

// What a key may do.
func TestClientRoles(t *testing.T) {
	for name, tc := range map[string]struct {
		key     gateway.ClientKey
		headers []string
		code    string // empty: it may
		target  string
	}{
		"everything":                  {gateway.ClientKey{}, nil, "", "a"},
		"its operation":               {gateway.ClientKey{Operations: []string{"blue/*"}}, []string{"X-Trysail-Operation", "blue/one"}, "", "a"},
		"another operation":           {gateway.ClientKey{Operations: []string{"blue/*"}}, nil, "operation_not_allowed", ""},
		"its route":                   {gateway.ClientKey{Routes: []string{"second"}}, []string{"X-Second", "yes"}, "", "b"},
		"another route":               {gateway.ClientKey{Routes: []string{"second"}}, nil, "route_not_allowed", ""},
		"its target, though not next": {gateway.ClientKey{Targets: []string{"b"}}, nil, "", "b"},
		"a route without its targets": {gateway.ClientKey{Targets: []string{"a"}}, []string{"X-Second", "yes"}, "target_not_allowed", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, []string{"ok", "ok"}, func(c *gateway.Config) {
				keyed(tc.key)(c)
				c.Plan.Routes = []gateway.Route{{Name: "second", Headers: map[string]string{"X-Second": "yes"}, Targets: []gateway.RouteTarget{{Target: "b"}}}}
			})
			got := f.chat(plainBody, append(tc.headers, "Authorization", teamKey)...)
			if tc.code == "" {
				if got.status != 200 || got.header.Get("X-Trysail-Target") != tc.target {
					t.Errorf("status %d from %q, want 200 from %s\n%s", got.status, got.header.Get("X-Trysail-Target"), tc.target, got.body)
				}
				return
			}
			if kind, code, message := got.failure(t); got.status != 403 || kind != "permission_error" || code != tc.code || !strings.Contains(message, `"team"`) {
				t.Errorf("status %d, %q, %q, %q; want 403, %s", got.status, kind, code, message, tc.code)
			}
			if f.totals() != "0 0" {
				t.Errorf("the providers were called: %s", f.totals())
			}
			if _, made := f.orchestrator.Lookup("blue/one"); made {
				t.Error("a refused request has made an operation")
			}
		})
	}
}

// Beyond the requests or tokens of a minute a key is refused in the protocol's form, and no provider is asked.
func TestClientRates(t *testing.T) {
	long := strings.Replace(plainBody, "{", `{"max_tokens":40,`, 1)
	for name, tc := range map[string]struct {
		key   gateway.ClientKey
		calls int
		least int // that pass
		most  int
	}{
		"requests": {gateway.ClientKey{Requests: 3}, 6, 3, 3},
		"tokens":   {gateway.ClientKey{Tokens: 150}, 8, 2, 3}, // 54 tokens for an answer
		"both":     {gateway.ClientKey{Requests: 2, Tokens: 1e6}, 5, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, []string{"ok"}, keyed(tc.key))
			passed := 0
			for range tc.calls {
				got := f.chat(long, "Authorization", teamKey)
				if got.status == 200 {
					passed++
					eventually(t, f.gateway, func(u gateway.Usage) bool { return u.Clients["team"].Requests >= uint64(passed) }) //nolint:gosec // it is small
					continue
				}
				kind, code, _ := got.failure(t)
				after, err := strconv.Atoi(got.header.Get("Retry-After"))
				if got.status != 429 || kind != "rate_limit_error" || code != "key_rate_limited" || err != nil || after < 1 || after > 60 {
					t.Errorf("status %d, %q, %q, Retry-After %q; want 429, key_rate_limited, 1 to 60", got.status, kind, code, got.header.Get("Retry-After"))
				}
			}
			if passed < tc.least || passed > tc.most || f.providers[0].Total() != passed {
				t.Errorf("%d calls passed, and %d reached the provider; want %d to %d", passed, f.providers[0].Total(), tc.least, tc.most)
			}
		})
	}
}

// What is refused, or fails before it is sent, costs nothing.
func TestRefusedRequestsCostNoRequest(t *testing.T) {
	f := newFleet(t, []string{"ok"}, keyed(gateway.ClientKey{Requests: 2}))
	for range 5 {
		f.chat(`{"model":`, "Authorization", teamKey)
		f.do(t.Context(), http.MethodPost, "/v1/messages", plainBody, "Authorization", teamKey)
	}
	for i := range 2 {
		if got := f.chat(plainBody, "Authorization", teamKey); got.status != 200 {
			t.Errorf("call %d: status %d, want 200: nothing was sent before", i, got.status)
		}
	}
}

// However many calls come at the same time, a key never spends more than it has, and what they did not use can be used later.
func TestClientMoney(t *testing.T) {
	answer := make(chan struct{})
	var asked atomic.Int64
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		<-answer
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":45}}`)
	}))
	defer provider.Close()
	const limit, cost = 0.35, 0.05
	f := newFleet(t, nil, func(c *gateway.Config) {
		c.Plan = planOf(provider.URL + "/v1")
		keyed(gateway.ClientKey{Dollars: limit})(c)
	})
	body := strings.Replace(plainBody, "{", `{"max_tokens":80,`, 1) // it may cost about 0.1 dollars
	var passed, refused atomic.Int64
	ask := func() {
		got := f.chat(body, "Authorization", teamKey)
		if got.status == 200 {
			passed.Add(1)
			return
		}
		refused.Add(1)
		after, err := strconv.Atoi(got.header.Get("Retry-After"))
		if _, code, message := got.failure(t); got.status != 429 || code != "key_budget_exhausted" || err != nil || after < 1 || after > 86400 {
			t.Errorf("status %d, %q, %q, Retry-After %d; want 429, key_budget_exhausted", got.status, code, message, after)
		}
	}
	var calls sync.WaitGroup
	for range 40 {
		calls.Go(ask)
	}
	until(t, "a decision about each call", func() bool { return asked.Load()+refused.Load() == 40 })
	if n := asked.Load(); n != 3 {
		t.Errorf("%d of 40 calls at once were sent, want 3: that is what there is money for if each is as dear as it may be", n)
	}
	close(answer)
	calls.Wait()
	for n := range uint64(5) {
		eventually(t, f.gateway, func(u gateway.Usage) bool { return u.Clients["team"].Requests == 40+n })
		ask()
	}
	u := eventually(t, f.gateway, func(u gateway.Usage) bool { return u.Clients["team"].Requests == 45 })
	if n := passed.Load(); n != 5 || asked.Load() != n || math.Abs(u.Clients["team"].Dollars-float64(n)*cost) > 1e-9 {
		t.Errorf("%d calls passed in the end, and %d were sent, for %v dollars; want 5 for 0.25, and none when another might cost more than is left",
			n, asked.Load(), u.Clients["team"].Dollars)
	}
}

// A reload keeps what is spent, and changes what is allowed. A key that is gone is refused, and still is no provider's business.
func TestClientKeysReload(t *testing.T) {
	f := newFleet(t, []string{"ok"}, keyed(gateway.ClientKey{Requests: 1}))
	status := func(want int) {
		t.Helper()
		if got := f.chat(plainBody, "Authorization", teamKey); got.status != want {
			t.Errorf("status %d, want %d", got.status, want)
		}
	}
	apply := func() {
		t.Helper()
		if err := f.gateway.Apply(f.plan); err != nil {
			t.Fatal(err)
		}
	}
	status(200)
	apply()
	status(429)
	f.plan.Keys[0].Requests = 0
	apply()
	status(200)
	f.plan.Keys[0].Hash = gateway.HashKey("another")
	apply()
	status(401)
	url, seen := mirror(t)
	f.plan.Keys = nil
	f.plan.Targets[0].BaseURL, f.plan.Targets[0].Credentials = url+"/v1", nil
	apply()
	status(200) // everybody may now
	if sent := strings.Join(seen(), "\n"); sent == "" || strings.Contains(sent, "team-key") {
		t.Errorf("the provider was sent %q, want a request without the key that was", sent)
	}
}

// A key sees the models of the targets that may serve it.
func TestModelsOfAKey(t *testing.T) {
	a, b := newShelf(t, gateway.OpenAIProtocol, "big"), newShelf(t, gateway.OpenAIProtocol, "small")
	second := b.target("b", "key-b")
	second.Models = map[string]string{"mine": "small"}
	f := newFleet(t, nil, func(c *gateway.Config) {
		c.Plan.Targets = []gateway.Target{a.target("a", "key-a"), second}
		keyed(gateway.ClientKey{Targets: []string{"b"}})(c)
	})
	t.Cleanup(f.gateway.Close)
	got := f.do(t.Context(), http.MethodGet, "/v1/models", "", "Authorization", teamKey)
	if all := strings.Join(names(t, got.body), " "); all != "small mine" || a.lists.Load() != 0 {
		t.Errorf("the list is %q, and a was asked %d times; want small and mine, and a never asked", all, a.lists.Load())
	}
}

func TestBadKeys(t *testing.T) {
	f := newFleet(t, []string{"ok"}, nil)
	same := gateway.HashKey("same")
	f.plan.Keys = []gateway.ClientKey{
		{Name: "two words", Hash: same},
		{Name: "x", Hash: same},
		{Name: "x", Operations: []string{"["}, Routes: []string{"nowhere"}, Targets: []string{"z"}},
		{Name: "y", Hash: gateway.HashKey(""), Requests: -1, Tokens: math.NaN(), Dollars: -1, Ceiling: 9},
		{Name: "z", Hash: gateway.HashKey("z"), Dollars: 5, Requests: 0.5},
	}
	err := f.gateway.Apply(f.plan)
	for _, want := range []string{
		`Keys[0]: the name is "two words", want 1 to 64`, `key "x": the key is that of "two words", want a key for each`,
		`key "x": another key has the same name`, `key "x": Hash is empty`, `key "x": Operations has "["`, `key "x": there is no route "nowhere"`,
		`key "x": there is no target "z", want one of ["a"]`, `key "y": Hash is that of an empty key`, `key "y": Requests is -1 a minute`,
		`key "y": Tokens is NaN a minute`, `key "y": Dollars is -1 a day`, `key "y": Ceiling is Priority(9)`,
		`key "z": Dollars is 5, but the target "a" has no Price`, `key "z": Requests is 0.5 a minute, want 1 to 1e+10`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Apply = %v, want %q in it", err, want)
		}
	}
	if got := f.chat(plainBody); got.status != 200 {
		t.Errorf("after it: status %d, want the plan from before, without keys", got.status)
	}
}

// The line of a request has the name of the key, and nothing else of it.
func TestClientInTheLog(t *testing.T) {
	var book logbook
	f := newFleet(t, []string{"ok"}, func(c *gateway.Config) {
		keyed(gateway.ClientKey{Ceiling: trysail.PriorityBatch})(c)
		book.keep(c)
	})
	f.chat(plainBody, "Authorization", teamKey, "X-Request-Id", "mine")
	if line := book.line(t, "mine"); !strings.Contains(line, " client=team ") || strings.Contains(line, "team-key") {
		t.Errorf("the line is %s, want client=team and no key", line)
	}
}
