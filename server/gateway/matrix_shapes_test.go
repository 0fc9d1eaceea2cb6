package gateway_test

import (
	"os"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/llm"
)

// makers are the providers whose answers the shapes are, by the first word of their names. An edge stands before any of them.
func makers() map[string]llm.Provider {
	return map[string]llm.Provider{
		"anthropic": llm.Anthropic, "azure": llm.AzureOpenAI, "bedrock": llm.Bedrock, "cloudflare": llm.OpenAI, "cohere": llm.Cohere,
		"deepseek": llm.DeepSeek, "gemini": llm.Gemini, "groq": llm.Groq, "huggingface": llm.HuggingFace, "mistral": llm.Mistral,
		"ollama": llm.Ollama, "openai": llm.OpenAI, "openrouter": llm.OpenRouter, "tgi": llm.TGI, "together": llm.Together,
		"vertex": llm.Vertex, "vllm": llm.VLLM, "xai": llm.XAI,
	}
}

// shapesOfMatrix says for every answer on the wire how a call goes that meets it, and what the client gets if nobody has a better one.
func shapesOfMatrix() map[string]matrixFault {
	row := func(way course, status int, retryAfter string) matrixFault {
		return matrixFault{plain: way, stream: way, status: [2]int{status, status}, retryAfter: retryAfter}
	}
	return map[string]matrixFault{
		"anthropic-credit":         row(leave(), 400, ""),
		"anthropic-long-context":   row(stay(), 429, ""), // the prompt is too long for the tier
		"anthropic-overloaded-500": row(busy(), 500, ""),
		"anthropic-own-limit":      row(leave(), 400, ""),
		"azure-content-filter":     row(stay(), 400, ""),
		"azure-day":                row(leave(), 429, "86400"),
		"azure-overloaded":         row(leave(), 429, ""), // it asks for a longer wait than the test's policy allows
		"azure-rate-limit":         row(leave(), 429, "45"),
		"bedrock-context":          row(stay(), 400, ""),
		"bedrock-day":              row(leave(), 429, ""),
		"bedrock-not-ready":        row(busy(), 429, ""),
		"bedrock-rate-limit":       row(capped(), 429, ""),
		"cloudflare-1015":          row(leave(), 429, "30"),
		"cloudflare-1033":          row(leave(), 530, "120"),
		"cloudflare-502":           row(again(), 502, ""),
		"cloudflare-521":           row(busy(), 521, ""),
		"cloudflare-524":           row(once(), 524, ""),
		"cloudflare-blocked":       row(leave(), 403, ""),
		"cohere-auth":              row(leave(), 498, ""),
		"cohere-minute":            row(capped(), 429, ""),
		"cohere-month":             row(leave(), 429, ""),
		"deepseek-billing":         row(leave(), 402, ""),
		"deepseek-overloaded":      row(busy(), 503, ""),
		"gemini-no-tier":           row(leave(), 429, ""),
		"gemini-region":            row(leave(), 400, ""),
		"gemini-sticky":            row(leave(), 429, ""),
		"groq-capacity":            row(busy(), 498, ""),
		"groq-day":                 row(leave(), 429, "424"),
		"groq-rate-limit":          row(leave(), 429, "6"),
		"groq-too-large":           row(stay(), 413, ""),
		"huggingface-billing":      row(leave(), 402, ""),
		"huggingface-loading":      row(leave(), 503, ""),
		"mistral-billing":          row(leave(), 402, ""),
		"mistral-capacity":         row(busy(), 429, ""),
		"mistral-rate-limit":       row(leave(), 429, ""),
		"mistral-validation":       row(stay(), 422, ""),
		"ollama-busy":              row(busy(), 503, ""),
		"ollama-memory":            row(leave(), 500, ""),
		"ollama-not-found":         row(leave(), 404, ""),
		"openai-day":               row(leave(), 429, ""),
		"openai-flex":              row(busy(), 429, ""),
		"openai-html":              row(again(), 502, ""),
		"openai-project-limit":     row(leave(), 429, ""),
		"openai-slow-down":         row(leave(), 429, "5"),
		"openrouter-billing":       row(leave(), 402, ""),
		"openrouter-choice":        row(again(), 502, ""),
		"openrouter-in-flight":     row(leave(), 402, "3"),
		"openrouter-moderation":    row(stay(), 403, ""),
		"openrouter-not-found":     row(leave(), 404, ""),
		"openrouter-overloaded":    row(leave(), 429, ""),
		"openrouter-rate-limit":    row(leave(), 429, ""),
		"tgi-context":              row(stay(), 422, ""),
		"tgi-generation":           row(again(), 424, ""),
		"tgi-overloaded":           row(busy(), 429, ""),
		"together-context":         row(stay(), 403, ""),
		"together-overloaded":      row(busy(), 503, ""),
		"together-rate-limit":      row(leave(), 429, ""),
		"vertex-day":               row(leave(), 429, ""),
		"vertex-overloaded":        row(busy(), 429, ""),
		"vllm-context":             row(stay(), 400, ""),
		"vllm-internal":            row(again(), 500, ""),
		"xai-billing":              row(leave(), 429, ""),
		"xai-rate-limit":           row(capped(), 429, ""),
		"xai-spending-limit":       row(leave(), 403, ""),
	}
}

// Every answer of a real provider that the simulated one knows, as it is on the wire.
func TestShapeMatrix(t *testing.T) {
	files, err := os.ReadDir("../../trysailtest/shapes")
	if err != nil {
		t.Fatal(err)
	}
	rows := shapesOfMatrix()
	if len(rows) != len(files) {
		t.Errorf("there are %d shapes and %d rows", len(files), len(rows))
	}
	for _, file := range files {
		name := strings.TrimSuffix(file.Name(), ".http")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row, ok := rows[name]
			maker, _, _ := strings.Cut(name, "-")
			if row.provider = makers()[maker]; !ok || row.provider == "" {
				t.Fatal("there is no row, or no provider, of this name")
			}
			spoken := manners()["openai"]
			switch maker {
			case "anthropic":
				spoken = manners()["anthropic"]
			case "gemini", "vertex":
				spoken = manners()["gemini"]
			}
			row.script = "shape:" + name
			row.run(t, spoken)
		})
	}
}
