package llm_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/llm"
)

// typical are answers as providers send them every day.
func typical() map[string]llm.Response {
	h := func(pairs ...string) http.Header {
		h := http.Header{"Content-Type": {"application/json"}, "Date": {"Mon, 23 Nov 2026 12:00:00 GMT"}}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	return map[string]llm.Response{
		"openai 429": {
			Provider: llm.OpenAI, Status: 429,
			Header: h("x-request-id", "req_1", "x-ratelimit-remaining-requests", "0", "x-ratelimit-reset-requests", "1s"),
			Body: []byte(`{"error":{"message":"Rate limit reached for model-x in organization org-a on requests per min (RPM): Limit 500, Used 500, Requested 1. Visit https://example.invalid to learn more.",` +
				`"type":"requests","param":null,"code":"rate_limit_exceeded"}}`),
		},
		"anthropic 529": {
			Provider: llm.Anthropic, Status: 529, Header: h("x-should-retry", "true", "request-id", "req_1"),
			Body: []byte(`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded","details":null},"request_id":"req_a"}`),
		},
		"gemini 429": {
			Provider: llm.Gemini, Status: 429, Header: h(),
			Body: []byte(`{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[` +
				`{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"generativelanguage.googleapis.com/requests","quotaId":"GenerateRequestsPerMinutePerProjectPerModel","quotaValue":"20"}]},` +
				`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"26s"}]}}`),
		},
		"vllm 400": {
			Status: 400, Header: h(),
			Body: []byte(`{"error":{"message":"Unsupported value: 'temperature' does not support 3.0 with this model, and \"top_k\" is not known.\nOnly the values from 0 to 2 are.","type":"BadRequestError","param":null,"code":400}}`),
		},
		"nothing but 500": {Status: 500},
	}
}

func success(size int) llm.Response {
	return llm.Response{
		Provider: llm.OpenAI, Status: 200, Header: http.Header{"Content-Type": {"application/json"}},
		Body: []byte(`{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"` +
			strings.Repeat("word ", size/5) + `"},"finish_reason":"stop"}],"usage":{"total_tokens":12}}`),
	}
}

func BenchmarkClassify(b *testing.B) {
	for name, r := range typical() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				llm.Classify(r)
			}
		})
	}
	for name, r := range map[string]llm.Response{"success of 1 kB": success(1000), "success of 64 kB": success(64000)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				llm.Classify(r)
			}
		})
	}
}

// A typical error costs four allocations at most, a success none.
func TestAllocations(t *testing.T) {
	for name, r := range typical() {
		if n := testing.AllocsPerRun(100, func() { llm.Classify(r) }); n > 4 {
			t.Errorf("Classify(%s) allocates %v times, want 4 at most", name, n)
		}
	}
	for _, size := range []int{0, 1000, 100_000} {
		r := success(size)
		if n := testing.AllocsPerRun(100, func() { llm.Classify(r) }); n != 0 {
			t.Errorf("Classify of a success of %d bytes allocates %v times, want 0", size, n)
		}
	}
}
