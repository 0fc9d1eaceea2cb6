package sdks_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/trysail-go/trysail/trysailtest"
)

func claude(p *trysailtest.ProviderServer) anthropic.Client {
	return anthropic.NewClient(option.WithBaseURL(p.Origin), option.WithAPIKey("any"),
		option.WithHTTPClient(newHTTP()), option.WithMaxRetries(0))
}

func messageParams() anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model: "m", MaxTokens: 1000,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(question))},
	}
}

// messageStream reads a whole stream into one message.
func messageStream(t *testing.T, client anthropic.Client) (whole anthropic.Message, err error) {
	t.Helper()
	s := client.Messages.NewStreaming(t.Context(), messageParams())
	defer s.Close()
	for s.Next() {
		if err := whole.Accumulate(s.Current()); err != nil {
			t.Fatal(err)
		}
	}
	return whole, s.Err()
}

func TestAnthropicMessages(t *testing.T) {
	client := claude(start(t, "ok"))
	plain, err := client.Messages.New(t.Context(), messageParams())
	if err != nil {
		t.Fatal(err)
	}
	text := plain.Content[0].Text
	if !strings.HasPrefix(text, begin) || plain.StopReason != "end_turn" || plain.Usage.InputTokens != 5 || plain.Usage.OutputTokens < 10 {
		t.Errorf("plain: %q, %q, %+v", text, plain.StopReason, plain.Usage)
	}
	whole, err := messageStream(t, client)
	if err != nil || whole.Content[0].Text != text || whole.StopReason != "end_turn" ||
		whole.Usage.InputTokens != 5 || whole.Usage.OutputTokens != plain.Usage.OutputTokens {
		t.Errorf("stream: %+v, %v; want the plain answer's", whole, err)
	}
}

func TestAnthropicModelsAndCounts(t *testing.T) {
	client := claude(start(t, "ok"))
	models, err := client.Models.List(t.Context(), anthropic.ModelListParams{})
	if err != nil || len(models.Data) != 2 || models.Data[0].ID != "simulated-chat" {
		t.Errorf("models = %+v, %v; want 2", models, err)
	}
	count, err := client.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{
		Model: "m", Messages: messageParams().Messages,
	})
	if err != nil || count.InputTokens != 5 {
		t.Errorf("count = %+v, %v; want 5", count, err)
	}
}

func TestAnthropicErrors(t *testing.T) {
	for script, want := range map[string]struct {
		status int
		kind   anthropic.ErrorType
		text   string // in the body
	}{
		"429:1.5":         {429, "rate_limit_error", ""},
		"quota":           {429, "rate_limit_error", "enforced_spend_limit_reached"},
		"billing":         {402, "billing_error", ""},
		"overloaded":      {529, "overloaded_error", ""},
		"context-length":  {400, "invalid_request_error", "prompt is too long"},
		"content-policy":  {400, "invalid_request_error", ""},
		"auth":            {401, "authentication_error", ""},
		"model-not-found": {404, "not_found_error", ""},
		"too-large":       {413, "request_too_large", ""},
		"500":             {500, "api_error", ""},
	} {
		t.Run(script, func(t *testing.T) {
			client := claude(start(t, script))
			_, err := client.Messages.New(t.Context(), messageParams())
			var got *anthropic.Error
			if !errors.As(err, &got) || got.StatusCode != want.status || got.Type() != want.kind ||
				!strings.HasPrefix(got.RequestID, "req_") || !strings.Contains(got.RawJSON(), want.text) {
				t.Errorf("error = %v, want status %d and %q", err, want.status, want.kind)
			}
		})
	}
}

func TestAnthropicStreamFaults(t *testing.T) {
	for script, check := range map[string]func(anthropic.Message, error) bool{
		"empty:3":                func(m anthropic.Message, err error) bool { return m.StopReason == "end_turn" && err == nil },
		"content-policy:refusal": func(m anthropic.Message, err error) bool { return m.StopReason == "refusal" && err == nil },
		"end:2":                  func(m anthropic.Message, err error) bool { return m.StopReason == "" && err == nil },
		"cut:2":                  func(_ anthropic.Message, err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) },
		"error:2:overloaded": func(m anthropic.Message, err error) bool { // which says 200
			var got *anthropic.Error
			return m.Content[0].Text == "You asked:" && errors.As(err, &got) && got.StatusCode == 200 && got.Type() == "overloaded_error"
		},
		"garbage": func(_ anthropic.Message, err error) bool { return err != nil },
	} {
		t.Run(script, func(t *testing.T) {
			if m, err := messageStream(t, claude(start(t, script))); !check(m, err) {
				t.Errorf("message %+v, error %v", m, err)
			}
		})
	}
}
