package llm

import (
	"net"
	"strings"
)

// ProviderOf returns who answers at a host, such as "api.openai.com:443". It is empty
// for a host that is not known, such as that of a proxy.
func ProviderOf(host string) Provider {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, known := range [...]struct {
		domain   string
		provider Provider
	}{
		{"openai.azure.com", AzureOpenAI},
		{"cognitiveservices.azure.com", AzureOpenAI},
		{"services.ai.azure.com", AzureOpenAI},
		{"api.openai.com", OpenAI},
		{"anthropic.com", Anthropic},
		{"generativelanguage.googleapis.com", Gemini},
		{"aiplatform.googleapis.com", Vertex},
		{"rep.googleapis.com", Vertex}, // aiplatform.eu.rep.googleapis.com
		{"mistral.ai", Mistral},
		{"cohere.com", Cohere},
		{"cohere.ai", Cohere},
		{"groq.com", Groq},
		{"together.xyz", Together},
		{"together.ai", Together},
		{"deepseek.com", DeepSeek},
		{"openrouter.ai", OpenRouter},
		{"x.ai", XAI},
		{"huggingface.co", HuggingFace},
		{"endpoints.huggingface.cloud", HuggingFace},
	} {
		if rest, ok := strings.CutSuffix(host, known.domain); ok && (rest == "" || strings.HasSuffix(rest, ".")) {
			return known.provider
		}
	}
	switch {
	case strings.HasSuffix(host, "-aiplatform.googleapis.com"): // us-central1-aiplatform
		return Vertex
	case strings.HasPrefix(host, "bedrock-runtime") && strings.HasSuffix(host, ".amazonaws.com"): // also bedrock-runtime-fips
		return Bedrock
	}
	return ""
}
