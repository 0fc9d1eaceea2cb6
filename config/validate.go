package config

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// ValidateOptions says against what a document is checked. The zero value is a check on its own.
type ValidateOptions struct {
	// Operations are names that operation_overrides may hold beside the five of the specification and
	// their long forms, which are always known: usually those that are registered.
	Operations []string

	// Base is the preset on top of which the document is to be applied. With it a field that does not go
	// together with the preset's numbers is an error. Nil: the document is checked by itself.
	Base *Preset

	// Strict words findings as the security pass does, takes 3.0 for no integer, and an empty object for valid.
	Strict bool

	// AllowEmpty takes an empty object for valid: overrides that override nothing.
	AllowEmpty bool

	// ShapeOnly looks at each field by itself and gives no hints: what [Schema] says, and the security pass.
	ShapeOnly bool
}

// Validate checks a custom configuration, a JSON object of the fields of [Fields]: the security pass of [Security], then fields, types and ranges,
// then whether the fields go together. Of a document with an error the Custom is empty: it is taken whole or not at all.
// It is safe for concurrent use, and does no more work than a document of the size limit needs.
func Validate(document []byte, opts ValidateOptions) (Custom, Report) {
	v := validation{opts: opts, strict: opts.Strict, report: Report{Size: len(document)}}
	if !v.read(document) {
		return Custom{}, v.report
	}
	v.whitelist()
	v.overrides()
	v.empty()
	if !opts.ShapeOnly {
		v.together()
	}
	if !v.report.Valid() {
		return Custom{}, v.report
	}
	return v.custom, v.report
}

// ValidateReader is [Validate] for a document that comes from elsewhere, of which it holds no more than the limit of
// the size and one byte: Report.Size is no more than that. The error is the reader's.
func ValidateReader(r io.Reader, opts ValidateOptions) (Custom, Report, error) {
	document, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return Custom{}, Report{}, fmt.Errorf("read the configuration: %w", err)
	}
	custom, report := Validate(document, opts)
	if len(document) > maxSize { // how large it is nobody has counted
		report.Errors[0].Message = tooLarge(fmt.Sprintf("more than %d", maxSize))
	}
	return custom, report, nil
}

// Check is [Validate] for a Custom that was made in Go, or by merging.
func (c Custom) Check(opts ValidateOptions) Report {
	document, err := json.Marshal(c)
	if err != nil { // only a float64 that is no number
		report := Report{}
		report.refuse(Finding{
			Rule: RuleShape, Message: fmt.Sprintf("Configuration cannot be written as JSON: %v", err),
			Suggestion: "Use finite numbers",
		})
		return report
	}
	_, report := Validate(document, opts)
	return report
}

// A validation is one check under way.
type validation struct {
	opts   ValidateOptions
	strict bool
	root   node
	custom Custom // the fields that are good
	report Report
	lines  scanner // knows where things stand
}

// read runs the security pass and reads the document's object.
func (v *validation) read(document []byte) (ok bool) {
	if len(document) > maxSize {
		v.report.refuse(Finding{
			Rule:       RuleLimit,
			Message:    tooLarge(strconv.Itoa(len(document))),
			Suggestion: fmt.Sprintf("Keep the configuration to %d bytes: leave out white space and fields that the preset has already", maxSize),
		})
		return false
	}
	v.lines = scanner{text: string(document), report: &v.report}
	if v.root, ok = v.lines.document(); !ok {
		return false
	}
	if v.root.kind != isObject {
		v.report.refuse(Finding{
			Rule:       RuleShape,
			Message:    "Configuration must be a JSON object, not " + v.root.kind.english(),
			Suggestion: "Ensure your configuration is a valid JSON object with key-value pairs",
		})
		return false
	}
	v.report.Fields = len(v.root.members)
	return true
}

func tooLarge(size string) string {
	return fmt.Sprintf("Configuration too large: %s bytes (max: %d bytes)", size, maxSize)
}

// empty refuses an object without fields, where that is no configuration.
func (v *validation) empty() {
	if len(v.root.members) > 0 || v.strict || v.opts.AllowEmpty {
		return
	}
	v.report.refuse(Finding{
		Rule:       RuleShape,
		Message:    "{} is not valid under any of the given schemas: give at least one field",
		Suggestion: allowedFields(),
	})
	v.report.suggest("Consider a preset (simple, development or production) if you need no numbers of your own")
}
