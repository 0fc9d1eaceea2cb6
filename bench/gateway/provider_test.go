package gateway

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

const words = "The quick brown fox jumps over the lazy dog, and then it sleeps in the sun. "

// question and completion have the size of an ordinary short chat, about 1 kB each. streamQuestion asks for a stream.
const (
	messages = `"temperature":0.7,"messages":[{"role":"system","content":"` + words + words + words + `"},` +
		`{"role":"user","content":"` + words + words + words + words + words + words + words + words + `"}]}`
	question       = `{"model":"gpt-4o-mini",` + messages
	streamQuestion = `{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":true},` + messages

	completion = `{"id":"chatcmpl-Bx1","object":"chat.completion","created":1764000000,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,` +
		`"message":{"role":"assistant","content":"` + words + words + words + words + words + words + words + words +
		`","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":212,"completion_tokens":140,` +
		`"total_tokens":352,"prompt_tokens_details":{"cached_tokens":0}},"service_tier":"default","system_fingerprint":"fp_b376dfbbd5"}` + "\n"
)

// events returns what the provider streams: 100 events, the first without content, the last but one with the usage.
func events() []string {
	const head = `data: {"id":"chatcmpl-Bx1","object":"chat.completion.chunk","created":1764000000,"model":"gpt-4o-mini-2024-07-18",` +
		`"service_tier":"default","system_fingerprint":"fp_b376dfbbd5","choices":[`
	list := []string{head + `{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n"}
	for i := range 96 {
		list = append(list, head+fmt.Sprintf(`{"index":0,"delta":{"content":" word%d"},"logprobs":null,"finish_reason":null}],"usage":null}`, i)+"\n\n")
	}
	return append(list,
		head+`{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}`+"\n\n",
		head+`],"usage":{"prompt_tokens":212,"completion_tokens":97,"total_tokens":309}}`+"\n\n",
		"data: [DONE]\n\n")
}

// holdHeader asks for a stream that stops in its middle until [releasePath] is asked for.
const (
	holdHeader  = "X-Bench-Hold"
	releasePath = "/release"
)

// A provider answers at once.
type provider struct {
	events []string

	mu       sync.Mutex
	released chan struct{} // guarded by mu; closed to let go of all streams that are held
}

func newProvider() *provider { return &provider{events: events(), released: make(chan struct{})} }

// ServeHTTP implements [http.Handler].
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == releasePath {
		p.release()
		return
	}
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil || string(body) != question && string(body) != streamQuestion:
		http.Error(w, "the question has changed on its way", http.StatusBadRequest)
	case string(body) == streamQuestion:
		p.stream(w, r)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(completion)))
		_, _ = io.WriteString(w, completion)
	}
}

func (p *provider) stream(w http.ResponseWriter, r *http.Request) {
	released := p.gate()
	w.Header().Set("Content-Type", "text/event-stream")
	hold := r.Header.Get(holdHeader) != ""
	for i, event := range p.events {
		if hold && i == len(p.events)/2 {
			<-released
		}
		_, _ = io.WriteString(w, event)
		_ = http.NewResponseController(w).Flush()
	}
}

func (p *provider) gate() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.released
}

func (p *provider) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.released)
	p.released = make(chan struct{})
}

// firstContent is how many bytes of a stream hold its first token.
func firstContent() int {
	list := events()
	return len(list[0]) + len(list[1])
}

func wholeStream() string { return strings.Join(events(), "") }
