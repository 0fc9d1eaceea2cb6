package monitor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// An encoder writes metadata. It is a value that every step returns anew, as append does: so its text may be on the stack.
type encoder struct {
	text    []byte
	nesting int
	skipped int // fields that did not fit, of the object at hand
}

// metadata returns what was written as a whole.
func (e encoder) metadata() Metadata { return Metadata(append(e.text, '}')) }

// room reports whether what was written so far leaves enough to close everything.
func (e encoder) room() bool { return len(e.text) <= maxMetadata-reserve*(e.nesting+1) }

// top is field for the outermost object. Where values nest, functions call each other, and the compiler cannot see that the text
// may be on the stack: only for those it is moved.
func (e encoder) top(key string, value any) encoder {
	if full, ok := e.key(key).plain(value); ok {
		return e.fit(full)
	}
	moved := encoder{text: bytes.Clone(e.text), nesting: e.nesting, skipped: e.skipped}
	return moved.field(key, value)
}

// field writes one field of an object, or nothing at all if that would be too much.
func (e encoder) field(key string, value any) encoder { return e.fit(e.key(key).value(value)) }

// fit returns with, which is e with one more field, or e if that is too much.
func (e encoder) fit(with encoder) encoder {
	if !with.room() {
		e.text = with.text[:len(e.text)]
		e.skipped++
		return e
	}
	return with
}

// key writes what comes before a value.
func (e encoder) key(key string) encoder {
	if e.text[len(e.text)-1] != '{' {
		e.text = append(e.text, ',')
	}
	e.text = append(appendText(e.text, clip(key, maxKey)), ':')
	return e
}

// left says how many fields are missing: those that did not fit and the given number.
func (e encoder) left(more int) encoder {
	if n := e.skipped + max(more, 0); n > 0 {
		e = e.key("fields_left_out").integer(int64(n))
	}
	e.skipped = 0
	return e
}

func (e encoder) value(value any) encoder {
	switch v := value.(type) {
	case []string:
		return list(e, v)
	case []any:
		return list(e, v)
	case map[string]string:
		return object(e, v)
	case map[string]any:
		return object(e, v)
	default:
		if full, ok := e.plain(value); ok {
			return full
		}
		return e.string(fmt.Sprintf("unsupported type %T", value)) // its own methods are not asked: they might panic, block or lock
	}
}

// plain writes a value of a type that holds no others, and reports whether it is one.
func (e encoder) plain(value any) (encoder, bool) {
	switch v := value.(type) {
	case nil:
		return e.raw("null"), true
	case string:
		return e.string(v), true
	case bool:
		return e.bool(v), true
	case int:
		return e.integer(int64(v)), true
	case float64:
		return e.float(v), true
	case json.Number:
		return e.number(v), true
	case float32:
		return e.float(float64(v)), true
	case time.Duration:
		return e.string(v.String()), true
	case time.Time:
		return e.string(v.UTC().Format(time.RFC3339Nano)), true
	default:
		return e.whole(value)
	}
}

// whole writes whole numbers of the rarer types.
func (e encoder) whole(value any) (encoder, bool) {
	switch v := value.(type) {
	case int8:
		return e.integer(int64(v)), true
	case int16:
		return e.integer(int64(v)), true
	case int32:
		return e.integer(int64(v)), true
	case int64:
		return e.integer(v), true
	case uint:
		return e.natural(uint64(v)), true
	case uint8:
		return e.natural(uint64(v)), true
	case uint16:
		return e.natural(uint64(v)), true
	case uint32:
		return e.natural(uint64(v)), true
	case uint64:
		return e.natural(v), true
	default:
		return e, false
	}
}

func (e encoder) raw(json string) encoder {
	e.text = append(e.text, json...)
	return e
}

func (e encoder) string(s string) encoder {
	e.text = appendText(e.text, clip(s, maxValue))
	return e
}

func (e encoder) bool(b bool) encoder {
	e.text = strconv.AppendBool(e.text, b)
	return e
}

func (e encoder) integer(n int64) encoder {
	e.text = strconv.AppendInt(e.text, n, 10)
	return e
}

func (e encoder) natural(n uint64) encoder {
	e.text = strconv.AppendUint(e.text, n, 10)
	return e
}

func (e encoder) float(f float64) encoder {
	if math.IsNaN(f) || math.IsInf(f, 0) { // JSON has no such numbers
		return e.string(strconv.FormatFloat(f, 'g', -1, 64))
	}
	e.text = appendNumber(e.text, f)
	return e
}

func (e encoder) number(n json.Number) encoder {
	if !json.Valid([]byte(n)) {
		return e.string(string(n))
	}
	return e.raw(string(n))
}

// nested begins one more level, unless there may be none; then it says so in its place.
func (e encoder) nested(open byte) (inside encoder, ok bool) {
	if e.nesting+1 >= maxNesting {
		return e.string("nested too deeply"), false
	}
	return encoder{text: append(e.text, open), nesting: e.nesting + 1}, true
}

// end ends the level that nested began on the encoder outer.
func (e encoder) end(outer encoder, closing byte) encoder {
	outer.text = append(e.text, closing)
	return outer
}

func list[V any](outer encoder, items []V) encoder {
	e, ok := outer.nested('[')
	if !ok {
		return e
	}
	for i, item := range items {
		before := len(e.text)
		if i > 0 {
			e = e.raw(",")
		}
		if i < maxItems {
			e = e.value(item)
		}
		if i == maxItems || !e.room() {
			e.text = e.text[:before]
			if i > 0 {
				e = e.raw(",")
			}
			e = e.string(fmt.Sprintf("%d more left out", len(items)-i))
			break
		}
	}
	return e.end(outer, ']')
}

func object[V any](outer encoder, fields map[string]V) encoder {
	e, ok := outer.nested('{')
	if !ok {
		return e
	}
	for _, key := range sortedKeys(fields) {
		e = e.field(key, fields[key])
	}
	return e.left(len(fields)-maxFields).end(outer, '}')
}
