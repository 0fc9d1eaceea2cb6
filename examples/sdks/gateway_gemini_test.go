package sdks_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"google.golang.org/genai"

	"github.com/trysail-go/trysail/server/gateway"
)

func byGenAI() speaker {
	client := func(t *testing.T, origin string) *genai.Client {
		t.Helper()
		c, err := genai.NewClient(t.Context(), &genai.ClientConfig{
			APIKey: "any", Backend: genai.BackendGeminiAPI, HTTPOptions: genai.HTTPOptions{BaseURL: origin},
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	return speaker{
		protocol: gateway.GeminiProtocol,
		plain: func(t *testing.T, origin string) (string, error) {
			t.Helper()
			answer, err := client(t, origin).Models.GenerateContent(t.Context(), "m", genai.Text(question), nil)
			if err != nil {
				return "", err
			}
			return answer.Text(), nil
		},
		stream: func(t *testing.T, origin string) (text string, err error) {
			t.Helper()
			for part, err := range client(t, origin).Models.GenerateContentStream(t.Context(), "m", genai.Text(question), nil) {
				if err != nil {
					return text, err
				}
				text += part.Text()
			}
			return text, nil
		},
		tool: func(t *testing.T, origin string, stream bool) (string, string, error) {
			t.Helper()
			return geminiTool(t, client(t, origin), stream)
		},
		told: func(err error) told {
			var e genai.APIError
			if !errors.As(err, &e) {
				return told{}
			}
			return told{"genai.APIError", e.Code, e.Status}
		},
		toolbox: func(w http.ResponseWriter, r *http.Request) {
			const answer = `{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"get_wind","args":{"place":"Kiel"}}}]},"finishReason":"STOP","index":0}]}`
			answerByTool(w, r, "streamGenerateContent", answer, answer)
		},
		failures: map[string]told{
			"rate-limit":      {"genai.APIError", 429, "RESOURCE_EXHAUSTED"},
			"billing":         {"genai.APIError", 402, "RESOURCE_EXHAUSTED"},
			"auth":            {"genai.APIError", 400, "INVALID_ARGUMENT"},
			"context-length":  {"genai.APIError", 400, "INVALID_ARGUMENT"},
			"overloaded":      {"genai.APIError", 503, "UNAVAILABLE"},
			"model-not-found": {"genai.APIError", 404, "NOT_FOUND"},
			"reset":           {"genai.APIError", 502, "UNAVAILABLE"},
			"html":            {"genai.APIError", 502, "UNAVAILABLE"},
		},
		refusal: told{"genai.APIError", 503, "UNAVAILABLE"},
	}
}

func geminiTool(t *testing.T, client *genai.Client, stream bool) (name, arguments string, err error) {
	t.Helper()
	config := &genai.GenerateContentConfig{Tools: []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{{
		Name:       "get_wind",
		Parameters: &genai.Schema{Type: genai.TypeObject, Properties: map[string]*genai.Schema{"place": {Type: genai.TypeString}}},
	}}}}}
	var calls []*genai.FunctionCall
	if stream {
		for part, err := range client.Models.GenerateContentStream(t.Context(), "m", genai.Text(question), config) {
			if err != nil {
				return "", "", err
			}
			calls = append(calls, part.FunctionCalls()...)
		}
	} else {
		answer, err := client.Models.GenerateContent(t.Context(), "m", genai.Text(question), config)
		if err != nil {
			return "", "", err
		}
		calls = answer.FunctionCalls()
	}
	if len(calls) != 1 {
		return "", "", errors.New("there is no call of a tool")
	}
	text, err := json.Marshal(calls[0].Args)
	return calls[0].Name, string(text), err
}
