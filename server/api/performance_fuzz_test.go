package api_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
)

// FuzzBenchmarkBody holds that a body is either refused with a problem that says why, or one that package perf takes. What is
// taken and soon done is really run.
func FuzzBenchmarkBody(f *testing.F) {
	for _, seed := range []string{
		specBenchmark, specSlow, `{}`, `{"operations": null}`, `{"operations": ["preset_loading"], "iterations": 1}`, `{"operations": ["x"]}`,
		`{"operation_name": "a", "include_slow": true}`, `{"concurrency": 3}`, `{"Iterations": 1}`, `{"iterations": 1, "iterations": 2}`,
		`{"iterations": 1e2}`, `{"operation_name": "\ud800"}`, `{"operation_name": null}`, "", "null", "[]", "{", "\xff",
	} {
		f.Add(seed)
	}
	orc, err := trysail.New(trysail.Config{})
	must(f, err)
	a, err := api.New(api.Config{Orchestrator: orc})
	must(f, err)
	f.Fuzz(func(t *testing.T, body string) {
		named, iterations, err := api.ReadBenchmark([]byte(body))
		if err == nil && iterations > 3 {
			return // as good as fewer, and later done
		}
		w := send(a, post(benchmark, body))
		checkPromise(t, a, "POST "+benchmark, w.Code, w.Body.Bytes())
		switch {
		case w.Code == http.StatusOK && err == nil:
			var answer struct {
				Name    *string         `json:"operation_name"`
				Results json.RawMessage `json:"results"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || (answer.Name != nil) != named || (answer.Results[0] == '{') != named {
				t.Errorf("%q is answered %s, named %v", body, w.Body, named)
			}
		case w.Code == http.StatusBadRequest, w.Code == http.StatusUnprocessableEntity, w.Code == http.StatusRequestEntityTooLarge:
			checkProblemOf(t, w)
		default:
			t.Errorf("%q, read as %v, is answered %d: %s", body, err, w.Code, w.Body)
		}
	})
}
