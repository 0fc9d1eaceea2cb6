package api_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
)

// contract has the endpoints of contract.md, 1.1, below /internal/resilience. Three take requests without a key.
const contract = `
GET /health optional
GET /health/detailed
GET /metrics
GET /metrics/{operation_name}
POST /metrics/reset
GET /dashboard optional
GET /config
POST /config/reload
GET /config/presets
GET /config/presets/{preset_name}
GET /config/presets-summary
GET /config/recommend-preset/{environment}
GET /config/recommend-preset-auto
GET /config/templates
GET /config/templates/{template_name}
POST /config/validate-template reads
POST /config/recommend-template reads
POST /config/validate reads
POST /config/validate-secure reads
POST /config/validate-json reads
POST /config/validate/field-whitelist reads
GET /config/validate/security-config
GET /config/validate/rate-limit-status
GET /circuit-breakers
GET /circuit-breakers/{breaker_name}
POST /circuit-breakers/{breaker_name}/reset
GET /monitoring/usage-statistics
GET /monitoring/preset-trends/{preset_name}
GET /monitoring/performance-metrics
GET /monitoring/alerts
GET /monitoring/session/{session_id}
GET /monitoring/export
POST /monitoring/cleanup
GET /performance/benchmark
POST /performance/benchmark
GET /performance/thresholds optional
GET /performance/report
GET /performance/history
`

// extensions are the rows beyond the contract. All need a key.
const extensions = `
GET /config/versions
GET /config/versions/{number}/diff
POST /config/versions/{number}/rollback
POST /circuit-breakers/{breaker_name}/force-open
POST /circuit-breakers/{breaker_name}/disable
POST /circuit-breakers/{breaker_name}/metrics-only
POST /circuit-breakers/{breaker_name}/close
GET /operations/{operation_name}/explain
GET /events
GET /audit-log
GET /gateway/usage
GET /gateway/targets
POST /gateway/targets/{target_name}/drain
POST /gateway/targets/{target_name}/undrain
`

// inContract returns the words after a row in the contract.
func inContract(row api.Row) (words string, ok bool) {
	words, ok = endpoints(contract)[row.Method+" "+strings.TrimPrefix(row.Path, base)]
	return words, ok
}

// endpoints returns what the lines of a table say about each endpoint.
func endpoints(table string) map[string]string {
	words := map[string]string{}
	for line := range strings.Lines(strings.TrimSpace(table)) {
		method, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		path, word, _ := strings.Cut(rest, " ")
		words[method+" "+path] = word
	}
	return words
}

// TestAccessIsThatOfTheContract compares the table with the contract's: who may use a row, and that no row is missing
// or too many.
func TestAccessIsThatOfTheContract(t *testing.T) {
	missing, beyond := endpoints(contract), endpoints(extensions)
	if n := len(missing); n != 38 {
		t.Fatalf("the contract has %d endpoints, want 38", n)
	}
	rows, own := newAPI(t, newOrchestrator(t, trysail.Config{})).Rows(), 0
	for _, row := range rows {
		if !row.Extension {
			own++
		}
		name := row.Method + " " + strings.TrimPrefix(row.Path, base)
		words, ok := missing[name]
		delete(missing, name)
		if _, extends := beyond[name]; extends != row.Extension || ok == row.Extension {
			t.Errorf("%s: extension %v, in the contract %v, in extensions %v; want it in one of them, and marked if it is the latter",
				name, row.Extension, ok, extends)
		}
		delete(beyond, name)
		checkAccess(t, row, words)
	}
	for name := range beyond {
		t.Errorf("%s is an extension without a row", name)
	}
	for name := range missing {
		t.Errorf("%s is in the contract but has no row", name)
	}
	if n := len(endpoints(extensions)); own != 38 || len(rows) != 38+n {
		t.Errorf("%d rows, of which %d are no extensions; want %d, and the contract's 38", len(rows), own, 38+n)
	}
}

// checkAccess compares who may use a row with the contract's words; an extension has none.
func checkAccess(t *testing.T, row api.Row, words string) {
	t.Helper()
	if want := words == "optional"; row.Optional != want {
		t.Errorf("%s %s takes requests without a key: %v, want %v", row.Method, row.Path, row.Optional, want)
	}
	if want := row.Method == "GET" || words == "reads"; row.Reads != want {
		t.Errorf("%s %s takes a read-only key: %v, want %v", row.Method, row.Path, row.Reads, want)
	}
	if want := row.Method == "POST" && strings.HasPrefix(row.Path, base+"/config/validate"); row.Validates != want {
		t.Errorf("%s %s counts as a validation: %v, want %v", row.Method, row.Path, row.Validates, want)
	}
}

var parameter = regexp.MustCompile(`\{[a-z_]+\}`)

// targetOf is the path of a row with a name in the place of each parameter.
func targetOf(row api.Row) string { return parameter.ReplaceAllString(row.Path, "x") }

// askFor is a request for a row. The client of a stream without an end leaves at once.
func askFor(row api.Row, header map[string]string) request {
	return request{method: row.Method, target: targetOf(row), header: header, gone: strings.HasSuffix(row.Path, "/events")}
}

// letIn reports whether a request got to its operation.
func letIn(w *httptest.ResponseRecorder) bool {
	return w.Code != http.StatusUnauthorized && w.Code != http.StatusForbidden && w.Code != http.StatusTooManyRequests
}

const readOnlyKey = "looking-glass"

// walker returns an API with a key, and a function that sends every request from another address.
func walker(t *testing.T) (*api.API, func(request) *httptest.ResponseRecorder) {
	t.Helper()
	orc := newOrchestrator(t, trysail.Config{})
	orc.Operation("x")
	keys, err := api.NewKeys("another-key", key)
	if err != nil {
		t.Fatal(err)
	}
	if keys, err = keys.WithReadOnly(readOnlyKey); err != nil {
		t.Fatal(err)
	}
	a, err := api.New(api.Config{Orchestrator: orc, Keys: keys, Gateway: &fakeGateway{}})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	return a, func(r request) *httptest.ResponseRecorder {
		n++
		return sendFrom(a, fmt.Sprintf("10.0.%d.%d:1", n/250, n%250), r)
	}
}

func TestReadOnlyKeyOnEveryRoute(t *testing.T) {
	a, send := walker(t)
	for _, row := range a.Rows() {
		words, _ := inContract(row)
		for carrier, value := range map[string]string{"Authorization": "Bearer " + readOnlyKey, "X-API-Key": readOnlyKey} {
			t.Run(row.Method+" "+row.Path+" "+carrier, func(t *testing.T) {
				w := send(askFor(row, map[string]string{carrier: value}))
				if row.Method == "POST" && words != "reads" {
					checkProblem(t, w, http.StatusForbidden, "AUTHORIZATION_ERROR")
					return
				}
				if !letIn(w) {
					t.Errorf("status %d, want it let in: %s", w.Code, w.Body)
				}
			})
		}
	}
	t.Run("a read-only key changes nothing", func(t *testing.T) {
		w := sendFrom(a, "192.0.2.1:1", post(base+"/circuit-breakers/x/reset", "").with("X-API-Key", readOnlyKey))
		if p := checkProblem(t, w, http.StatusForbidden, "AUTHORIZATION_ERROR"); !strings.Contains(p.Detail, "may only read") {
			t.Errorf("detail %q", p.Detail)
		}
	})
}

// TestOtherMethodsOfEveryRoute asks each path for what it does not have.
func TestOtherMethodsOfEveryRoute(t *testing.T) {
	a, send := walker(t)
	allowed := map[string][]string{}
	for _, row := range a.Rows() {
		allowed[targetOf(row)] = append(allowed[targetOf(row)], row.Method)
	}
	for target, methods := range allowed {
		slices.Sort(methods)
		if slices.Contains(methods, "GET") {
			methods = append(methods, "HEAD")
		}
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "get"} {
			if slices.Contains(methods, method) {
				continue
			}
			t.Run(method+" "+target, func(t *testing.T) {
				r := post(target, "")
				r.method = method
				w := send(r)
				if w.Code == http.StatusNotFound { // a parameter of another path, such as /metrics/{operation_name}
					checkProblem(t, w, http.StatusNotFound, "NOT_FOUND")
					return
				}
				checkProblem(t, w, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")
				for _, m := range methods {
					if !slices.Contains(strings.Split(w.Header().Get("Allow"), ", "), m) {
						t.Errorf("Allow = %q, want %s in it", w.Header().Get("Allow"), m)
					}
				}
			})
		}
	}
}

// TestBodiesOfEveryRoute sends what no route takes.
func TestBodiesOfEveryRoute(t *testing.T) {
	a, send := walker(t)
	huge := strings.Repeat(" ", 1<<20+1)
	for _, row := range a.Rows() {
		target := targetOf(row)
		t.Run(row.Method+" "+row.Path, func(t *testing.T) {
			r := post(target, huge)
			r.method = row.Method
			checkProblem(t, send(r), http.StatusRequestEntityTooLarge, "REQUEST_TOO_LARGE")
			if row.Method != http.MethodPost {
				return
			}
			hr := httptest.NewRequest(row.Method, target, struct{ io.Reader }{strings.NewReader(huge)})
			hr.Header.Set("X-API-Key", key)
			w := httptest.NewRecorder()
			a.Handler().ServeHTTP(w, hr)
			checkProblem(t, w, http.StatusRequestEntityTooLarge, "REQUEST_TOO_LARGE")

			p := checkProblem(t, send(post(target, `{"no_such_member": "hunter2"}`)), http.StatusUnprocessableEntity, "VALIDATION_ERROR")
			if !slices.ContainsFunc(p.Errors, func(f api.Fault) bool { return f.Location == "body.no_such_member" }) {
				t.Errorf("errors %+v, want one at body.no_such_member", p.Errors)
			}
			for name, body := range map[string]string{
				"broken": `{"a": hunter2}`, "an array": `["hunter2"]`, "a text": `"hunter2"`, "a number": `1`, "two values": `{} {}`,
				"not UTF-8": "{\"\xff\": 1}", "a text that is not UTF-8": "{\"reason\": \"\xff\"}", "deep": strings.Repeat("[", 20_000), "a zero": "\x00", "a byte order mark": "\uFEFF{}",
			} {
				w := send(post(target, body))
				checkProblem(t, w, http.StatusUnprocessableEntity, "VALIDATION_ERROR")
				if strings.Contains(w.Body.String(), "hunter2") {
					t.Errorf("%s: the answer repeats what was sent: %s", name, w.Body)
				}
			}
			for coding, want := range map[string]int{"gzip": 415, "identity, br": 415, "Identity": 422, "": 422} {
				w := send(post(target, `{"no_such_member": 1}`).with("Content-Encoding", coding))
				checkProblem(t, w, want, map[int]string{415: "UNSUPPORTED_MEDIA_TYPE", 422: "VALIDATION_ERROR"}[want])
			}
			for _, kind := range []string{"text/plain", "application/xml", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"} {
				checkProblem(t, send(post(target, "{}").with("Content-Type", kind)), http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE")
			}
		})
	}
}
