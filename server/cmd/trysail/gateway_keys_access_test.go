package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
	"github.com/trysail-go/trysail/server/gateway"
)

// openToOthers returns what serve would serve at an address that others can reach. Nothing listens there: tests do so on loopback only.
func openToOthers(t *testing.T) http.Handler {
	t.Helper()
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"object":"list","data":[]}`)
	}))
	t.Cleanup(provider.Close)
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := api.NewKeys("hunter0-admin")
	if err != nil {
		t.Fatal(err)
	}
	internal, err := api.New(api.Config{Orchestrator: orc, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(internal.Close)
	plan := gateway.SingleTarget(gateway.Target{Name: "openai", Protocol: gateway.OpenAIProtocol, BaseURL: provider.URL + "/v1"})
	plan.Keys = []gateway.ClientKey{{Name: "a", Hash: gateway.HashKey(keyOfA)}}
	gw, err := gateway.New(gateway.Config{
		Orchestrator: orc, Plan: plan, Access: gatewayAccess(keys, true), WrongKey: internal.WrongKey, OwnKey: keys.Holds,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(gw.Close)
	return routes(internal.Handler(), gw)
}

// askOpen asks for a path with a key.
func askOpen(h http.Handler, path, key string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "http://gateway.example"+path, nil)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	h.ServeHTTP(w, r)
	return w
}

// Beyond this machine keys of clients do for the gateway, and the internal API needs its own.
func TestKeysOfClientsOnOtherAddresses(t *testing.T) {
	h := openToOthers(t)
	for name, tc := range map[string]struct {
		path, key string
		status    int
	}{
		"a client":                      {"/v1/models", keyOfA, 200},
		"an admin":                      {"/v1/models", "hunter0-admin", 200},
		"nobody":                        {"/v1/models", "", 401},
		"a guess":                       {"/v1/models", "guess", 401},
		"a client at the internal API":  {"/internal/resilience/circuit-breakers", keyOfA, 401},
		"an admin at the internal API":  {"/internal/resilience/circuit-breakers", "hunter0-admin", 200},
		"a client's key in the address": {"/v1/models?key=" + keyOfA, "", 200},
	} {
		if w := askOpen(h, tc.path, tc.key); w.Code != tc.status {
			t.Errorf("%s: status %d, want %d\n%s", name, w.Code, tc.status, w.Body)
		}
	}
}

// Keys that are guessed at the gateway count with those that are guessed at the internal API.
func TestGuessesAtTheGateway(t *testing.T) {
	h := openToOthers(t)
	for i := range 12 {
		want := 401
		if i >= 10 {
			want = 429
		}
		path := "/v1/models"
		if i%2 == 1 {
			path = "/internal/resilience/circuit-breakers"
		}
		if w := askOpen(h, path, fmt.Sprint("guess-", i)); w.Code != want || (want == 429) != (w.Header().Get("Retry-After") != "") {
			t.Errorf("guess %d: status %d, Retry-After %q, want %d\n%s", i, w.Code, w.Header().Get("Retry-After"), want, w.Body)
		}
	}
	for _, key := range []string{keyOfA, "hunter0-admin"} {
		if w := askOpen(h, "/v1/models", key); w.Code != 200 {
			t.Errorf("a good key after wrong ones: status %d\n%s", w.Code, w.Body)
		}
	}
}
