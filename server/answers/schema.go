package answers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/trysail-go/trysail/llm"
)

// The limits of what is read. An answer is what a model made up: it must not cost more than it is worth.
const (
	MaxSchema = 64 << 10 // bytes of a schema
	MaxAnswer = 1 << 20  // bytes of an answer

	maxDepth  = 100  // objects and arrays around a value
	maxNumber = 1000 // characters of a number, and its largest exponent: arithmetic is exact
)

// base is the address of a schema, to which relative references lead. Nothing is ever loaded from there.
const base = "https://schema.invalid/schema.json"

// Schema compiles a JSON Schema and returns a check that wants one JSON document that fits it, and nothing
// around it. The check is safe for concurrent use. Its error is a [*MismatchError] where the answer is JSON.
//
// All drafts from 4 to 2020-12 are understood, the last without $schema; "format" is checked. Patterns are those of package regexp,
// which take no lookahead and no long time. References lead to places in the same document; one to a file or an address is an error.
// A document of more than [MaxSchema] bytes is refused, as are answers of more than [MaxAnswer], values within more than 100 others,
// numbers of more than 1000 digits or with an exponent beyond 1000, and answers that would take too many steps.
func Schema(document []byte) (check func(answer string) error, err error) {
	if len(document) > MaxSchema {
		return nil, fmt.Errorf("compile the schema: it has %d bytes, want at most %d", len(document), MaxSchema)
	}
	first, err := compile(document)
	if err != nil {
		return nil, fmt.Errorf("compile the schema: %w", err)
	}
	compiled := &pool{document: document, free: []*counted{first}}
	return func(answer string) error {
		if len(answer) > MaxAnswer {
			return fmt.Errorf("the answer has %d bytes, want at most %d", len(answer), MaxAnswer)
		}
		if err := llm.ValidJSON(answer); err != nil {
			return err
		}
		value, err := decode(strings.NewReader(answer))
		if err != nil {
			return fmt.Errorf("the answer cannot be checked: %w", err)
		}
		schema, err := compiled.get()
		if err != nil {
			return err
		}
		defer compiled.put(schema)
		return schema.validate(value, len(answer))
	}, nil
}

func compile(document []byte) (*counted, error) {
	value, err := decode(bytes.NewReader(document))
	if err != nil {
		return nil, notJSON(err, len(document))
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(denied{})
	compiler.AssertFormat()
	if err := compiler.AddResource(base, value); err != nil {
		return nil, err
	}
	schema, err := compiler.Compile(base)
	if err != nil {
		return nil, refused(err)
	}
	return count(schema), nil
}

func notJSON(err error, size int) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("it is not JSON: byte %d of %d: %w", syntax.Offset, size, err)
	}
	return err
}

// refused words what the compiler says, without the address that we have made up.
func refused(err error) error {
	var invalid *jsonschema.SchemaValidationError
	var mismatch *jsonschema.ValidationError
	if errors.As(err, &invalid) && errors.As(invalid.Err, &mismatch) {
		return &MismatchError{What: "it is no JSON Schema", Faults: faultsOf(mismatch)}
	}
	return errors.New(strings.ReplaceAll(err.Error(), base, ""))
}

// denied loads nothing: the default would open files.
type denied struct{}

// Load refuses the address.
func (denied) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is not loaded: put what it defines under $defs in the schema itself", strings.TrimPrefix(url, base))
}
