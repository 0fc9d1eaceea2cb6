package trysailtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail/trysailtest"
)

func TestRefusalsAreInTheProtocolsForm(t *testing.T) {
	var b strings.Builder
	for _, tc := range []struct{ method, path, body string }{
		{"POST", "/v1/responses", `{`},
		{"POST", "/v1/responses", `{"model":"m"}`},
		{"POST", "/v1/responses", `{"input":[]}`},
		{"POST", "/v1/responses", `{"input":7}`},
		{"POST", "/v1/responses", `{"input":"x","max_output_tokens":0}`},
		{"DELETE", "/v1/responses", ``},
		{"POST", "/v1/messages", `{`},
		{"POST", "/v1/messages", `{"messages":[{"role":"user","content":"x"}]}`},
		{"POST", "/v1/messages", `{"max_tokens":0}`},
		{"POST", "/v1/messages", `{"max_tokens":9}`},
		{"POST", "/v1/messages", `{"max_tokens":9,"messages":[{"content":7}]}`},
		{"POST", "/v1/messages/count_tokens", `{}`},
		{"GET", "/v1/messages", ``},
		{"GET", "/v1/messages/batches", ``},
		{"POST", "/v1beta/models/m:generateContent", `[]`},
		{"POST", "/v1beta/models/m:generateContent", `{}`},
		{"POST", "/v1beta/models/m:generateContent", `{"contents":[{}],"generationConfig":{"maxOutputTokens":-1}}`},
		{"POST", "/v1beta/models/m:streamGenerateContent", `{}`},
		{"POST", "/v1beta/models/m:countTokens", `7`},
		{"GET", "/v1beta/models/m:generateContent", ``},
		{"POST", "/v1beta/models/m:embedContent", `{}`},
		{"POST", "/v1beta/models", ``},
	} {
		synctest.Test(t, func(t *testing.T) {
			_, c := bubbled(t, trysailtest.ProviderConfig{})
			c.url = strings.TrimSuffix(c.url, "/v1")
			got := c.do(tc.method, tc.path, tc.body)
			got.header = http.Header{"Allow": got.header["Allow"]}
			fmt.Fprintf(&b, "# %s %s %s\n%s\n", tc.method, tc.path, tc.body, wire(got, nil))
		})
	}
	golden(t, "refusals.golden", b.String())
}

func TestListsAndCounts(t *testing.T) {
	var b strings.Builder
	for _, tc := range []struct{ method, path, body, version string }{
		{"GET", "/v1/models", "", ""},
		{"GET", "/v1/models", "", "2023-06-01"},
		{"GET", "/v1beta/models", "", ""},
		{"POST", "/v1/messages/count_tokens", `{"system":"Be brief.","messages":[{"role":"user","content":"hi"}]}`, ""},
		{"POST", "/v1beta/models/m:countTokens", `{"system_instruction":{"parts":[{"text":"Be brief."}]},"contents":[{"parts":[{"text":"hi"}]}]}`, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			_, c := bubbled(t, trysailtest.ProviderConfig{})
			c.url = strings.TrimSuffix(c.url, "/v1")
			got := c.do(tc.method, tc.path, tc.body, "Anthropic-Version", tc.version)
			got.header = nil
			fmt.Fprintf(&b, "# %s %s, Anthropic-Version %q\n%s\n", tc.method, tc.path, tc.version, wire(got, nil))
		})
	}
	golden(t, "lists.golden", b.String())
}

func TestEveryProtocolGivesTheSameText(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	for path, body := range map[string]string{
		"/v1/chat/completions":             `{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"hi"}]}`,
		"/v1/responses":                    `{"model":"m","instructions":"Be brief.","input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]}]}`,
		"/v1/responses?x=string":           `{"model":"m","instructions":"Be brief.","input":"hi"}`,
		"/v1/messages":                     `{"model":"m","max_tokens":99,"system":[{"type":"text","text":"Be brief."}],"messages":[{"role":"user","content":"hi"}]}`,
		"/v1beta/models/m:generateContent": `{"systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[{"parts":[{"text":"hi"}]}]}`,
		"/v1beta1/projects/p/locations/l/publishers/google/models/m:generateContent": `{"system_instruction":{"parts":[{"text":"Be brief."}]},"contents":[{"parts":[{"text":"hi"}]}]}`,
	} {
		t.Run(path, func(t *testing.T) {
			got := c.doRaw(path, body)
			want := "You asked: “hi”. In short, the first draft shortens"
			if got.status != 200 || !strings.Contains(got.body, want) {
				t.Errorf("got %d %s, want the text %q", got.status, got.body, want)
			}
		})
	}
}

func TestAFormOfAnotherPathIsRefused(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	for name, tc := range map[string]struct{ path, script, want string }{
		"nested at chat":      {"/v1/chat/completions", "error:1:nested", `"error:1:nested\" is a form of /v1/responses alone`},
		"[DONE] at responses": {"/v1/responses", "error:1:done", `is a form of /v1/chat/completions alone`},
		"a chunk at Gemini":   {"/v1beta/models/m:generateContent", "error:1:chunk", `is a form of /v1/chat/completions alone`},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.doRaw(tc.path, `{}`, trysailtest.SimulateHeader, tc.script)
			if got.status != 400 || !strings.Contains(got.body, tc.want) {
				t.Errorf("got %d %s, want 400 and %q", got.status, got.body, tc.want)
			}
		})
	}
}

func TestOtherProvidersShapes(t *testing.T) {
	files, err := os.ReadDir("shapes")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		_, c := bubbled(t, trysailtest.ProviderConfig{})
		for _, file := range files {
			name := strings.TrimSuffix(file.Name(), ".http")
			raw, err := os.ReadFile("shapes/" + file.Name())
			if err != nil {
				t.Fatal(err)
			}
			_, body, _ := strings.Cut(string(raw), "\n\n")
			got := c.simulate("shape:"+name, streamed(question))
			if first := fmt.Sprintf("HTTP/1.1 %d ", got.status); !strings.HasPrefix(string(raw), first) || got.body != strings.TrimSuffix(body, "\n") {
				t.Errorf("%s: got %d %s, want what its file says", name, got.status, got.body)
			}
			if got.header.Get("Content-Type") == "application/json" && !json.Valid([]byte(got.body)) {
				t.Errorf("%s: %s is not JSON", name, got.body)
			}
			if got.header.Get("X-Request-Id") != "" {
				t.Errorf("%s carries OpenAI's headers", name)
			}
		}
		reset := c.simulate("shape:openrouter-rate-limit", question).header.Get("X-Ratelimit-Reset")
		if want := fmt.Sprint(time.Now().Add(15 * time.Second).UnixMilli()); reset != want {
			t.Errorf("reset = %s, want %s", reset, want)
		}
	})
}

func TestKeepAliveTakesItsTime(t *testing.T) {
	for name, p := range protocols() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, c := bubbled(t, trysailtest.ProviderConfig{})
				for path, body := range map[string]string{p.plain: p.plainBody, p.stream: p.streamBody} {
					began := time.Now()
					got := c.doRaw(path, body, trysailtest.SimulateHeader, "keep-alive:2500ms")
					if took := time.Since(began); got.err != nil || took != 2500*time.Millisecond {
						t.Errorf("%s took %v (%v), want 2.5s", path, took, got.err)
					}
				}
			})
		})
	}
}

// A client whose idle timer is fooled by these waits for ever.
func TestStallKeepsEveryProtocolAlive(t *testing.T) {
	signs := map[string]string{
		"openai-chat": ": keep-alive\n\n", "openai-responses": ": keep-alive\n\n",
		"anthropic-messages": "event: ping\ndata: {\"type\":\"ping\"}\n\n", "gemini": "", "gemini-array": "",
	}
	for name, p := range protocols() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, c := bubbled(t, trysailtest.ProviderConfig{})
				c.url = strings.TrimSuffix(c.url, "/v1")
				ctx, cancel := context.WithTimeout(t.Context(), 10500*time.Millisecond)
				defer cancel()
				got := c.doContext(ctx, http.MethodPost, p.stream, p.streamBody, trysailtest.SimulateHeader, "stall:1")
				whole := c.doContext(t.Context(), http.MethodPost, p.stream, p.streamBody)
				end := strings.Repeat(signs[name], 10)
				if !errors.Is(got.err, context.DeadlineExceeded) || !strings.HasSuffix(got.body, end) || !strings.Contains(got.body, "You") {
					t.Errorf("got %q (%v), want one token and ten signs of life", got.body, got.err)
				}
				if len(got.body)-len(end) >= len(whole.body) {
					t.Errorf("got %q, want less than the whole answer before the stall", got.body)
				}
			}) // the bubble fails if the request is still there
		})
	}
}

func TestBodiesBeyondTheLimitInEveryProtocol(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	body := strings.Repeat(" ", 32<<20+1)
	for path, want := range map[string]string{
		"/v1/responses":                    `"code":"request_too_large"`,
		"/v1/messages":                     `"type":"request_too_large"`,
		"/v1beta/models/m:generateContent": `"code":413`,
	} {
		t.Run(path, func(t *testing.T) {
			if got := c.doRaw(path, body); got.status != 413 || !strings.Contains(got.body, want) {
				t.Errorf("got %d %s (%v), want 413 and %s", got.status, got.body, got.err, want)
			}
		})
	}
}

// The page in docs/reference is the whole manual, so it names everything that exists.
func TestTheManualIsComplete(t *testing.T) {
	manual, err := os.ReadFile("../docs/reference/simulated-provider.md")
	if err != nil {
		t.Fatal(err)
	}
	_, everything := trysailtest.ParseScript("boom")
	_, shapes := trysailtest.ParseScript("shape:boom")
	_, hints := trysailtest.ParseScript("rate-limit:boom")
	_, frames := trysailtest.ParseScript("error:boom")
	for _, err := range []error{everything, shapes, hints, frames} {
		_, list, _ := strings.Cut(err.Error(), "want ")
		for word := range strings.FieldsFuncSeq(list, func(r rune) bool { return strings.ContainsRune(" ,;", r) }) {
			known := strings.HasPrefix(word, "shape:") || strings.Contains(word, "-") || strings.HasSuffix(word, ":N") ||
				strings.HasSuffix(word, ":DURATION")
			if word, _, _ := strings.Cut(word, ":"); known && !strings.Contains(string(manual), "`"+word) {
				t.Errorf("the manual does not have %q", word)
			}
		}
	}
}
