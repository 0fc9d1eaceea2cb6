package sdks_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/genai"

	"github.com/trysail-go/trysail/trysailtest"
)

func gemini(t *testing.T, p *trysailtest.ProviderServer) *genai.Client {
	t.Helper()
	client, err := genai.NewClient(t.Context(), &genai.ClientConfig{
		APIKey: "any", Backend: genai.BackendGeminiAPI, HTTPClient: newHTTP(),
		HTTPOptions: genai.HTTPOptions{BaseURL: p.Origin},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// generateStream reads a whole stream.
func generateStream(t *testing.T, script string) (text string, last *genai.GenerateContentResponse, err error) {
	t.Helper()
	for r, err := range gemini(t, start(t, script)).Models.GenerateContentStream(t.Context(), "m", genai.Text(question), nil) {
		if err != nil {
			return text, last, err
		}
		text, last = text+r.Text(), r
	}
	return text, last, nil
}

func TestGemini(t *testing.T) {
	plain, err := gemini(t, start(t, "ok")).Models.GenerateContent(t.Context(), "m", genai.Text(question), nil)
	if err != nil {
		t.Fatal(err)
	}
	usage := plain.UsageMetadata
	if !strings.HasPrefix(plain.Text(), begin) || plain.Candidates[0].FinishReason != genai.FinishReasonStop ||
		usage.PromptTokenCount != 5 || usage.TotalTokenCount != 5+usage.CandidatesTokenCount || plain.ModelVersion != "m" {
		t.Errorf("plain: %+v, %+v", plain, usage)
	}
	text, last, err := generateStream(t, "ok")
	if err != nil || text != plain.Text() || last.Candidates[0].FinishReason != genai.FinishReasonStop ||
		last.UsageMetadata.TotalTokenCount != usage.TotalTokenCount {
		t.Errorf("stream: %q, %+v, %v; want the plain answer's", text, last, err)
	}
}

func TestGeminiModelsAndCounts(t *testing.T) {
	client := gemini(t, start(t, "ok"))
	models, err := client.Models.List(t.Context(), nil)
	if err != nil || len(models.Items) != 2 || models.Items[0].Name != "models/simulated-chat" {
		t.Errorf("models = %+v, %v; want 2", models, err)
	}
	count, err := client.Models.CountTokens(t.Context(), "m", genai.Text(question), nil)
	if err != nil || count.TotalTokens != 5 {
		t.Errorf("count = %+v, %v; want 5", count, err)
	}
}

func TestGeminiErrors(t *testing.T) {
	for script, want := range map[string]struct {
		code    int
		status  string
		details []string // what tells one from another
	}{
		"429:1.5":         {429, "RESOURCE_EXHAUSTED", []string{"PerMinute", "1.5s"}},
		"quota":           {429, "RESOURCE_EXHAUSTED", []string{"PerDay", "47s"}},
		"billing":         {402, "RESOURCE_EXHAUSTED", nil},
		"overloaded":      {503, "UNAVAILABLE", nil},
		"context-length":  {400, "INVALID_ARGUMENT", nil},
		"auth":            {400, "INVALID_ARGUMENT", []string{"API_KEY_INVALID"}},
		"model-not-found": {404, "NOT_FOUND", nil},
		"500":             {500, "INTERNAL", nil},
	} {
		t.Run(script, func(t *testing.T) {
			_, plainErr := gemini(t, start(t, script)).Models.GenerateContent(t.Context(), "m", genai.Text(question), nil)
			_, _, streamErr := generateStream(t, script)
			for form, err := range map[string]error{"plain": plainErr, "stream": streamErr} {
				var got genai.APIError
				if !errors.As(err, &got) || got.Code != want.code || got.Status != want.status {
					t.Errorf("%s: %v, want %d %s", form, err, want.code, want.status)
				}
				var details strings.Builder
				for _, d := range got.Details {
					for _, v := range d {
						fmt.Fprint(&details, v)
					}
				}
				for _, word := range want.details {
					if !strings.Contains(details.String(), word) {
						t.Errorf("%s: details %v, want %q in them", form, got.Details, word)
					}
				}
			}
		})
	}
}

func TestGeminiRefusals(t *testing.T) {
	for script, check := range map[string]func(*genai.GenerateContentResponse) bool{
		"content-policy": func(r *genai.GenerateContentResponse) bool {
			return len(r.Candidates) == 0 && r.PromptFeedback.BlockReason == genai.BlockedReasonSafety
		},
		"content-policy:refusal": func(r *genai.GenerateContentResponse) bool {
			return r.Candidates[0].FinishReason == genai.FinishReasonSafety
		},
	} {
		t.Run(script, func(t *testing.T) {
			plain, err := gemini(t, start(t, script)).Models.GenerateContent(t.Context(), "m", genai.Text(question), nil)
			if err != nil || !check(plain) || plain.Text() != "" {
				t.Errorf("plain: %+v, %v", plain, err)
			}
			if text, last, err := generateStream(t, script); err != nil || text != "" || !check(last) {
				t.Errorf("stream: %q, %+v, %v", text, last, err)
			}
		})
	}
}

func TestGeminiStreamFaults(t *testing.T) {
	for script, check := range map[string]func(text string, last *genai.GenerateContentResponse, err error) bool{
		"empty:3": func(_ string, last *genai.GenerateContentResponse, err error) bool {
			return err == nil && last.Candidates[0].FinishReason == genai.FinishReasonStop
		},
		"keep-alive:10ms": func(_ string, last *genai.GenerateContentResponse, err error) bool { // silent here
			return err == nil && last.Candidates[0].FinishReason == genai.FinishReasonStop
		},
		"end:2": func(text string, last *genai.GenerateContentResponse, err error) bool {
			return err == nil && text == "You asked:" && last.Candidates[0].FinishReason == ""
		},
		"cut:2": func(_ string, _ *genai.GenerateContentResponse, err error) bool { return err != nil },
		"error:2:overloaded": func(text string, _ *genai.GenerateContentResponse, err error) bool {
			var got genai.APIError
			return text == "You asked:" && errors.As(err, &got) && got.Code == 503 && got.Status == "UNAVAILABLE"
		},
		"garbage": func(_ string, _ *genai.GenerateContentResponse, err error) bool { return err != nil },
	} {
		t.Run(script, func(t *testing.T) {
			if text, last, err := generateStream(t, script); !check(text, last, err) {
				t.Errorf("text %q, last %+v, error %v", text, last, err)
			}
		})
	}
}
