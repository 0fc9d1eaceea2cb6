package trysailtest_test

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/trysail-go/trysail/trysailtest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// spoken is one protocol as a test asks it.
type spoken struct {
	plain, stream         string // paths
	plainBody, streamBody string
	headers               []string
}

func protocols() map[string]spoken {
	const (
		chat     = `{"model":"m","messages":[{"role":"user","content":"Why do boats float?"}],"max_tokens":4`
		respond  = `{"model":"m","input":"Why do boats float?","max_output_tokens":4`
		messages = `{"model":"m","max_tokens":4,"messages":[{"role":"user","content":[{"type":"text","text":"Why do boats float?"}]}]`
		generate = `{"contents":[{"parts":[{"text":"Why do boats float?"}],"role":"user"}],"generationConfig":{"maxOutputTokens":4}}`
		streamed = `,"stream":true`
		model    = "/v1beta/models/m:"
	)
	return map[string]spoken{
		"openai-chat": {
			"/v1/chat/completions", "/v1/chat/completions", chat + "}",
			chat + streamed + `,"stream_options":{"include_usage":true}}`,
			[]string{"Authorization", "Bearer any"},
		},
		"openai-responses": {"/v1/responses", "/v1/responses", respond + "}", respond + streamed + "}", nil},
		"anthropic-messages": {
			"/v1/messages", "/v1/messages", messages + "}", messages + streamed + "}",
			[]string{"X-Api-Key", "any", "Anthropic-Version", "2023-06-01"},
		},
		"gemini":       {model + "generateContent", model + "streamGenerateContent?alt=sse", generate, generate, []string{"X-Goog-Api-Key", "any"}},
		"gemini-array": {model + "generateContent", model + "streamGenerateContent", generate, generate, nil},
	}
}

// The scripts whose answers the golden files show, whole, as they come over the wire.
func goldenScripts(name string) []string {
	scripts := []string{
		"ok", "400", "401", "403", "404", "413", "429", "429:1.5", "500", "503:2", "504", "529",
		"rate-limit", "rate-limit:2s", "rate-limit:2s:retry-after", "rate-limit:1.5s:retry-after-ms",
		"rate-limit:1500ms:http-date", "rate-limit:2s:message", "rate-limit:2s:reset",
		"rate-limit:should-retry", "rate-limit:2s:should-not-retry",
		"quota", "billing", "overloaded", "overloaded:2s", "context-length", "too-large", "content-policy",
		"content-policy:refusal", "auth", "model-not-found",
		"empty:2", "keep-alive:2s", "cut:1", "end:1", "error:1", "error:1:overloaded", "error:0:quota",
		"garbage", "html", "boom",
	}
	switch name {
	case "openai-chat":
		scripts = append(scripts, "error:1:done", "error:1:chunk", "error:1:rate-limit:done")
	case "openai-responses":
		scripts = append(scripts, "error:1:nested", "error:1:failed", "error:1:rate-limit:failed")
	}
	return scripts
}

func TestWire(t *testing.T) {
	for name, p := range protocols() {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			usual := map[string]http.Header{} // what the good answers carry
			for _, script := range goldenScripts(name) {
				synctest.Test(t, func(t *testing.T) { // where it always begins at the same time
					_, c := bubbled(t, trysailtest.ProviderConfig{})
					plain := c.doRaw(p.plain, p.plainBody, append(p.headers, trysailtest.SimulateHeader, script)...)
					stream := c.doRaw(p.stream, p.streamBody, append(p.headers, trysailtest.SimulateHeader, script)...)
					if script == "ok" {
						fmt.Fprintf(&b, "# ok, plain\n%s\n# ok, stream\n%s\n", wire(plain, nil), wire(stream, nil))
						usual["plain"], usual["stream"] = plain.header, stream.header
						return
					}
					one, two := wire(plain, usual["plain"]), wire(stream, usual["plain"])
					if one == two {
						fmt.Fprintf(&b, "# %s, plain and stream\n%s\n", script, one)
						return
					}
					fmt.Fprintf(&b, "# %s, plain\n%s\n# %s, stream\n%s\n", script, one, script, wire(stream, usual["stream"]))
				})
			}
			golden(t, name+".golden", b.String())
		})
	}
}

// doRaw posts to a path of the provider's origin.
func (c *client) doRaw(path, body string, headers ...string) reply {
	origin := *c
	origin.url = strings.TrimSuffix(c.url, "/v1")
	return origin.do(http.MethodPost, path, body, headers...)
}

// wire shows a reply, with the headers that are not the usual ones. What differs
// between two runs is replaced.
func wire(r reply, usual http.Header) string {
	if r.status == 0 {
		return "no answer\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", r.status)
	ids := regexp.MustCompile(`((?:chatcmpl-|req_|msg_|resp_|"responseId":"))[0-9a-f]{32}`)
	for _, name := range slices.Sorted(maps.Keys(r.header)) {
		same := r.header.Get(name) == usual.Get(name) || usual != nil && strings.HasSuffix(name, "Request-Id")
		if !same && name != "Content-Length" {
			fmt.Fprintf(&b, "%s: %s\n", name, r.header.Get(name))
		}
	}
	fmt.Fprintf(&b, "\n%s", r.body)
	if r.err != nil {
		fmt.Fprintf(&b, "<%v>", r.err)
	}
	return strings.TrimRight(ids.ReplaceAllString(b.String(), "${1}ID"), "\n") + "\n"
}

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		switch {
		case i >= len(gotLines):
			t.Fatalf("%s ends at line %d, want %q; is it right? go test -update", name, i+1, wantLines[i])
		case i >= len(wantLines) || gotLines[i] != wantLines[i]:
			t.Fatalf("%s:%d: got %q; is it right? go test -update", name, i+1, gotLines[i])
		}
	}
}
