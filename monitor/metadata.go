package monitor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
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

// metadataOf returns the recorder's own fields and those of the caller that do not have their names.
func metadataOf(fields map[string]any, own ...field) Metadata {
	if len(fields)+len(own) == 0 {
		return ""
	}
	e := encoder{text: append(make([]byte, 0, 48*(min(len(fields), maxFields)+len(own))), '{')}
	for _, f := range own {
		e.field(f.key, f.value)
	}
	for _, key := range sortedKeys(fields) {
		if !slices.ContainsFunc(own, func(f field) bool { return f.key == key }) {
			e.field(key, fields[key])
		}
	}
	e.left(len(fields) - maxFields)
	return Metadata(append(e.text, '}'))
}

// sortedKeys returns the first keys of m.
func sortedKeys[V any](m map[string]V) []string {
	keys := slices.Sorted(maps.Keys(m))
	return keys[:min(len(keys), maxFields)]
}

// An encoder writes metadata.
type encoder struct {
	text    []byte
	nesting int
	skipped int // fields that did not fit, of the object at hand
}

// room reports whether what was written so far leaves enough to close everything.
func (e *encoder) room() bool { return len(e.text) <= maxMetadata-reserve*(e.nesting+1) }

// field writes one field of an object, or nothing at all if that would be too much.
func (e *encoder) field(key string, value any) {
	before := len(e.text)
	if e.text[before-1] != '{' {
		e.text = append(e.text, ',')
	}
	e.text = append(appendText(e.text, clip(key, maxKey)), ':')
	e.value(value)
	if !e.room() {
		e.text = e.text[:before]
		e.skipped++
	}
}

// left says how many fields are missing: those that did not fit and the given number.
func (e *encoder) left(more int) {
	if n := e.skipped + max(more, 0); n > 0 {
		if e.text[len(e.text)-1] != '{' {
			e.text = append(e.text, ',')
		}
		e.text = append(e.text, `"fields_left_out":`...)
		e.text = strconv.AppendInt(e.text, int64(n), 10)
	}
	e.skipped = 0
}

func (e *encoder) value(value any) {
	switch v := value.(type) {
	case nil:
		e.text = append(e.text, "null"...)
	case string:
		e.string(v)
	case bool:
		e.text = strconv.AppendBool(e.text, v)
	case float64:
		e.float(v)
	case json.Number:
		e.number(v)
	case float32:
		e.float(float64(v))
	case time.Duration:
		e.string(v.String())
	case time.Time:
		e.string(v.UTC().Format(time.RFC3339Nano))
	case []string:
		list(e, v)
	case []any:
		list(e, v)
	case map[string]string:
		object(e, v)
	case map[string]any:
		object(e, v)
	default:
		e.whole(value)
	}
}

// whole writes whole numbers, and of everything else the type.
func (e *encoder) whole(value any) {
	switch v := value.(type) {
	case int:
		e.text = strconv.AppendInt(e.text, int64(v), 10)
	case int8:
		e.text = strconv.AppendInt(e.text, int64(v), 10)
	case int16:
		e.text = strconv.AppendInt(e.text, int64(v), 10)
	case int32:
		e.text = strconv.AppendInt(e.text, int64(v), 10)
	case int64:
		e.text = strconv.AppendInt(e.text, v, 10)
	case uint:
		e.text = strconv.AppendUint(e.text, uint64(v), 10)
	case uint8:
		e.text = strconv.AppendUint(e.text, uint64(v), 10)
	case uint16:
		e.text = strconv.AppendUint(e.text, uint64(v), 10)
	case uint32:
		e.text = strconv.AppendUint(e.text, uint64(v), 10)
	case uint64:
		e.text = strconv.AppendUint(e.text, v, 10)
	default: // its own methods are not asked: they might panic, block or lock
		e.string(fmt.Sprintf("unsupported type %T", value))
	}
}

func (e *encoder) string(s string) { e.text = appendText(e.text, clip(s, maxValue)) }

func (e *encoder) float(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) { // JSON has no such numbers
		e.string(strconv.FormatFloat(f, 'g', -1, 64))
		return
	}
	e.text = appendNumber(e.text, f)
}

func (e *encoder) number(n json.Number) {
	if !json.Valid([]byte(n)) {
		e.string(string(n))
		return
	}
	e.text = append(e.text, n...)
}

// nested reports whether there may be one more level, and says in its place if there may not.
func (e *encoder) nested() bool {
	if e.nesting+1 >= maxNesting {
		e.string("nested too deeply")
		return false
	}
	e.nesting++
	return true
}

func list[V any](e *encoder, items []V) {
	if !e.nested() {
		return
	}
	e.text = append(e.text, '[')
	for i, item := range items {
		before := len(e.text)
		if i > 0 {
			e.text = append(e.text, ',')
		}
		if i < maxItems {
			e.value(item)
		}
		if i == maxItems || !e.room() {
			e.text = e.text[:before]
			if i > 0 {
				e.text = append(e.text, ',')
			}
			e.string(fmt.Sprintf("%d more left out", len(items)-i))
			break
		}
	}
	e.text = append(e.text, ']')
	e.nesting--
}

func object[V any](e *encoder, fields map[string]V) {
	if !e.nested() {
		return
	}
	outer := e.skipped
	e.skipped = 0
	e.text = append(e.text, '{')
	for _, key := range sortedKeys(fields) {
		e.field(key, fields[key])
	}
	e.left(len(fields) - maxFields)
	e.text = append(e.text, '}')
	e.skipped = outer
	e.nesting--
}
