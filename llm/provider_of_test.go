package llm_test

import (
	"testing"

	"github.com/trysail-go/trysail/llm"
)

func TestProviderOf(t *testing.T) {
	for host, want := range map[string]llm.Provider{
		"api.openai.com":                               llm.OpenAI,
		"API.OpenAI.com:443":                           llm.OpenAI,
		"api.openai.com.":                              llm.OpenAI,
		"eu.api.openai.com":                            llm.OpenAI,
		"mine.openai.azure.com":                        llm.AzureOpenAI,
		"mine.cognitiveservices.azure.com":             llm.AzureOpenAI,
		"mine.services.ai.azure.com":                   llm.AzureOpenAI,
		"api.anthropic.com":                            llm.Anthropic,
		"generativelanguage.googleapis.com":            llm.Gemini,
		"aiplatform.googleapis.com":                    llm.Vertex,
		"us-central1-aiplatform.googleapis.com":        llm.Vertex,
		"aiplatform.eu.rep.googleapis.com":             llm.Vertex,
		"bedrock-runtime.us-east-1.amazonaws.com":      llm.Bedrock,
		"bedrock-runtime-fips.us-east-1.amazonaws.com": llm.Bedrock,
		"api.mistral.ai":                               llm.Mistral,
		"api.cohere.com":                               llm.Cohere,
		"api.cohere.ai":                                llm.Cohere,
		"api.groq.com":                                 llm.Groq,
		"api.together.xyz":                             llm.Together,
		"api.together.ai":                              llm.Together,
		"api.deepseek.com":                             llm.DeepSeek,
		"openrouter.ai":                                llm.OpenRouter,
		"api.x.ai":                                     llm.XAI,
		"router.huggingface.co":                        llm.HuggingFace,
		"api.openai.com.evil.com":                      "",
		"evilapi.openai.com":                           "",
		"not-anthropic.com":                            "",
		"not-x.ai":                                     "",
		"openai.com":                                   "",
		"127.0.0.1:8080":                               "",
		"[::1]:443":                                    "",
		"[::1]":                                        "",
		"":                                             "",
	} {
		if got := llm.ProviderOf(host); got != want {
			t.Errorf("ProviderOf(%q) = %q, want %q", host, got, want)
		}
	}
}
