package monitor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The limits of metadata.
const (
	maxMetadata = 4096 // bytes of the text
	maxFields   = 32   // of one object
	maxItems    = 32   // of one list
	maxKey      = 64   // characters
	maxValue    = 500  // characters of a text
	maxNesting  = 4    // objects and lists around a value
	reserve     = 64   // bytes for the words that say what was left out
)

// Metadata is what else is known of an [Event] or [Alert], as the text of a JSON object with sorted keys; those of
// the recorder itself come first. It is made when the event is recorded and never changes.
//
// Recorders take texts, booleans, numbers, nil, a [time.Time] (as RFC 3339 in UTC), a [time.Duration] (as "1.5s"), []string,
// []any, map[string]string and map[string]any. Instead of a value of another type there is a text that names the type.
//
// Much is cut: keys to 64 characters, texts to 500, a list to 32 items, objects to the 32 fields whose keys sort
// first, nesting to 4 levels, and all of it to 4096 bytes. How many fields were left out is in "fields_left_out"; a list that was
// cut ends with a text that says so.
type Metadata string

// String returns the JSON text, "{}" if there is no metadata.
func (m Metadata) String() string {
	if m == "" {
		return "{}"
	}
	return string(m)
}

// Map returns the fields, decoded as encoding/json does: numbers are float64. It is nil if there are none.
func (m Metadata) Map() map[string]any {
	if m == "" {
		return nil
	}
	var all map[string]any
	if json.Unmarshal([]byte(m), &all) != nil {
		return nil
	}
	return all
}

// first returns the value of the first field if that is a text, as it stands there.
func (m Metadata) first() string {
	_, rest, _ := strings.Cut(string(m), `":`)
	if rest == "" || rest[0] != '"' {
		return ""
	}
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			return rest[:i+1]
		}
	}
	return ""
}

// MarshalJSON implements [json.Marshaler].
func (m Metadata) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalJSON implements [json.Unmarshaler]. It takes an object or null. What is longer than 4096 bytes is cut as a
// recorder would.
func (m *Metadata) UnmarshalJSON(text []byte) error {
	var all map[string]any
	numbers := json.NewDecoder(bytes.NewReader(text))
	numbers.UseNumber() // a number keeps its digits
	if err := numbers.Decode(&all); err != nil {
		return fmt.Errorf("metadata is %q, want a JSON object: %w", short(string(text)), err)
	}
	var plain bytes.Buffer
	if err := json.Compact(&plain, bytes.ToValidUTF8(text, []byte("\uFFFD"))); err != nil {
		return fmt.Errorf("metadata is %q, want one JSON object: %w", short(string(text)), err)
	}
	switch {
	case len(all) == 0:
		*m = ""
	case plain.Len() <= maxMetadata:
		*m = Metadata(plain.String())
	default:
		*m = metadataOf(all)
	}
	return nil
}

// A field is one of the recorder's own.
type field struct {
	key   string
	value any
}

// usual is how many bytes most metadata has. As many are written without memory from the heap.
const usual = 256

// metadataOf returns the recorder's own fields and those of the caller that do not have their names.
func metadataOf(fields map[string]any, own ...field) Metadata {
	if len(fields)+len(own) == 0 {
		return ""
	}
	var room [usual]byte
	e := encoder{text: append(room[:0], '{')}
	for _, f := range own {
		e = e.top(f.key, f.value)
	}
	return e.rest(fields, own).metadata()
}

// few is how many fields of a caller are sorted without memory from the heap.
const few = 8

// rest writes the fields of the caller that have none of the names of own.
func (e encoder) rest(fields map[string]any, own []field) encoder {
	if len(fields) == 0 {
		return e
	}
	var room [few]field
	sorted := room[:0]
	if len(fields) <= few {
		for key, value := range fields {
			sorted = append(sorted, field{key, value})
		}
		insertionSort(sorted)
	} else {
		for _, key := range sortedKeys(fields) {
			sorted = append(sorted, field{key, fields[key]})
		}
	}
	for _, f := range sorted {
		if !slices.ContainsFunc(own, func(o field) bool { return o.key == f.key }) {
			e = e.top(f.key, f.value)
		}
	}
	return e.left(len(fields) - maxFields)
}

// insertionSort is what package slices does for so few, without the cost of a function for each comparison.
func insertionSort(fields []field) {
	for i := 1; i < len(fields); i++ {
		for j := i; j > 0 && fields[j].key < fields[j-1].key; j-- {
			fields[j], fields[j-1] = fields[j-1], fields[j]
		}
	}
}

// sortedKeys returns the first keys of m.
func sortedKeys[V any](m map[string]V) []string {
	keys := slices.Sorted(maps.Keys(m))
	return keys[:min(len(keys), maxFields)]
}
