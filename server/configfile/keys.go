package configfile

import (
	"reflect" //nolint:depguard // ADR 13: one decoder for the types of all packages
	"strings"
)

// A key is a field of a struct as the file knows it.
type key struct {
	name     string
	index    []int
	required bool
	short    bool // the struct may be written as this field's value alone
	typ      reflect.Type
	field    reflect.StructField
	owner    reflect.Type
}

// keysOf returns the keys of a struct in the order of its fields. A field is named by its tag "file", else by its
// tag "json", else by its Go name in snake case; "-" leaves it out. The fields of embedded structs count as the struct's own.
//
// What a file cannot say, functions and interfaces, is left out.
func keysOf(t reflect.Type) []key {
	var keys []key
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag.Get("file") == "" {
			for _, k := range keysOf(f.Type) {
				k.index = append([]int{i}, k.index...)
				keys = append(keys, k)
			}
			continue
		}
		tag, ok := f.Tag.Lookup("file")
		if !ok {
			tag, _, _ = strings.Cut(f.Tag.Get("json"), ",")
		}
		name, options, _ := strings.Cut(tag, ",")
		if !f.IsExported() || name == "-" || !sayable(f.Type) {
			continue
		}
		if name == "" {
			name = snake(f.Name)
		}
		k := key{name: name, index: []int{i}, typ: f.Type, field: f, owner: t}
		for option := range strings.SplitSeq(options, ",") {
			k.required = k.required || option == "required"
			k.short = k.short || option == "short"
		}
		keys = append(keys, k)
	}
	return keys
}

// find returns the key of that name, or nil.
func find(keys []key, name string) *key {
	for i := range keys { // in place: a key is large
		if keys[i].name == name {
			return &keys[i]
		}
	}
	return nil
}

// sayable reports whether there is a way to write values of t.
func sayable(t reflect.Type) bool {
	if _, special := specialOf(t); special || readsText(t) {
		return true
	}
	switch t.Kind() {
	case reflect.Func, reflect.Interface, reflect.Chan, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		return false
	case reflect.Pointer:
		return sayable(t.Elem())
	default:
		return true
	}
}

// elsewhere finds the places below t, one level down, that have a key of that name: who writes
// "attempts" under "policy" is to learn of "retry.attempts".
func elsewhere(name string, t reflect.Type) []string {
	var places []string
	for _, k := range keysOf(t) {
		if _, special := specialOf(k.typ); special || k.typ.Kind() != reflect.Struct {
			continue
		}
		for _, inner := range keysOf(k.typ) {
			if plainWord(inner.name) == plainWord(name) {
				places = append(places, k.name+"."+inner.name)
			}
		}
	}
	return places
}

func namesOf(keys []key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return names
}
