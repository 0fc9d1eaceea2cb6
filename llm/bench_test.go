package llm_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/llm"
)

// A load is a stream as a provider sends it: an opening, many tokens, an end.
type load struct {
	protocol   llm.Protocol
	open, wrap string // wrap makes a frame of a document
	token      string // with a verb for the word
	end        string
}

func loads() map[string]load {
	return map[string]load{
		"chat": {
			llm.OpenAIChat, "", "data: %s\n\n",
			`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" word%d"},"finish_reason":null}]}`,
			`{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]",
		},
		"responses": {
			llm.OpenAIResponses, "", "event: response.output_text.delta\ndata: %s\n\n",
			`{"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_1","output_index":0,"content_index":0,"delta":" word%d","logprobs":[],"obfuscation":"aKdG7x"}`,
			`{"type":"response.completed","response":{"usage":{"input_tokens":1,"output_tokens":2}}}`,
		},
		"anthropic": {
			llm.AnthropicMessages, "event: message_start\ndata: " + anStart + "\n\n", "event: content_block_delta\ndata: %s\n\n",
			`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word%d"}}`,
			anStop,
		},
		"gemini": {
			llm.GeminiEvents, "", "data: %s\r\n\r\n",
			`{"candidates": [{"content": {"parts": [{"text": " word%d and some more of the answer, since its chunks are longer"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 5,"candidatesTokenCount": 9,"totalTokenCount": 14,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 5}]},"modelVersion": "gemini-x","responseId": "abc"}`,
			geStop,
		},
		"gemini-array": {
			llm.GeminiArray, "[", "%s\n,\r\n",
			"{\n  \"candidates\": [\n    {\n      \"content\": {\n        \"parts\": [\n          {\n            \"text\": \" word%d and some more of the answer\"\n          }\n        ],\n        \"role\": \"model\"\n      }\n    }\n  ],\n  \"usageMetadata\": {\n    \"promptTokenCount\": 5,\n    \"totalTokenCount\": 6\n  }\n}",
			geStop + "]",
		},
		"ollama": {
			llm.OllamaLines, "", "%s\n",
			`{"model":"llama3.2","created_at":"2026-08-04T08:52:19.385406455-07:00","message":{"role":"assistant","content":" word%d"},"done":false}`,
			olDone,
		},
		"cohere": {
			llm.CohereEvents, "", "event: content-delta\ndata: %s\n\n",
			`{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":" word%d"}}}}`,
			coEnd,
		},
	}
}

// tokens returns the frames of n tokens.
func (l load) tokens(n int) string {
	var b strings.Builder
	for k := range n {
		fmt.Fprintf(&b, l.wrap, fmt.Sprintf(l.token, k))
	}
	return b.String()
}

func (l load) stream(n int) []byte {
	return []byte(l.open + l.tokens(n) + fmt.Sprintf(l.wrap, l.end))
}

func BenchmarkInspector(b *testing.B) {
	for name, l := range loads() {
		b.Run(name, func(b *testing.B) {
			stream := l.stream(1000)
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			for b.Loop() {
				i := llm.Inspector{Protocol: l.protocol}
				for piece := range slices.Chunk(stream, 16<<10) {
					if err := i.Feed(piece); err != nil {
						b.Fatal(err)
					}
				}
				if err := i.End(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkStream(b *testing.B) {
	stream := loads()["chat"].stream(1000)
	buffer := make([]byte, 16<<10)
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		s := llm.NewStream(io.NopCloser(bytes.NewReader(stream)), llm.StreamConfig{})
		if err := s.Begin(b.Context()); err != nil {
			b.Fatal(err)
		}
		var err error
		for err == nil {
			_, err = s.Read(buffer)
		}
		if !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	for name, l := range loads() {
		t.Run(name, func(t *testing.T) {
			i := llm.Inspector{Protocol: l.protocol}
			_ = i.Feed([]byte(l.open + l.tokens(3)))
			piece := []byte(l.tokens(10))
			cut := len(piece) / 3 // so that a frame is in two pieces
			allocs := testing.AllocsPerRun(100, func() {
				_, _ = i.Feed(piece[:cut]), i.Feed(piece[cut:])
			})
			if p := i.Progress(); allocs != 0 || p.Err != nil || p.Tokens != 1013 {
				t.Errorf("%v allocations for 10 tokens, %+v; want 0, and 1013 tokens without an error", allocs, p)
			}
		})
	}
}
