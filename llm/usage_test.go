package llm_test

import (
	"fmt"
	"testing"

	"github.com/trysail-go/trysail/llm"
)

const chatUsage = `"usage":{"prompt_tokens":20,"completion_tokens":30,"total_tokens":50,"prompt_tokens_details":{"cached_tokens":8},"completion_tokens_details":{"reasoning_tokens":25,"audio_tokens":0}}`

func TestUsageOfStreams(t *testing.T) {
	for name, tc := range map[string]struct {
		protocol        llm.Protocol
		stream          string
		model, finished string
		want            llm.Usage
	}{
		"chat":                         {llm.OpenAIChat, frames(role, token, finish, `{"choices":[],`+chatUsage+`}`, "[DONE]"), "m-1", "stop", llm.Usage{Input: 20, Output: 30, Cached: 8, Reasoning: 25}},
		"chat without":                 {llm.OpenAIChat, frames(token, finish, "[DONE]"), "m-1", "stop", llm.Usage{}},
		"null until the last":          {llm.OpenAIChat, frames(`{"choices":[{"delta":{"content":"x"}}],"usage":null}`, `{"usage":{"prompt_tokens":1}}`), "", "", llm.Usage{Input: 1}},
		"running totals":               {llm.OpenAIChat, frames(`{"usage":{"prompt_tokens":9,"completion_tokens":1}}`, `{"usage":{"prompt_tokens":9,"completion_tokens":2}}`), "", "", llm.Usage{Input: 9, Output: 2}},
		"DeepSeek's cache":             {llm.OpenAIChat, frames(`{"usage":{"prompt_tokens":9,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":5}}`), "", "", llm.Usage{Input: 9, Cached: 4}},
		"TGI's own":                    {llm.OpenAIChat, frames(`{"token":{"id":2},"generated_text":"ab","details":{"finish_reason":"length","generated_tokens":2,"input_length":3}}`), "", "length", llm.Usage{Input: 3, Output: 2}},
		"responses":                    {llm.OpenAIResponses, frames(`{"type":"response.created","response":{"model":"m-1"}}`, `{"type":"response.incomplete","response":{"incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":5,"input_tokens_details":{"cached_tokens":1},"output_tokens":6,"output_tokens_details":{"reasoning_tokens":2}}}}`), "m-1", "max_output_tokens", llm.Usage{Input: 5, Output: 6, Cached: 1, Reasoning: 2}},
		"Anthropic: its input is less": {llm.AnthropicMessages, named(anStart, anText, anDelta, anStop), "claude-x", "end_turn", llm.Usage{Input: 35, Output: 15, Cached: 7, CacheWrite: 3}},
		"Anthropic: cut off":           {llm.AnthropicMessages, named(anStart, anText), "claude-x", "", llm.Usage{Input: 35, Output: 1, Cached: 7, CacheWrite: 3}},
		"Gemini: thoughts are output":  {llm.GeminiEvents, frames(geText, geStop), "gemini-x", "STOP", llm.Usage{Input: 9, Output: 39, Cached: 2, Reasoning: 30}},
		"Gemini as an array":           {llm.GeminiArray, array(geText, geStop), "gemini-x", "STOP", llm.Usage{Input: 9, Output: 39, Cached: 2, Reasoning: 30}},
		"Gemini: a blocked prompt":     {llm.GeminiEvents, frames(geBlock), "", "SAFETY", llm.Usage{}},
		"Ollama":                       {llm.OllamaLines, ndjson(olText, olDone), "llama-x", "stop", llm.Usage{Input: 11, Output: 18}},
		"Cohere: tokens, not money":    {llm.CohereEvents, named(coText, coEnd), "", "COMPLETE", llm.Usage{Input: 66, Output: 4}},
		"odd numbers":                  {llm.OpenAIChat, frames(`{"usage":{"prompt_tokens":-1,"completion_tokens":1e2,"prompt_tokens_details":{"cached_tokens":"3"},"completion_tokens_details":null}}`), "", "", llm.Usage{Output: 100}},
		"a number without end":         {llm.OpenAIChat, frames(`{"usage":{"prompt_tokens":99999999999999999999999999,"completion_tokens":1e99}}`), "", "", llm.Usage{}},
	} {
		t.Run(name, func(t *testing.T) {
			p := feed(tc.stream, 13, tc.protocol).Progress()
			if p.Usage != tc.want || p.Model != tc.model || p.Finished != tc.finished {
				t.Errorf("model %q, finished %q, usage %+v; want %q, %q, %+v", p.Model, p.Finished, p.Usage, tc.model, tc.finished, tc.want)
			}
		})
	}
}

func TestUsageOf(t *testing.T) {
	for name, tc := range map[string]struct {
		protocol llm.Protocol
		body     string
		want     llm.Usage
	}{
		"chat":               {llm.OpenAIChat, `{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],` + chatUsage + `}`, llm.Usage{Input: 20, Output: 30, Cached: 8, Reasoning: 25}},
		"embeddings":         {llm.OpenAIChat, `{"object":"list","data":[],"usage":{"prompt_tokens":8,"total_tokens":8}}`, llm.Usage{Input: 8}},
		"responses":          {llm.OpenAIResponses, `{"object":"response","error":null,"usage":{"input_tokens":5,"output_tokens":6}}`, llm.Usage{Input: 5, Output: 6}},
		"Anthropic":          {llm.AnthropicMessages, `{"type":"message","usage":{"input_tokens":1,"cache_creation_input_tokens":2,"cache_read_input_tokens":4,"output_tokens":8}}`, llm.Usage{Input: 7, Output: 8, Cached: 4, CacheWrite: 2}},
		"Gemini":             {llm.GeminiEvents, geStop, llm.Usage{Input: 9, Output: 39, Cached: 2, Reasoning: 30}},
		"Gemini, all chunks": {llm.GeminiArray, array(geText, geStop), llm.Usage{Input: 9, Output: 39, Cached: 2, Reasoning: 30}},
		"Ollama":             {llm.OllamaLines, olDone, llm.Usage{Input: 11, Output: 18}},
		"Cohere":             {llm.CohereEvents, `{"message":{"content":[]},"usage":{"tokens":{"input_tokens":3,"output_tokens":4}}}`, llm.Usage{Input: 3, Output: 4}},
		"beside an error":    {llm.OpenAIChat, `{"error":{"message":"x"},"usage":{"prompt_tokens":8}}`, llm.Usage{Input: 8}},
		"unknown":            {llm.OtherEvents, `{` + chatUsage + `}`, llm.Usage{}},
		"not JSON":           {llm.OpenAIChat, `{"usage":{"prompt_tokens":8}`, llm.Usage{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := llm.UsageOf(tc.protocol, []byte(tc.body)); got != tc.want {
				t.Errorf("UsageOf(%v, %s) = %+v, want %+v", tc.protocol, tc.body, got, tc.want)
			}
		})
	}
}

func ExampleUsageOf() {
	body := `{"type":"message","usage":{"input_tokens":50,"cache_read_input_tokens":1000,"output_tokens":200}}`
	fmt.Printf("%+v\n", llm.UsageOf(llm.AnthropicMessages, []byte(body)))
	// Output: {Input:1050 Output:200 Cached:1000 CacheWrite:0 Reasoning:0}
}
