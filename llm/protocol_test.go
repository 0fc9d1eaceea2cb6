package llm_test

import (
	"fmt"
	"testing"

	"github.com/trysail-go/trysail/llm"
)

func TestProtocolOf(t *testing.T) {
	const events, json = "text/event-stream; charset=utf-8", "application/json; charset=UTF-8"
	for path, tc := range map[string]struct {
		contentType string
		want        llm.Protocol
	}{
		"/v1/chat/completions":                   {events, llm.OpenAIChat},
		"/v1/chat/completions/":                  {"", llm.OpenAIChat},
		"/v1/completions":                        {"", llm.OpenAIChat},
		"/api/v1/chat/completions":               {events, llm.OpenAIChat},
		"/openai/deployments/x/chat/completions": {events, llm.OpenAIChat},
		"/v1beta/openai/chat/completions":        {events, llm.OpenAIChat},
		"/generate_stream":                       {events, llm.OpenAIChat},
		"/v1/responses":                          {events, llm.OpenAIResponses},
		"/v1/responses/resp_1":                   {events, llm.OpenAIResponses},
		"/openai/responses":                      {events, llm.OpenAIResponses},
		"/v1/messages":                           {events, llm.AnthropicMessages},
		"/v1/projects/p/publishers/anthropic/models/c:streamRawPredict": {events, llm.AnthropicMessages},
		"/v1/threads/t/messages":                               {json, llm.OtherEvents},
		"/v1beta/models/gemini-x:streamGenerateContent":        {json, llm.GeminiArray},
		"/v1/projects/p/models/gemini-x:streamGenerateContent": {events, llm.GeminiEvents},
		"/v1beta/models/gemini-x:generateContent":              {json, llm.GeminiEvents},
		"/api/chat":      {"application/x-ndjson", llm.OllamaLines},
		"/api/generate":  {"", llm.OllamaLines},
		"/v2/chat":       {events, llm.CohereEvents},
		"/v1/embeddings": {json, llm.OtherEvents},
		"":               {"", llm.OtherEvents},
	} {
		if got := llm.ProtocolOf(path, tc.contentType); got != tc.want {
			t.Errorf("ProtocolOf(%q, %q) = %v, want %v", path, tc.contentType, got, tc.want)
		}
	}
}

func ExampleProtocolOf() {
	fmt.Println(llm.ProtocolOf("/v1/messages", "text/event-stream"))
	fmt.Println(llm.ProtocolOf("/v1beta/models/m:streamGenerateContent", "application/json"))
	fmt.Println(llm.Protocol(200))
	// Output:
	// anthropic-messages
	// gemini-array
	// Protocol(200)
}
