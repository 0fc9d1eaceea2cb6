package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// output is the flag of the commands that answer a question.
type output struct {
	Output string `short:"o" default:"table" enum:"table,json,yaml" placeholder:"FORMAT" help:"table for people, json or yaml for programs (${default})."`
}

// print writes an answer: its fields as JSON or YAML, or what table makes of it.
func (o output) print(p *program, answer any, table func(*page)) error {
	var text []byte
	var err error
	switch o.Output {
	case "json":
		text, err = toJSON(answer)
	case "yaml":
		text, err = toYAML(answer)
	default:
		s := newPage(p)
		table(s)
		text = s.bytes()
	}
	if err != nil {
		return err
	}
	return emit(p.stdout, text)
}

// emit writes all of text, or says why it could not: a full disk must not look like a success.
func emit(w io.Writer, text []byte) error {
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}

// answerTo is where an answer goes that is written piece by piece. Its errors are those of [emit].
type answerTo struct{ io.Writer }

// Write implements [io.Writer].
func (a answerTo) Write(p []byte) (int, error) {
	n, err := a.Writer.Write(p)
	if err != nil {
		err = fmt.Errorf("write the output: %w", err)
	}
	return n, err
}

func toJSON(answer any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer); err != nil {
		return nil, fmt.Errorf("write the output: %w", err)
	}
	return b.Bytes(), nil
}

// toYAML writes the same fields in the same order as toJSON.
func toYAML(answer any) ([]byte, error) {
	text, err := toJSON(answer)
	if err != nil {
		return nil, err
	}
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil { // JSON is YAML
		return nil, fmt.Errorf("write the output: %w", err)
	}
	plain(&node)
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(&node); err != nil {
		return nil, fmt.Errorf("write the output: %w", err)
	}
	return b.Bytes(), nil
}

// plain takes JSON's brackets and quotes away. The encoder quotes what needs it.
func plain(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode && len(n.Content) > 0 {
		n.Style &^= yaml.FlowStyle // empty lists and mappings can be written in no other way
	}
	if n.Kind == yaml.ScalarNode {
		n.Style &^= yaml.DoubleQuotedStyle
	}
	for _, child := range n.Content {
		plain(child)
	}
}
