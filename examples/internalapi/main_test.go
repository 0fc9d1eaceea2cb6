package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// start runs the program on a free port. It returns its base URL, and a function that ends it and returns what run did.
func start(t *testing.T, env map[string]string) (base string, end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	log, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
		err := run(ctx, []string{"127.0.0.1:0"}, lookup, out)
		_ = out.Close()
		ended <- err
	}()
	first := make([]byte, 4096)
	n, err := log.Read(first)
	if err != nil {
		cancel()
		t.Fatalf("it did not begin: %v, %v", err, <-ended)
	}
	go func() { _, _ = io.Copy(io.Discard, log) }()
	_, rest, _ := strings.Cut(string(first[:n]), "url=")
	end = func() error { cancel(); return <-ended }
	t.Cleanup(cancel)
	return strings.TrimSpace(rest), end
}

// send returns the status and the body of an answer.
func send(t *testing.T, method, url, key string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", key)
	resp, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestOperatorsSeeAndSteerTheProgramsOwnCalls has the program's calls fail until its breaker opens, and resets that.
func TestOperatorsSeeAndSteerTheProgramsOwnCalls(t *testing.T) {
	base, end := start(t, map[string]string{"API_KEY": "sesame", "RESILIENCE_CUSTOM_CONFIG": `{"retry_attempts": 1, "circuit_breaker_threshold": 2}`})
	internal := base + "/internal/resilience"
	breaker := func() (state string) {
		_, body := send(t, "GET", internal+"/circuit-breakers/forecast", "sesame")
		var view struct{ State string }
		if err := json.Unmarshal([]byte(body), &view); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		return view.State
	}

	if status, body := send(t, "GET", base+"/forecast?sea=Biscay", ""); status != 200 || !strings.Contains(body, "Biscay: southwest") {
		t.Errorf("a forecast: status %d, %s", status, body)
	}
	if state := breaker(); state != "closed" {
		t.Errorf("the breaker is %s, want closed", state)
	}
	for _, query := range []string{"", "", "?sea=Tethys", "?sea=Tethys"} { // the first two are the caller's fault, and do not count
		if state := breaker(); state != "closed" {
			t.Errorf("the breaker is %s before %q, want closed", state, query)
		}
		if status, _ := send(t, "GET", base+"/forecast"+query, ""); status != http.StatusBadGateway {
			t.Errorf("%q: status %d, want 502", query, status)
		}
	}
	if state := breaker(); state != "open" {
		t.Errorf("the breaker is %s after two failures, want open", state)
	}
	if status, _ := send(t, "GET", base+"/forecast?sea=Biscay", ""); status != http.StatusServiceUnavailable {
		t.Errorf("with an open breaker: status %d, want 503", status)
	}
	if status, body := send(t, "POST", internal+"/circuit-breakers/forecast/reset", "guess"); status != http.StatusUnauthorized {
		t.Errorf("a reset with a wrong key: status %d, want 401: %s", status, body)
	}
	if status, body := send(t, "POST", internal+"/circuit-breakers/forecast/reset", "sesame"); status != 200 {
		t.Errorf("a reset: status %d: %s", status, body)
	}
	if status, _ := send(t, "GET", base+"/forecast?sea=Biscay", ""); status != 200 {
		t.Errorf("after the reset: status %d, want 200", status)
	}
	if status, body := send(t, "GET", internal+"/config", "sesame"); status != 200 || !strings.Contains(body, `"config_version":1`) {
		t.Errorf("the configuration: status %d: %s", status, body)
	}
	if status, body := send(t, "GET", base+"/internal/docs", ""); status != 200 || !strings.Contains(body, "Swagger UI") {
		t.Errorf("the documentation: status %d: %s", status, body)
	}
	if err := end(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// TestEndsWhileSomebodyFollowsEvents sees that a stream, which has no end of its own, does not hold the program up.
func TestEndsWhileSomebodyFollowsEvents(t *testing.T) {
	base, end := start(t, map[string]string{"API_KEY": "sesame"})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/internal/resilience/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", "sesame")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := end(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("the stream ended with %v, want its end", err)
	}
}

func TestRefusesToStart(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		env  map[string]string
		want string
	}{
		"without an address":    {nil, map[string]string{"API_KEY": "sesame"}, "want one argument"},
		"without a key":         {[]string{"127.0.0.1:0"}, nil, "API_KEY is not set"},
		"with an unusable key":  {[]string{"127.0.0.1:0"}, map[string]string{"API_KEY": "two words"}, "holds a space"},
		"with a preset unknown": {[]string{"127.0.0.1:0"}, map[string]string{"API_KEY": "sesame", "RESILIENCE_PRESET": "prod"}, "Invalid preset 'prod'"},
		"with a bad address":    {[]string{"127.0.0.1:99999"}, map[string]string{"API_KEY": "sesame"}, "invalid port"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), tc.args, func(key string) (string, bool) { v, ok := tc.env[key]; return v, ok }, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("run = %v, want an error with %q", err, tc.want)
			}
		})
	}
}
