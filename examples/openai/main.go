// Command openai asks an OpenAI model a question with the official SDK, whose calls go
// through Trysail: retried, and stopped by a circuit breaker when the provider keeps failing.
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
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/llm"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, strings.Join(os.Args[1:], " "), os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "openai:", err)
		os.Exit(1)
	}
}

// run asks the question and prints the answer as it comes. The SDK reads OPENAI_API_KEY and
// OPENAI_BASE_URL by itself.
func run(ctx context.Context, question string, out io.Writer) error {
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
	op := orc.Operation("answer")
	client := newClient(op)
	err = answer(ctx, client, question, out)
	m := op.Metrics()
	_, _ = fmt.Fprintf(out, "\n(%d call, %d retries)\n", m.Calls, m.Retries)
	return explain(err)
}

// newClient returns a client whose requests are calls of op.
func newClient(op *trysail.Operation) openai.Client {
	return openai.NewClient(
		option.WithHTTPClient(&http.Client{Transport: &llm.Transport{Operation: op}}),
		option.WithMaxRetries(0), // the transport retries
	)
}

// answer prints the answer as it comes.
func answer(ctx context.Context, client openai.Client, question string, out io.Writer) error {
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
	return stream.Err()
}

// explain says what a failed call means.
func explain(err error) error {
	var refused *trysail.Error
	var failed *openai.Error
	switch {
	case errors.Is(err, trysail.ErrOpen) && errors.As(err, &refused): // nobody was asked
		return fmt.Errorf("the provider keeps failing, ask again in %v: %w", refused.RetryAfter.Round(time.Second), err)
	case errors.As(err, &failed): // its last answer, after the attempts that made sense
		return fmt.Errorf("the provider answered %d: %w", failed.StatusCode, err)
	case errors.Is(err, llm.ErrTruncated), errors.Is(err, llm.ErrIdle), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the answer is not complete: %w", err)
	default:
		return err
	}
}
