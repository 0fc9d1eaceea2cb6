// Command openai asks an OpenAI model a question with the official SDK, whose calls
// go through Trysail: retried, and stopped by a circuit breaker when the provider
// keeps failing.
//
//	OPENAI_API_KEY=... go run ./openai "Is the wind fair?"
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/trysailhttp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, strings.Join(os.Args[1:], " "), os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "openai:", err)
		os.Exit(1)
	}
}

// run asks the question and prints the answer as it comes. Options are for tests.
func run(ctx context.Context, question string, out io.Writer, options ...option.RequestOption) error {
	if question == "" {
		return errors.New(`no question, want one such as: openai "Is the wind fair?"`)
	}
	loaded, err := config.Load(os.LookupEnv)
	if err != nil {
		return err
	}
	orc, err := trysail.New(loaded.Trysail)
	if err != nil {
		return err
	}
	answer := orc.Operation("answer")
	transport := &trysailhttp.Transport{
		Operation:     answer,
		AttemptHeader: "X-Trysail-Attempt", // optional: lets the server's log tell the attempts apart
	}
	client := openai.NewClient(append([]option.RequestOption{
		option.WithHTTPClient(&http.Client{Transport: transport}),
		option.WithMaxRetries(0), // Trysail retries; if the SDK did too, attempts would multiply
	}, options...)...)

	stream := client.Chat.Completions.NewStreaming(ctx, openai.ChatCompletionNewParams{
		Model:    "gpt-5-mini",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(question)},
	})
	defer stream.Close() //nolint:errcheck // it has been read to its end
	for stream.Next() {
		for _, choice := range stream.Current().Choices {
			_, _ = fmt.Fprint(out, choice.Delta.Content)
		}
	}
	if errors.Is(stream.Err(), trysail.ErrOpen) {
		return fmt.Errorf("the provider keeps failing, so nobody asks it for a while: %w", stream.Err())
	}
	m := answer.Metrics()
	_, _ = fmt.Fprintf(out, "\n(%d call, %d retries)\n", m.Calls, m.Retries)
	return stream.Err()
}
