package llm

import "strings"

// ProviderOf returns who answers at a host, such as "api.openai.com:443". It is empty
// for a host that is not known, such as that of a proxy.
func ProviderOf(host string) Provider {
	host, _, _ = strings.Cut(strings.ToLower(host), ":")
	for _, known := range [...]struct {
		suffix   string
		provider Provider
	}{
		{"openai.azure.com", AzureOpenAI},
		{"api.openai.com", OpenAI},
		{"anthropic.com", Anthropic},
		{"generativelanguage.googleapis.com", Gemini},
		{"aiplatform.googleapis.com", Vertex},
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
	} {
		if rest, ok := strings.CutSuffix(host, known.suffix); ok && (rest == "" || strings.HasSuffix(rest, ".") || strings.HasSuffix(rest, "-")) {
			return known.provider // "us-central1-aiplatform" is a region of Vertex AI
		}
	}
	if strings.HasPrefix(host, "bedrock-runtime.") && strings.HasSuffix(host, ".amazonaws.com") {
		return Bedrock
	}
	return ""
}
