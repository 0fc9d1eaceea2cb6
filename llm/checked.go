package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/trysail-go/trysail"
)

// Checked returns fn with a look at its answers: one for which validate returns an error fails with
// [trysail.ClassBadAnswer], which is counted by the breaker and repeated once. The value stays beside the error.
//
//	text, err := trysail.Do(ctx, op, llm.Checked(ask, llm.ValidJSON))
func Checked[T any](fn func(context.Context) (T, error), validate func(T) error) func(context.Context) (T, error) {
	if fn == nil || validate == nil {
		return fn
	}
	return func(ctx context.Context) (T, error) {
		value, err := fn(ctx)
		if err != nil {
			return value, err
		}
		return value, trysail.BadAnswer(validate(value))
	}
}

// ErrEmpty means that an answer holds nothing but white space.
var ErrEmpty = errors.New("the answer is empty")

// NotEmpty is a check for [Checked]: it wants a text that holds something.
func NotEmpty(text string) error {
	if strings.TrimSpace(text) == "" {
		return ErrEmpty
	}
	return nil
}

// ValidJSON is a check for [Checked]: it wants one JSON document, and nothing around it. Of one that
// was cut off or has a fault the error tells where.
func ValidJSON(text string) error {
	if err := NotEmpty(text); err != nil {
		return err
	}
	var document json.RawMessage
	err := json.Unmarshal([]byte(text), &document)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("the answer is not JSON: byte %d of %d: %w", syntax.Offset, len(text), err)
	}
	return err
}
