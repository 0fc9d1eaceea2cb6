package llm

import "net/http"

// A Provider names who answers. It settles what providers say with the same
// signal: a status 498 means a full queue at Groq and a bad key at Cohere. An
// unknown or empty one is fine: the body's shape tells most.
type Provider string

// The providers whose answers are known.
const (
	OpenAI      Provider = "openai"
	AzureOpenAI Provider = "azure_openai"
	Anthropic   Provider = "anthropic"
	Gemini      Provider = "gemini"
	Vertex      Provider = "vertex"
	Bedrock     Provider = "bedrock"
	Mistral     Provider = "mistral"
	Cohere      Provider = "cohere"
	Groq        Provider = "groq"
	Together    Provider = "together"
	DeepSeek    Provider = "deepseek"
	OpenRouter  Provider = "openrouter"
	XAI         Provider = "xai"
	Ollama      Provider = "ollama"
	VLLM        Provider = "vllm"
	TGI         Provider = "tgi"
	HuggingFace Provider = "huggingface"
)

// MaxBody is how much of a body is looked at. Providers' errors are a few
// hundred bytes; of a longer body what comes before the cut counts.
const MaxBody = 64 << 10

// A Response is what [Classify] judges: an answer, or one frame of a stream.
type Response struct {
	Provider Provider
	Status   int         // of the answer, also when Body is a frame of it; 0 when unknown
	Header   http.Header // with keys in canonical form, as the methods of http.Header make them
	Body     []byte      // the first MaxBody bytes are looked at, and nothing of it is kept

	// Stream says that Body is one frame of a stream that began with a good status. A frame of
	// Amazon's event streams brings its own headers (":exception-type") in Header.
	Stream bool
	Event  string // the frame's name, when it has one, such as "error"
}
