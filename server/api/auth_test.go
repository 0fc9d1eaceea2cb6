package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
)

// TestAuthOfEveryRoute walks the table: a required route needs a good key, an
// optional one only minds a wrong key.
func TestAuthOfEveryRoute(t *testing.T) {
	const (
		missing = "API key required: send Authorization: Bearer <key> or X-API-Key: <key>"
		wrong   = "Invalid API key"
	)
	carriers := map[string]struct {
		header map[string]string
		detail string // of the 401 of a required route; "" lets the request in
	}{
		"no key":                          {nil, missing},
		"bearer":                          {map[string]string{"Authorization": "Bearer " + key}, ""},
		"bearer in lower case":            {map[string]string{"Authorization": "bearer  " + key + " "}, ""},
		"X-API-Key":                       {map[string]string{"X-API-Key": key}, ""},
		"wrong bearer":                    {map[string]string{"Authorization": "Bearer guess"}, wrong},
		"wrong X-API-Key":                 {map[string]string{"X-API-Key": "guess"}, wrong},
		"wrong bearer, good X-API-Key":    {map[string]string{"Authorization": "Bearer guess", "X-API-Key": key}, wrong},
		"good bearer, wrong X-API-Key":    {map[string]string{"Authorization": "Bearer " + key, "X-API-Key": "guess"}, ""},
		"malformed, no other key":         {map[string]string{"Authorization": "InvalidFormat"}, missing},
		"malformed, good X-API-Key":       {map[string]string{"Authorization": "InvalidFormat", "X-API-Key": key}, ""},
		"another scheme, good X-API-Key":  {map[string]string{"Authorization": "Basic " + key, "X-API-Key": key}, ""},
		"empty bearer, good X-API-Key":    {map[string]string{"Authorization": "Bearer  ", "X-API-Key": key}, ""},
		"two words, good X-API-Key":       {map[string]string{"Authorization": "Bearer a b", "X-API-Key": key}, ""},
		"key with another one's prefix":   {map[string]string{"X-API-Key": key[:len(key)-1]}, wrong},
		"both keys at once":               {map[string]string{"X-API-Key": "another-key," + key}, wrong},
		"empty X-API-Key":                 {map[string]string{"X-API-Key": " "}, missing},
		"control characters in X-API-Key": {map[string]string{"X-API-Key": key + "\x00"}, wrong},
		"a megabyte":                      {map[string]string{"X-API-Key": strings.Repeat("k", 1<<20)}, wrong},
	}
	a, send := walker(t)
	for _, row := range append(a.Rows(), api.Row{Method: "GET", Path: "/internal/openapi.json", Optional: true}) {
		for name, tc := range carriers {
			t.Run(row.Method+" "+row.Path+" "+name, func(t *testing.T) {
				w := send(askFor(row, tc.header))
				if tc.detail == "" || row.Optional && tc.detail == missing {
					if !letIn(w) {
						t.Errorf("status %d, want it let in: %s", w.Code, w.Body)
					}
					return
				}
				p := checkProblem(t, w, http.StatusUnauthorized, "AUTHENTICATION_ERROR")
				if p.Detail != tc.detail {
					t.Errorf("detail %q, want %q", p.Detail, tc.detail)
				}
				if got := w.Header().Get("WWW-Authenticate"); got != "Bearer" {
					t.Errorf("WWW-Authenticate = %q, want Bearer", got)
				}
			})
		}
	}
}

func TestWithoutKeysEveryRequestIsAllowed(t *testing.T) {
	a, err := api.New(api.Config{Orchestrator: newOrchestrator(t, trysail.Config{})})
	if err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string]request{
		"no key":  {method: http.MethodGet, target: base + "/metrics"},
		"any key": get(base+"/metrics").with("Authorization", "Bearer any"),
	} {
		t.Run(name, func(t *testing.T) {
			if w := send(a, ask); w.Code != http.StatusOK {
				t.Errorf("status %d, want 200: %s", w.Code, w.Body)
			}
		})
	}
}

func TestKeysFromList(t *testing.T) {
	for name, tc := range map[string]struct {
		key, list string
		good, bad []string
		fails     bool
	}{
		"nothing":                     {},
		"commas only":                 {key: " ", list: ", ,"},
		"one":                         {key: " a ", good: []string{"a"}, bad: []string{"b", " "}},
		"a list":                      {list: "a, b ,,c", good: []string{"a", "b", "c"}, bad: []string{"a, b", "d"}},
		"both":                        {key: "a", list: "b,b", good: []string{"a", "b"}, bad: []string{"ab"}},
		"a comma in the one key":      {key: "a,b", good: []string{"a,b"}, bad: []string{"a", "b"}},
		"beyond ASCII":                {key: "schlüssel", good: []string{"schlüssel"}, bad: []string{"schlussel"}},
		"a space inside":              {key: "top secret", fails: true},
		"a control character inside":  {list: "good,top\x00secret", fails: true},
		"an end of line inside a key": {key: "top\nsecret", fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := api.KeysFromList(tc.key, tc.list)
			if (err != nil) != tc.fails {
				t.Fatalf("KeysFromList(%q, %q) fails with %v, want failure %v", tc.key, tc.list, err, tc.fails)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the key: %v", err)
			}
			if got, want := keys.Empty(), len(tc.good) == 0; got != want {
				t.Errorf("Empty() = %v, want %v", got, want)
			}
			for _, k := range tc.good {
				checkKey(t, keys, k, api.Granted)
			}
			for _, k := range tc.bad {
				want := api.Wrong
				if strings.TrimSpace(k) == "" {
					want = api.Missing
				}
				checkKey(t, keys, k, want)
			}
		})
	}
}

func checkKey(t *testing.T, keys api.Keys, key string, want api.Access) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-API-Key", key)
	if got := keys.Check(r); got != want {
		t.Errorf("Check(%q) = %v, want %v", key, got, want)
	}
}
