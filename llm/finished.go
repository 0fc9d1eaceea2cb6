package llm

import (
	"errors"
	"fmt"

	"github.com/trysail-go/trysail"
)

// What [Finished] finds. Match them with [errors.Is].
var (
	// ErrRefused means that the model or a filter refused to answer.
	ErrRefused = errors.New("the answer was refused")

	// ErrCutOff means that the answer ends where the tokens did.
	ErrCutOff = errors.New("the answer is cut off")
)

// cutEnds are the words for an answer that came to the end of its tokens.
const cutEnds = `
length
max_tokens
max_output_tokens
model_length
model_context_window_exceeded
`

// Finished is a check for [Checked]: it looks at a model's word for why it stopped, whatever the provider, such as the
// FinishReason of a chat completion or the StopReason of a message. A word that is not known is a good one.
//
//	llm.Checked(ask, func(c *openai.ChatCompletion) error { return llm.Finished(c.Choices[0].FinishReason) })
func Finished(reason string) error {
	const longest = 64
	if reason == "" || len(reason) > longest {
		return nil
	}
	word := string(appendLower(make([]byte, 0, longest), []byte(reason)))
	if listed(cutEnds, word) != "" {
		return fmt.Errorf("%w: %s", ErrCutOff, word)
	}
	found, ok := endOf([]byte(reason))
	switch {
	case !ok:
		return nil
	case found.class == trysail.ClassContentPolicy:
		return fmt.Errorf("%w: %s", ErrRefused, word)
	default:
		return fmt.Errorf("the model broke off: %s", word)
	}
}
