package sdks_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"google.golang.org/genai"

	"github.com/trysail-go/trysail/trysailtest"
)

// A caller is what an SDK is given.
type caller struct {
	http     *http.Client
	provider *trysailtest.ProviderServer
	retries  int // the SDK's own
}

// An asker asks the question by an SDK, and returns the text that has come, also beside an error.
type asker func(ctx context.Context, c caller) (text string, err error)

// An sdk is one API of a provider's SDK.
type sdk struct {
	forms   map[string]asker                          // "plain" and "stream"
	failure func(err error) (status int, code string) // what its typed error says; 0 if err is none
}

func sdks() map[string]sdk {
	return map[string]sdk{
		"openai-chat":      {map[string]asker{"plain": chatPlain, "stream": chatStreamed}, openAIFailure},
		"openai-responses": {map[string]asker{"plain": responsePlain, "stream": responseStreamed}, openAIFailure},
		"anthropic":        {map[string]asker{"plain": messagePlain, "stream": messageStreamed}, anthropicFailure},
		"gemini":           {map[string]asker{"plain": generatePlain, "stream": generateStreamed}, geminiFailure},
	}
}

// eachForm runs a test for each SDK, stream and plain, or in the only form that is named.
func eachForm(t *testing.T, only string, test func(t *testing.T, name, form string)) {
	t.Helper()
	for name, s := range sdks() {
		for form := range s.forms {
			if only != "" && form != only {
				continue
			}
			t.Run(name+"/"+form, func(t *testing.T) { test(t, name, form) })
		}
	}
}

func (c caller) openAI() openai.Client {
	return openai.NewClient(option.WithBaseURL(c.provider.URL), option.WithAPIKey("any"),
		option.WithHTTPClient(c.http), option.WithMaxRetries(c.retries))
}

func chatPlain(ctx context.Context, c caller) (string, error) {
	params := chatParams()
	params.StreamOptions = openai.ChatCompletionStreamOptionsParam{} // which a plain request may not have
	client := c.openAI()
	whole, err := client.Chat.Completions.New(ctx, params)
	if err != nil {
		return "", err
	}
	return whole.Choices[0].Message.Content, nil
}

func chatStreamed(ctx context.Context, c caller) (text string, err error) {
	client := c.openAI()
	s := client.Chat.Completions.NewStreaming(ctx, chatParams())
	defer s.Close()
	for s.Next() {
		for _, choice := range s.Current().Choices {
			text += choice.Delta.Content
		}
	}
	return text, s.Err()
}

func responsePlain(ctx context.Context, c caller) (string, error) {
	client := c.openAI()
	whole, err := client.Responses.New(ctx, responseParams())
	if err != nil {
		return "", err
	}
	return whole.OutputText(), nil
}

func responseStreamed(ctx context.Context, c caller) (text string, err error) {
	client := c.openAI()
	s := client.Responses.NewStreaming(ctx, responseParams())
	defer s.Close()
	for s.Next() {
		if e := s.Current(); e.Type == "response.output_text.delta" {
			text += e.Delta
		}
	}
	return text, s.Err()
}

func openAIFailure(err error) (status int, code string) {
	if failed, ok := errors.AsType[*openai.Error](err); ok {
		return failed.StatusCode, failed.Code
	}
	return 0, ""
}

func (c caller) anthropic() anthropic.Client {
	return anthropic.NewClient(anthropicoption.WithBaseURL(c.provider.Origin), anthropicoption.WithAPIKey("any"),
		anthropicoption.WithHTTPClient(c.http), anthropicoption.WithMaxRetries(c.retries))
}

func messagePlain(ctx context.Context, c caller) (text string, err error) {
	client := c.anthropic()
	whole, err := client.Messages.New(ctx, messageParams())
	if err != nil {
		return "", err
	}
	for _, block := range whole.Content { // a refusal has none
		text += block.Text
	}
	return text, nil
}

func messageStreamed(ctx context.Context, c caller) (string, error) {
	var text strings.Builder
	client := c.anthropic()
	s := client.Messages.NewStreaming(ctx, messageParams())
	defer s.Close()
	for s.Next() {
		text.WriteString(s.Current().Delta.Text)
	}
	return text.String(), s.Err()
}

func anthropicFailure(err error) (status int, code string) {
	if failed, ok := errors.AsType[*anthropic.Error](err); ok {
		return failed.StatusCode, string(failed.Type())
	}
	return 0, ""
}

// gemini returns a client. Its retries, unlike those of the others, are off unless asked for.
func (c caller) gemini(ctx context.Context) (*genai.Client, error) {
	options := genai.HTTPOptions{BaseURL: c.provider.Origin}
	if c.retries > 0 {
		options.RetryOptions = &genai.HTTPRetryOptions{
			Attempts: new(int32(1 + c.retries)), InitialDelay: new(0.001), Jitter: new(0.001),
		}
	}
	return genai.NewClient(ctx, &genai.ClientConfig{
		APIKey: "any", Backend: genai.BackendGeminiAPI, HTTPClient: c.http, HTTPOptions: options,
	})
}

func generatePlain(ctx context.Context, c caller) (string, error) {
	client, err := c.gemini(ctx)
	if err != nil {
		return "", err
	}
	whole, err := client.Models.GenerateContent(ctx, "m", genai.Text(question), nil)
	if err != nil {
		return "", err
	}
	return whole.Text(), nil
}

func generateStreamed(ctx context.Context, c caller) (text string, err error) {
	client, err := c.gemini(ctx)
	if err != nil {
		return "", err
	}
	for r, err := range client.Models.GenerateContentStream(ctx, "m", genai.Text(question), nil) {
		if err != nil {
			return text, err
		}
		text += r.Text()
	}
	return text, nil
}

func geminiFailure(err error) (status int, code string) {
	if failed, ok := errors.AsType[genai.APIError](err); ok { // a value, not a pointer
		return failed.Code, failed.Status
	}
	return 0, ""
}
