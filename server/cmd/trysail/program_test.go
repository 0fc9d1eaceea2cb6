package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test binary behave as the program: tests start it as a
// process of its own, with real signals and exit codes.
const asProgram = "TRYSAIL_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// command returns the program with those arguments. Its environment is empty but for what is given.
func command(t *testing.T, args []string, env ...string) *exec.Cmd {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), executable, args...)
	// The race detector has every process sleep for a second when it ends, in case another goroutine is about to report a race.
	cmd.Env = append([]string{asProgram + "=1", "GOCOVERDIR=" + t.TempDir(), "GORACE=atexit_sleep_ms=10"}, env...)
	cmd.Dir = t.TempDir()
	return cmd
}

// A served program is under way.
type served struct {
	t   *testing.T
	cmd *exec.Cmd
	url string
	log *logBuffer
}

// serve starts the program on a free port and waits until it listens.
func serve(t *testing.T, env ...string) *served {
	t.Helper()
	return serveOn(t, "127.0.0.1:0", env...)
}

// serveOn is serve on an address.
func serveOn(t *testing.T, address string, env ...string) *served {
	t.Helper()
	cmd := command(t, []string{"serve", "--addr", address, "--log-format", "json"}, env...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &served{t: t, cmd: cmd, log: &logBuffer{}}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		s.log.add(lines.Text())
		var entry struct{ Msg, URL string }
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Msg == "listening" {
			s.url = entry.URL
			go s.log.follow(lines)
			return s
		}
	}
	t.Fatalf("it did not begin to listen:\n%s", s.log)
	return nil
}

// logBuffer holds what a program logged.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.WriteString(line + "\n")
}

func (l *logBuffer) follow(lines *bufio.Scanner) {
	for lines.Scan() {
		l.add(lines.Text())
	}
}

// await waits until the log holds text.
func (l *logBuffer) await(t *testing.T, text string) {
	t.Helper()
	patience := time.Now().Add(time.Minute)
	for tick := time.Tick(5 * time.Millisecond); !strings.Contains(l.String(), text); <-tick {
		if t.Context().Err() != nil || time.Now().After(patience) {
			t.Fatalf("the log lacks %s:\n%s", text, l)
		}
	}
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// send makes a request and returns the answer with its body read.
func (s *served) send(method, path, body string, headers ...string) (*http.Response, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	client := &http.Client{Timeout: 20 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatalf("%s %s: %v\n%s", method, path, err, s.log)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp, string(text)
}

func TestExitCodes(t *testing.T) {
	taken := serve(t)
	for name, tc := range map[string]struct {
		args []string
		env  []string
		code int
		want string // in what it prints
	}{
		"version":                   {[]string{"version"}, nil, 0, "trysail devel"},
		"help":                      {[]string{"--help"}, nil, 0, "Keeps AI calls working"},
		"help of serve":             {[]string{"serve", "--help"}, nil, 0, "TRYSAIL_ADDR"},
		"no command":                {nil, nil, 2, `expected one of "serve", "demo", "config"`},
		"an unknown command":        {[]string{"sail"}, nil, 2, "unexpected argument sail"},
		"an unknown flag":           {[]string{"serve", "--bogus"}, nil, 2, "unknown flag --bogus"},
		"a port that is none":       {[]string{"serve", "--addr", "127.0.0.1:99999"}, nil, 2, `port is "99999", want a number from 0 to 65535`},
		"an address without a port": {[]string{"serve"}, []string{"TRYSAIL_ADDR=localhost"}, 2, "want host:port, such as 127.0.0.1:8000"},
		"a port in use":             {[]string{"serve", "--addr", strings.TrimPrefix(taken.url, "http://")}, nil, 1, "is in use: stop the program that has it"},
		"open to others, no key":    {[]string{"serve", "--addr", "0.0.0.0:0"}, nil, 2, "no API key is set"},
		"production, no key":        {[]string{"serve", "--addr", "127.0.0.1:0"}, []string{"ENVIRONMENT=prod"}, 2, "production environment (ENVIRONMENT=prod)"},
		"an unknown preset": {
			[]string{"serve", "--addr", "127.0.0.1:0"},
			[]string{"RESILIENCE_PRESET=prod"},
			2, "Invalid preset 'prod'. Available: ['simple', 'development', 'production']",
		},
		"an unknown level":          {[]string{"serve"}, []string{"LOG_LEVEL=loud"}, 2, "want DEBUG, INFO, WARNING, ERROR or CRITICAL"},
		"a limit that is none":      {[]string{"serve", "--idle-timeout", "0s"}, nil, 2, "idle-timeout is 0s"},
		"a bad variable":            {[]string{"serve"}, []string{"TRYSAIL_IDLE_TIMEOUT=abc"}, 2, "TRYSAIL_IDLE_TIMEOUT"},
		"a share over one":          {[]string{"serve", "--simulate-fault-rate", "1.5"}, nil, 2, "simulate-fault-rate is 1.5, want 0 to 1"},
		"a provider that is no URL": {[]string{"serve", "--addr", "127.0.0.1:0"}, []string{"OPENAI_BASE_URL=ftp://x"}, 2, `OPENAI_BASE_URL: found "ftp://x"`},
		"a key nobody could send":   {[]string{"serve", "--addr", "127.0.0.1:0"}, []string{"API_KEY=two words"}, 2, "holds a space or a control character"},
		"a demo in a hurry":         {[]string{"demo", "--rate", "0"}, nil, 2, "0.1 to 100"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := command(t, tc.args, tc.env...).CombinedOutput()
			code := 0
			if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // Run returns it as it is
				code = exit.ExitCode()
			}
			if code != tc.code || !strings.Contains(string(out), tc.want) {
				t.Errorf("exit code %d, want %d with %q in:\n%s", code, tc.code, tc.want, out)
			}
			if strings.Contains(string(out), "two words") || strings.Contains(string(out), "goroutine") {
				t.Errorf("it prints a secret or a stack:\n%s", out)
			}
		})
	}
}

const completionBody = `{"model":"m-1","messages":[{"role":"user","content":"Is the wind fair?"}]}`

// The way of issue 1: a completion, retries, a breaker that opens, the internal API
// that shows it, a reset that closes it.
func TestWholeSlice(t *testing.T) {
	s := serve(t, "API_KEY=secret", "RESILIENCE_PRESET=development")
	key := []string{"X-API-Key", "secret"}

	resp, body := s.send("POST", "/v1/chat/completions", completionBody)
	if resp.StatusCode != 200 || !strings.Contains(body, `"usage"`) {
		t.Fatalf("a completion: status %d\n%s", resp.StatusCode, body)
	}
	resp, _ = s.send("POST", "/v1/chat/completions", completionBody, "X-Trysail-Simulate", "500,ok")
	if resp.StatusCode != 200 || resp.Header.Get("X-Trysail-Attempts") != "2" {
		t.Errorf("500,ok: status %d after %s attempts, want 200 after 2", resp.StatusCode, resp.Header.Get("X-Trysail-Attempts"))
	}
	var failures sync.WaitGroup
	for range 3 {
		failures.Go(func() { s.send("POST", "/v1/chat/completions", completionBody, "X-Trysail-Simulate", "500") })
	}
	failures.Wait()
	resp, body = s.send("POST", "/v1/chat/completions", completionBody)
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || !strings.Contains(body, "circuit_breaker_open") {
		t.Errorf("after three failed calls: status %d\n%s", resp.StatusCode, body)
	}
	if resp, body = s.send("GET", "/internal/resilience/circuit-breakers", "", key...); !strings.Contains(body, `"state":"open"`) {
		t.Errorf("the internal API does not show it: status %d\n%s", resp.StatusCode, body)
	}
	if resp, body = s.send("GET", "/internal/resilience/health", ""); !strings.Contains(body, `"status":"degraded"`) {
		t.Errorf("health: status %d\n%s", resp.StatusCode, body)
	}
	if resp, _ = s.send("GET", "/internal/resilience/circuit-breakers", "", "X-API-Key", "wrong"); resp.StatusCode != 401 {
		t.Errorf("with a wrong key: status %d, want 401", resp.StatusCode)
	}
	if _, body = s.send("POST", "/internal/resilience/circuit-breakers/chat/reset", "", key...); !strings.Contains(body, `"new_state":"closed"`) {
		t.Errorf("reset: %s", body)
	}
	if resp, _ = s.send("POST", "/v1/chat/completions", completionBody); resp.StatusCode != 200 {
		t.Errorf("after the reset: status %d, want 200", resp.StatusCode)
	}
	for _, want := range []string{`"to":"open"`, `"reason":"3 calls in a row failed"`, `"msg":"request"`} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, s.log)
		}
	}
	if strings.Contains(s.log.String(), "secret") {
		t.Errorf("the log holds the key:\n%s", s.log)
	}
}

func TestWithoutAKeyOnlyThisMachineIsServed(t *testing.T) {
	s := serve(t)
	for name, tc := range map[string]struct {
		headers []string
		status  int
	}{
		"as it is":                 {nil, 200},
		"by name":                  {[]string{"Host", "localhost:8000"}, 200},
		"by the IPv6 address":      {[]string{"Host", "[::1]:8000"}, 200},
		"by a name of others":      {[]string{"Host", "evil.example"}, 403},
		"by a look-alike":          {[]string{"Host", "localhost.evil.example"}, 403},
		"from a page of others":    {[]string{"Origin", "https://evil.example"}, 403},
		"from a page of our own":   {[]string{"Origin", "http://localhost:3000"}, 200},
		"from a page of nowhere":   {[]string{"Origin", "null"}, 403},
		"with any key, as it were": {[]string{"X-API-Key", "any"}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/internal/resilience/health", "/v1/models"} {
				if resp, body := s.send("GET", path, "", tc.headers...); resp.StatusCode != tc.status {
					t.Errorf("%s: status %d, want %d\n%s", path, resp.StatusCode, tc.status, body)
				}
			}
		})
	}
}

// With a key the gateway still needs none on a loopback address, so a web page must not get at it.
func TestWithAKeyOnlyItsHoldersMayUseOtherNames(t *testing.T) {
	s := serve(t, "API_KEY=secret")
	for name, tc := range map[string]struct {
		headers []string
		status  int
	}{
		"as it is":                       {nil, 200},
		"by a name of others":            {[]string{"Host", "evil.example"}, 403},
		"by a name of others, with key":  {[]string{"Host", "proxy.example", "Authorization", "Bearer secret"}, 200},
		"from a page of others":          {[]string{"Origin", "http://evil.example"}, 403},
		"by a name of others, wrong key": {[]string{"Host", "evil.example", "X-API-Key", "guess"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			if resp, body := s.send("GET", "/v1/models", "", tc.headers...); resp.StatusCode != tc.status {
				t.Errorf("status %d, want %d\n%s", resp.StatusCode, tc.status, body)
			}
		})
	}
}

func TestPathsOfNobody(t *testing.T) {
	s := serve(t)
	for _, path := range []string{
		"/", "/nothing", "/internal/nothing", "/internalx", "/internal", "/internal/",
		"/internal/resilience/./health", "/internal/resilience/circuit-breakers/.", "/v1/../internal/resilience/health", "/v1//models", "//internal/resilience/health",
	} {
		resp, body := s.send("GET", path, "")
		if resp.StatusCode != 404 || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: status %d, %s\n%s", path, resp.StatusCode, resp.Header.Get("Content-Type"), body)
		}
	}
	for _, path := range []string{"/v1", "/v1/", "/v1/nothing"} {
		if resp, body := s.send("GET", path, ""); resp.StatusCode != 404 || !strings.Contains(body, `{"error":{`) {
			t.Errorf("%s: status %d\n%s", path, resp.StatusCode, body)
		}
	}
}

// stream starts a streamed completion and waits for its first bytes. The rest of it, or
// how it failed, comes through the channel.
func (s *served) stream() <-chan string {
	s.t.Helper()
	body := strings.Replace(completionBody, `"model"`, `"stream":true,"model"`, 1)
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := (&http.Client{Timeout: 30 * time.Second}).Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 1)); err != nil {
		s.t.Fatal(err)
	}
	rest := make(chan string, 1)
	go func() {
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			text = append(text, err.Error()...)
		}
		rest <- string(text)
	}()
	return rest
}

// A stream that is under way when the program is told to stop comes to its end.
func TestStopsInGoodOrder(t *testing.T) {
	s := serve(t, "TRYSAIL_SIMULATE_TOKEN_DELAY=20ms", "TRYSAIL_SHUTDOWN_TIMEOUT=20s")
	stream := s.stream()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if rest := <-stream; !strings.HasSuffix(rest, "data: [DONE]\n\n") {
		t.Errorf("the stream ended with %q", rest[max(0, len(rest)-100):])
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, s.log)
	}
}

func TestCutsWhatTakesTooLongToStop(t *testing.T) {
	for name, tc := range map[string]struct {
		timeout string
		signals int
	}{
		"the time is up":  {"200ms", 1},
		"a second signal": {"59m", 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, "TRYSAIL_SIMULATE_TOKEN_DELAY=10s", "TRYSAIL_SHUTDOWN_TIMEOUT="+tc.timeout)
			stream := s.stream()
			for range tc.signals {
				if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
				s.log.await(t, `"msg":"stopping"`)
			}
			rest := <-stream
			if strings.Contains(rest, "[DONE]") {
				t.Errorf("the stream claims to be complete: %q", rest)
			}
			if tc.signals == 1 {
				if !strings.Contains(rest, "stream_interrupted") {
					t.Errorf("the client was not told: %q", rest)
				}
				s.log.await(t, `"outcome":"stopped"`)
			}
			if err := s.cmd.Wait(); err == nil {
				t.Error("it ended with exit code 0, want another one, since a request was cut off")
			}
		})
	}
}

func TestDemo(t *testing.T) {
	cmd := command(t, []string{"demo", "--addr", "127.0.0.1:0", "--duration", "3s", "--rate", "20"})
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"--- healthy for 15s", "answered", "breaker closed", "calls:"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the demo does not print %q:\n%s", want, out)
		}
	}
}
