package sdks_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/trysail-go/trysail/server/gateway"
)

func byAnthropic() speaker {
	client := func(origin string) anthropic.Client {
		return anthropic.NewClient(option.WithBaseURL(origin), option.WithAPIKey("any"))
	}
	return speaker{
		protocol: gateway.AnthropicProtocol,
		plain: func(t *testing.T, origin string) (string, error) {
			t.Helper()
			client := client(origin)
			m, err := client.Messages.New(t.Context(), messageParams())
			if err != nil {
				return "", err
			}
			return m.Content[0].Text, nil
		},
		stream: func(t *testing.T, origin string) (string, error) {
			t.Helper()
			m, err := messageStream(t, client(origin))
			if len(m.Content) == 0 {
				return "", err
			}
			return m.Content[0].Text, err
		},
		tool: func(t *testing.T, origin string, stream bool) (string, string, error) {
			t.Helper()
			return anthropicTool(t, client(origin), stream)
		},
		told: func(err error) told {
			var e *anthropic.Error
			if !errors.As(err, &e) {
				return told{}
			}
			return told{"*anthropic.Error", e.StatusCode, string(e.Type())}
		},
		toolbox: func(w http.ResponseWriter, r *http.Request) {
			answerByTool(w, r, `"stream":true`, `{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"tool_use","id":"t","name":"get_wind",`+
				`"input":{"place":"Kiel"}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}`,
				`{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}`,
				`{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"get_wind","input":{}}}`,
				`{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"place\":"}}`,
				`{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"\"Kiel\"}"}}`,
				`{"type":"content_block_stop","index":0}`,
				`{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":9}}`,
				`{"type":"message_stop"}`)
		},
		failures: map[string]told{
			"rate-limit":      {"*anthropic.Error", 429, "rate_limit_error"},
			"billing":         {"*anthropic.Error", 402, "billing_error"},
			"auth":            {"*anthropic.Error", 401, "authentication_error"},
			"context-length":  {"*anthropic.Error", 400, "invalid_request_error"},
			"overloaded":      {"*anthropic.Error", 529, "overloaded_error"},
			"model-not-found": {"*anthropic.Error", 404, "not_found_error"},
			"reset":           {"*anthropic.Error", 502, "api_error"},
			"html":            {"*anthropic.Error", 502, "api_error"},
		},
		refusal: told{"*anthropic.Error", 503, "overloaded_error"},
	}
}

func anthropicTool(t *testing.T, client anthropic.Client, stream bool) (name, arguments string, err error) {
	t.Helper()
	params := messageParams()
	params.Tools = []anthropic.ToolUnionParam{{OfTool: &anthropic.ToolParam{
		Name:        "get_wind",
		InputSchema: anthropic.ToolInputSchemaParam{Properties: map[string]any{"place": map[string]string{"type": "string"}}},
	}}}
	var message anthropic.Message
	if stream {
		s := client.Messages.NewStreaming(t.Context(), params)
		defer s.Close()
		for s.Next() {
			if err := message.Accumulate(s.Current()); err != nil {
				return "", "", err
			}
		}
		err = s.Err()
	} else {
		var answer *anthropic.Message
		if answer, err = client.Messages.New(t.Context(), params); err == nil {
			message = *answer
		}
	}
	if err != nil {
		return "", "", err
	}
	if len(message.Content) != 1 || message.StopReason != "tool_use" {
		return "", "", errors.New("there is no call of a tool")
	}
	return message.Content[0].Name, string(message.Content[0].Input), nil
}
