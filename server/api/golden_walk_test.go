package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
)

// TestRefusalsOfEveryRoute keeps what each row of the table answers to what no row takes, in one golden file for each row: a row that is
// added has to have one.
func TestRefusalsOfEveryRoute(t *testing.T) {
	for _, row := range newShip(t, map[string]string{}).Rows() {
		name := "refusals of " + row.Method + strings.ReplaceAll(strings.TrimPrefix(row.Path, base), "/", " ")
		t.Run(strings.NewReplacer("{", "", "}", "").Replace(name), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, sendFrom := walker(t)
				ask := func(header, value, body, query string) request {
					r := post(targetOf(row)+query, body).with("X-Request-ID", "req-1").with(header, value)
					r.method = row.Method
					return r
				}
				asked := map[string]request{
					"a wrong key":          ask("X-API-Key", "guess", "", ""),
					"too much":             ask("Accept", "*/*", strings.Repeat(" ", 1<<20+1), ""),
					"an unknown parameter": ask("Accept", "*/*", "", "?no_such_parameter=hunter2"),
					"a session of no use":  ask("X-Session-ID", "a b", "", ""),
				}
				if !row.Optional {
					asked["no key"] = ask("X-API-Key", "", "", "")
				}
				if !row.Reads {
					asked["a key that may only read"] = ask("X-API-Key", readOnlyKey, "", "")
				}
				if row.Method == http.MethodPost {
					asked["another media type"] = ask("Content-Type", "text/plain", "hunter2", "")
					asked["broken JSON"] = ask("Content-Type", "application/json", `{"a": hunter2}`, "")
					asked["an unknown member"] = ask("Content-Type", "application/json", `{"no_such_member": "hunter2"}`, "")
				}
				answers := map[string]json.RawMessage{}
				for why, r := range asked {
					w := sendFrom(r)
					if w.Code < 400 || w.Code >= 500 {
						t.Errorf("%s: status %d, want a refusal: %s", why, w.Code, w.Body)
					}
					if err := a.CheckAnswer(row, w.Code, w.Body.Bytes()); err != nil {
						t.Errorf("%s: not what the OpenAPI document promises: %v", why, err)
					}
					if strings.Contains(w.Body.String(), "hunter2") {
						t.Errorf("%s: the answer repeats what was sent", why)
					}
					answers[why] = w.Body.Bytes()
				}
				all := httptest.NewRecorder()
				if err := json.NewEncoder(all).Encode(answers); err != nil {
					t.Fatal(err)
				}
				golden(t, all)
			})
		})
	}
}
