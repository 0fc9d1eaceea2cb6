package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	base = "/internal/resilience"
	key  = "sesame-1"
)

// A request is what a test sends.
type request struct {
	method, target, body string
	header               map[string]string
	gone                 bool // the client leaves at once, which is how some streams end
}

// get is a good GET request with the key.
func get(target string) request {
	return request{method: http.MethodGet, target: target, header: map[string]string{"X-API-Key": key}}
}

// post is get for POST.
func post(target, body string) request {
	r := get(target)
	r.method, r.body = http.MethodPost, body
	return r
}

// with adds a header.
func (r request) with(name, value string) request {
	header := map[string]string{name: value}
	for k, v := range r.header {
		if _, taken := header[k]; !taken {
			header[k] = v
		}
	}
	r.header = header
	return r
}

// send sends r to a. Its id is "req-1" unless it has one of its own.
func send(a *api.API, r request) *httptest.ResponseRecorder {
	var body io.Reader
	if r.body != "" {
		body = strings.NewReader(r.body)
	}
	hr := httptest.NewRequest(r.method, r.target, body)
	hr.Header.Set("X-Request-ID", "req-1")
	for name, value := range r.header {
		hr.Header.Set(name, value)
	}
	return answer(a, r, hr)
}

// answer has a answer hr, which was made of r.
func answer(a *api.API, r request, hr *http.Request) *httptest.ResponseRecorder {
	if r.gone {
		ctx, leave := context.WithCancel(hr.Context())
		leave()
		hr = hr.WithContext(ctx)
	}
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, hr)
	return w
}

// sendFrom is send from another address.
func sendFrom(a *api.API, from string, r request) *httptest.ResponseRecorder {
	hr := httptest.NewRequest(r.method, r.target, strings.NewReader(r.body))
	hr.RemoteAddr = from
	for name, value := range r.header {
		hr.Header.Set(name, value)
	}
	return answer(a, r, hr)
}

// newAPI returns an API over orc that wants the key.
func newAPI(t *testing.T, orc *trysail.Orchestrator) *api.API {
	t.Helper()
	keys, err := api.NewKeys("another-key", key)
	if err != nil {
		t.Fatal(err)
	}
	a, err := api.New(api.Config{Orchestrator: orc, Keys: keys, Version: "1.2.3", Gateway: &fakeGateway{}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newOrchestrator(t testing.TB, cfg trysail.Config) *trysail.Orchestrator {
	t.Helper()
	orc, err := trysail.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return orc
}

// busy returns an orchestrator with one operation of every kind. It takes a minute
// of a bubble's time.
func busy(t *testing.T) *trysail.Orchestrator {
	t.Helper()
	policy := trysail.Policy{
		Retry:   trysail.RetryPolicy{Attempts: 2, Base: time.Second, MinDelay: time.Second, NoJitter: true},
		Breaker: trysail.BreakerPolicy{FailureThreshold: 2, RecoveryTimeout: 30 * time.Second},
	}
	orc := newOrchestrator(t, trysail.Config{
		Default:    policy,
		Strategies: map[string]trysail.Strategy{"planned": trysail.Critical},
	})
	orc.Operation("idle")
	register(t, orc, "plain", trysail.Policy{Breaker: trysail.BreakerPolicy{Disabled: true}})
	try(t, orc.Operation("good"), nil, nil, nil)
	for range 2 {
		try(t, orc.Operation("half-open"), errDown)
	}
	time.Sleep(30 * time.Second)
	try(t, orc.Operation("open"), nil, errDown, errDown, errDown) // the last is refused
	time.Sleep(5 * time.Second)
	return orc
}

var errDown = errors.New("down")

// register gives an operation a policy of its own.
func register(t *testing.T, orc *trysail.Orchestrator, name string, policy trysail.Policy) *trysail.Operation {
	t.Helper()
	op, err := orc.Register(name, trysail.OperationConfig{Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	return op
}

// try makes one call for each outcome. Every attempt takes 250 ms.
func try(t *testing.T, op *trysail.Operation, outcomes ...error) {
	t.Helper()
	for _, outcome := range outcomes {
		_, err := trysail.Do(t.Context(), op, func(context.Context) (int, error) {
			time.Sleep(250 * time.Millisecond)
			return 0, outcome
		})
		if (err == nil) != (outcome == nil) {
			t.Fatalf("call of %s: %v, want %v", op.Name(), err, outcome)
		}
	}
}

// golden compares an answer, header included, with a file in testdata.
func golden(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	goldenOf(t, w, "")
}

// goldenOf is golden for an answer of a route, whose name is in the file.
func goldenOf(t *testing.T, w *httptest.ResponseRecorder, route string) {
	t.Helper()
	var body any = json.RawMessage(w.Body.Bytes())
	if !json.Valid(w.Body.Bytes()) {
		body = strings.SplitAfter(w.Body.String(), "\n")
	}
	kept := map[string]any{"status": w.Code, "header": w.Header(), "body": body}
	if route != "" {
		kept["route"] = route
	}
	got := indent(t, kept)
	name := t.Name()[strings.LastIndexByte(t.Name(), '/')+1:]
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; -update writes it", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func indent(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// decode reads a JSON body.
func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("body %q: %v", w.Body, err)
	}
	return v
}

// checkProblem checks what all problems have in common, and returns it.
func checkProblem(t *testing.T, w *httptest.ResponseRecorder, status int, code string) api.Problem {
	t.Helper()
	members := decode[map[string]any](t, w)
	for _, name := range []string{"type", "title", "status", "detail", "error_code", "errors", "request_id", "timestamp"} {
		if v, ok := members[name]; !ok || v == nil || v == "" {
			t.Errorf("problem has %s = %v, want it set: %s", name, v, w.Body)
		}
		delete(members, name)
	}
	delete(members, "warnings") // of a configuration that was sent
	delete(members, "suggestions")
	p := decode[api.Problem](t, w)
	if w.Code != status || p.Status != status || p.ErrorCode != code || len(members) > 0 {
		t.Errorf("answer %d with problem %d %s and further members %v, want %d %s and none", w.Code, p.Status, p.ErrorCode, members, status, code)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type = %q, want application/problem+json", got)
	}
	if got := w.Header().Get("X-Request-ID"); got != p.RequestID {
		t.Errorf("X-Request-ID = %q, want the problem's %q", got, p.RequestID)
	}
	checkRetryAfter(t, status, w.Header())
	return p
}

// checkRetryAfter checks that an answer says when to come back if, and only if, that helps.
func checkRetryAfter(t *testing.T, status int, header http.Header) {
	t.Helper()
	got := header.Get("Retry-After")
	seconds, err := strconv.Atoi(got)
	if later := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable; later {
		if err != nil || seconds < 1 {
			t.Errorf("Retry-After = %q with status %d, want whole seconds", got, status)
		}
	} else if got != "" {
		t.Errorf("Retry-After = %q with status %d, want none", got, status)
	}
}
