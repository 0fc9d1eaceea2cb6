package llm

import (
	"fmt"
	"mime"
	"strings"
)

// A Protocol is the dialect of a stream.
type Protocol uint8

// The protocols. The readers of a provider's stream also read its plain answers.
const (
	OpenAIChat        Protocol = iota // chat completions and completions of OpenAI and the many who speak as it does; TGI's generate_stream
	OpenAIResponses                   // the Responses API
	OtherEvents                       // an event stream that nothing is known about: its first event is content, its end is always clean
	AnthropicMessages                 // the Messages API
	GeminiEvents                      // Gemini's streamGenerateContent with alt=sse
	GeminiArray                       // the same without: one JSON array
	OllamaLines                       // Ollama's api/chat and api/generate: a JSON document per line
	CohereEvents                      // Cohere's v2/chat
	protocols                         // how many there are
)

// String returns the protocol's name, such as "openai-chat".
func (p Protocol) String() string {
	names := [protocols]string{
		"openai-chat", "openai-responses", "other-events", "anthropic-messages",
		"gemini-events", "gemini-array", "ollama-lines", "cohere-events",
	}
	if p < protocols {
		return names[p]
	}
	return fmt.Sprintf("Protocol(%d)", uint8(p))
}

// ProtocolOf returns the protocol of the answer to a request for a URL path. Only its end matters, so
// that the path of a proxy in front does not. Gemini answers one path in two forms: contentType,
// the header of the answer, tells which, and may be empty for every other path. What is not known is [OtherEvents].
func ProtocolOf(path, contentType string) Protocol {
	path = strings.TrimSuffix(path, "/")
	switch {
	case hasAnySuffix(path, "/chat/completions", "/completions", "/generate_stream"):
		return OpenAIChat
	case hasAnySuffix(path, "/responses"), strings.Contains(path, "/v1/responses/"):
		return OpenAIResponses
	case hasAnySuffix(path, "/v1/messages", ":streamRawPredict", ":rawPredict"): // the latter are Claude at Vertex AI
		return AnthropicMessages
	case hasAnySuffix(path, ":streamGenerateContent"):
		if kind, _, _ := mime.ParseMediaType(contentType); kind == "application/json" {
			return GeminiArray
		}
		return GeminiEvents
	case hasAnySuffix(path, ":generateContent"):
		return GeminiEvents
	case hasAnySuffix(path, "/api/chat", "/api/generate"):
		return OllamaLines
	case hasAnySuffix(path, "/v2/chat"):
		return CohereEvents
	default:
		return OtherEvents
	}
}

func hasAnySuffix(path string, suffixes ...string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(path, suffix) {
			return true
		}
	}
	return false
}

// A form is how a stream is cut into frames.
type form uint8

const (
	eventStream form = iota
	jsonLines
	jsonArray
)

// A dialect is what an [Inspector] knows of a protocol.
type dialect struct {
	form form
	read func(*scanner, *frame) // reads a frame
}

// dialect returns what is known of p. A protocol that does not exist is treated as one that is
// not known.
func (p Protocol) dialect() dialect {
	switch p {
	case OpenAIChat:
		return dialect{eventStream, readChat}
	case OpenAIResponses:
		return dialect{eventStream, readResponses}
	case AnthropicMessages:
		return dialect{eventStream, readAnthropic}
	case GeminiEvents:
		return dialect{eventStream, readGemini}
	case GeminiArray:
		return dialect{jsonArray, readGemini}
	case OllamaLines:
		return dialect{jsonLines, readOllama}
	case CohereEvents:
		return dialect{eventStream, readCohere}
	default:
		return dialect{eventStream, nil}
	}
}
