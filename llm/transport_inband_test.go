package llm_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
)

// inTwo returns an answer that comes in two pieces.
func inTwo(kind, first, rest string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		resp, err := says(200, kind, "")(r)
		resp.Body, resp.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(first), strings.NewReader(rest))), -1
		return resp, err
	}
}

// Errors inside an answer with status 200, in every form that providers send them, before anything of the answer. The SDK must get an
// error status in place of the good one, and the engine the class.
func TestTransportErrorsInside(t *testing.T) {
	const lines, json = "application/x-ndjson", "application/json"
	const role = `{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}`
	const prefilter = `{"choices":[],"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}`
	begins := map[string]string{ // how an answer begins that breaks off later
		chatURL:      delta,
		responsesURL: typed(`{"type":"response.output_text.delta","delta":"hi"}`),
		messagesURL:  typed(`{"type":"content_block_delta","delta":{"type":"text_delta","text":"hi"}}`),
		geminiURL:    data(`{"candidates":[{"content":{"parts":[{"text":"hi"}]}}]}`),
		cohereURL:    typed(`{"type":"content-delta","delta":{"message":{"content":{"text":"hi"}}}}`),
	}
	for name, tc := range map[string]struct {
		url, kind, answer string
		class             trysail.Class
		status            int
		retried           bool
	}{
		"chat: at once":                      {chatURL, events, data(`{"error":{"message":"x","type":"server_error","code":null}}`), trysail.ClassTransient, 502, true},
		"chat: after the role":               {chatURL, events, data(role, `{"error":{"message":"x","type":"server_error"}}`), trysail.ClassTransient, 502, true},
		"chat: the money":                    {chatURL, events, data(`{"error":{"message":"x","type":"insufficient_quota","code":"credit_balance_exhausted"}}`), trysail.ClassQuotaExhausted, 429, false},
		"chat: numbered":                     {chatURL, events, data(`{"error":{"message":"x","code":503}}`), trysail.ClassOverloaded, 503, true},
		"chat: a number as text":             {chatURL, events, data(`{"error":{"message":"x","code":"429"}}`), trysail.ClassRateLimited, 429, true},
		"chat: a text (Ollama, TGI)":         {chatURL, events, data(`{"error":"generation failed","error_type":"generation"}`), trysail.ClassTransient, 502, true},
		"chat: TGI's own status":             {chatURL, events, data(`{"error":{"message":"x","http_status_code":422}}`), trysail.ClassTransient, 502, true},
		"chat: vLLM's, then DONE":            {chatURL, events, data(`{"error":{"message":"x","type":"BadRequestError","param":null,"code":400}}`, "[DONE]"), trysail.ClassPermanent, 400, false},
		"chat: old vLLM's, flat":             {chatURL, events, data(`{"object":"error","message":"x","type":"InternalServerError","code":500}`, "[DONE]"), trysail.ClassTransient, 500, true},
		"chat: OpenRouter's, beside":         {chatURL, events, data(`{"id":"1","error":{"code":502,"message":"x"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}`), trysail.ClassTransient, 502, true},
		"chat: OpenRouter's, within":         {chatURL, events, data(`{"choices":[{"index":0,"error":{"code":429,"message":"x"},"finish_reason":"error"}]}`), trysail.ClassRateLimited, 429, true},
		"chat: OpenRouter's word":            {chatURL, events, data(`{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}`), trysail.ClassTransient, 502, true},
		"chat: DeepSeek's":                   {chatURL, events, data(role, `{"choices":[{"index":0,"delta":{},"finish_reason":"insufficient_system_resource"}]}`), trysail.ClassOverloaded, 503, true},
		"chat: Azure's filter":               {chatURL, events, data(prefilter, `{"error":{"code":"content_filter","message":"x","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`), trysail.ClassContentPolicy, 400, false},
		"chat: comments before it":           {chatURL, events, ": OPENROUTER PROCESSING\n\n: keep-alive\n\n" + data(`{"error":{"code":503,"message":"x"}}`), trysail.ClassOverloaded, 503, true},
		"chat: a JSON document in its place": {chatURL, events, `{"error":{"code":429,"message":"x"}}`, trysail.ClassRateLimited, 429, true},
		"chat: no end marker, no line end":   {chatURL, events, `data: {"error":{"code":503,"message":"x"}}`, trysail.ClassOverloaded, 503, true},
		"chat: swallowed by Ollama":          {chatURL, events, data(`{"model":"","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}`), trysail.ClassTransient, 0, true},
		"chat: plain":                        {chatURL, json, `{"error":{"message":"x","code":502},"user_id":"u"}`, trysail.ClassTransient, 502, true},
		"chat: plain, in the choice":         {chatURL, json, `{"choices":[{"error":{"code":503,"message":"x"},"finish_reason":"error","message":{"content":""}}]}`, trysail.ClassOverloaded, 503, true},
		"chat: plain, blank lines before":    {chatURL, json, "\n\n\n" + `{"error":{"message":"x","code":503}}`, trysail.ClassOverloaded, 503, true},

		"responses: flat":            {responsesURL, events, typed(`{"type":"error","code":"rate_limit_exceeded","message":"x","param":null}`), trysail.ClassRateLimited, 429, true},
		"responses: nested":          {responsesURL, events, typed(`{"type":"error","error":{"type":"insufficient_quota","code":"insufficient_quota","message":"x"}}`), trysail.ClassQuotaExhausted, 429, false},
		"responses: failed":          {responsesURL, events, typed(`{"type":"response.created","response":{"status":"in_progress","error":null}}`, `{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"x"}}}`), trysail.ClassTransient, 502, true},
		"responses: its prompt":      {responsesURL, events, typed(`{"type":"response.failed","response":{"error":{"code":"invalid_prompt","message":"x"}}}`), trysail.ClassPermanent, 400, false},
		"responses: its policy":      {responsesURL, events, typed(`{"type":"response.failed","response":{"error":{"code":"bio_policy","message":"x"}}}`), trysail.ClassContentPolicy, 400, false},
		"responses: a vector store":  {responsesURL, events, typed(`{"type":"response.failed","response":{"error":{"code":"vector_store_timeout","message":"x"}}}`), trysail.ClassTransient, 502, true},
		"responses: an image":        {responsesURL, events, typed(`{"type":"response.failed","response":{"error":{"code":"image_too_large","message":"x"}}}`), trysail.ClassPermanent, 400, false},
		"responses: unnamed events":  {responsesURL, events, data(`{"type":"error","code":"server_is_overloaded","message":"x"}`), trysail.ClassOverloaded, 503, true},
		"responses: plain":           {responsesURL, json, `{"object":"response","status":"failed","error":{"code":"rate_limit_exceeded","message":"x"}}`, trysail.ClassRateLimited, 429, true},
		"Anthropic: overloaded":      {messagesURL, events, typed(`{"type":"message_start","message":{"model":"m"}}`, `{"type":"ping"}`, `{"type":"error","error":{"details":null,"type":"overloaded_error","message":"Overloaded"}}`), trysail.ClassOverloaded, 529, true},
		"Anthropic: its own failure": {messagesURL, events, typed(`{"type":"error","error":{"type":"api_error","message":"x"}}`), trysail.ClassTransient, 502, true},
		"Anthropic: Overloaded":      {messagesURL, events, typed(`{"type":"error","error":{"type":"api_error","message":"Overloaded"}}`), trysail.ClassOverloaded, 503, true},
		"Anthropic: a new type":      {messagesURL, events, typed(`{"type":"error","error":{"type":"moon_error","message":"x"}}`), trysail.ClassTransient, 502, true},
		"Anthropic: its key":         {messagesURL, events, typed(`{"type":"error","error":{"type":"permission_error","message":"x"}}`), trysail.ClassPermanent, 401, false},
		"Anthropic: plain":           {messagesURL, json, `{"type":"error","error":{"type":"overloaded_error","message":"x"},"request_id":"r"}`, trysail.ClassOverloaded, 529, true},
		"Gemini: an event":           {geminiURL, events, data(`{"error":{"code":503,"status":"UNAVAILABLE","message":"x"}}`), trysail.ClassOverloaded, 503, true},
		"Gemini: a bare line":        {geminiURL, events, `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"x"}}` + "\n", trysail.ClassRateLimited, 429, true},
		"Gemini: a list in an event": {geminiURL, events, data(`[{"error":{"code":500,"status":"INTERNAL","message":"x"}}]`), trysail.ClassTransient, 500, true},
		"Gemini: an array":           {arrayURL, json, `[{"error":{"code":503,"status":"UNAVAILABLE","message":"x"}}]`, trysail.ClassOverloaded, 503, true},
		"Gemini: one over lines":     {arrayURL, json, "[{\n  \"error\": {\n    \"code\": 429,\n    \"status\": \"RESOURCE_EXHAUSTED\",\n \"details\": [{\"violations\":[{\"quotaId\":\"GenerateRequestsPerDayPerProject\"}]}]}}\n]", trysail.ClassQuotaExhausted, 429, false},
		"Gemini: an object":          {arrayURL, json, `{"error":{"code":500,"status":"INTERNAL","message":"x"}}`, trysail.ClassTransient, 500, true},
		"Gemini: after an element":   {arrayURL, json, `[{"usageMetadata":{"promptTokenCount":1}},{"error":{"code":503,"status":"UNAVAILABLE"}}]`, trysail.ClassOverloaded, 503, true},
		"Ollama: a line":             {ollamaURL, lines, `{"error":"llama runner process has terminated: exit status 2"}` + "\n", trysail.ClassTransient, 502, true},
		"Ollama: no capacity":        {ollamaURL, lines, `{"error":"server busy, please try again.  maximum pending requests exceeded"}` + "\n", trysail.ClassOverloaded, 503, true},
		"Ollama: no memory":          {ollamaURL, lines, `{"error":"model requires more system memory (8 GiB) than is available"}` + "\n", trysail.ClassPermanent, 404, false},
		"Ollama: without line end":   {ollamaURL, lines, `{"error":"unexpected EOF"}`, trysail.ClassTransient, 502, true},
		"Ollama: plain":              {ollamaURL, json, `{"error":"unexpected EOF"}`, trysail.ClassTransient, 502, true},
		"Cohere: at the end":         {cohereURL, events, typed(`{"type":"message-start"}`, `{"type":"message-end","delta":{"finish_reason":"ERROR","error":"x"}}`), trysail.ClassTransient, 502, true},
		"Cohere: toxic":              {cohereURL, events, typed(`{"type":"message-end","delta":{"finish_reason":"ERROR_TOXIC"}}`), trysail.ClassContentPolicy, 400, false},
		"Cohere: too long":           {cohereURL, events, typed(`{"type":"message-end","delta":{"finish_reason":"ERROR_LIMIT"}}`), trysail.ClassContextLength, 400, false},
		"Cohere: flat":               {cohereURL, events, data(`{"message":"too many tokens: x"}`), trysail.ClassTransient, 502, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 2}}, says(200, tc.kind, tc.answer))
			resp, read, err := f.do(t.Context(), http.MethodPost, tc.url, "{}")
			switch {
			case tc.status == 0 && err == nil:
				t.Errorf("got status %d, want an error", resp.StatusCode)
			case tc.status != 0 && (err != nil || resp.StatusCode != tc.status || read == ""):
				t.Errorf("got %+v, %q, %v; want status %d", resp, read, err, tc.status)
			}
			if begin, ok := begins[tc.url]; ok && tc.kind != json && tc.status != 0 && !strings.HasPrefix(tc.answer, "{") {
				late := newFake(t, trysail.Policy{}, inTwo(tc.kind, begin, tc.answer))
				_, _, err := late.do(t.Context(), http.MethodPost, tc.url, "{}")
				if e := late.last(); err == nil || e.Verdict.Class != tc.class || e.Attempts != 1 {
					t.Errorf("after the first token: %v, verdict %+v; want an error of class %v", err, e.Verdict, tc.class)
				}
			}
			e := f.last()
			if (e.Attempts == 2) != tc.retried {
				t.Errorf("%d attempts, want it retried: %t", e.Attempts, tc.retried)
			}
			if e.Verdict.Class != tc.class || e.Verdict.Retryable != tc.retried || e.Err == nil {
				t.Errorf("verdict %+v, want %v", e.Verdict, tc.class)
			}
		})
	}
}
