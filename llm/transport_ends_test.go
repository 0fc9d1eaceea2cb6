package llm_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// Where each protocol is asked.
const (
	responsesURL = "https://api.openai.com/v1/responses"
	messagesURL  = "https://api.anthropic.com/v1/messages"
	geminiURL    = "https://generativelanguage.googleapis.com/v1beta/models/m:streamGenerateContent?alt=sse"
	arrayURL     = "https://generativelanguage.googleapis.com/v1beta/models/m:streamGenerateContent"
	ollamaURL    = "http://localhost:11434/api/chat"
	cohereURL    = "https://api.cohere.com/v2/chat"
)

// A plain answer of Bedrock's is judged, and tells its usage.
func TestTransportConverse(t *testing.T) {
	const url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse"
	const usage = `"usage":{"inputTokens":7,"outputTokens":3,"cacheReadInputTokens":2,"cacheWriteInputTokens":1,"totalTokens":10}`
	for answer, class := range map[string]trysail.Class{
		`{"output":{},"stopReason":"end_turn",` + usage + `}`:             0,
		`{"output":{},"stopReason":"guardrail_intervened",` + usage + `}`: trysail.ClassContentPolicy,
		`{"output":{},"stopReason":"malformed_tool_use",` + usage + `}`:   trysail.ClassTransient,
	} {
		f := newFake(t, trysail.Policy{}, says(200, "", answer))
		_, read, err := f.do(t.Context(), http.MethodPost, url, "{}")
		e := f.last()
		if want := (llm.Usage{Input: 7, Output: 3, Cached: 2, CacheWrite: 1}); err != nil || read != answer || e.Usage != want || e.Model != "m" {
			t.Errorf("%s: got %q, %v, exchange %+v; want the answer and its usage", answer, read, err, e)
		}
		if good := strings.Contains(answer, "end_turn"); e.Verdict.Failed == good || e.Verdict.Class != class {
			t.Errorf("%s: verdict %+v, want %v", answer, e.Verdict, class)
		}
	}
}

func data(frames ...string) string {
	var b strings.Builder
	for _, f := range frames {
		b.WriteString("data: " + f + "\n\n")
	}
	return b.String()
}

// typed gives each frame the name that it has inside, as Anthropic and OpenAI's Responses do.
func typed(frames ...string) string {
	var b strings.Builder
	for _, f := range frames {
		_, name, _ := strings.Cut(f, `"type":"`)
		name, _, _ = strings.Cut(name, `"`)
		b.WriteString("event: " + name + "\ndata: " + f + "\n\n")
	}
	return b.String()
}

// What a stream says at its end counts as what a plain answer says: a refusal is no success, and what the model broke off
// before anyone saw it is tried again. Every answer is the caller's to read.
func TestTransportEndsOfStreams(t *testing.T) {
	const none = trysail.Class(255)
	chatEnd := func(reason string) string {
		return data(`{"choices":[{"index":0,"delta":{},"finish_reason":"`+reason+`"}]}`, "[DONE]")
	}
	gemini := func(part, reason string) string {
		return data(`{"candidates":[{"content":{"parts":[` + part + `]},"finishReason":"` + reason + `"}]}`)
	}
	anthropic := func(reason string) string {
		return typed(`{"type":"message_start","message":{"model":"m"}}`,
			`{"type":"message_delta","delta":{"stop_reason":"`+reason+`"},"usage":{"output_tokens":1}}`, `{"type":"message_stop"}`)
	}
	const text = `{"text":"hi"}`
	for name, tc := range map[string]struct {
		url, kind, answer string
		class             trysail.Class // none: a success
		attempts          int           // of at most 5
		failures          uint64
	}{
		"chat: length":                      {chatURL, events, delta + chatEnd("length"), none, 1, 0},
		"chat: tool calls":                  {chatURL, events, delta + chatEnd("tool_calls"), none, 1, 0},
		"chat: a word that is not known":    {chatURL, events, delta + chatEnd("moon"), none, 1, 0},
		"chat: a filter":                    {chatURL, events, delta + chatEnd("content_filter"), trysail.ClassContentPolicy, 1, 0},
		"chat: a filter before all":         {chatURL, events, chatEnd("content_filter"), trysail.ClassContentPolicy, 1, 0},
		"responses: a filter":               {responsesURL, events, typed(`{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"content_filter"}}}`), trysail.ClassContentPolicy, 1, 0},
		"responses: the length":             {responsesURL, events, typed(`{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}}`), none, 1, 0},
		"Anthropic: a refusal":              {messagesURL, events, anthropic("refusal"), trysail.ClassContentPolicy, 1, 0},
		"Anthropic: its window":             {messagesURL, events, anthropic("model_context_window_exceeded"), none, 1, 0},
		"Anthropic: a pause":                {messagesURL, events, anthropic("pause_turn"), none, 1, 0},
		"Gemini: safety":                    {geminiURL, events, gemini(text, "SAFETY"), trysail.ClassContentPolicy, 1, 0},
		"Gemini: recitation":                {geminiURL, events, gemini("", "RECITATION"), trysail.ClassContentPolicy, 1, 0},
		"Gemini: a blocked prompt":          {geminiURL, events, data(`{"promptFeedback":{"blockReason":"OTHER"}}`), trysail.ClassContentPolicy, 1, 0},
		"Gemini: in an array":               {arrayURL, "application/json", `[{"promptFeedback":{"blockReason":"JAILBREAK"}}]`, trysail.ClassContentPolicy, 1, 0},
		"Gemini: a malformed call":          {geminiURL, events, gemini("", "MALFORMED_FUNCTION_CALL"), trysail.ClassTransient, 2, 1},
		"Gemini: the same in an array":      {arrayURL, "application/json", `[{"candidates":[{"finishReason":"UNEXPECTED_TOOL_CALL"}]}]`, trysail.ClassTransient, 2, 1},
		"Gemini: one in a single frame":     {geminiURL, events, gemini(text, "MALFORMED_FUNCTION_CALL"), trysail.ClassTransient, 2, 1},
		"Gemini: one that came after words": {geminiURL, events, data(`{"candidates":[{"content":{"parts":[{"text":"hi"}]}}]}`) + strings.Repeat(": "+strings.Repeat("x", 1000)+"\n", 20) + gemini("", "MALFORMED_FUNCTION_CALL"), trysail.ClassTransient, 1, 1},
		"Gemini: its language":              {geminiURL, events, gemini("", "LANGUAGE"), trysail.ClassPermanent, 1, 0},
		"Gemini: other":                     {geminiURL, events, gemini(text, "OTHER"), none, 1, 0},
		"Gemini: the most tokens":           {geminiURL, events, gemini(text, "MAX_TOKENS"), none, 1, 0},
		"Ollama: the length":                {ollamaURL, "application/x-ndjson", `{"message":{"content":"hi"},"done":true,"done_reason":"length"}` + "\n", none, 1, 0},
		"Cohere: complete":                  {cohereURL, events, typed(`{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}`), none, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 5}}, says(200, tc.kind, tc.answer))
			resp, read, err := f.do(t.Context(), http.MethodPost, tc.url, "{}")
			if err != nil || read != tc.answer || resp.StatusCode != http.StatusOK {
				t.Fatalf("got %v, %q, %v; want the answer as it came", resp, read, err)
			}
			e := f.last()
			if e.Attempts != tc.attempts || e.Verdict.Failed != (tc.class != none) || e.Verdict.Failed && e.Verdict.Class != tc.class {
				t.Errorf("exchange %+v, want %d attempts and class %v", e, tc.attempts, tc.class)
			}
			if wrong, ok := errors.AsType[*llm.AnswerError](e.Err); ok != (tc.class != none) || ok && wrong.Verdict.Class != tc.class {
				t.Errorf("error %v, want one that says why the answer is none", e.Err)
			}
			if got := f.op.Breaker().Snapshot().Failures; uint64(got) != tc.failures {
				t.Errorf("%d failures, want %d", got, tc.failures)
			}
		})
	}
}
