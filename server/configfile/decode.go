package configfile

import (
	"encoding"
	"fmt"
	"reflect" //nolint:depguard // ADR 13: one decoder for the types of all packages
	"slices"
	"strings"

	"github.com/trysail-go/trysail"
)

// A decoder turns values into Go's. It goes on after a fault, to find all of them.
type decoder struct {
	file     *File
	budgets  map[string]*trysail.RetryBudget // that retry.budget may name
	literals bool                            // secrets may stand in the file itself
	rows     map[trysail.Class]trysail.Consequence
	types    map[reflect.Type]*typeFacts
	faults   []Fault
	values   int // decoded so far; aliases make it more than the file holds
}

func (f *File) decoder() *decoder {
	d := &decoder{file: f, types: map[reflect.Type]*typeFacts{}}
	e, ok := f.root.at(literalSecrets)
	d.literals = ok && e.value.kind == truth && e.value.text == "true"
	return d
}

// Decode sets the struct that target points to from the whole file. A field is the key of its tag "file", else of
// its tag "json", else its name in snake case (MaxDelay is max_delay), and "-" leaves it out; the option "required"
// (`file:"name,required"`) refuses a file without the key; the option "short" lets the whole struct be written as the value of this
// field alone, if that is a text. What the file does not say stays as it is. Beside Go's kinds
// it knows [time.Duration] ("30s"), [Size], [Secret], [Credential], [KeyHash], the enumerations of the library by their words, types that read
// text, and maps with texts as keys.
//
// Keys that the target does not have are faults, but for those in claimed, which another call decodes, and those
// that begin with "x-", which are free for anchors. After an error, an [*Error], the target may be set in part.
// It panics if target is no pointer to a struct, which is the programmer's fault.
func (f *File) Decode(target any, claimed ...string) error {
	d := f.decoder()
	d.structure(f.root, structOf(target), "", append(claimed, literalSecrets))
	return newError(f.name, d.faults)
}

// A Section is a top-level key of a file, which belongs to one package.
type Section struct {
	file *File
	name string
}

// Section returns the part of the file under a top-level key. It may be missing: then it is empty.
func (f *File) Section(name string) Section { return Section{f, name} }

// Present reports whether the file has the section.
func (s Section) Present() bool {
	_, ok := s.file.root.at(s.name)
	return ok
}

// Decode sets the struct that target points to, as [File.Decode] does.
func (s Section) Decode(target any) error {
	d := s.file.decoder()
	into := structOf(target)
	e, ok := s.file.root.at(s.name)
	if !ok {
		e.value = &value{kind: mapping}
	}
	d.decode(e.value, into, s.name)
	return newError(s.file.name, d.faults)
}

func structOf(target any) reflect.Value {
	v := reflect.ValueOf(target)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("configfile: Decode into %T, want a pointer to a struct", target))
	}
	return v.Elem()
}

func (d *decoder) fault(v *value, path, format string, args ...any) {
	d.faults = append(d.faults, Fault{Line: v.line, Column: v.col, Path: path, Message: fmt.Sprintf(format, args...)})
}

// wrong notes a value that is not what was wanted. Texts, numbers and truth values are shown, so it is not for secrets.
func (d *decoder) wrong(v *value, path, want string) {
	if v.kind == nothing {
		want += ", or no such key"
	}
	d.fault(v, path, "found %s, want %s", v.shown(), want)
}

// notParts notes a value where parts were wanted. It is not shown: it may be a secret at the wrong place.
func (d *decoder) notParts(v *value, path, want string) {
	d.fault(v, path, "found %v, want %s", v.kind, want)
}

// shown is the value for a message.
func (v *value) shown() string {
	switch v.kind {
	case text:
		return "the text " + short(v.text)
	case number, truth:
		if len(v.text) <= 40 {
			return v.text
		}
		return v.kind.String()
	default:
		return v.kind.String()
	}
}

// decode sets into from v.
func (d *decoder) decode(v *value, into reflect.Value, path string) {
	if d.values++; d.values > maxValues {
		return // the tree is smaller: it has been counted
	}
	switch facts := d.factsOf(into.Type()); {
	case facts.special.decode != nil:
		facts.special.decode(d, v, into, path)
		return
	case facts.readsText:
		d.readText(v, into, path)
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		if into.IsNil() {
			into.Set(reflect.New(into.Type().Elem()))
		}
		d.decode(v, into.Elem(), path)
	case reflect.Struct:
		d.structure(v, into, path, nil)
	case reflect.Map:
		d.table(v, into, path)
	case reflect.Slice:
		d.list(v, into, path)
	default:
		d.scalar(v, into, path)
	}
}

// structure sets the fields of a struct. Claimed keys are somebody else's.
func (d *decoder) structure(v *value, into reflect.Value, path string, claimed []string) {
	keys := d.keysOf(into.Type())
	short := slices.IndexFunc(keys, func(k key) bool { return k.short })
	if v.kind == text && short >= 0 {
		d.decode(v, into.FieldByIndex(keys[short].index), path)
		return
	}
	if v.kind != mapping && v.kind != nothing { // a key with all its lines commented out is nothing
		want := "a mapping with " + oneOf(namesOf(keys))
		if short >= 0 {
			want = "a text, which is the " + keys[short].name + ", or " + want
		}
		d.notParts(v, path, want)
		return
	}
	for _, e := range v.entries {
		k := find(keys, e.name)
		switch {
		case k != nil:
			d.decode(e.value, into.FieldByIndex(k.index), join(path, e.name))
		case path == "" && (slices.Contains(claimed, e.name) || strings.HasPrefix(e.name, "x-")):
		default:
			d.unknown(e, into.Type(), path, claimed)
		}
	}
	for i := range keys {
		if k := &keys[i]; k.required && v.find(k.name) < 0 {
			d.fault(v, path, "found no %s, want it: it is required", k.name)
		}
	}
}

// typeFacts is what the decoder asks of a type, once: a file has thousands of values of few types.
type typeFacts struct {
	special   special
	readsText bool
	keys      []key // of a struct; found when they are needed
}

func (d *decoder) factsOf(t reflect.Type) *typeFacts {
	facts := d.types[t]
	if facts == nil {
		facts = &typeFacts{readsText: readsText(t)}
		facts.special, _ = specialOf(t)
		d.types[t] = facts
	}
	return facts
}

// keysOf is the function of that name, which is asked of each type once.
func (d *decoder) keysOf(t reflect.Type) []key {
	facts := d.factsOf(t)
	if facts.keys == nil {
		facts.keys = keysOf(t)
	}
	return facts.keys
}

// unknown notes a key that nobody knows. The value is not shown: it may be a secret under a misspelt name.
func (d *decoder) unknown(e entry, t reflect.Type, path string, claimed []string) {
	names := namesOf(d.keysOf(t))
	for _, name := range claimed {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	message := "found a key that is not known"
	if len(d.faults) < maxFaults { // beyond that nobody will read it
		message += remedy(e.name, names, t)
	}
	d.faults = append(d.faults, Fault{Line: e.line, Column: e.col, Path: join(path, shortName(e.name)), Message: message})
}

// remedy says what was meant instead of a wrong key of t.
func remedy(wrong string, names []string, t reflect.Type) string {
	if near := nearest(wrong, names); near != "" {
		return ", did you mean " + near + "?"
	}
	if places := elsewhere(wrong, t); len(places) > 0 {
		return ", did you mean " + oneOf(places) + "?"
	}
	return ", want " + oneOf(names)
}

// shortName keeps a path readable.
func shortName(name string) string {
	const most = 60
	if len(name) <= most {
		return name
	}
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return name
}

// table sets a map. Its keys are texts, or words of an enumeration.
func (d *decoder) table(v *value, into reflect.Value, path string) {
	t := into.Type()
	if v.kind != mapping && v.kind != nothing {
		d.notParts(v, path, "a mapping")
		return
	}
	made := reflect.MakeMapWithSize(t, len(v.entries))
	k, content := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem() // the map copies them
	for _, e := range v.entries {
		name := &value{kind: text, text: e.name, line: e.line, col: e.col}
		k.SetZero()
		content.SetZero()
		under, before := join(path, shortName(e.name)), len(d.faults)
		if d.decode(name, k, under); len(d.faults) > before {
			continue
		}
		if t.Elem() == reflect.TypeFor[trysail.Consequence]() && t.Key() == reflect.TypeFor[trysail.Class]() {
			content.Set(reflect.ValueOf(d.row(trysail.Class(k.Uint())))) // the row need only say what differs
		}
		d.decode(e.value, content, under)
		made.SetMapIndex(k, content)
	}
	into.Set(made)
}

func (d *decoder) list(v *value, into reflect.Value, path string) {
	if v.kind != list {
		d.notParts(v, path, "a list")
		return
	}
	made := reflect.MakeSlice(into.Type(), len(v.items), len(v.items))
	for i, item := range v.items {
		d.decode(item, made.Index(i), index(path, i))
	}
	into.Set(made)
}

func readsText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func (d *decoder) readText(v *value, into reflect.Value, path string) {
	if v.kind != text && v.kind != number && v.kind != truth {
		d.wrong(v, path, "a text")
		return
	}
	if err := into.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(v.text)); err != nil {
		d.fault(v, path, "found %s, which is refused: %v", v.shown(), err)
	}
}
