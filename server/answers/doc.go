// Package answers checks what AI models answer: a JSON Schema becomes a check for llm.Checked.
//
//	check, err := answers.Schema(document)
//	...
//	text, err := trysail.Do(ctx, op, llm.Checked(ask, check))
//
// It is part of the server's module, because a validator of JSON Schema is more than the library may require.
package answers
