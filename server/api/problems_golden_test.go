package api_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
)

// TestProblemsOfEveryRoute keeps one answer for every problem that the OpenAPI document promises of a row, in one golden file for each row. Each
// is what a request got that ran into the problem; a status that is promised and that nobody can provoke fails the test.
func TestProblemsOfEveryRoute(t *testing.T) {
	for _, row := range newShip(t, map[string]string{}).Rows() {
		name := "problems of " + row.Method + strings.ReplaceAll(strings.TrimPrefix(row.Path, base), "/", " ")
		t.Run(strings.NewReplacer("{", "", "}", "").Replace(name), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := problemAPI(t, &flaky{})
				answers := map[string]any{}
				for _, status := range a.Promised(row) {
					if status == http.StatusOK {
						continue // the good answers have files of their own, see TestEveryRouteHasAGoodAnswer
					}
					provoke, known := provocations[status]
					if !known {
						t.Errorf("status %d is promised, but no request provokes it", status)
						continue
					}
					w := provoke(t, row)
					if w.Code != status {
						t.Errorf("status %d, want %d: %s", w.Code, status, w.Body)
					}
					if err := a.CheckAnswer(row, w.Code, w.Body.Bytes()); err != nil {
						t.Errorf("%d: not what the OpenAPI document promises: %v", status, err)
					}
					checkRetryAfter(t, w.Code, w.Header())
					answers[fmt.Sprint(status)] = map[string]any{"header": w.Header(), "body": json.RawMessage(w.Body.Bytes())}
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

// provocations are how each problem is run into.
var provocations = map[int]func(*testing.T, api.Row) *httptest.ResponseRecorder{
	400: badRequest,
	401: func(t *testing.T, row api.Row) *httptest.ResponseRecorder {
		return send(problemAPI(t, &flaky{}), good(row).with("X-API-Key", "guess"))
	},
	403: func(t *testing.T, row api.Row) *httptest.ResponseRecorder {
		return send(problemAPI(t, &flaky{}), good(row).with("X-API-Key", readOnlyKey))
	},
	404: func(t *testing.T, row api.Row) *httptest.ResponseRecorder {
		ask := good(row)
		ask.target = parameter.ReplaceAllString(strings.ReplaceAll(row.Path, "{number}", "999"), "nobody")
		return send(newShip(t, map[string]string{}).API, ask)
	},
	408: stalledBody,
	409: func(t *testing.T, row api.Row) *httptest.ResponseRecorder { // there is nothing that reloads, and a target that the configuration drains
		ask := good(row)
		ask.target = parameter.ReplaceAllString(strings.ReplaceAll(row.Path, "{target_name}", "away"), "1")
		return send(problemAPI(t, &flaky{}), ask)
	},
	413: func(t *testing.T, row api.Row) *httptest.ResponseRecorder {
		ask := good(row)
		ask.body = strings.Repeat(" ", 1<<20+1)
		return send(problemAPI(t, &flaky{}), ask)
	},
	415: func(t *testing.T, row api.Row) *httptest.ResponseRecorder {
		return send(problemAPI(t, &flaky{}), post(targetOf(row), "hunter2").with("Content-Type", "text/plain"))
	},
	422: func(t *testing.T, row api.Row) *httptest.ResponseRecorder {
		ask := good(row)
		ask.target += "?no_such_parameter=hunter2"
		return send(problemAPI(t, &flaky{}), ask)
	},
	429: func(t *testing.T, row api.Row) *httptest.ResponseRecorder {
		a := problemAPI(t, &flaky{})
		for range 10 {
			send(a, good(row).with("X-API-Key", "guess"))
		}
		return send(a, good(row).with("X-API-Key", "guess"))
	},
	500: func(t *testing.T, row api.Row) *httptest.ResponseRecorder {
		a := problemAPI(t, &flaky{})
		if err := a.Panic("hunter2"); err != nil {
			t.Fatal(err)
		}
		return send(a, good(row))
	},
	503: func(t *testing.T, row api.Row) *httptest.ResponseRecorder {
		a := problemAPI(t, &flaky{fails: onFire})
		if row.Reads {
			a.Close()
			return send(a, good(row))
		}
		for range 200 { // as many changes may wait for the audit log
			send(a, force("req-1"))
		}
		return send(a, good(row))
	},
}

// problemAPI is an API with an operation x, keys of both roles and an audit log.
func problemAPI(t *testing.T, log api.AuditLog) *api.API {
	t.Helper()
	orc := newOrchestrator(t, trysail.Config{})
	orc.Operation("x")
	keys, err := api.NewKeys("another-key", key)
	must(t, err)
	keys, err = keys.WithReadOnly(readOnlyKey)
	must(t, err)
	a, err := api.New(api.Config{Orchestrator: orc, Keys: keys, Audit: log, Gateway: &fakeGateway{}})
	must(t, err)
	return a
}

// good is a request for a row that nothing is wrong with, but perhaps the names.
func good(row api.Row) request {
	ask := post(targetOf(row), "")
	ask.method = row.Method
	if last := row.Path[strings.LastIndexByte(row.Path, '/')+1:]; slices.Contains([]string{"force-open", "disable", "metrics-only", "close", "drain", "undrain"}, last) {
		ask.body = `{"reason": "fire"}`
	}
	return ask
}

// badRequest asks with GET for a format that there is not; a body with POST breaks off in the middle.
func badRequest(t *testing.T, row api.Row) *httptest.ResponseRecorder {
	t.Helper()
	a := problemAPI(t, &flaky{})
	if row.Method == http.MethodGet {
		return send(a, get(targetOf(row)+"?format=xml"))
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(row.Method, targetOf(row), io.MultiReader(strings.NewReader("{"), broken{errors.New("connection reset")}))
	r.Header.Set("X-API-Key", key)
	r.Header.Set("X-Request-ID", "req-1")
	a.Handler().ServeHTTP(w, r)
	return w
}

// stalledBody sends the beginning of a body over a connection, and no more.
func stalledBody(t *testing.T, row api.Row) *httptest.ResponseRecorder {
	t.Helper()
	p := servePiped(t, problemAPI(t, &flaky{}))
	near, far := net.Pipe()
	p.conns <- far
	defer func() { _ = near.Close() }()
	_, err := fmt.Fprintf(near, "POST %s HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\nX-Request-ID: req-1\r\nContent-Length: 100\r\n\r\n{", targetOf(row), key)
	must(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(near), nil)
	must(t, err)
	w := httptest.NewRecorder()
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	_, err = io.Copy(w, resp.Body)
	must(t, err)
	return w
}
