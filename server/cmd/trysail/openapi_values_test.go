package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A maker makes values that a schema of a document wants, and some that it does not. It knows of the schema what is written
// there, and asks the validator of JSON Schema whether it understood that rightly.
type maker struct {
	t       *testing.T
	promise *promise
	rand    *rand.Rand
}

// good makes a value that fits the schema at a pointer. With exemplary it is the schema's example, if it has one.
func (m *maker) good(at string, exemplary bool) any {
	m.t.Helper()
	for range 1000 {
		if value := m.any(m.written(at), exemplary); m.promise.fits(at, value) == nil {
			return value
		}
		exemplary = false // a bad one has its own test
	}
	m.t.Fatalf("no value found that fits the schema at %s: want an example there", at)
	return nil
}

// written returns the schema at a pointer as it is written.
func (m *maker) written(at string) map[string]any {
	m.t.Helper()
	value := m.promise.raw
	for _, name := range strings.Split(at, "/")[1:] {
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		switch in := value.(type) {
		case map[string]any:
			value = in[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err == nil && i < len(in) {
				value = in[i]
			}
		}
	}
	schema, ok := value.(map[string]any)
	if !ok {
		m.t.Fatalf("no schema at %s", at)
	}
	return schema
}

// any makes a value after a schema, which may not fit in the end: patterns are not understood, only tried.
func (m *maker) any(schema map[string]any, exemplary bool) any {
	if ref, ok := schema["$ref"].(string); ok {
		return m.any(m.written(strings.TrimPrefix(ref, "#")), exemplary)
	}
	if examples, ok := schema["examples"].([]any); ok && (exemplary || m.rand.IntN(4) == 0) {
		if exemplary {
			return examples[0]
		}
		return m.one(examples)
	}
	if enum, ok := schema["enum"].([]any); ok {
		return m.one(enum)
	}
	switch kind := m.kind(schema); kind {
	case "integer":
		return m.integer(schema)
	case "number":
		low, high := bounds(schema, -1e6, 1e6)
		return low + m.rand.Float64()*(high-low)
	case "boolean":
		return m.rand.IntN(2) == 0
	case "array":
		items, _ := schema["items"].(map[string]any)
		list := []any{}
		for range m.size(schema, "minItems", "maxItems", 3) {
			list = append(list, m.any(items, exemplary))
		}
		return list
	case "object":
		return m.object(schema, exemplary)
	case "string":
		return m.text(schema)
	default:
		return nil
	}
}

func (m *maker) one(of []any) any { return of[m.rand.IntN(len(of))] }

// kind is one of the types of a schema.
func (m *maker) kind(schema map[string]any) any {
	if kinds, ok := schema["type"].([]any); ok {
		return m.one(kinds)
	}
	return schema["type"]
}

// bounds are the least and the most of a number.
func bounds(schema map[string]any, low, high float64) (least, most float64) {
	if n, ok := number(schema["minimum"]); ok {
		low = n
	}
	if n, ok := number(schema["maximum"]); ok {
		high = n
	}
	return low, max(low, high)
}

func number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// integer prefers the ends of the range.
func (m *maker) integer(schema map[string]any) any {
	low, high := bounds(schema, math.MinInt32, math.MaxInt32)
	switch m.rand.IntN(4) {
	case 0:
		return int64(low)
	case 1:
		return int64(high)
	default:
		return int64(low) + m.rand.Int64N(int64(high)-int64(low)+1)
	}
}

// size is a number of things, often the least or the most.
func (m *maker) size(schema map[string]any, least, most string, usual int) int {
	low, _ := number(schema[least])
	high, bounded := number(schema[most])
	if !bounded {
		high = low + float64(usual)
	}
	switch m.rand.IntN(4) {
	case 0:
		return int(low)
	case 1:
		return int(high)
	default:
		return int(low) + m.rand.IntN(int(high)-int(low)+1)
	}
}

// alphabets are what texts are made of.
var alphabets = []string{"abc", "ABCxyz0189-_.", "a b/c?&=%+#;\"'<>\\", "äß→日本語🙂", "=+-@\t", "0123456789"}

func (m *maker) text(schema map[string]any) any {
	alphabet := []rune(alphabets[m.rand.IntN(len(alphabets))])
	var b strings.Builder
	for range m.size(schema, "minLength", "maxLength", 12) {
		b.WriteRune(alphabet[m.rand.IntN(len(alphabet))])
	}
	return b.String()
}

func (m *maker) object(schema map[string]any, exemplary bool) any {
	object := map[string]any{}
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		member, _ := properties[name].(map[string]any)
		_, shown := member["examples"]
		if slices.Contains(required, any(name)) || exemplary && shown || !exemplary && m.rand.IntN(2) == 0 {
			object[name] = m.any(member, exemplary)
		}
	}
	switch more := schema["additionalProperties"].(type) {
	case bool:
		if more && !exemplary && m.rand.IntN(2) == 0 {
			object["one_more"] = m.rand.IntN(10)
		}
	case map[string]any:
		for range m.rand.IntN(3) {
			object[fmt.Sprint(m.text(map[string]any{}))] = m.any(more, exemplary)
		}
	}
	return object
}

// strangers are values of every type, and of sizes that few schemas want.
func strangers() map[string]any {
	return map[string]any{
		"null": nil, "true": true, "a text": "no such value", "an empty text": "", "a long text": strings.Repeat("x", 5000),
		"a control character": "a\x01b", "zero": 0, "minus one": -1, "a fraction": 1.5, "a large number": 1 << 52,
		"an array": []any{}, "an object": map[string]any{},
	}
}
