// Command gemini asks a Gemini model a question with the official SDK, whose calls go
// through Trysail: retried, and stopped by a circuit breaker when the provider keeps failing.
//
//	GEMINI_API_KEY=... go run ./gemini "Is the wind fair?"
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

	"google.golang.org/genai"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/llm"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, strings.Join(os.Args[1:], " "), os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "gemini:", err)
		os.Exit(1)
	}
}

// run asks the question and prints the answer as it comes. The SDK reads GEMINI_API_KEY and
// GOOGLE_GEMINI_BASE_URL by itself.
func run(ctx context.Context, question string, out io.Writer) error {
	if question == "" {
		return errors.New(`no question, want one such as: gemini "Is the wind fair?"`)
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
	client, err := newClient(ctx, op)
	if err != nil {
		return err
	}
	err = answer(ctx, client, question, out)
	m := op.Metrics()
	_, _ = fmt.Fprintf(out, "\n(%d call, %d retries)\n", m.Calls, m.Retries)
	return explain(err)
}

// newClient returns a client whose requests are calls of op.
func newClient(ctx context.Context, op *trysail.Operation) (*genai.Client, error) {
	return genai.NewClient(ctx, &genai.ClientConfig{
		Backend:    genai.BackendGeminiAPI,
		HTTPClient: &http.Client{Transport: &llm.Transport{Operation: op}},
	}) // without RetryOptions the SDK makes one attempt: the transport retries
}

// answer prints the answer as it comes.
func answer(ctx context.Context, client *genai.Client, question string, out io.Writer) error {
	for part, err := range client.Models.GenerateContentStream(ctx, "gemini-2.5-flash", genai.Text(question), nil) {
		if err != nil {
			return err
		}
		_, _ = fmt.Fprint(out, part.Text())
	}
	return nil
}

// explain says what a failed call means.
func explain(err error) error {
	var refused *trysail.Error
	var failed genai.APIError // a value, not a pointer
	switch {
	case errors.Is(err, trysail.ErrOpen) && errors.As(err, &refused): // nobody was asked
		return fmt.Errorf("the provider keeps failing, ask again in %v: %w", refused.RetryAfter.Round(time.Second), err)
	case errors.As(err, &failed): // its last answer, after the attempts that made sense
		return fmt.Errorf("the provider answered %d: %w", failed.Code, err)
	case errors.Is(err, llm.ErrTruncated), errors.Is(err, llm.ErrIdle), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the answer is not complete: %w", err)
	default:
		return err
	}
}
