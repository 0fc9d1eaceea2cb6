package configfile

import (
	"cmp"
	"fmt"
	"reflect" //nolint:depguard // ADR 13: one decoder for the types of all packages
	"slices"
	"strings"

	"github.com/trysail-go/trysail"
)

// A Key describes a key of a file, for reference pages.
type Key struct {
	Path  string // such as "policy.retry.attempts"; <name> stands for names of the operator's choice, [] for the elements of a list
	About string // what is written, such as "whole number"; "" for what has keys of its own, which follow
	Value string // what the struct has, as a file would say it; "" for nothing
	Owner string // the Go type that has the field, such as "trysail.RetryPolicy"
	Field string // the field, such as "Attempts"
}

// Keys returns the keys of a struct as [Section.Decode] takes it, in the order of the fields, with the values that it has. It
// panics if target is no pointer to a struct.
func Keys(path string, target any) []Key {
	return keysUnder(path, structOf(target))
}

// DocumentKeys returns the keys that a [Loader] takes, with the values of a configuration.
func DocumentKeys(defaults trysail.Config) []Key {
	return Keys("", &says{
		Preset: defaults.Preset, Enabled: new(!defaults.Disabled), ObserveCalls: defaults.ObserveCalls,
		LogLevel: "INFO", ShowConfigLoading: new(false), Policy: defaults.Default, Classes: defaults.Classes,
	})
}

func keysUnder(path string, v reflect.Value) []Key {
	var all []Key
	for _, k := range keysOf(v.Type()) {
		at, content := join(path, k.name), v.FieldByIndex(k.index)
		described := describe(at, content)
		described[0].Owner, described[0].Field = k.owner.String(), k.field.Name
		all = append(all, described...)
	}
	return all
}

// describe returns the key at a path and those below it.
func describe(path string, v reflect.Value) []Key {
	t := v.Type()
	if s, special := specialOf(t); special {
		one := []Key{{Path: path, About: s.about, Value: shownValue(v)}}
		if t == reflect.TypeFor[trysail.ClassRetries]() {
			one[0].About = ""
			one = append(one, keysUnder(path+".<class>", reflect.New(t.Elem()).Elem())...)
		}
		return one
	}
	if readsText(t) {
		return []Key{{Path: path, About: "text", Value: shownValue(v)}}
	}
	key := Key{Path: path, About: aboutKind(t), Value: shownValue(v)}
	switch t.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v = reflect.New(t.Elem())
			key.Value = ""
		}
		inner := describe(path, v.Elem())
		inner[0].Value = key.Value
		return inner
	case reflect.Struct:
		for _, k := range keysOf(t) {
			if k.short {
				key.About = k.name + " or mapping"
			}
		}
		return append([]Key{key}, keysUnder(path, v)...)
	case reflect.Map:
		return append([]Key{key}, describeTable(path, v)...)
	case reflect.Slice:
		element := describe(path+"[]", reflect.New(t.Elem()).Elem())
		key.About = "list of mappings"
		if element[0].About != "" {
			key.About = "list, each a " + element[0].About
		}
		return append([]Key{key}, element[1:]...)
	default:
		return []Key{key}
	}
}

// describeTable describes the rows of a map that there are, or else any row.
func describeTable(path string, v reflect.Value) []Key {
	t := v.Type()
	if v.Len() == 0 {
		return describe(path+".<name>", reflect.New(t.Elem()).Elem())
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		if a.CanUint() { // classes, in their order
			return cmp.Compare(a.Uint(), b.Uint())
		}
		return strings.Compare(a.String(), b.String())
	})
	var all []Key
	for _, k := range keys {
		all = append(all, describe(join(path, fmt.Sprint(k)), v.MapIndex(k))...)
	}
	return all
}

func aboutKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "whole number"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.String:
		return "text"
	default:
		return ""
	}
}

// shownValue is a value as a file would say it.
func shownValue(v reflect.Value) string {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	switch {
	case v.Type() == reflect.TypeFor[Secret](), v.Type() == reflect.TypeFor[Credential](), v.Type() == reflect.TypeFor[KeyHash](), v.Type() == reflect.TypeFor[trysail.RetryBudget]():
		return ""
	case v.Kind() == reflect.Struct, v.Kind() == reflect.Map, v.Kind() == reflect.Slice, v.Kind() == reflect.Array:
		return ""
	default:
		return fmt.Sprint(v.Interface())
	}
}
