package sdks_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/trysail-go/trysail/server/gateway"
)

func byOpenAI() speaker {
	client := func(origin string) openai.Client {
		return openai.NewClient(option.WithBaseURL(origin+"/v1"), option.WithAPIKey("any"))
	}
	return speaker{
		protocol: gateway.OpenAIProtocol,
		plain: func(t *testing.T, origin string) (string, error) {
			t.Helper()
			params := chatParams()
			params.StreamOptions = openai.ChatCompletionStreamOptionsParam{}
			client := client(origin)
			answer, err := client.Chat.Completions.New(t.Context(), params)
			if err != nil {
				return "", err
			}
			return answer.Choices[0].Message.Content, nil
		},
		stream: func(t *testing.T, origin string) (string, error) {
			t.Helper()
			whole, err := openAIStream(t, client(origin), chatParams())
			if len(whole.Choices) == 0 {
				return "", err
			}
			return whole.Choices[0].Message.Content, err
		},
		tool: func(t *testing.T, origin string, stream bool) (string, string, error) {
			t.Helper()
			return openAITool(t, client(origin), stream)
		},
		told: func(err error) told {
			var e *openai.Error
			if !errors.As(err, &e) {
				return told{}
			}
			return told{"*openai.Error", e.StatusCode, e.Code}
		},
		toolbox: func(w http.ResponseWriter, r *http.Request) {
			answerByTool(w, r, `"stream":true`, `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"tool_calls","message":`+
				`{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"get_wind","arguments":"{\"place\":\"Kiel\"}"}}]}}]}`,
				`{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"get_wind","arguments":""}}]}}]}`,
				`{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"place\":"}}]}}]}`,
				`{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Kiel\"}"}}]}}]}`,
				`{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`, `[DONE]`)
		},
		failures: map[string]told{
			"rate-limit":      {"*openai.Error", 429, "rate_limit_exceeded"},
			"quota":           {"*openai.Error", 429, "insufficient_quota"},
			"auth":            {"*openai.Error", 401, "invalid_api_key"},
			"context-length":  {"*openai.Error", 400, "context_length_exceeded"},
			"overloaded":      {"*openai.Error", 503, "server_is_overloaded"},
			"model-not-found": {"*openai.Error", 404, "model_not_found"},
			"reset":           {"*openai.Error", 502, "provider_unreachable"},
			"html":            {"*openai.Error", 502, "bad_provider_answer"},
		},
		refusal: told{"*openai.Error", 503, "circuit_breaker_open"},
	}
}

func openAIStream(t *testing.T, client openai.Client, params openai.ChatCompletionNewParams) (openai.ChatCompletionAccumulator, error) {
	t.Helper()
	var whole openai.ChatCompletionAccumulator
	s := client.Chat.Completions.NewStreaming(t.Context(), params)
	defer s.Close()
	for s.Next() {
		whole.AddChunk(s.Current())
	}
	return whole, s.Err()
}

func openAITool(t *testing.T, client openai.Client, stream bool) (name, arguments string, err error) {
	t.Helper()
	params := chatParams()
	params.StreamOptions = openai.ChatCompletionStreamOptionsParam{}
	params.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{
		Name:       "get_wind",
		Parameters: map[string]any{"type": "object", "properties": map[string]any{"place": map[string]string{"type": "string"}}},
	})}
	var message openai.ChatCompletionMessage
	if stream {
		whole, err := openAIStream(t, client, params)
		if err != nil {
			return "", "", err
		}
		message = whole.Choices[0].Message
	} else {
		answer, err := client.Chat.Completions.New(t.Context(), params)
		if err != nil {
			return "", "", err
		}
		message = answer.Choices[0].Message
	}
	if len(message.ToolCalls) != 1 {
		return "", "", errors.New("there is no call of a tool")
	}
	call := message.ToolCalls[0].Function
	return call.Name, call.Arguments, nil
}

// answerByTool answers a question that offers the tool: with plain, or with events if the request holds streamed in its body or its path.
func answerByTool(w http.ResponseWriter, r *http.Request, streamed, plain string, events ...string) {
	body, _ := io.ReadAll(r.Body)
	if !strings.Contains(string(body), "get_wind") {
		http.Error(w, `{"error":{"message":"the tool did not arrive","type":"x","code":"x"}}`, http.StatusBadRequest)
		return
	}
	if !strings.Contains(strings.ReplaceAll(string(body), " ", "")+r.URL.Path, streamed) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, plain)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for _, event := range events {
		if kind, ok := strings.CutPrefix(event, `{"type":"`); ok {
			kind, _, _ = strings.Cut(kind, `"`)
			_, _ = io.WriteString(w, "event: "+kind+"\n")
		}
		_, _ = io.WriteString(w, "data: "+event+"\n\n")
		_ = http.NewResponseController(w).Flush()
	}
}
