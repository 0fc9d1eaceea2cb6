package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// SchemaID is the identifier of the [Schema]. Nothing needs to be served there.
const SchemaID = "https://github.com/trysail-go/trysail/schema/custom-config.schema.json"

// Schema returns the JSON Schema (draft 2020-12) of a custom configuration: what [Validate] demands of each field by itself.
// Operations are names that operation_overrides may hold beside those that are always known, as in
// [ValidateOptions]. The file schema/custom-config.schema.json of the repository, for editors, is Schema().
//
// A schema cannot say all that Validate checks: limits of the document, duplicate keys, forbidden text,
// and fields that do not go together.
func Schema(operations ...string) []byte {
	properties := make(object, len(fields))
	for i, f := range fields {
		properties[i] = pair{f.Name, f.schema(operations)}
	}
	return object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"$id", SchemaID},
		{"title", "Trysail: custom resilience configuration"},
		{"description", "Numbers that replace those of a preset: RESILIENCE_CUSTOM_CONFIG, and the bodies of the internal API."},
		{"type", "object"},
		{"additionalProperties", false},
		{"minProperties", 1},
		{"properties", properties},
	}.document()
}

func (f Field) schema(operations []string) object {
	kind := pair{"type", f.Kind}
	about := pair{"description", f.title()}
	example := pair{"examples", []json.RawMessage{json.RawMessage(f.Example)}}
	switch f.Kind {
	case KindInteger, KindNumber:
		return object{kind, about, {"minimum", f.Min}, {"maximum", f.Max}, example}
	case KindString:
		return object{kind, about, {"enum", f.Enum}, example}
	case KindObject:
		return object{
			kind, about,
			{"maxProperties", f.MaxProperties},
			{"propertyNames", object{{"enum", knownOperations(operations)}}},
			{"additionalProperties", object{{"type", KindString}, {"enum", f.Enum}}},
			example,
		}
	default:
		return object{kind, about, example}
	}
}

// title is the meaning as a sentence, with the unit.
func (f Field) title() string {
	if f.Unit == "" {
		return f.Meaning
	}
	return fmt.Sprintf("%s; in %s", f.Meaning, f.Unit)
}

// knownOperations returns the operations that have a short name, then the others, each once.
func knownOperations(others []string) []string {
	var names []string
	aliases := Aliases()
	for _, short := range slices.Sorted(maps.Keys(aliases)) {
		names = append(names, short, aliases[short])
	}
	for _, name := range others {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// An object is a JSON object whose keys keep their order.
type object []pair

type pair struct {
	key   string
	value any
}

// MarshalJSON writes the pairs in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, p := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(p.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(p.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.key, err)
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// document is the object as a file: indented, with a line end. What it holds comes from the table
// and from names, so that it can always be written.
func (o object) document() []byte {
	text, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("config: the table of fields cannot be written: %v", err))
	}
	return append(text, '\n')
}
