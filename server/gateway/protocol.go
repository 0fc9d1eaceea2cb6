package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/trysail-go/trysail/llm"
)

// The addresses of the providers' own APIs.
const (
	// OpenAI is the address of OpenAI's API (https://platform.openai.com/docs/api-reference, 2025).
	OpenAI = "https://api.openai.com/v1"

	// Anthropic is the address of Anthropic's API (https://docs.anthropic.com/en/api/overview, 2025).
	Anthropic = "https://api.anthropic.com"

	// Gemini is the address of the Gemini API (https://ai.google.dev/api, 2025).
	Gemini = "https://generativelanguage.googleapis.com"
)

// Protocols returns all protocols.
func Protocols() []Protocol { return []Protocol{OpenAIProtocol, AnthropicProtocol, GeminiProtocol} }

// protocolEnd is one more than the last protocol.
const protocolEnd = GeminiProtocol + 1

// String returns "openai", "anthropic" or "gemini".
func (p Protocol) String() string {
	names := [protocolEnd]string{"none", "openai", "anthropic", "gemini"}
	if p < protocolEnd {
		return names[p]
	}
	return fmt.Sprintf("Protocol(%d)", uint8(p))
}

// vendor returns whose protocol it is, for people.
func (p Protocol) vendor() string {
	return [protocolEnd]string{"no", "OpenAI's", "Anthropic's", "Gemini's"}[p]
}

func (p Protocol) valid() bool { return p >= OpenAIProtocol && p < protocolEnd }

// address returns where the provider whose protocol it is can be found.
func (p Protocol) address() string {
	return [protocolEnd]string{"", OpenAI, Anthropic, Gemini}[p]
}

// exampleURL is what a base URL of the protocol looks like.
func (p Protocol) exampleURL() string {
	if !p.valid() {
		return OpenAI
	}
	return p.address()
}

// spoken returns the protocol of a request: by its path, and Anthropic's by the header that all its clients must send
// (https://docs.anthropic.com/en/api/versioning, 2025).
func spoken(r *http.Request) Protocol {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/v1beta/"), path == "/v1beta", geminiVerb(path) != "":
		return GeminiProtocol
	case path == "/v1/messages", strings.HasPrefix(path, "/v1/messages/"), r.Header["Anthropic-Version"] != nil:
		return AnthropicProtocol
	default:
		return OpenAIProtocol
	}
}

// geminiVerbs are the methods of Gemini's models (https://ai.google.dev/api/all-methods, 2025). A list, because names of OpenAI's fine-tuned models
// hold colons, too.
var geminiVerbs = []string{ //nolint:gochecknoglobals // a table that nothing changes
	"generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents", "batchGenerateContent",
	"asyncBatchEmbedContent", "predict", "predictLongRunning",
}

// geminiVerb returns what a path of Gemini's asks of a model, or "".
func geminiVerb(path string) string {
	verb := path[strings.LastIndexByte(path, ':')+1:]
	if len(verb) < len(path) && slices.Contains(geminiVerbs, verb) {
		return verb
	}
	return ""
}

// geminiModel returns the model that a path of Gemini's names, and where it is in the path.
func geminiModel(path string) (name string, from, to int) {
	for _, list := range []string{"/models/", "/tunedModels/"} {
		if at := strings.Index(path, list); at >= 0 {
			from = at + len(list)
			to = len(path)
			if colon := strings.LastIndexByte(path, ':'); colon >= from {
				to = colon
			}
			return path[from:to], from, to
		}
	}
	return "", 0, 0
}

// dialectOf returns how the answers to a path are to be read. contentType is the answer's, which only Gemini's streams need.
func dialectOf(p Protocol, path, contentType string) llm.Protocol {
	d := llm.ProtocolOf(path, contentType)
	switch {
	case p == OpenAIProtocol && (d == llm.OpenAIChat || d == llm.OpenAIResponses),
		p == AnthropicProtocol && d == llm.AnthropicMessages,
		p == GeminiProtocol && (d == llm.GeminiEvents || d == llm.GeminiArray):
		return d
	default:
		return llm.OtherEvents
	}
}
