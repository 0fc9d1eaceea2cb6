package api_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
)

// TestAnswersOfEveryRoute keeps the good answer and each problem of every route in
// a golden file. The bubble's clock makes the times the same in every run.
func TestAnswersOfEveryRoute(t *testing.T) {
	const (
		metric = base + "/metrics/{operation_name}"
		one    = base + "/circuit-breakers/{breaker_name}"
		reset  = one + "/reset"
	)
	noKey := request{method: http.MethodGet, target: base + "/health"}
	for name, tc := range map[string]struct {
		row    string // path in the table, if it differs from the target
		ask    request
		status int
	}{
		"health while a breaker is open":        {"", noKey, 200},
		"health with a wrong key":               {"", noKey.with("X-API-Key", "guess"), 401},
		"metrics":                               {"", get(base + "/metrics"), 200},
		"metrics without a key":                 {"", get(base+"/metrics").with("X-API-Key", ""), 401},
		"metrics of an operation":               {metric, get(base + "/metrics/open"), 200},
		"metrics of one without a breaker":      {metric, get(base + "/metrics/plain"), 200},
		"metrics of one that is only planned":   {metric, get(base + "/metrics/planned"), 200},
		"metrics of an unknown operation":       {metric, get(base + "/metrics/nobody"), 404},
		"metrics of an unusable name":           {metric, get(base + "/metrics/a%0Ab"), 422},
		"metrics of an operation without a key": {metric, get(base+"/metrics/open").with("X-API-Key", ""), 401},
		"breakers":                              {"", get(base + "/circuit-breakers"), 200},
		"breakers without a key":                {"", get(base+"/circuit-breakers").with("X-API-Key", ""), 401},
		"breaker closed":                        {one, get(base + "/circuit-breakers/good"), 200},
		"breaker open":                          {one, get(base + "/circuit-breakers/open"), 200},
		"breaker half-open":                     {one, get(base + "/circuit-breakers/half-open"), 200},
		"breaker unknown":                       {one, get(base + "/circuit-breakers/nobody"), 404},
		"breaker of an operation without one":   {one, get(base + "/circuit-breakers/plain"), 404},
		"breaker of an unusable name":           {one, get(base + "/circuit-breakers/" + strings.Repeat("x", 201)), 422},
		"breaker without a key":                 {one, get(base+"/circuit-breakers/open").with("X-API-Key", ""), 401},
		"reset":                                 {reset, post(base+"/circuit-breakers/open/reset", ""), 200},
		"reset with an empty object":            {reset, post(base+"/circuit-breakers/half-open/reset", "{}"), 200},
		"reset of an unknown breaker":           {reset, post(base+"/circuit-breakers/nobody/reset", ""), 404},
		"reset with a wrong key":                {reset, post(base+"/circuit-breakers/open/reset", "").with("X-API-Key", "guess"), 401},
		"reset with a member":                   {reset, post(base+"/circuit-breakers/open/reset", `{"api_key":"hunter2"}`), 422},
		"reset with another type":               {reset, post(base+"/circuit-breakers/open/reset", `["hunter2"]`), 422},
		"reset with malformed JSON":             {reset, post(base+"/circuit-breakers/open/reset", `{"hunter2`), 422},
		"reset with a form":                     {reset, post(base+"/circuit-breakers/open/reset", "a=b").with("Content-Type", "application/x-www-form-urlencoded"), 415},
		"reset with too much":                   {reset, post(base+"/circuit-breakers/open/reset", strings.Repeat(" ", 1<<20+1)), 413},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				checkRow(t, newAPI(t, busy(t)), tc.row, tc.ask, tc.status)
			})
		})
	}
}

// checkRow compares the answer of a row with its golden file, with a status, and with what the OpenAPI document promises.
func checkRow(t *testing.T, a *api.API, path string, ask request, status int) {
	t.Helper()
	path, _, _ = strings.Cut(cmp.Or(path, ask.target), "?")
	w := send(a, ask)
	goldenOf(t, w, ask.method+" "+path)
	if w.Code != status {
		t.Errorf("status %d, want %d", w.Code, status)
	}
	checkRetryAfter(t, w.Code, w.Header())
	if strings.Contains(w.Body.String(), "hunter2") {
		t.Error("the answer repeats what was sent")
	}
	for _, row := range a.Rows() {
		if row.Method != ask.method || row.Path != path {
			continue
		}
		if err := a.CheckAnswer(row, w.Code, w.Body.Bytes()); err != nil {
			t.Errorf("not what the OpenAPI document promises: %v", err)
		}
		return
	}
	t.Errorf("no row %s %s", ask.method, path)
}

// TestEveryRouteHasAGoodAnswer looks whether each row has a golden file with its good answer. Those of its problems are of
// TestProblemsOfEveryRoute.
func TestEveryRouteHasAGoodAnswer(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	must(t, err)
	good := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		var kept struct {
			Status int
			Route  string
		}
		if err := json.Unmarshal(text, &kept); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if kept.Status == http.StatusOK && kept.Route != "" {
			good[kept.Route] = file
		}
	}
	for _, row := range newAPI(t, newOrchestrator(t, trysail.Config{})).Rows() {
		if route := row.Method + " " + row.Path; good[route] == "" {
			t.Errorf("%s has no golden file of a good answer", route)
		}
	}
}

// TestEmptySystem shows what a program answers before its first call.
func TestEmptySystem(t *testing.T) {
	for name, target := range map[string]string{
		"empty health":   base + "/health",
		"empty metrics":  base + "/metrics",
		"empty breakers": base + "/circuit-breakers",
		"empty unknown":  base + "/circuit-breakers/any",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				golden(t, send(newAPI(t, newOrchestrator(t, trysail.Config{})), get(target)))
			})
		})
	}
}
