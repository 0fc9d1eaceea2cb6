package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/server/gateway"
)

// A manner is how one protocol asks and answers.
type manner struct {
	protocol                gateway.Protocol
	path, body              string // of a plain question
	streamPath, streamBody  string
	contentType             string // of its stream
	last                    string // in the end of a complete stream
	interruption            string // begins the event of a broken one, after what was sent
	errorType, errorMessage func(t *testing.T, body string) string
}

const (
	claudeBody = `{"model":"claude-1","max_tokens":64,"messages":[{"role":"user","content":"Is the wind fair?"}]}`
	geminiBody = `{"contents":[{"parts":[{"text":"Is the wind fair?"}]}]}`
)

func manners() map[string]manner {
	in := func(names ...string) func(*testing.T, string) string {
		return func(t *testing.T, body string) string {
			t.Helper()
			var at any
			if err := json.Unmarshal([]byte(body), &at); err != nil {
				t.Fatalf("the body is no JSON: %v\n%s", err, body)
			}
			for _, name := range names {
				object, _ := at.(map[string]any)
				at = object[name]
			}
			text, _ := at.(string)
			return text
		}
	}
	return map[string]manner{
		"openai": {
			gateway.OpenAIProtocol, "/v1/chat/completions", plainBody, "/v1/chat/completions", streamBody, "text/event-stream", "[DONE]",
			"\n\ndata: {\"error\":{", in("error", "type"), in("error", "message"),
		},
		"responses": {
			gateway.OpenAIProtocol, "/v1/responses", `{"model":"m","input":"hi"}`, "/v1/responses", `{"model":"m","input":"hi","stream":true}`,
			"text/event-stream", "response.completed", "\n\nevent: error\ndata: {", in("error", "type"), in("error", "message"),
		},
		"anthropic": {
			gateway.AnthropicProtocol, "/v1/messages", claudeBody, "/v1/messages", strings.Replace(claudeBody, "{", `{"stream":true,`, 1),
			"text/event-stream", "message_stop", "\n\nevent: error\ndata: {", in("error", "type"), in("error", "message"),
		},
		"gemini": {
			gateway.GeminiProtocol, "/v1beta/models/g-1:generateContent", geminiBody, "/v1beta/models/g-1:streamGenerateContent?alt=sse", geminiBody,
			"text/event-stream", `"finishReason"`, "\n\ndata: {\"error\":{", in("error", "status"), in("error", "message"),
		},
		"gemini's array": {
			gateway.GeminiProtocol, "/v1/models/g-1:generateContent", geminiBody, "/v1beta/models/g-1:streamGenerateContent", geminiBody,
			"application/json", "]", "", in("error", "status"), in("error", "message"),
		},
	}
}

// speaking starts a fleet whose targets speak a protocol.
func speaking(t *testing.T, p gateway.Protocol, scripts ...string) *fleet {
	t.Helper()
	return newFleet(t, scripts, func(c *gateway.Config) {
		for i := range c.Plan.Targets {
			target := &c.Plan.Targets[i]
			if target.Protocol = p; p != gateway.OpenAIProtocol {
				target.BaseURL = strings.TrimSuffix(target.BaseURL, "/v1")
			}
		}
	})
}

func (f *fleet) post(path, body string, headers ...string) reply {
	f.t.Helper()
	return f.do(f.t.Context(), http.MethodPost, path, body, headers...)
}

// Each protocol: plain, as a stream, failing over, and broken.
func TestProtocols(t *testing.T) {
	for name, m := range manners() {
		t.Run(name, func(t *testing.T) {
			f := speaking(t, m.protocol, "500,overloaded,auth", "ok")
			got := f.post(m.path, m.body)
			if got.status != 200 || !json.Valid([]byte(got.body)) || got.header.Get(gateway.TargetHeader) != "b" {
				t.Errorf("plain: status %d from %q\n%s", got.status, got.header.Get(gateway.TargetHeader), got.body)
			}
			whole := speaking(t, m.protocol, "500,ok").post(m.streamPath, m.streamBody)
			if whole.status != 200 || whole.err != nil || !strings.HasPrefix(whole.header.Get("Content-Type"), m.contentType) ||
				!strings.Contains(whole.body, m.last) {
				t.Errorf("stream: status %d, %v, %q\n%s", whole.status, whole.err, whole.header.Get("Content-Type"), whole.body[max(0, len(whole.body)-400):])
			}
			for _, script := range []string{"cut:5", "end:5"} {
				broken := speaking(t, m.protocol, script).post(m.streamPath, m.streamBody)
				if broken.status != 200 || broken.err == nil {
					t.Errorf("%s: status %d and no broken connection", script, broken.status)
				}
				m.checkBroken(t, script, broken.body)
			}
		})
	}
}

// checkBroken looks for the event that tells of a break, behind whole events.
func (m manner) checkBroken(t *testing.T, script, body string) {
	t.Helper()
	if m.interruption == "" { // an array
		var elements []map[string]any
		if err := json.Unmarshal([]byte(body), &elements); err != nil {
			t.Errorf("%s: the array cannot be read: %v\n%s", script, err, body)
			return
		}
		last := elements[len(elements)-1]
		if _, told := last["error"]; !told || len(elements) < 2 {
			t.Errorf("%s: the last of %d elements is %v, want an error", script, len(elements), last)
		}
		return
	}
	at := strings.LastIndex(strings.ReplaceAll(body, "\r\n", "\n"), m.interruption)
	if at < 0 || !strings.HasSuffix(body, "}\n\n") || !strings.Contains(strings.ToLower(body[max(0, len(body)-600):]), "broke off") {
		t.Errorf("%s: the stream does not end with an error event\n%s", script, body[max(0, len(body)-600):])
	}
}

// Errors of the gateway's own have the protocol's form, and a type of which its SDKs make their typed errors.
func TestErrorsInEachForm(t *testing.T) {
	for name, tc := range map[string]struct {
		script, path, body string // an empty path is that of a plain question
		status             int
		types              [3]string // of OpenAI, Anthropic, Gemini
	}{
		"broken JSON":          {"ok", "", `{"model":`, 400, [3]string{"invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"}},
		"a web page":           {"html", "", "", 502, [3]string{"server_error", "api_error", "UNAVAILABLE"}},
		"an error in a stream": {"error:0:rate-limit", "stream", "", 429, [3]string{"", "rate_limit_error", "RESOURCE_EXHAUSTED"}},
		"an open breaker":      {"open", "", "", 503, [3]string{"server_error", "overloaded_error", "UNAVAILABLE"}},
		"no access":            {"denied", "", "", 401, [3]string{"authentication_error", "authentication_error", "UNAUTHENTICATED"}},
		"too large":            {"ok", "", strings.Repeat(" ", 5000), 413, [3]string{"invalid_request_error", "request_too_large", "INVALID_ARGUMENT"}},
	} {
		for protocol, m := range manners() {
			t.Run(name+", "+protocol, func(t *testing.T) {
				script := tc.script
				if script == "open" || script == "denied" {
					script = "ok"
				}
				f := newFleet(t, []string{script}, func(c *gateway.Config) {
					c.Limits.Body = 4096
					target := &c.Plan.Targets[0]
					if target.Protocol = m.protocol; m.protocol != gateway.OpenAIProtocol {
						target.BaseURL = strings.TrimSuffix(target.BaseURL, "/v1")
					}
					if tc.script == "denied" {
						c.Access = func(*http.Request) gateway.Access { return gateway.Access{Denied: "Who are you?"} }
					}
				})
				if tc.script == "open" {
					f.openUntil("a", 60e9)
				}
				path, body := m.path, m.body
				if tc.path == "stream" {
					path, body = m.streamPath, m.streamBody
				}
				if tc.body != "" {
					body = tc.body
				}
				got := f.post(path, body)
				want := tc.types[m.protocol-1]
				if got.status != tc.status || want != "" && m.errorType(t, got.body) != want || m.errorMessage(t, got.body) == "" {
					t.Errorf("status %d, type %q, message %q; want %d, %q\n%s", got.status, m.errorType(t, got.body), m.errorMessage(t, got.body), tc.status, want, got.body)
				}
				if tc.script == "open" && got.header.Get("Retry-After") == "" {
					t.Error("there is no Retry-After")
				}
			})
		}
	}
}

// Where a key may be, by protocol. No key of the gateway's reaches a provider, and no provider's key a client.
func TestKeysByProtocol(t *testing.T) {
	type seen struct {
		header http.Header
		query  string
		path   string
	}
	const ask = "?alt=sse&key=own&x=1"
	for name, tc := range map[string]struct {
		protocol gateway.Protocol
		key      string // of the target
		path     string
		headers  []string
		want     map[string]string // headers that the provider sees
		query    string
		seenPath string
	}{
		"OpenAI": {
			gateway.OpenAIProtocol, "sk", "/v1/models",
			[]string{"Authorization", "Bearer own"},
			map[string]string{"Authorization": "Bearer sk"},
			"", "/v1/models",
		},
		"Anthropic": {
			gateway.AnthropicProtocol, "sk", "/v1/messages",
			[]string{"X-Api-Key", "own", "Anthropic-Version", "2023-06-01"},
			map[string]string{"X-Api-Key": "sk", "Authorization": "", "Anthropic-Version": "2023-06-01"},
			"", "/v1/messages",
		},
		"Anthropic's client with its own key": {
			gateway.AnthropicProtocol, "", "/v1/messages",
			[]string{"X-Api-Key", "sk-ant", "Authorization", "Bearer own"},
			map[string]string{"X-Api-Key": "sk-ant", "Authorization": ""},
			"", "/v1/messages",
		},
		"Anthropic's client with OAuth": {
			gateway.AnthropicProtocol, "", "/v1/messages",
			[]string{"X-Api-Key", "own", "Authorization", "Bearer oauth"},
			map[string]string{"X-Api-Key": "", "Authorization": "Bearer oauth"},
			"", "/v1/messages",
		},
		"a list of Anthropic's models": {
			gateway.AnthropicProtocol, "sk", "/v1/models",
			[]string{"Anthropic-Version", "2023-06-01", "X-Api-Key", "own"},
			map[string]string{"X-Api-Key": "sk"},
			"", "/v1/models",
		},
		"Gemini": {
			gateway.GeminiProtocol, "sk", "/v1beta/models/m:generateContent" + ask,
			[]string{"X-Goog-Api-Key", "own"},
			map[string]string{"X-Goog-Api-Key": "sk"},
			"alt=sse&x=1", "/v1beta/models/m:generateContent",
		},
		"Gemini's client with its own key": {
			gateway.GeminiProtocol, "", "/v1beta/models?key=theirs",
			[]string{"X-Goog-Api-Key", "own"},
			map[string]string{"X-Goog-Api-Key": ""},
			"key=theirs", "/v1beta/models",
		},
		"the target's key replaces Gemini's in the address": {
			gateway.GeminiProtocol, "sk", "/v1beta/models?key=theirs&pageSize=2", nil,
			map[string]string{"X-Goog-Api-Key": "sk"},
			"pageSize=2", "/v1beta/models",
		},
		"others' keys go nowhere": {
			gateway.OpenAIProtocol, "", "/v1/models",
			[]string{"Authorization", "Bearer theirs", "X-Api-Key", "sk-ant", "X-Goog-Api-Key", "AI"},
			map[string]string{"Authorization": "Bearer theirs", "X-Api-Key": "", "X-Goog-Api-Key": ""},
			"", "/v1/models",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan seen, 1)
			provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got <- seen{r.Header.Clone(), r.URL.RawQuery, r.URL.Path}
				_, _ = io.WriteString(w, "{}")
			}))
			defer provider.Close()
			r := newRig(t, func(c *gateway.Config) {
				target := gateway.Target{Name: "t", Protocol: tc.protocol, BaseURL: provider.URL}
				if tc.protocol == gateway.OpenAIProtocol {
					target.BaseURL += "/v1"
				}
				if tc.key != "" {
					target.Credentials = []gateway.Credential{{Key: tc.key}}
				}
				c.Plan = gateway.SingleTarget(target)
				c.OwnKey = func(s string) bool { return s == "own" }
			})
			reply := r.do(t.Context(), http.MethodGet, tc.path, "", tc.headers...)
			request := <-got
			for header, want := range tc.want {
				if request.header.Get(header) != want {
					t.Errorf("the provider sees %s: %q, want %q", header, request.header.Get(header), want)
				}
			}
			if request.query != tc.query || request.path != tc.seenPath {
				t.Errorf("the provider sees %s?%s, want %s?%s", request.path, request.query, tc.seenPath, tc.query)
			}
			for header, values := range reply.header {
				if strings.Contains(strings.Join(values, " "), "sk") && header != "Set-Cookie" {
					t.Errorf("the client sees %s: %q", header, values)
				}
			}
		})
	}
}

// A provider that repeats the key that it refuses tells it nobody.
func TestKeysInErrors(t *testing.T) {
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("X-Api-Key")
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Request-Id", "req_7")
		w.Header().Set("X-Debug", "key="+key)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"type":"error","error":{"type":"authentication_error","message":"no such key: `+key+`"}}`)
	}))
	defer provider.Close()
	r := newRig(t, func(c *gateway.Config) {
		c.Plan = gateway.SingleTarget(gateway.Target{
			Name: "t", Protocol: gateway.AnthropicProtocol, BaseURL: provider.URL, Credentials: []gateway.Credential{{Key: "sk-ant-secret"}},
		})
	})
	for range 2 { // the second one is told why the account is parked
		got := r.do(t.Context(), http.MethodPost, "/v1/messages", claudeBody)
		if strings.Contains(got.body+fmt.Sprint(got.header), "sk-ant") || manners()["anthropic"].errorMessage(t, got.body) == "" {
			t.Errorf("status %d: %v\n%s", got.status, got.header, got.body)
		}
		if id := got.header.Get(gateway.ProviderIDHeader); got.status == 401 && id != "req_7" {
			t.Errorf("the provider's id is %q, want req_7", id)
		}
	}
}

// What has been passed on is not repeated anywhere.
func TestNothingAfterTheFirstToken(t *testing.T) {
	for name, m := range manners() {
		for _, script := range []string{"cut:5", "end:5", "error:5:billing", "error:5:overloaded"} {
			f := speaking(t, m.protocol, script, "ok")
			if got := f.post(m.streamPath, m.streamBody); got.err == nil || f.totals() != "1 0" {
				t.Errorf("%s, %s: status %d after %s requests (%v), want a broken stream of the first", name, script, got.status, f.totals(), got.err)
			}
		}
	}
}

// A request whose protocol no target speaks is told which ones there are, and reaches nobody.
func TestProtocolWithoutTarget(t *testing.T) {
	f := newFleet(t, []string{"ok"}, nil)
	got := f.post("/v1/messages", claudeBody)
	m := manners()["anthropic"]
	if got.status != 404 || m.errorType(t, got.body) != "not_found_error" || !strings.Contains(m.errorMessage(t, got.body), "openai") {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	if f.totals() != "0" {
		t.Errorf("requests %s, want none", f.totals())
	}
}
