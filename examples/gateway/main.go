// Command gateway asks a question with the official OpenAI SDK through a
// Trysail gateway. All it takes is another base URL; the program knows nothing of Trysail.
//
//	trysail serve &
//	OPENAI_BASE_URL=http://127.0.0.1:8000/v1 OPENAI_API_KEY=unused go run ./gateway "Is the wind fair?"
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, strings.Join(os.Args[1:], " "), os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

// run asks the question and prints the answer. The SDK reads OPENAI_BASE_URL by itself.
// Options are for tests.
func run(ctx context.Context, question string, out io.Writer, options ...option.RequestOption) error {
	if question == "" {
		return errors.New(`no question, want one such as: gateway "Is the wind fair?"`)
	}
	client := openai.NewClient(options...)
	completion, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model:    "gpt-5-mini",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(question)},
	})
	if err != nil {
		return err
	}
	for _, choice := range completion.Choices {
		_, _ = fmt.Fprintln(out, choice.Message.Content)
	}
	return nil
}
