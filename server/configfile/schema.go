package configfile

import (
	"maps"
	"reflect" //nolint:depguard // ADR 13: one decoder for the types of all packages
	"slices"
	"strings"

	"github.com/trysail-go/trysail"
)

// Schema returns a JSON Schema (draft 2020-12) of files: the keys that a [Loader] takes, and those of the sections of other packages, each a pointer
// to a struct. About returns what is said of a key, or "": its path is the key alone, and a section has no owner.
// The schema is for editors: it knows the kinds of values and the words of enumerations, not which numbers go together, which a Loader and
// those who own the sections check. Secrets in the file itself are no good to it.
func Schema(about func(Key) string, sections map[string]any) map[string]any {
	s := schemer{about: about, definitions: definitions()}
	properties := s.properties(reflect.TypeFor[says]())
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		properties[name] = s.described(s.schema(structOf(sections[name]).Type()), Key{Path: name})
	}
	return map[string]any{
		"type": "object", "properties": properties, "additionalProperties": false, "patternProperties": map[string]any{"^x-": true}, "$defs": s.definitions,
	}
}

// A schemer writes the schemas of types. Those of structs that have a name are written once.
type schemer struct {
	about       func(Key) string
	definitions map[string]any
}

// definitions are the forms of values that have no kind of JSON's.
func definitions() map[string]any {
	name := map[string]any{"type": "string", "pattern": variableName.String()}
	object := func(more map[string]any, required string) map[string]any {
		return map[string]any{"type": "object", "properties": more, "required": []any{required}, "additionalProperties": false}
	}
	text := map[string]any{"type": "string", "minLength": 1}
	variable := map[string]any{"type": "string", "pattern": variableForm.String()}
	return map[string]any{
		"time": map[string]any{"anyOf": []any{
			map[string]any{"type": "string", "pattern": `^([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))*$`}, map[string]any{"const": 0}, map[string]any{"const": "0"},
		}},
		"size": map[string]any{"anyOf": []any{
			map[string]any{"type": "integer", "minimum": 0}, map[string]any{"type": "string", "pattern": sizeForm.String()},
		}},
		"secret": map[string]any{"anyOf": []any{variable, object(map[string]any{"env": name}, "env"), object(map[string]any{"file": text}, "file")}},
		"key_hash": map[string]any{"anyOf": []any{
			variable, object(map[string]any{"env": name}, "env"), object(map[string]any{"file": text}, "file"),
			object(map[string]any{"sha256": map[string]any{"type": "string", "pattern": hashForm.String()}}, "sha256"),
		}},
		"credential": map[string]any{"anyOf": []any{
			variable, object(map[string]any{"name": text, "env": name}, "env"), object(map[string]any{"name": text, "file": text}, "file"),
		}},
	}
}

func reference(name string) map[string]any { return map[string]any{"$ref": "#/$defs/" + name} }

// schema is that of the values of a type.
func (s *schemer) schema(t reflect.Type) map[string]any {
	switch t {
	case reflect.TypeFor[Secret]():
		return reference("secret")
	case reflect.TypeFor[KeyHash]():
		return reference("key_hash")
	case reflect.TypeFor[Credential]():
		return reference("credential")
	case reflect.TypeFor[Size]():
		return reference("size")
	case reflect.TypeFor[trysail.ClassRetries]():
		return s.table(reflect.TypeFor[trysail.Class](), t.Elem())
	case reflect.TypeFor[*trysail.RetryBudget]():
		return map[string]any{"type": "string"}
	}
	if special, ok := specialOf(t); ok {
		if len(special.words) > 0 {
			return map[string]any{"enum": anyOf(special.words)}
		}
		return reference("time")
	}
	if readsText(t) {
		return map[string]any{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.schema(t.Elem())
	case reflect.Struct:
		return s.structure(t)
	case reflect.Map:
		return s.table(t.Key(), t.Elem())
	case reflect.Slice:
		return map[string]any{"type": "array", "items": s.schema(t.Elem())}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}
	default:
		return map[string]any{"type": "integer"}
	}
}

// structure is the schema of a struct, which stands among the definitions.
func (s *schemer) structure(t reflect.Type) map[string]any {
	name := strings.NewReplacer(".", "_", "*", "").Replace(t.String())
	if _, known := s.definitions[name]; known {
		return reference(name)
	}
	s.definitions[name] = nil // it may be a part of itself
	made := map[string]any{"type": []any{"object", "null"}, "properties": s.properties(t), "additionalProperties": false}
	var required []any
	for _, k := range keysOf(t) {
		if k.required {
			required = append(required, k.name)
		}
		if k.short {
			made = map[string]any{"anyOf": []any{s.schema(k.typ), made}}
		}
	}
	if required != nil {
		made["required"] = required
	}
	s.definitions[name] = made
	return reference(name)
}

// properties are the schemas of the fields of a struct, with what is said of them.
func (s *schemer) properties(t reflect.Type) map[string]any {
	properties := map[string]any{}
	for _, k := range keysOf(t) {
		properties[k.name] = s.described(s.schema(k.typ), Key{Path: k.name, Owner: k.owner.String(), Field: k.field.Name})
	}
	return properties
}

// described is a schema with what is said of its key.
func (s *schemer) described(schema map[string]any, key Key) map[string]any {
	if text := s.about(key); text != "" {
		schema = maps.Clone(schema)
		schema["description"] = text
	}
	return schema
}

// table is the schema of a map. A mapping with all its lines commented out is nothing.
func (s *schemer) table(key, element reflect.Type) map[string]any {
	made := map[string]any{"type": []any{"object", "null"}, "additionalProperties": s.schema(element)}
	if special, ok := specialOf(key); ok && len(special.words) > 0 {
		made["propertyNames"] = map[string]any{"enum": anyOf(special.words)}
	}
	return made
}

func anyOf(words []string) []any {
	list := make([]any, len(words))
	for i, word := range words {
		list[i] = word
	}
	return list
}
