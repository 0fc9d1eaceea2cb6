package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
)

// What Routes says is what the server does: with no key, with a reader's and with an admin's.
func TestRoutesSayWhichKeyIsNeeded(t *testing.T) {
	keys, err := api.NewKeys(key)
	if err == nil {
		keys, err = keys.WithReadOnly("reader")
	}
	if err != nil {
		t.Fatal(err)
	}
	a, err := api.New(api.Config{Orchestrator: newOrchestrator(t, trysail.Config{}), Keys: keys, Gateway: &fakeGateway{}})
	if err != nil {
		t.Fatal(err)
	}
	routes := api.Routes()
	if len(routes) < 30 {
		t.Errorf("there are %d routes, want all", len(routes))
	}
	refused := func(route api.Route, key string) bool {
		// A body that is too large is refused after the key is looked at and before anything runs.
		r := request{method: route.Method, target: strings.NewReplacer("{", "", "}", "").Replace(route.Path), body: strings.Repeat(" ", 1<<20+1)}
		if key != "" {
			r = r.with("X-API-Key", key)
		}
		switch status := send(a, r).Code; status {
		case http.StatusUnauthorized, http.StatusForbidden:
			return true
		case http.StatusRequestEntityTooLarge:
			return false
		default:
			t.Fatalf("%s %s: status %d", route.Method, route.Path, status)
			return false
		}
	}
	for _, route := range routes {
		want := api.AccessAdmin
		switch {
		case !refused(route, ""):
			want = api.AccessNone
		case !refused(route, "reader"):
			want = api.AccessReadOnly
		case refused(route, key):
			t.Errorf("%s %s: nobody may use it", route.Method, route.Path)
		}
		if route.Access != want {
			t.Errorf("%s %s: access %q, want %q", route.Method, route.Path, route.Access, want)
		}
	}
}

// Routes has what the OpenAPI document has.
func TestRoutesAreThoseOfTheDocument(t *testing.T) {
	a := newAPI(t, newOrchestrator(t, trysail.Config{}))
	document := decode[struct {
		Paths map[string]map[string]struct {
			Summary   string   `json:"summary"`
			Tags      []string `json:"tags"`
			Extension bool     `json:"x-trysail-extension"`
		} `json:"paths"`
	}](t, send(a, get("/internal/openapi.json")))
	count := 0
	for _, methods := range document.Paths {
		count += len(methods)
	}
	routes := api.Routes()
	if len(routes) != count {
		t.Errorf("there are %d routes, want the document's %d", len(routes), count)
	}
	for _, route := range routes {
		row, ok := document.Paths[route.Path][strings.ToLower(route.Method)]
		if !ok || row.Summary != route.Summary || row.Extension != route.Extension || len(row.Tags) != 1 || row.Tags[0] != route.Module {
			t.Errorf("%+v, want the document's %+v", route, row)
		}
	}
}
