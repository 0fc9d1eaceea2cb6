package trysailtest_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail/trysailtest"
)

func TestPlainChat(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	a := c.answer(c.chat(question))
	text := a.Choices[0].Message.Content
	if !strings.HasPrefix(a.ID, "chatcmpl-") || a.Object != "chat.completion" || a.Model != "m" ||
		!strings.HasPrefix(a.SystemFingerprint, "fp_") || time.Since(time.Unix(a.Created, 0)) > time.Minute {
		t.Errorf("answer = %+v, want the form of a chat completion", a)
	}
	if a.Choices[0].Message.Role != "assistant" || a.Choices[0].FinishReason != "stop" {
		t.Errorf("choice = %+v, want a stop of the assistant", a.Choices[0])
	}
	if !strings.Contains(text, "Why do boats float?") || strings.Count(text, ".") < 3 {
		t.Errorf("text = %q, want sentences that quote the question", text)
	}
	if want := (usage{5, len(strings.Fields(text)), 5 + len(strings.Fields(text))}); a.Usage != want {
		t.Errorf("usage = %+v, want %+v", a.Usage, want) // 19 bytes are 5 tokens
	}
}

func TestAnswerFollowsFromTheQuestion(t *testing.T) {
	first := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	second := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	text := func(c *client, body string) string { return c.answer(c.chat(body)).Choices[0].Message.Content }
	if a, b := text(first, question), text(second, question); a != b {
		t.Errorf("two providers answered %q and %q, want the same", a, b)
	}
	if a, b := text(first, question), strings.Join(first.chat(streamed(question)).stream().tokens, ""); a != b {
		t.Errorf("plain %q and streamed %q, want the same", a, b)
	}
	other := `{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Why do boats float?"}]}`
	if a, b := text(first, question), text(first, other); a == b {
		t.Errorf("two conversations got the same answer %q", a)
	}
}

func TestChatReadsEveryFormOfContent(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	for name, tc := range map[string]struct {
		messages, want string
		prompt         int
	}{
		"a string":      {`[{"role":"user","content":"four"}]`, "“four”", 1},
		"parts":         {`[{"role":"user","content":[{"type":"text","text":"ab"},{"type":"text","text":"cde"}]}]`, "“abcde”", 2},
		"a picture":     {`[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"see"}]}]`, "“see”", 1},
		"null":          {`[{"role":"assistant","content":null}]`, "You asked nothing.", 0},
		"the last user": {`[{"role":"user","content":"one"},{"role":"user","content":"two"},{"role":"tool","content":"xx"}]`, "“two”", 2},
		"no user":       {`[{"role":"system","content":"rules"}]`, "“rules”", 2},
		"quotes, lines": {`[{"role":"user","content":"say \"hi\"\n\nnow"}]`, `“say "hi" now”`, 4},
		"many words":    {`[{"role":"user","content":"` + strings.Repeat("word ", 99) + `"}]`, "word word…”", 124},
		"one long word": {`[{"role":"user","content":"` + strings.Repeat("語", 99) + `"}]`, "“" + strings.Repeat("語", 26) + "…”", 75},
	} {
		t.Run(name, func(t *testing.T) {
			body := `{"model":"m","messages":` + tc.messages + `}`
			a := c.answer(c.chat(body))
			if text := a.Choices[0].Message.Content; !strings.Contains(text, tc.want) || a.Usage.Prompt != tc.prompt {
				t.Errorf("answer %q with %d prompt tokens, want %q and %d", text, a.Usage.Prompt, tc.want, tc.prompt)
			}
			if got := strings.Join(c.chat(streamed(body)).stream().tokens, ""); got != a.Choices[0].Message.Content {
				t.Errorf("streamed %q, want %q", got, a.Choices[0].Message.Content)
			}
		})
	}
}

func TestChatStream(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	got := c.chat(streamed(question))
	s := got.stream()
	if got.err != nil || !s.done || s.finish != "stop" || s.garbage != 0 {
		t.Fatalf("stream = %+v (%v), want a whole one", s, got.err)
	}
	if !strings.HasSuffix(got.body, "\n\ndata: [DONE]\n\n") {
		t.Errorf("stream ends with %q", got.body[len(got.body)-40:])
	}
	if first := s.chunks[0].Choices[0].Delta; first.Role != "assistant" || first.Content != "" {
		t.Errorf("first delta = %+v, want the role only", first)
	}
	for i, chunk := range s.chunks {
		if chunk.ID != s.chunks[0].ID || chunk.Object != "chat.completion.chunk" || chunk.Model != "m" || chunk.Usage != nil {
			t.Errorf("chunk %d = %+v, want the form of a chunk, without usage", i, chunk)
		}
	}
	for i, token := range s.tokens {
		if strings.HasPrefix(token, " ") != (i > 0) || strings.Contains(token[1:], " ") {
			t.Errorf("token %d = %q, want one word with the blank before it", i, token)
		}
	}
}

func TestStreamUsage(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	got := c.chat(strings.TrimSuffix(streamed(question), "}") + `,"stream_options":{"include_usage":true}}`)
	s := got.stream()
	last := s.chunks[len(s.chunks)-1]
	if want := (usage{5, len(s.tokens), 5 + len(s.tokens)}); last.Usage == nil || *last.Usage != want || len(last.Choices) != 0 {
		t.Errorf("last chunk = %+v with usage %v, want no choices and %+v", last, last.Usage, want)
	}
	if n := strings.Count(got.body, `"usage":null`); n != len(s.chunks)-1 || !s.done {
		t.Errorf("%d chunks of %d have usage null, want all but the last", n, len(s.chunks))
	}
}

func TestTokenLimits(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	whole := len(c.chat(streamed(question)).stream().tokens)
	for name, tc := range map[string]struct {
		limit  string
		want   int
		finish string
	}{
		"max_tokens":               {`"max_tokens":3`, 3, "length"},
		"max_completion_tokens":    {`"max_completion_tokens":1`, 1, "length"},
		"both, the newer wins":     {`"max_tokens":3,"max_completion_tokens":4`, 4, "length"},
		"exactly enough":           {fmt.Sprintf(`"max_tokens":%d`, whole), whole, "stop"},
		"one too few":              {fmt.Sprintf(`"max_tokens":%d`, whole-1), whole - 1, "length"},
		"more than is there to be": {`"max_tokens":100000`, whole, "stop"},
		"null":                     {`"max_tokens":null`, whole, "stop"},
	} {
		t.Run(name, func(t *testing.T) {
			body := strings.TrimSuffix(question, "}") + "," + tc.limit + "}"
			a := c.answer(c.chat(body))
			if a.Usage.Completion != tc.want || a.Choices[0].FinishReason != tc.finish ||
				len(strings.Fields(a.Choices[0].Message.Content)) != tc.want {
				t.Errorf("plain: %+v, want %d tokens and %q", a, tc.want, tc.finish)
			}
			if s := c.chat(streamed(body)).stream(); len(s.tokens) != tc.want || s.finish != tc.finish || !s.done {
				t.Errorf("stream: %d tokens and %q, want %d and %q", len(s.tokens), s.finish, tc.want, tc.finish)
			}
		})
	}
}

func TestRefusedRequests(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	const chat, embed = "/chat/completions", "/embeddings"
	for name, tc := range map[string]struct {
		method, path, body string
		status             int
		param, message     string
	}{
		"an unknown path":        {"GET", "/nothing", "", 404, "", "GET /v1/nothing"},
		"a path below":           {"POST", chat + "/x", question, 404, "", "nothing at"},
		"a wrong method":         {"GET", chat, "", 405, "", "use POST"},
		"a wrong method, models": {"POST", "/models", "{}", 405, "", "use GET"},
		"broken JSON":            {"POST", chat, `{"model":`, 400, "", "JSON"},
		"no body":                {"POST", chat, "", 400, "", "JSON"},
		"a JSON array":           {"POST", chat, "[]", 400, "", "JSON"},
		"no messages":            {"POST", chat, `{"model":"m"}`, 400, "messages", "at least one"},
		"empty messages":         {"POST", chat, `{"messages":[]}`, 400, "messages", "at least one"},
		"messages of words":      {"POST", chat, `{"messages":"hi"}`, 400, "messages", "string"},
		"content of numbers":     {"POST", chat, `{"messages":[{"content":1}]}`, 400, "", "array of parts"},
		"parts of numbers":       {"POST", chat, `{"messages":[{"content":[1]}]}`, 400, "", "array of parts"},
		"no tokens at all":       {"POST", chat, `{"messages":[{}],"max_tokens":0}`, 400, "max_tokens", "at least 1"},
		"fewer than no tokens":   {"POST", chat, `{"messages":[{}],"max_completion_tokens":-1}`, 400, "max_completion_tokens", "at least 1"},
		"no input":               {"POST", embed, `{}`, 400, "input", "1 to 2048"},
		"an input of objects":    {"POST", embed, `{"input":{}}`, 400, "", "strings or token numbers"},
		"too many inputs":        {"POST", embed, `{"input":[""` + strings.Repeat(`,""`, 2048) + `]}`, 400, "input", "1 to 2048"},
		"too many dimensions":    {"POST", embed, `{"input":"x","dimensions":3073}`, 400, "dimensions", "1 to 3072"},
		"broken JSON, embedded":  {"POST", embed, `{`, 400, "", "JSON"},
		"a body beyond 32 MiB":   {"POST", chat, strings.Repeat(" ", 32<<20+1), 413, "", "32 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.do(tc.method, tc.path, tc.body)
			e := got.apiError()
			if got.status != tc.status || e.Type != "invalid_request_error" || e.Param != tc.param ||
				!strings.Contains(e.Message, tc.message) {
				t.Errorf("got %d %q, want %d, param %q and %q", got.status, got.body, tc.status, tc.param, tc.message)
			}
			if allow := got.header.Get("Allow"); (allow != "") != (tc.status == 405) {
				t.Errorf("Allow = %q", allow)
			}
		})
	}
}

func TestEveryAnswerHasTheProvidersHeaders(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	for name, got := range map[string]reply{
		"plain":  c.chat(question),
		"stream": c.chat(streamed(question)),
		"error":  c.simulate("500", question),
		"page":   c.simulate("html", question),
		"cut":    c.simulate("cut:0", streamed(question)),
		"404":    c.do(http.MethodGet, "/nothing", ""),
	} {
		t.Run(name, func(t *testing.T) {
			if id := got.header.Get("x-request-id"); len(id) != 36 || !strings.HasPrefix(id, "req_") {
				t.Errorf("x-request-id = %q", id)
			}
			for header, want := range map[string]string{
				"openai-processing-ms":           "", // any number
				"x-ratelimit-limit-requests":     "10000",
				"x-ratelimit-remaining-requests": "9999",
				"x-ratelimit-reset-requests":     "6ms",
			} {
				if value := got.header.Get(header); value == "" || want != "" && value != want {
					t.Errorf("%s = %q, want %q", header, value, want)
				}
			}
		})
	}
}

func TestModels(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	var list struct {
		Object string
		Data   []struct{ ID, Object string }
	}
	got := c.do(http.MethodGet, "/models", "")
	if err := json.Unmarshal([]byte(got.body), &list); err != nil || list.Object != "list" || len(list.Data) != 3 {
		t.Fatalf("models = %q (%v), want a list of 3", got.body, err)
	}
	if list.Data[0].ID != "simulated-chat" || list.Data[0].Object != "model" {
		t.Errorf("first model = %+v", list.Data[0])
	}
}

// embeddings is an answer with vectors.
type embeddings struct {
	Model string
	Data  []struct {
		Index     int
		Embedding json.RawMessage
	}
	Usage usage
}

func (c *client) embed(body string) embeddings {
	c.t.Helper()
	var e embeddings
	got := c.do(http.MethodPost, "/embeddings", body)
	if err := json.Unmarshal([]byte(got.body), &e); err != nil || got.status != 200 {
		c.t.Fatalf("embeddings = %d %q (%v)", got.status, got.body, err)
	}
	return e
}

func TestEmbeddingsTakeEveryFormOfInput(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	for name, tc := range map[string]struct {
		input         string
		vectors, size int
	}{
		"a string":         {`"hello"`, 1, 2},
		"strings":          {`["hello","world!"]`, 2, 3},
		"token numbers":    {`[1,2,3]`, 1, 2},
		"arrays of tokens": {`[[1,2],[3]]`, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			e := c.embed(`{"model":"e","input":` + tc.input + `}`)
			if len(e.Data) != tc.vectors || e.Usage.Prompt != tc.size || e.Usage.Total != tc.size || e.Model != "e" {
				t.Errorf("got %+v, want %d vectors of %d tokens", e, tc.vectors, tc.size)
			}
		})
	}
}

func TestEmbeddingsAreVectors(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{}).URL)
	e := c.embed(`{"input":["sail","sail","oar"],"dimensions":24}`)
	if a, b := string(e.Data[0].Embedding), string(e.Data[1].Embedding); a != b || a == string(e.Data[2].Embedding) {
		t.Errorf("vectors %s, %s, %s; want the first two alone the same", a, b, e.Data[2].Embedding)
	}
	var v []float64
	if err := json.Unmarshal(e.Data[0].Embedding, &v); err != nil || len(v) != 24 {
		t.Fatalf("vector = %s (%v), want 24 numbers", e.Data[0].Embedding, err)
	}
	sum := 0.0
	for _, f := range v {
		sum += f * f
	}
	if math.Abs(sum-1) > 1e-5 {
		t.Errorf("length = %v, want 1", math.Sqrt(sum))
	}
	var packed string
	if err := json.Unmarshal(c.embed(`{"input":"sail","dimensions":24,"encoding_format":"base64"}`).Data[0].Embedding, &packed); err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(packed)
	if err != nil || len(raw) != 4*24 {
		t.Fatalf("base64 holds %d bytes (%v), want 96", len(raw), err)
	}
	if got := math.Float32frombits(binary.LittleEndian.Uint32(raw)); got != float32(v[0]) {
		t.Errorf("first number = %v in base64, %v in JSON", got, v[0])
	}
}
