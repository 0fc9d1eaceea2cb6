package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
)

// Before it serves and once it stops the program is not ready, and never again after that. It is alive all the time.
func TestReadiness(t *testing.T) {
	var ready readiness
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		t.Fatal(err)
	}
	internal, err := api.New(api.Config{Orchestrator: orc})
	if err != nil {
		t.Fatal(err)
	}
	handler := probes(onlyLocal(routes(internal.Handler(), http.NotFoundHandler()), api.Keys{}, nil, internal.RefuseKey), &ready)
	ask := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	for _, step := range []struct {
		do     func()
		status int
		body   string
	}{
		{func() {}, 503, "starting\n"},
		{ready.begin, 200, "ok\n"},
		{ready.end, 503, "stopping\n"},
		{ready.begin, 503, "stopping\n"},
	} {
		step.do()
		if w := ask("/readyz"); w.Code != step.status || w.Body.String() != step.body {
			t.Errorf("/readyz: status %d %q, want %d %q", w.Code, w.Body, step.status, step.body)
		}
		if w := ask("/healthz"); w.Code != 200 || w.Body.String() != "ok\n" {
			t.Errorf("/healthz: status %d %q, want 200 ok", w.Code, w.Body)
		}
	}
}

// Probes need no key, heed none, and are answered whatever the Host is: a kubelet has the pod's address there.
func TestProbesAreAnsweredToAnybody(t *testing.T) {
	s := serve(t, "API_KEY=secret")
	for name, tc := range map[string]struct {
		method  string
		headers []string
		status  int
		body    string
	}{
		"as it is":              {"GET", nil, 200, "ok\n"},
		"head":                  {"HEAD", nil, 200, ""},
		"by a pod's address":    {"GET", []string{"Host", "10.244.1.7:8000"}, 200, "ok\n"},
		"by a service's name":   {"GET", []string{"Host", "trysail.default.svc"}, 200, "ok\n"},
		"with a wrong key":      {"GET", []string{"X-API-Key", "guess"}, 200, "ok\n"},
		"a method that is none": {"POST", nil, 405, "Probes are asked with GET or HEAD"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/healthz", "/readyz"} {
				resp, body := s.send(tc.method, path, "", tc.headers...)
				if resp.StatusCode != tc.status || !strings.Contains(body, tc.body) || tc.body == "" && body != "" {
					t.Errorf("%s: status %d %q, want %d %q", path, resp.StatusCode, body, tc.status, tc.body)
				}
				if allow := resp.Header.Get("Allow"); (allow == "GET, HEAD") != (tc.status == 405) {
					t.Errorf("%s: status %d with Allow %q", path, resp.StatusCode, allow)
				}
				if resp.Header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s may be kept by a cache: %v", path, resp.Header)
				}
			}
		})
	}
	if resp, _ := s.send("GET", "/internal/resilience/health", "", "Host", "10.244.1.7:8000"); resp.StatusCode != 403 {
		t.Errorf("what is no probe, by a pod's address: status %d, want 403 as before", resp.StatusCode)
	}
	if log := s.log.String(); strings.Contains(log, "healthz") || strings.Contains(log, "readyz") {
		t.Errorf("the log has probes:\n%s", log)
	}
}

// Neither a dead provider with an open breaker nor a broken configuration file makes the program unready.
func TestTroubleOfOthersIsNoTroubleOfProbes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trysail.yaml")
	const good = "preset: simple\noperations:\n  chat: {policy: {retry: {attempts: 1}, breaker: {failure_threshold: 1}}}\n"
	write(t, path, good)
	s := serve(t, "TRYSAIL_CONFIG="+path, "OPENAI_BASE_URL=http://127.0.0.1:1/v1")
	if resp, _ := s.send("POST", "/v1/chat/completions", completionBody); resp.StatusCode < 500 {
		t.Fatalf("a dead provider: status %d", resp.StatusCode)
	}
	if _, body := s.send("GET", "/internal/resilience/circuit-breakers", ""); !strings.Contains(body, `"state":"open"`) {
		t.Fatalf("no breaker is open: %s", body)
	}
	if err := os.WriteFile(path, []byte("preset: [nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.log.await(t, `"msg":"configuration file"`)
	for _, path := range []string{"/healthz", "/readyz"} {
		if resp, body := s.send("GET", path, ""); resp.StatusCode != 200 {
			t.Errorf("%s: status %d %q, want 200", path, resp.StatusCode, body)
		}
	}
}

// Told to stop, the program says so at once, and goes on serving for those who have not heard it yet.
func TestUnreadyBeforeItStops(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			s := serve(t, "TRYSAIL_SHUTDOWN_DELAY=59m")
			if err := s.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			s.log.await(t, `"msg":"stopping","accepting_for":"59m0s"`)
			if resp, body := s.send("GET", "/readyz", ""); resp.StatusCode != 503 || body != "stopping\n" || !resp.Close {
				t.Errorf("/readyz: status %d %q, connection closed: %t; want 503 stopping and closed", resp.StatusCode, body, resp.Close)
			}
			if resp, body := s.send("GET", "/healthz", ""); resp.StatusCode != 200 {
				t.Errorf("/healthz: status %d %q, want 200", resp.StatusCode, body)
			}
			if resp, body := s.send("POST", "/v1/chat/completions", completionBody); resp.StatusCode != 200 {
				t.Errorf("a completion: status %d, want 200\n%s", resp.StatusCode, body)
			}
		})
	}
}

// When the delay is over the program stops as it does without one.
func TestStopsAfterTheDelay(t *testing.T) {
	s := serve(t, "TRYSAIL_SHUTDOWN_DELAY=50ms")
	began := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, s.log)
	}
	if took := time.Since(began); took < 50*time.Millisecond {
		t.Errorf("it stopped after %v, want 50ms or more", took)
	}
}
