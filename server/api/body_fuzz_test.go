package api_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
)

// fuzzBody sends bodies to a path. Each is answered 200 or with a problem, and what the OpenAPI document promises.
func fuzzBody(f *testing.F, path string, seeds ...string) {
	f.Helper()
	for _, seed := range append(seeds, "", "null", "{}", `{"configuration": {}}`, `{"Configuration": {}}`, `{"configuration": {}, "configuration": {}}`, "{", "\xff") {
		f.Add(seed)
	}
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		f.Fatal(err)
	}
	a, err := api.New(api.Config{Orchestrator: orc, Validations: api.ValidationLimits{PerMinute: 10_000, PerHour: 10_000}})
	if err != nil {
		f.Fatal(err)
	}
	n := 0
	f.Fuzz(func(t *testing.T, body string) {
		n++
		w := sendFrom(a, fmt.Sprintf("10.%d.%d.%d:1", n>>16%256, n>>8%256, n%256), post(path, body)) // so that none is asked to wait
		switch w.Code {
		case 422, 413:
			checkProblemOf(t, w)
		case 200:
			checkExactly(t, body)
		default:
			t.Errorf("%q is answered %d: %s", body, w.Code, w.Body)
		}
		for _, row := range a.Rows() {
			if row.Method == "POST" && row.Path == path {
				if err := a.CheckAnswer(row, w.Code, w.Body.Bytes()); err != nil {
					t.Errorf("%q: not what the document promises: %v", body, err)
				}
			}
		}
	})
}

func checkProblemOf(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	var p api.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code || len(p.Errors) == 0 {
		t.Errorf("answer %d %s, want a problem that says why", w.Code, w.Body)
	}
}

// checkExactly checks that what was taken is an object with known names.
func checkExactly(t *testing.T, body string) {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &members); err != nil {
		t.Fatalf("%q is taken: %v", body, err)
	}
	for name := range members {
		if name != "configuration" && name != "configurations" && name != "json_config" {
			t.Errorf("%q is taken with the member %q", body, name)
		}
	}
	if len(members) != 1 {
		t.Errorf("%q is taken with %d members, want 1", body, len(members))
	}
}

func FuzzValidateBody(f *testing.F) {
	fuzzBody(f, validate, specValidate, `{"configurations": [{}, {"retry_attempts": 3}]}`, `{"configurations": [null]}`, `{"configuration": {}, "configurations": []}`)
}

func FuzzValidateSecureBody(f *testing.F) {
	fuzzBody(f, validate+"-secure", specSecure, `{"configurations": [{"a": "\u0000"}]}`)
}

func FuzzValidateTextBody(f *testing.F) {
	fuzzBody(f, validate+"-json", `{"json_config": "{}"}`, `{"json_config": null}`, `{"json_config": "\ud800"}`)
}

func FuzzFieldWhitelistBody(f *testing.F) {
	fuzzBody(f, validate+"/field-whitelist", `{"configuration": {"retry_attempts": 1e400, "a": [], "jitter_enabled": null}}`)
}
