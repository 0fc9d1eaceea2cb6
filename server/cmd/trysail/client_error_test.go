package main

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// awaitRequest waits until somebody has asked.
func awaitRequest(t *testing.T, l *listener) {
	t.Helper()
	patience := time.Now().Add(time.Minute)
	for tick := time.Tick(5 * time.Millisecond); l.requests() == ""; <-tick {
		if t.Context().Err() != nil || time.Now().After(patience) {
			t.Fatal("nobody has asked")
		}
	}
}

// says answers with that status, type and text, and with further headers in pairs.
func says(status int, contentType, text string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// A problem that a server answers is read, and a server that is none is called so.
func TestAnswersThatAreNoGood(t *testing.T) {
	const problem, html = "application/problem+json", "text/html"
	breaksOff := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"circuit_breakers":`)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		code   int
		want   []string
	}{
		"a fault with values": {
			says(422, problem, `{"detail":"Not so.","errors":[{"location":"body.x","message":"known are","value":["a","b",3]},{"location":"body.y","message":"missing"}]}`, "X-Request-Id", "r-7"),
			2,
			[]string{"422 Unprocessable Entity: Not so.\n  body.x: known are: a, b, 3\n  body.y: missing\n  request id: r-7\n"},
		},
		"too often":        {says(429, problem, `{"detail":"Rate limit exceeded; try again in 7 s"}`, "Retry-After", "7"), 1, []string{"try again in 7 s"}},
		"busy":             {says(503, problem, `{"detail":"2 benchmarks are running already"}`, "Retry-After", "5"), 1, []string{"running already", "try again in 5 s"}},
		"a failure":        {says(500, problem, `{"detail":"Internal error"}`, "X-Request-Id", "r-8"), 1, []string{"500 Internal Server Error: Internal error", "request id: r-8"}},
		"a conflict":       {says(409, problem, `{"detail":"Somebody was faster"}`), 1, []string{"Somebody was faster"}},
		"control":          {says(404, problem, `{"detail":"\u001b[31mred\u0007"}`), 2, []string{"\ufffd[31mred\ufffd"}},
		"a problem broken": {says(500, problem, `{"detail`), 1, []string{"500 Internal Server Error"}},
		"a page":           {says(200, html, "<html>hello</html>"), 1, []string{`the answer is "text/html", want JSON: is that a Trysail server?`}},
		"a page not found": {says(404, html, "<html>lost</html>"), 2, []string{"404 Not Found\n", "no Trysail server answers like that: see --server and TRYSAIL_SERVER"}},
		"a text":           {says(502, "text/plain", "upstream is down\nreally"), 1, []string{"502 Bad Gateway: upstream is down\n"}},
		"a redirect":       {says(302, html, "", "Location", "https://other.example/x"), 1, []string{"it points to https://other.example/x: if that is the server, name it with --server"}},
		"another shape":    {says(200, "application/json", `{"circuit_breakers": []}`), 1, []string{"not what this version of trysail knows; trysail api shows it as it is"}},
		"no JSON at all":   {says(200, "application/json", `nonsense`), 1, []string{"not what this version of trysail knows"}},
		"broken off":       {breaksOff, 1, []string{"the server broke off, and the answer is not complete"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := listenFor(t, tc.answer)
			l.Config.ErrorLog = nil
			got := l.ask(t, []string{"breakers"})
			for _, want := range tc.want {
				if got.code != tc.code || !strings.Contains(got.stderr, want) || got.stdout != "" {
					t.Errorf("exit code %d, want %d and %q in\n%s%s", got.code, tc.code, want, got.stderr, got.stdout)
				}
			}
			if strings.ContainsAny(got.stderr, "\x1b\x07") || strings.Contains(got.stderr, "goroutine") {
				t.Errorf("it prints control characters or a stack: %q", got.stderr)
			}
			if n := strings.Count(l.requests(), "GET"); n != 1 {
				t.Errorf("it asked %d times, want once, and no redirect followed", n)
			}
		})
	}
}

// What cannot be reached, and settings that are no good.
func TestServersThatCannotBeReached(t *testing.T) {
	silent := listenFor(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	halfway := listenFor(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	plain := listenFor(t, recording(t, "breakers"))
	secure := httptest.NewUnstartedServer(recording(t, "breakers"))
	secure.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	secure.StartTLS()
	t.Cleanup(secure.Close)
	for name, tc := range map[string]struct {
		args []string
		env  []string
		code int
		want string
	}{
		"nobody there":              {nil, []string{"TRYSAIL_SERVER=http://127.0.0.1:1"}, 1, "no server answers at http://127.0.0.1:1: start one with trysail serve, or name another with --server or TRYSAIL_SERVER"},
		"nobody where serve is":     {nil, []string{"TRYSAIL_ADDR=0.0.0.0:1"}, 1, "no server answers at http://127.0.0.1:1:"},
		"nobody at any address":     {nil, []string{"TRYSAIL_ADDR=:1"}, 1, "no server answers at http://127.0.0.1:1:"},
		"a name of nobody":          {[]string{"--server", "nobody.invalid"}, nil, 1, "cannot find nobody.invalid (--server, TRYSAIL_SERVER)"},
		"silent":                    {[]string{"--server", silent.URL, "--timeout", "50ms"}, nil, 1, "the server said nothing for 50ms (--timeout)"},
		"silent halfway":            {[]string{"--server", halfway.URL, "--timeout", "50ms"}, nil, 1, "the server said nothing for 50ms (--timeout)"},
		"TLS where there is none":   {[]string{"--server", strings.Replace(plain.URL, "http", "https", 1)}, nil, 1, "speaks no TLS: try http instead of https"},
		"a certificate of its own":  {[]string{"--server", secure.URL}, nil, 1, "cannot be trusted (SSL_CERT_FILE names a file of further authorities)"},
		"a server that is none":     {[]string{"--server", "ftp://x"}, nil, 2, "want a URL such as http://127.0.0.1:8000"},
		"a server with a query":     {[]string{"--server", "http://x/?y=1"}, nil, 2, "want a URL such as"},
		"no server":                 {[]string{"--server", "http://"}, nil, 2, "want a URL such as"},
		"a key in the server":       {[]string{"--server", "http://me:hunter2@x"}, nil, 2, "a key belongs in TRYSAIL_API_KEY"},
		"an address that is none":   {nil, []string{"TRYSAIL_ADDR=here"}, 2, "want host:port"},
		"time that runs backwards":  {[]string{"--timeout=-1s"}, nil, 2, "timeout is -1s, want more than 0s"},
		"a key file that is not":    {[]string{"--api-key-file", "missing"}, nil, 2, "missing: no such file or directory"},
		"a key file without a key":  {[]string{"--api-key-file", "empty"}, nil, 2, "empty is empty, want an API key"},
		"a key file of two":         {[]string{"--api-key-file", "two"}, nil, 2, "the API key in two holds a space, a line break"},
		"a key file of other kind":  {[]string{"--api-key-file", "huge"}, nil, 2, "huge has more than 4096 bytes"},
		"a key nobody could send":   {nil, []string{"API_KEY=hunter2 hunter2"}, 2, "the API key in API_KEY holds a space"},
		"a key in the clear":        {[]string{"--server", "http://192.0.2.1"}, []string{"API_KEY=hunter2"}, 2, "the API key (API_KEY) would go to http://192.0.2.1 in the clear: use https, or a tunnel to localhost, or say --insecure-http"},
		"an env file that is not":   {[]string{"--env-file", "missing"}, nil, 2, "missing"},
		"a duration out of whack":   {[]string{"--server", plain.URL, "--timeout", "soon"}, nil, 2, "timeout"},
		"a format that is not know": {[]string{"--server", plain.URL, "--output", "xml"}, nil, 2, "--output must be one of"},
	} {
		t.Run(name, func(t *testing.T) {
			got := try{args: append([]string{"breakers"}, tc.args...), env: tc.env, files: map[string]string{
				"empty": " \n", "two": "hunter2\nhunter2", "huge": strings.Repeat("hunter2", 1000),
			}}.run(t)
			if got.code != tc.code || !strings.Contains(got.stderr, tc.want) || got.stdout != "" {
				t.Errorf("exit code %d, want %d and %q in\n%s%s", got.code, tc.code, tc.want, got.stderr, got.stdout)
			}
			if strings.Contains(got.stderr, "hunter2") {
				t.Errorf("it prints the key: %s", got.stderr)
			}
		})
	}
}

// Which key goes where.
func TestKeysOfClients(t *testing.T) {
	var sent string
	l := listenFor(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Get("Authorization")
		recording(t, "breakers").ServeHTTP(w, r)
	}))
	_, port, _ := strings.Cut(strings.TrimPrefix(l.URL, "http://"), ":")
	for name, tc := range map[string]struct {
		args []string
		env  []string
		want string
	}{
		"none":                     {nil, nil, ""},
		"that of serve":            {nil, []string{"API_KEY= one "}, "Bearer one"},
		"the client's own":         {nil, []string{"API_KEY=one", "TRYSAIL_API_KEY=two"}, "Bearer two"},
		"in a file":                {[]string{"--api-key-file", "key"}, []string{"API_KEY=one"}, "Bearer three"},
		"in a file of a variable":  {nil, []string{"TRYSAIL_API_KEY_FILE=key", "API_KEY=one"}, "Bearer three"},
		"from the standard input":  {[]string{"--api-key-file", "-"}, nil, "Bearer four"},
		"in the env file":          {[]string{"--env-file", "vars"}, nil, "Bearer five"},
		"the environment goes on":  {[]string{"--env-file", "vars"}, []string{"API_KEY=one"}, "Bearer one"},
		"an address in a variable": {[]string{"--env-file", "addr"}, []string{"API_KEY=one", "TRYSAIL_SERVER="}, "Bearer one"},
	} {
		t.Run(name, func(t *testing.T) {
			sent = "nothing came"
			got := try{args: append([]string{"breakers"}, tc.args...), env: append([]string{"TRYSAIL_SERVER=" + l.URL}, tc.env...), stdin: "four\n", files: map[string]string{
				"key": "three\n", "vars": "API_KEY=five\n", "addr": "TRYSAIL_ADDR=127.0.0.1:" + port + "\n",
			}}.run(t)
			if got.code != 0 || sent != tc.want {
				t.Errorf("exit code %d and key %q, want 0 and %q\n%s", got.code, sent, tc.want, got.stderr)
			}
		})
	}
}

// The env file's key is for the server of this machine, and for no other.
func TestKeyOfTheEnvFileStaysHere(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, ".env", "API_KEY=five\n")
	p := &program{ctx: t.Context(), stop: func() {}, lookup: func(string) (string, bool) { return "", false }}
	for server, want := range map[string]string{
		"http://127.0.0.1:8000": "five", "http://localhost": "five", "http://[::1]:1": "five",
		"https://gateway.example": "", "https://127.0.0.1.example": "",
	} {
		c := &connection{address: address{Server: server, envFileFlag: envFileFlag{EnvFile: ".env"}}}
		cl, err := c.open(p, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if cl.key.text != want {
			t.Errorf("%s would get the key %q, want %q", server, cl.key.text, want)
		}
	}
	c := &connection{address: address{Server: "http://gateway.example"}, InsecureHTTP: true, APIKeyFile: ".env"}
	if cl, err := c.open(p, time.Second); err != nil || cl.key.text != "API_KEY=five" {
		t.Errorf("with --insecure-http the key does not go: %v", err)
	}
}

// Mistakes of api, breakers and bench that need no server.
func TestCommandLinesOfClientsThatAreWrong(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"a URL as a path":        {[]string{"api", "get", "http://127.0.0.1/x"}, "want only the path; --server names the server"},
		"a path with a fragment": {[]string{"api", "get", "/circuit-breakers/a#b"}, "a # is written %23"},
		"a path badly escaped":   {[]string{"api", "get", "/circuit-breakers/100%"}, "a % is written %25"},
		"a query without a name": {[]string{"api", "get", "/x", "-q", "level"}, `query has "level", want NAME=VALUE`},
		"a file without @":       {[]string{"api", "post", "/x", "-d", "body.json"}, "want -d @body.json"},
		"an empty body":          {[]string{"api", "post", "/x", "-d", "@empty"}, "empty is empty, want JSON"},
		"no reason":              {[]string{"breakers", "force-open", "chat"}, "missing flags: --reason=TEXT"},
		"half a second":          {[]string{"breakers", "force-open", "chat", "--reason", "x", "--for", "500ms"}, "for is 500ms, want whole seconds from 1s to 8784h (366 days)"},
		"a second and a half":    {[]string{"breakers", "disable", "chat", "--reason", "x", "--for", "1.5s"}, "want whole seconds"},
		"ten years":              {[]string{"breakers", "metrics-only", "chat", "--reason", "x", "--for", "87600h"}, "want whole seconds"},
		"backwards":              {[]string{"breakers", "disable", "chat", "--reason", "x", "--for=-1m"}, "want whole seconds"},
		"no name":                {[]string{"breakers", "show"}, `expected "<name>"`},
		"a format as a file":     {[]string{"monitor", "export", "-o", "csv"}, "want --format csv, and -o with a file"},
		"an unknown format":      {[]string{"monitor", "export", "--format", "xml"}, "--format must be one of"},
		"concurrency of nothing": {[]string{"bench", "run", "--concurrency", "3"}, "name it with --operation"},
		"a slow operation":       {[]string{"bench", "run", "--operation", "x", "--slow"}, "leave --operation or --slow out"},
	} {
		t.Run(name, func(t *testing.T) {
			got := try{args: tc.args, env: []string{"TRYSAIL_SERVER=http://127.0.0.1:1"}, files: map[string]string{"body.json": "{}", "empty": ""}}.run(t)
			if got.code != exitUsage || !strings.Contains(got.stderr, tc.want) {
				t.Errorf("exit code %d, want 2 and %q in\n%s", got.code, tc.want, got.stderr)
			}
		})
	}
}

// A file is there when all of it is, and never otherwise; what was there before stays until then.
func TestExportToAFile(t *testing.T) {
	good := recording(t, "export_stream")
	broken := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = io.WriteString(w, "{\"value\":1}\n")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	for name, tc := range map[string]struct {
		answer http.Handler
		code   int
		want   string // in what it says
		holds  string // in the file
	}{
		"good":        {good, 0, "trysail: 9 events are in file.ndjson\n", `"user_context":"Ada"`},
		"broken off":  {broken, 1, "the server broke off", "as before"},
		"not a sheet": {says(200, "text/html", "<html>"), 1, "is that a Trysail server?", "as before"},
	} {
		t.Run(name, func(t *testing.T) {
			l := listenFor(t, tc.answer)
			cmd := command(t, []string{"monitor", "export", "--format", "ndjson", "-o", "file.ndjson"}, "TRYSAIL_SERVER="+l.URL)
			file := filepath.Join(cmd.Dir, "file.ndjson")
			write(t, file, "as before")
			if err := os.Chmod(file, 0o640); err != nil {
				t.Fatal(err)
			}
			out, err := cmd.CombinedOutput()
			if code := exitCode(t, err); code != tc.code || !strings.Contains(string(out), tc.want) {
				t.Errorf("exit code %d, want %d and %q in\n%s", code, tc.code, tc.want, out)
			}
			text, err := os.ReadFile(file)
			if err != nil || !strings.Contains(string(text), tc.holds) {
				t.Errorf("the file holds %q, %v; want %q", text, err, tc.holds)
			}
			info, err := os.Stat(file)
			if err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("the file's mode is %v, want 0640 as before", info.Mode())
			}
			if left, err := os.ReadDir(cmd.Dir); err != nil || len(left) != 1 {
				t.Errorf("the directory holds %v, want the file alone", left)
			}
		})
	}
	l := listenFor(t, good)
	for out, code := range map[string]int{"/dev/full": 1, "/dev/null": 0} {
		got := l.ask(t, []string{"monitor", "export", "-o", out})
		if got.code != code || code == 1 && !strings.Contains(got.stderr, "write the output: ") {
			t.Errorf("-o %s: exit code %d, want %d\n%s", out, got.code, code, got.stderr)
		}
		if info, err := os.Stat(out); err != nil || info.Mode().IsRegular() {
			t.Errorf("%s is no device any more", out)
		}
	}
}

// However the text is cut, the lines become an array.
func TestArrayOfLines(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "[]\n",
		"{}\n":                "[\n{}\n]\n",
		"{\"a\":1}\n{}\n[]\n": "[\n{\"a\":1},\n{},\n[]\n]\n",
	} {
		for size := 1; size <= max(len(text), 1); size++ {
			var got strings.Builder
			a := &arrayOf{to: &got}
			for rest := text; rest != ""; {
				n := min(size, len(rest))
				if _, err := a.Write([]byte(rest[:n])); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if err := a.end(); err != nil || got.String() != want {
				t.Errorf("%q in pieces of %d: %q, %v; want %q", text, size, got.String(), err, want)
			}
		}
	}
}

// health asks what orchestrators ask, and its exit code is the answer.
func TestHealthCommand(t *testing.T) {
	s := serve(t, "TRYSAIL_SHUTDOWN_DELAY=59m", "API_KEY=secret")
	check := func(want string, code int, args ...string) {
		t.Helper()
		got := try{args: append([]string{"health"}, args...), env: []string{"TRYSAIL_SERVER=" + s.url}}.run(t)
		if got.code != code || !strings.Contains(got.stdout+got.stderr, want) {
			t.Errorf("health %q: exit code %d, want %d and %q in\n%s%s", args, got.code, code, want, got.stdout, got.stderr)
		}
	}
	check("ready\n", 0)
	check("alive\n", 0, "--live")
	check("no server answers", 1, "--server", "127.0.0.1:1")
	other := listenFor(t, says(503, "text/plain", "down for maintenance"))
	check("no Trysail server answers like that", 1, "--server", other.URL)
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	s.log.await(t, `"msg":"stopping"`)
	check("not ready: stopping\n", 3)
	check("alive\n", 0, "--live")
}
