package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
)

func TestPathsAndMethodsOutsideTheTable(t *testing.T) {
	const one = base + "/circuit-breakers/x"
	for name, tc := range map[string]struct {
		method, target string
		status         int
		allow          string
	}{
		"unknown path":                 {"GET", base + "/nothing", 404, ""},
		"unknown path, any method":     {"DELETE", base + "/nothing", 404, ""},
		"the root":                     {"GET", "/", 404, ""},
		"outside of internal":          {"GET", "/health", 404, ""},
		"slash at the end":             {"GET", base + "/health/", 404, ""},
		"doubled slash":                {"GET", "/internal//resilience/health", 404, ""},
		"dots":                         {"GET", base + "/x/../health", 404, ""},
		"name missing":                 {"GET", base + "/circuit-breakers//reset", 404, ""},
		"one part too many":            {"GET", one + "/reset/now", 404, ""},
		"yaml, which huma would serve": {"GET", "/internal/openapi.yaml", 404, ""},
		"huma's page of documentation": {"GET", "/docs", 404, ""},
		"huma's schemas":               {"GET", "/schemas/Problem.json", 404, ""},
		"POST where only GET is":       {"POST", base + "/health", 405, "GET, HEAD, OPTIONS"},
		"GET where only POST is":       {"GET", one + "/reset", 405, "POST, OPTIONS"},
		"HEAD where only POST is":      {"HEAD", one + "/reset", 405, "POST, OPTIONS"},
		"TRACE":                        {"TRACE", base + "/metrics", 405, "GET, HEAD, OPTIONS"},
		"a method of one's own":        {"BREW", base + "/metrics", 405, "GET, HEAD, OPTIONS"},
		"POST to the document":         {"POST", "/internal/openapi.json", 405, "GET, HEAD, OPTIONS"},
		"OPTIONS":                      {"OPTIONS", one, 204, "GET, HEAD, OPTIONS"},
		"OPTIONS of an unknown path":   {"OPTIONS", base + "/nothing", 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := send(newAPI(t, newOrchestrator(t, trysail.Config{})), request{method: tc.method, target: tc.target})
			if got := w.Header().Get("Allow"); got != tc.allow {
				t.Errorf("Allow = %q, want %q", got, tc.allow)
			}
			switch tc.status {
			case 404:
				checkProblem(t, w, 404, "NOT_FOUND")
			case 405:
				checkProblem(t, w, 405, "METHOD_NOT_ALLOWED")
			default:
				if w.Code != tc.status || w.Body.Len() > 0 {
					t.Errorf("answer %d %q, want %d and no body", w.Code, w.Body, tc.status)
				}
			}
		})
	}
}

func TestHeadIsGetWithoutTheBody(t *testing.T) {
	s := httptest.NewServer(newAPI(t, newOrchestrator(t, trysail.Config{})).Handler())
	defer s.Close()
	ask, err := http.NewRequestWithContext(t.Context(), http.MethodHead, s.URL+base+"/health", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.Client().Do(ask)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || len(body) > 0 {
		t.Errorf("HEAD = %d %q, %v; want 200 without a body", answer.StatusCode, body, err)
	}
}

func TestRequestIDs(t *testing.T) {
	for name, tc := range map[string]struct {
		sent string
		kept bool
	}{
		"a short one":      {"x", true},
		"all signs":        {`!"#$%&'()*+,-./09:;<=>?@AZ[\]^_az{|}~`, true},
		"128 characters":   {strings.Repeat("a", 128), true},
		"129 characters":   {strings.Repeat("a", 129), false},
		"none":             {"", false},
		"a space":          {"a b", false},
		"an end of line":   {"a\r\nSet-Cookie: b=c", false},
		"a zero":           {"a\x00", false},
		"DEL":              {"a\x7f", false},
		"beyond ASCII":     {"é", false},
		"not even UTF-8":   {"\xff", false},
		"terminal control": {"\x1b[31m", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := send(newAPI(t, newOrchestrator(t, trysail.Config{})), get(base+"/nothing").with("X-Request-ID", tc.sent))
			p := checkProblem(t, w, 404, "NOT_FOUND")
			if kept := p.RequestID == tc.sent; kept != tc.kept || p.RequestID == "" {
				t.Errorf("id %q became %q; kept %v, want %v", tc.sent, p.RequestID, kept, tc.kept)
			}
		})
	}
}

func FuzzRequestID(f *testing.F) {
	for _, seed := range []string{"", "a", "req-1", "a b", "\n", "é", strings.Repeat("a", 129)} {
		f.Add(seed)
	}
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		f.Fatal(err)
	}
	a, err := api.New(api.Config{Orchestrator: orc})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		got := send(a, get(base+"/health").with("X-Request-ID", sent)).Header().Get("X-Request-ID")
		if len(got) < 1 || len(got) > 128 {
			t.Fatalf("id %q has %d characters, want 1 to 128", got, len(got))
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return r < '!' || r > '~' }); i >= 0 {
			t.Fatalf("id %q is not visible ASCII at byte %d", got, i)
		}
	})
}

// TestHostileHeaders sends what must not change the answer.
func TestHostileHeaders(t *testing.T) {
	for name, header := range map[string][2]string{
		"wants HTML":            {"Accept", "text/html"},
		"wants nothing":         {"Accept", "*/*;q=0"},
		"wants huma's own word": {"Accept", "json"},
		"wants problems":        {"Accept", "application/problem+json"},
		"wants rubbish":         {"Accept", ";;;,\x00"},
		"claims a body":         {"Content-Type", "multipart/form-data; boundary="},
		"comes from elsewhere":  {"X-Forwarded-For", "evil\r\nX: y"},
		"another method":        {"X-HTTP-Method-Override", "POST"},
	} {
		t.Run(name, func(t *testing.T) {
			w := send(newAPI(t, newOrchestrator(t, trysail.Config{})), get(base+"/health").with(header[0], header[1]))
			if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || got != "application/json" {
				t.Errorf("answer %d %s, want 200 application/json", w.Code, got)
			}
		})
	}
}

func TestBodySizes(t *testing.T) {
	chunked := func(n int) io.Reader { return struct{ io.Reader }{strings.NewReader(strings.Repeat(" ", n-2) + "{}")} }
	for name, tc := range map[string]struct {
		method, target string
		body           io.Reader
		status         int
	}{
		"the limit itself":            {"POST", "/circuit-breakers/x/reset", strings.NewReader(strings.Repeat(" ", 1<<20-2) + "{}"), 200},
		"the limit in chunks":         {"POST", "/circuit-breakers/x/reset", chunked(1 << 20), 200},
		"one byte more":               {"POST", "/circuit-breakers/x/reset", strings.NewReader(strings.Repeat(" ", 1<<20+1)), 413},
		"one byte more in chunks":     {"POST", "/circuit-breakers/x/reset", chunked(1<<20 + 1), 413},
		"with GET":                    {"GET", "/health", strings.NewReader(strings.Repeat(" ", 1<<20+1)), 413},
		"a body that nobody asked of": {"GET", "/health", strings.NewReader("hello"), 200},
		"a body that never ends":      {"POST", "/circuit-breakers/x/reset", broken{os.ErrDeadlineExceeded}, 408},
		"a body that breaks off":      {"POST", "/circuit-breakers/x/reset", io.MultiReader(strings.NewReader("{"), broken{errors.New("connection to 10.0.0.1 reset")}), 400},
	} {
		t.Run(name, func(t *testing.T) {
			orc := newOrchestrator(t, trysail.Config{})
			orc.Operation("x")
			r := httptest.NewRequest(tc.method, base+tc.target, tc.body)
			r.Header.Set("X-API-Key", key)
			w := httptest.NewRecorder()
			newAPI(t, orc).Handler().ServeHTTP(w, r)
			switch tc.status {
			case 200:
				if w.Code != 200 {
					t.Errorf("status %d, want 200: %s", w.Code, w.Body)
				}
			case 400:
				checkProblem(t, w, 400, "VALIDATION_ERROR")
				if strings.Contains(w.Body.String(), "10.0.0.1") {
					t.Errorf("the answer tells what happened inside: %s", w.Body)
				}
			case 408:
				checkProblem(t, w, 408, "REQUEST_TIMEOUT")
			case 413:
				checkProblem(t, w, 413, "REQUEST_TOO_LARGE")
			}
		})
	}
}

// broken is a body that cannot be read, or an answer that cannot be written.
type broken struct{ err error }

// Read implements [io.Reader].
func (b broken) Read([]byte) (int, error) { return 0, b.err }

// Write implements [io.Writer].
func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestFaultsOfALargeBodyAreBounded(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	orc.Operation("x")
	members := map[string]int{strings.Repeat("ü", 1000): 1}
	for i := range 100 {
		members[strconv.Itoa(i)] = i
	}
	body, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	p := checkProblem(t, send(newAPI(t, orc), post(base+"/circuit-breakers/x/reset", string(body))), 422, "VALIDATION_ERROR")
	if len(p.Errors) != 20 {
		t.Errorf("%d faults, want 20", len(p.Errors))
	}
	for _, fault := range p.Errors {
		if len(fault.Location) > 210 || !utf8.ValidString(fault.Location) || fault.Value != nil {
			t.Errorf("fault %+v, want a short location and no value", fault)
		}
	}
}

// TestClientsThatLeave are no fault of the program's: nothing above debug is logged.
func TestClientsThatLeave(t *testing.T) {
	var log bytes.Buffer
	a, err := api.New(api.Config{
		Orchestrator: newOrchestrator(t, trysail.Config{}),
		Logger:       slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if v := recover(); v != any(http.ErrAbortHandler) || log.Len() > 0 {
			t.Errorf("panic %v and log %q, want http.ErrAbortHandler and none", v, log.String())
		}
	}()
	w := deaf{httptest.NewRecorder(), broken{errors.New("gone")}}
	a.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, base+"/health", nil))
}

// deaf is a connection that takes no body.
type deaf struct {
	http.ResponseWriter
	body io.Writer
}

// Write implements [http.ResponseWriter].
func (d deaf) Write(p []byte) (int, error) { return d.body.Write(p) }

// TestFailuresInside lets operations fail in every way; outsiders must not see how.
func TestFailuresInside(t *testing.T) {
	const secret = "pq: password hunter2"
	for name, run := range map[string]func(context.Context) (any, error){
		"an error":                       func(context.Context) (any, error) { return nil, errors.New(secret) },
		"a panic":                        func(context.Context) (any, error) { panic(secret) },
		"a panic with an error":          func(context.Context) (any, error) { panic(errors.New(secret)) },
		"an answer that is no JSON":      func(context.Context) (any, error) { return math.NaN(), nil },
		"an answer with a hostile value": func(context.Context) (any, error) { return hostile{secret}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			a, err := api.New(api.Config{
				Orchestrator: newOrchestrator(t, trysail.Config{}),
				Logger:       slog.New(slog.NewJSONHandler(&log, nil)),
			})
			if err != nil {
				t.Fatal(err)
			}
			a.Mount("/internal/test", run)
			w := send(a, get("/internal/test"))
			checkProblem(t, w, 500, "INTERNAL_ERROR")
			if strings.Contains(w.Body.String(), "hunter2") || strings.Contains(w.Body.String(), "goroutine") {
				t.Errorf("the answer tells what happened inside: %s", w.Body)
			}
			if !strings.Contains(log.String(), `"request_id":"req-1"`) || !strings.Contains(log.String(), `"level":"ERROR"`) {
				t.Errorf("log %s, want an error with the request's id", log.String())
			}
			if w := send(a, get(base+"/health")); w.Code != http.StatusOK {
				t.Errorf("the next request gets %d, want 200", w.Code)
			}
		})
	}
}

type hostile struct{ secret string }

// MarshalJSON implements [json.Marshaler].
func (h hostile) MarshalJSON() ([]byte, error) { return nil, errors.New(h.secret) }

func TestAbortedRequestsStayAborted(t *testing.T) {
	a := newAPI(t, newOrchestrator(t, trysail.Config{}))
	a.Mount("/internal/test", func(context.Context) (any, error) { panic(http.ErrAbortHandler) })
	defer func() {
		if v := recover(); v != any(http.ErrAbortHandler) {
			t.Errorf("panic %v, want http.ErrAbortHandler", v)
		}
	}()
	send(a, get("/internal/test"))
}

func TestNewWithoutOrchestrator(t *testing.T) {
	if _, err := api.New(api.Config{}); err == nil || !strings.Contains(err.Error(), "Orchestrator") {
		t.Errorf("New(Config{}) fails with %v, want an error that names Orchestrator", err)
	}
}

func TestWriteProblemOutsideOfTheAPI(t *testing.T) {
	for name, tc := range map[string]struct {
		problem api.Problem
		status  int
		code    string
	}{
		"nothing said":     {api.Problem{}, 500, "INTERNAL_ERROR"},
		"a status":         {api.Problem{Status: 403}, 403, "AUTHORIZATION_ERROR"},
		"busy":             {api.Problem{Status: 429}, 429, "RATE_LIMIT_EXCEEDED"},
		"away":             {api.Problem{Status: 503}, 503, "SERVICE_UNAVAILABLE"},
		"in the way":       {api.Problem{Status: 409}, 409, "CONFLICT"},
		"an upstream":      {api.Problem{Status: 502}, 502, "INTERNAL_ERROR"},
		"bad":              {api.Problem{Status: 400}, 400, "VALIDATION_ERROR"},
		"code of its own":  {api.Problem{Status: 500, ErrorCode: "CONFIGURATION_ERROR"}, 500, "CONFIGURATION_ERROR"},
		"one fault":        {api.Problem{Status: 400, Errors: []api.Fault{{Location: "header.Host", Message: "no"}}}, 400, "VALIDATION_ERROR"},
		"an unknown 4xx":   {api.Problem{Status: 418}, 418, "VALIDATION_ERROR"},
		"an id of its own": {api.Problem{Status: 404, RequestID: "forged"}, 404, "NOT_FOUND"},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("X-Request-ID", "req-2")
			if tc.status == http.StatusTooManyRequests || tc.status == http.StatusServiceUnavailable {
				w.Header().Set("Retry-After", "7") // is the caller's to say, and must stay
			}
			api.WriteProblem(w, r, tc.problem)
			if p := checkProblem(t, w, tc.status, tc.code); p.RequestID != "req-2" {
				t.Errorf("request_id %q, want req-2", p.RequestID)
			}
		})
	}
}
