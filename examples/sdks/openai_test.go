package sdks_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/responses"

	"github.com/trysail-go/trysail/trysailtest"
)

func openAI(p *trysailtest.ProviderServer) openai.Client {
	return openai.NewClient(option.WithBaseURL(p.URL), option.WithAPIKey("any"),
		option.WithHTTPClient(newHTTP()), option.WithMaxRetries(0))
}

func chatParams() openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:         "m",
		Messages:      []openai.ChatCompletionMessageParamUnion{openai.UserMessage(question)},
		StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
	}
}

func responseParams() responses.ResponseNewParams {
	return responses.ResponseNewParams{
		Model: "m", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(question)},
	}
}

func TestOpenAIChat(t *testing.T) {
	client := openAI(start(t, "ok"))
	params := chatParams()
	params.StreamOptions = openai.ChatCompletionStreamOptionsParam{} // which a plain request may not have
	plain, err := client.Chat.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	text := plain.Choices[0].Message.Content
	if !strings.HasPrefix(text, begin) || plain.Choices[0].FinishReason != "stop" || plain.Usage.PromptTokens != 5 {
		t.Errorf("plain: %q, %q, %+v", text, plain.Choices[0].FinishReason, plain.Usage)
	}

	var whole openai.ChatCompletionAccumulator
	s := client.Chat.Completions.NewStreaming(t.Context(), chatParams())
	defer s.Close()
	for s.Next() {
		whole.AddChunk(s.Current())
	}
	if s.Err() != nil || whole.Choices[0].Message.Content != text || whole.Choices[0].FinishReason != "stop" ||
		whole.Usage.CompletionTokens != plain.Usage.CompletionTokens {
		t.Errorf("stream: %+v, %v; want the plain answer's", whole.ChatCompletion, s.Err())
	}
}

func TestOpenAIResponses(t *testing.T) {
	client := openAI(start(t, "ok"))
	plain, err := client.Responses.New(t.Context(), responseParams())
	if err != nil {
		t.Fatal(err)
	}
	text := plain.OutputText()
	if !strings.HasPrefix(text, begin) || plain.Status != "completed" || plain.Usage.InputTokens != 5 ||
		plain.Usage.TotalTokens != 5+plain.Usage.OutputTokens {
		t.Errorf("plain: %q, %q, %+v", text, plain.Status, plain.Usage)
	}

	var deltas strings.Builder
	var done responses.Response
	s := client.Responses.NewStreaming(t.Context(), responseParams())
	defer s.Close()
	for n := int64(0); s.Next(); n++ {
		e := s.Current()
		if e.SequenceNumber != n {
			t.Errorf("event %d has the number %d", n, e.SequenceNumber)
		}
		switch e := e.AsAny().(type) {
		case responses.ResponseTextDeltaEvent:
			deltas.WriteString(e.Delta)
		case responses.ResponseCompletedEvent:
			done = e.Response
		}
	}
	if s.Err() != nil || deltas.String() != text || done.OutputText() != text || done.Usage.OutputTokens != plain.Usage.OutputTokens {
		t.Errorf("stream: %q, %+v, %v; want the plain answer's", deltas.String(), done, s.Err())
	}
}

func TestOpenAIModelsAndEmbeddings(t *testing.T) {
	client := openAI(start(t, "ok"))
	models, err := client.Models.List(t.Context())
	if err != nil || len(models.Data) != 3 {
		t.Errorf("models = %+v, %v; want 3", models, err)
	}
	vectors, err := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
		Model: "e", Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String(question)},
	})
	if err != nil || len(vectors.Data) != 1 || vectors.Usage.PromptTokens != 5 {
		t.Errorf("embeddings = %+v, %v; want one", vectors, err)
	}
}

func TestOpenAIErrors(t *testing.T) {
	for script, want := range map[string]openai.Error{
		"429:1.5":               {StatusCode: 429, Type: "tokens", Code: "rate_limit_exceeded"},
		"rate-limit:2s":         {StatusCode: 429, Type: "tokens", Code: "rate_limit_exceeded"},
		"quota":                 {StatusCode: 429, Type: "insufficient_quota", Code: "insufficient_quota"},
		"billing":               {StatusCode: 429, Type: "insufficient_quota", Code: "credit_balance_exhausted"},
		"overloaded":            {StatusCode: 503, Type: "service_unavailable_error", Code: "server_is_overloaded"},
		"context-length":        {StatusCode: 400, Type: "invalid_request_error", Code: "context_length_exceeded"},
		"content-policy":        {StatusCode: 400, Type: "invalid_request_error", Code: "content_policy_violation"},
		"auth":                  {StatusCode: 401, Type: "invalid_request_error", Code: "invalid_api_key"},
		"model-not-found":       {StatusCode: 404, Type: "invalid_request_error", Code: "model_not_found"},
		"shape:cloudflare-502":  {StatusCode: 502},
		"shape:mistral-billing": {StatusCode: 402},
	} {
		t.Run(script, func(t *testing.T) {
			client := openAI(start(t, script))
			_, chatErr := client.Chat.Completions.New(t.Context(), chatParams())
			_, responsesErr := client.Responses.New(t.Context(), responseParams())
			for api, err := range map[string]error{"chat": chatErr, "responses": responsesErr} {
				var got *openai.Error
				if !errors.As(err, &got) || got.StatusCode != want.StatusCode || got.Type != want.Type || got.Code != want.Code {
					t.Errorf("%s: %+v, want status %d, type %q, code %q", api, err, want.StatusCode, want.Type, want.Code)
				}
			}
		})
	}
}

func TestOpenAIRefusals(t *testing.T) {
	client := openAI(start(t, "content-policy:refusal"))
	chat, err := client.Chat.Completions.New(t.Context(), chatParams())
	if err != nil || chat.Choices[0].FinishReason != "content_filter" || chat.Choices[0].Message.Refusal == "" {
		t.Errorf("chat = %+v, %v; want a refusal", chat, err)
	}
	response, err := client.Responses.New(t.Context(), responseParams())
	if err != nil || response.Status != "incomplete" || response.IncompleteDetails.Reason != "content_filter" ||
		response.Output[0].Content[0].Refusal == "" {
		t.Errorf("response = %+v, %v; want a refusal", response, err)
	}
}

// chatStream reads a whole chat stream.
func chatStream(t *testing.T, script string) (text, finish string, err error) {
	t.Helper()
	client := openAI(start(t, script))
	s := client.Chat.Completions.NewStreaming(t.Context(), chatParams())
	defer s.Close()
	for s.Next() {
		for _, choice := range s.Current().Choices {
			text += choice.Delta.Content
			finish += choice.FinishReason
		}
	}
	return text, finish, s.Err()
}

func TestOpenAIChatStreamFaults(t *testing.T) {
	for script, check := range map[string]func(text, finish string, err error) bool{
		"empty:3":       func(text, finish string, err error) bool { return finish == "stop" && err == nil },
		"keep-alive:0s": func(text, finish string, err error) bool { return finish == "stop" && err == nil },
		"cut:2": func(text, finish string, err error) bool {
			return text == "You asked:" && errors.Is(err, io.ErrUnexpectedEOF)
		},
		"end:2": func(text, finish string, err error) bool { // nothing tells
			return text == "You asked:" && finish == "" && err == nil
		},
		"error:2:overloaded": func(text, _ string, err error) bool {
			var got *ssestream.StreamError
			return text == "You asked:" && errors.As(err, &got) && strings.Contains(string(got.Event.Data), "server_is_overloaded")
		},
		"error:2:quota:done": func(_, _ string, err error) bool {
			var got *ssestream.StreamError
			return errors.As(err, &got) && strings.Contains(string(got.Event.Data), "insufficient_quota")
		},
		"error:2:chunk": func(_, _ string, err error) bool {
			var got *ssestream.StreamError
			return errors.As(err, &got)
		},
		"garbage": func(_, _ string, err error) bool { return err != nil },
	} {
		t.Run(script, func(t *testing.T) {
			if text, finish, err := chatStream(t, script); !check(text, finish, err) {
				t.Errorf("text %q, finish %q, error %v", text, finish, err)
			}
		})
	}
}

func TestOpenAIResponsesStreamFaults(t *testing.T) {
	for script, want := range map[string]struct{ event, code string }{
		"error:2":                   {"error", "server_error"}, // the SDK takes it for an event
		"error:2:failed":            {"response.failed", "server_error"},
		"error:2:rate-limit:failed": {"response.failed", "rate_limit_exceeded"},
	} {
		t.Run(script, func(t *testing.T) {
			client := openAI(start(t, script))
			s := client.Responses.NewStreaming(t.Context(), responseParams())
			defer s.Close()
			var last responses.ResponseStreamEventUnion
			for s.Next() {
				last = s.Current()
			}
			code := last.Code + string(last.Response.Error.Code)
			if s.Err() != nil || last.Type != want.event || code != want.code {
				t.Errorf("last event %q with %q (%v), want %q with %q", last.Type, code, s.Err(), want.event, want.code)
			}
		})
	}
	t.Run("error:2:nested", func(t *testing.T) {
		client := openAI(start(t, "error:2:nested"))
		s := client.Responses.NewStreaming(t.Context(), responseParams())
		defer s.Close()
		for s.Next() {
		}
		var got *ssestream.StreamError
		if !errors.As(s.Err(), &got) {
			t.Errorf("error = %v, want the SDK's for streams", s.Err())
		}
	})
}
