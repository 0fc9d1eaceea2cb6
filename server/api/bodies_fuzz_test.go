package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/server/api"
)

// FuzzEveryBody sends bodies to every row that takes one. Whatever comes, the answer is one that the document promises, a problem says
// why, nothing that was sent is repeated, and what is taken is JSON.
func FuzzEveryBody(f *testing.F) {
	a := newShip(f, map[string]string{}).API
	rows := a.Rows()
	rows = slices.DeleteFunc(rows, func(r api.Row) bool {
		return r.Method != http.MethodPost || strings.HasPrefix(r.Path, base+"/performance/") // FuzzBenchmarkBody knows how long a run takes
	})
	bodies := map[string]string{
		"/metrics/reset": `{"operation_name":"chat","confirm":true}`, "/config/reload": `{"preset":"production","custom_config":{"retry_attempts":4},"reason":"x"}`,
		"/config/versions/{number}/rollback": `{"dry_run":true,"reason":"x"}`, "/config/validate-template": `{"template_name":"production","overrides":{"retry_attempts":3}}`,
		"/config/recommend-template": `{"configuration":{"retry_attempts":3}}`, "/config/validate": specValidate, "/config/validate-secure": specSecure,
		"/config/validate-json": `{"json_config":"{}"}`, "/config/validate/field-whitelist": `{"configuration":{}}`,
		"/circuit-breakers/{breaker_name}/reset": `{}`, "/circuit-breakers/{breaker_name}/force-open": `{"reason":"x","expires_in_seconds":1}`,
		"/circuit-breakers/{breaker_name}/disable":      `{"reason":"x"}`,
		"/circuit-breakers/{breaker_name}/metrics-only": `{"reason":"\ud800"}`, "/circuit-breakers/{breaker_name}/close": `{"reason":" x"}`,
		"/monitoring/cleanup": `{}`, "/gateway/targets/{target_name}/drain": `{"reason":"x"}`, "/gateway/targets/{target_name}/undrain": `{"reason":"x"}`,
	}
	for i, row := range rows {
		body, ok := bodies[strings.TrimPrefix(row.Path, base)]
		if !ok {
			f.Errorf("%s has no body to begin with", row.Path)
		}
		for _, seed := range []string{body, strings.ToUpper(body), strings.Replace(body, "{", `{"hunter2":1,`, 1), "", "null", "[]", "{", "\xff", `{"reason":1e999}`, body + body} {
			f.Add(uint8(i), seed)
		}
	}
	n := 0
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		row := rows[int(which)%len(rows)]
		target := strings.NewReplacer("{breaker_name}", "chat", "{target_name}", "well", "{number}", "1").Replace(row.Path)
		n++
		w := sendFrom(a, fmt.Sprintf("10.%d.%d.%d:1", n>>16%256, n>>8%256, n%256), post(target, body)) // so that none is asked to wait
		if err := a.CheckAnswer(row, w.Code, w.Body.Bytes()); err != nil {
			t.Errorf("%s with %q: not what the document promises: %v", row.Path, body, err)
		}
		switch {
		case w.Code == http.StatusOK:
			if body != "" && !json.Valid([]byte(body)) {
				t.Errorf("%s takes %q, which is no JSON: %s", row.Path, body, w.Body)
			}
		case w.Code >= 500 || w.Code == http.StatusUnauthorized || w.Code == http.StatusTooManyRequests:
			t.Errorf("%s with %q: status %d: %s", row.Path, body, w.Code, w.Body)
		case w.Code != http.StatusRequestEntityTooLarge:
			checkProblemOf(t, w)
		}
	})
}
