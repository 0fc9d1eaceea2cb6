package main

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
	"github.com/trysail-go/trysail/trysailtest"
)

// start runs a gateway in front of a simulated provider and returns its base URL.
func start(t *testing.T) string {
	t.Helper()
	provider, err := trysailtest.StartProvider(trysailtest.ProviderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone}}})
	if err != nil {
		t.Fatal(err)
	}
	gw, err := gateway.New(gateway.Config{Orchestrator: orc, Plan: gateway.SingleTarget(gateway.Target{
		Name: "simulated", Protocol: gateway.OpenAIProtocol, BaseURL: provider.URL, Simulated: true,
	})})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gw)
	t.Cleanup(func() {
		server.Close()
		_ = provider.Close()
	})
	return server.URL + "/v1"
}

func TestRun(t *testing.T) {
	for name, tc := range map[string]struct {
		script   string
		attempts string // of the answer, when it is an error
		status   int
	}{
		"a good answer":                 {"ok", "", 0},
		"two errors, which nobody sees": {"500,429:0,ok", "", 0},
		"an error for ever":             {"500", "3", 500},
		"a reset for ever":              {"reset", "2", 502},
		"a caller's mistake":            {"400", "1", 400},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			// The SDK's own retries stay on, as they are by default.
			err := run(t.Context(), "Is the wind fair?", &out,
				option.WithBaseURL(start(t)), option.WithAPIKey("unused"), option.WithHeader(trysailtest.SimulateHeader, tc.script))
			if tc.status == 0 {
				if err != nil || !strings.Contains(out.String(), "wind") {
					t.Errorf("printed %q, %v; want an answer", out.String(), err)
				}
				return
			}
			var failed *openai.Error
			if !errors.As(err, &failed) || failed.StatusCode != tc.status {
				t.Fatalf("err = %v, want status %d", err, tc.status)
			}
			if got := failed.Response.Header.Get(gateway.AttemptsHeader); got != tc.attempts {
				t.Errorf("attempts %q, want %q", got, tc.attempts)
			}
			// x-should-retry kept the SDK from multiplying the attempts.
			if got := failed.Request.Header.Get("X-Stainless-Retry-Count"); got != "0" {
				t.Errorf("the SDK retried %s times, want 0", got)
			}
		})
	}
}

// The SDK sees a broken stream as an error of its own, not as an end.
func TestBrokenStream(t *testing.T) {
	client := openai.NewClient(option.WithBaseURL(start(t)), option.WithAPIKey("unused"),
		option.WithHeader(trysailtest.SimulateHeader, "cut:5"))
	stream := client.Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{
		Model:    "gpt-5-mini",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Is the wind fair?")},
	})
	chunks := 0
	for stream.Next() {
		chunks++
	}
	if err := stream.Err(); err == nil || !strings.Contains(err.Error(), "stream_interrupted") {
		t.Errorf("after %d chunks: %v, want stream_interrupted", chunks, err)
	}
}
