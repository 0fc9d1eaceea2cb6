package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// A recorded answer is a golden file of the API: what the real handler said.
type recorded struct {
	Status int             `json:"status"`
	Header http.Header     `json:"header"`
	Body   json.RawMessage `json:"body"`
}

func recording(t *testing.T, name string) recorded {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "api", "testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var r recorded
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	var lines []string // of what is no JSON
	if strings.HasPrefix(r.Header.Get("Content-Type"), "text/") || strings.Contains(r.Header.Get("Content-Type"), "ndjson") {
		if err := json.Unmarshal(r.Body, &lines); err != nil {
			t.Fatal(err)
		}
		r.Body = json.RawMessage(strings.Join(lines, ""))
	}
	return r
}

// ServeHTTP implements [http.Handler]. What begins with X- and is no header of every answer came as a trailer.
func (r recorded) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	for name, values := range r.Header {
		if name == "X-Record-Count" || name == "X-Missed-Count" {
			name = http.TrailerPrefix + name
		}
		w.Header()[name] = values
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body)
}

// A listener answers and remembers what it was asked.
type listener struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func listenFor(t *testing.T, answer http.Handler) *listener {
	t.Helper()
	l := &listener{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		l.mu.Lock()
		l.asked = append(l.asked, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, body)))
		l.mu.Unlock()
		answer.ServeHTTP(w, r)
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *listener) requests() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.asked, "\n")
}

// ask runs a command line against an answer of the API.
func (l *listener) ask(t *testing.T, args []string, env ...string) outcome {
	t.Helper()
	return try{args: args, env: append([]string{"TRYSAIL_SERVER=" + l.URL}, env...)}.run(t)
}

// compareGolden compares what a command did with a file in testdata.
func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; -update writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// clientTables are command lines, each with the golden file of the API that is the answer.
func clientTables() map[string]struct {
	args   []string
	answer string
	code   int
} {
	return map[string]struct {
		args   []string
		answer string
		code   int
	}{
		"breakers":                  {[]string{"breakers"}, "breakers", 0},
		"breakers_none":             {[]string{"breakers", "list"}, "empty_breakers", 0},
		"breakers_show":             {[]string{"breakers", "show", "half-open"}, "breaker_half-open", 0},
		"breakers_show_open":        {[]string{"breakers", "show", "open"}, "breaker_open", 0},
		"breakers_show_odd_name":    {[]string{"breakers", "show", "../a b/%?ü"}, "breaker_closed", 0},
		"breakers_show_two_dots":    {[]string{"breakers", "show", ".."}, "breaker_closed", 0},
		"breakers_show_unknown":     {[]string{"breakers", "show", "nobody"}, "breaker_unknown", 2},
		"breakers_reset":            {[]string{"breakers", "reset", "open"}, "reset", 0},
		"breakers_force_open":       {[]string{"breakers", "force-open", "good", "--reason", "maintenance", "--for", "1h"}, "force_open", 0},
		"breakers_disable":          {[]string{"breakers", "disable", "good", "--reason", "maintenance"}, "disable", 0},
		"breakers_metrics_only":     {[]string{"breakers", "metrics-only", "good", "--reason", "trial"}, "metrics_only", 0},
		"breakers_close":            {[]string{"breakers", "close", "good", "--reason", "it is back"}, "close", 0},
		"gateway_targets":           {[]string{"gateway", "targets"}, "gateway_targets", 0},
		"gateway_usage":             {[]string{"gateway", "usage"}, "gateway_usage", 0},
		"gateway_drain":             {[]string{"gateway", "drain", "well", "--reason", "maintenance"}, "drain", 0},
		"gateway_undrain":           {[]string{"gateway", "undrain", "well", "--reason", "it is back"}, "undrain", 0},
		"gateway_drain_unknown":     {[]string{"gateway", "drain", "../nobody", "--reason", "x"}, "drain_of_an_unknown_target", 2},
		"gateway_undrain_filed":     {[]string{"gateway", "undrain", "away", "--reason", "x"}, "undrain_of_what_is_configured", 1},
		"breakers_without_a_key":    {[]string{"breakers"}, "breakers_without_a_key", 2},
		"monitor":                   {[]string{"monitor", "--hours", "48"}, "usage_statistics", 0},
		"monitor_alerts":            {[]string{"monitor", "alerts", "--level", "error", "--max", "7"}, "alerts", 0},
		"monitor_alerts_none":       {[]string{"monitor", "alerts"}, "unused_alerts", 0},
		"monitor_alerts_cut":        {[]string{"monitor", "alerts", "--max", "1"}, "alerts_that_are_cut", 0},
		"monitor_alerts_bad_level":  {[]string{"monitor", "alerts", "--level", "loud"}, "alerts_of_an_unknown_level", 2},
		"monitor_export":            {[]string{"monitor", "export", "--hours", "2"}, "export_stream", 0},
		"monitor_export_ndjson":     {[]string{"monitor", "export", "--format", "ndjson"}, "export_stream", 0},
		"monitor_export_csv":        {[]string{"monitor", "export", "--format", "csv"}, "export_stream_as_CSV", 0},
		"monitor_export_too_many":   {[]string{"monitor", "export", "--hours", "721"}, "export_of_too_many_hours", 2},
		"api_get":                   {[]string{"api", "get", "circuit-breakers/open"}, "breaker_open", 0},
		"api_get_yaml":              {[]string{"api", "get", "/internal/resilience/circuit-breakers/open", "-o", "yaml"}, "breaker_open", 0},
		"api_get_stream":            {[]string{"api", "get", "/monitoring/export?format=csv", "-q", "stream=true", "-q", "x=a=b&c"}, "export_stream_as_CSV", 0},
		"api_get_odd_path":          {[]string{"api", "get", "/circuit-breakers/a b%2Fc"}, "breaker_closed", 0},
		"api_post":                  {[]string{"api", "post", "/circuit-breakers/open/reset"}, "reset", 0},
		"api_post_data":             {[]string{"api", "post", "/circuit-breakers/good/force-open", "-d", `{"reason":"maintenance"}`}, "force_open", 0},
		"api_post_without_a_reason": {[]string{"api", "post", "/circuit-breakers/good/force-open", "-d", "{}"}, "force_open_without_a_reason", 2},
	}
}

// What a command sends, and the table that it makes of what the real handler answers.
func TestTablesOfClients(t *testing.T) {
	for name, tc := range clientTables() {
		t.Run(name, func(t *testing.T) {
			l := listenFor(t, recording(t, tc.answer))
			got := l.ask(t, tc.args)
			if got.code != tc.code {
				t.Errorf("exit code %d, want %d\n%s", got.code, tc.code, got.stderr)
			}
			compareGolden(t, name, fmt.Sprintf("%s\n--- exit code %d\n%s--- errors\n%s", l.requests(), got.code, got.stdout, got.stderr))
		})
	}
}

// JSON is the server's own, with every number and in its order; YAML says the same.
func TestJSONOfClientsIsTheServers(t *testing.T) {
	for name, tc := range clientTables() {
		if tc.code != 0 || strings.Contains(name, "export") || strings.HasPrefix(name, "api") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			want := recording(t, tc.answer)
			l := listenFor(t, want)
			args := tc.args[:len(tc.args):len(tc.args)]
			got := l.ask(t, append(args, "--output", "json"))
			var a, b bytes.Buffer
			if err := json.Compact(&a, want.Body); err != nil {
				t.Fatal(err)
			}
			if err := json.Compact(&b, []byte(got.stdout)); err != nil {
				t.Fatalf("%v\n%s%s", err, got.stdout, got.stderr)
			}
			if diff := cmp.Diff(a.String(), b.String()); diff != "" {
				t.Errorf("JSON is not the server's:\n%s", diff)
			}
			var fromJSON, fromYAML any
			if err := json.Unmarshal(want.Body, &fromJSON); err != nil {
				t.Fatal(err)
			}
			said := l.ask(t, append(args, "--output", "yaml")).stdout
			if err := yaml.Unmarshal([]byte(said), &fromYAML); err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			if diff := cmp.Diff(fromJSON, plainNumbers(fromYAML)); diff != "" {
				t.Errorf("YAML says other than JSON:\n%s", diff)
			}
		})
	}
}

// A row that is not as usual has a colour, and only where there are colours.
func TestColouredTable(t *testing.T) {
	for _, colours := range []bool{true, false} {
		s := &page{colours: colours}
		s.colouredTable([]string{"A", "B"}, [][]string{{"one", "x\x1b[2J"}, {"two", "y"}}, []colour{red, 0})
		want := "A    B\none  x\ufffd[2J\ntwo  y\n"
		if colours {
			want = "\x1b[1mA    B\x1b[0m\n\x1b[31mone  x\ufffd[2J\x1b[0m\ntwo  y\n"
		}
		if got := string(s.bytes()); got != want {
			t.Errorf("with colours %t: %q, want %q", colours, got, want)
		}
	}
}

// An operator trips a breaker of the real program, looks, acts and exports.
func TestOperatorAtTheRealProgram(t *testing.T) {
	s := serve(t, "API_KEY=secret", "READ_ONLY_API_KEYS=reader", "RESILIENCE_PRESET=development")
	run := func(key string, args ...string) outcome {
		t.Helper()
		return try{args: args, env: []string{"TRYSAIL_SERVER=" + s.url, "API_KEY=" + key}}.run(t)
	}
	var failures sync.WaitGroup
	for range 3 {
		failures.Go(func() { s.send("POST", "/v1/chat/completions", completionBody, "X-Trysail-Simulate", "500") })
	}
	failures.Wait()
	for _, step := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"breakers"}, 0, "3 calls in a row failed"},
		{[]string{"breakers", "force-open", "chat", "--reason", "a drill", "--for", "10m"}, 0, "chat: open -> forced-open, until 2"},
		{[]string{"breakers"}, 0, "forced-open"},
		{[]string{"breakers", "show", "chat"}, 0, "a drill (by 127.0.0.1)"},
		{[]string{"breakers", "metrics-only", "chat", "--reason", "a trial"}, 0, "chat: forced-open -> metrics-only"},
		{[]string{"breakers", "disable", "chat", "--reason", "no more"}, 0, "chat: metrics-only -> disabled"},
		{[]string{"breakers", "close", "chat", "--reason", "over"}, 0, "chat: disabled -> closed"},
		{[]string{"breakers", "reset", "chat"}, 0, "chat: closed -> closed"},
		{[]string{"api", "get", "/operations/chat/explain"}, 0, `"decisions"`},
		{[]string{"api", "get", "/internal/openapi.json"}, 0, `"openapi": "3.1.0"`},
		{[]string{"api", "post", "/config/validate", "-d", `{"configuration": {"retry_attempts": 30}}`}, 3, `"is_valid": false`},
		{[]string{"monitor", "export", "--format", "csv"}, 0, "breaker_transition"},
		{[]string{"health"}, 0, "ready"},
	} {
		if got := run("secret", step.args...); got.code != step.code || !strings.Contains(got.stdout, step.want) {
			t.Errorf("%q: exit code %d, want %d and %q in\n%s%s", step.args, got.code, step.code, step.want, got.stdout, got.stderr)
		}
	}
	for key, want := range map[string]string{
		"":       "no key was sent: set TRYSAIL_API_KEY or API_KEY, or name its file with --api-key-file",
		"guess":  "the key came from API_KEY",
		"reader": "the key came from API_KEY",
	} {
		got := run(key, "breakers", "reset", "chat")
		if got.code != exitUsage || !strings.Contains(got.stderr, want) || key != "" && strings.Contains(got.stderr, key) {
			t.Errorf("reset with the key %q: exit code %d, want 2 and %q in\n%s", key, got.code, want, got.stderr)
		}
	}
	if got := run("reader", "breakers"); got.code != 0 {
		t.Errorf("a reader lists: exit code %d\n%s", got.code, got.stderr)
	}
}

// The command that follows events ends well when it is told to, and so does one that waits; the latter says so.
func TestClientsEndWhenToldTo(t *testing.T) {
	s := serve(t)
	silent := listenFor(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	for name, tc := range map[string]struct {
		args   []string
		server string
		code   int
		stderr string
	}{
		"events":       {[]string{"api", "get", "/events"}, s.url, 0, ""},
		"a lost cause": {[]string{"breakers"}, silent.URL, 1, "interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := command(t, tc.args, "TRYSAIL_SERVER="+tc.server)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if tc.code == 0 {
				if _, err := io.ReadFull(stdout, make([]byte, len("retry:"))); err != nil {
					t.Fatal(err)
				}
			} else {
				awaitRequest(t, silent)
			}
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, stdout)
			if code := exitCode(t, cmd.Wait()); code != tc.code || !strings.Contains(stderr.String(), tc.stderr) || tc.stderr == "" && stderr.Len() > 0 {
				t.Errorf("exit code %d, want %d and %q in %q", code, tc.code, tc.stderr, &stderr)
			}
		})
	}
}
