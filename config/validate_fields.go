package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/trysail-go/trysail"
)

// whitelist checks each field by itself, and takes those that are good.
func (v *validation) whitelist() {
	for _, m := range v.root.members {
		f := findField(m.key)
		if f == nil {
			v.unknown(m)
			continue
		}
		switch f.Kind {
		case KindInteger, KindNumber:
			v.numeric(f, m)
		case KindBoolean:
			v.boolean(f, m)
		case KindString:
			if v.member(f, f.Name, m) {
				set := trysail.Strategy(m.value.text)
				*f.choice(&v.custom) = &set
			}
		case KindObject:
			v.object(f, m)
		}
	}
}

func (v *validation) unknown(m member) {
	message := fmt.Sprintf("Additional properties are not allowed (%s was unexpected)", quote(m.key))
	if v.strict {
		message = fmt.Sprintf("Field %s not in allowed whitelist", quote(m.key))
	}
	remedy := "Remove " + quote(m.key)
	if name := nearest(m.key); name != "" {
		remedy = fmt.Sprintf("Did you mean %s instead of %s?", name, quote(m.key))
	}
	v.refuse(m, Finding{Path: pathOf([]step{{key: m.key}}), Message: message, Suggestion: remedy})
	v.report.suggest(allowedFields())
}

func (v *validation) numeric(f *Field, m member) {
	if m.value.kind != isNumber {
		v.mistyped(f, f.Name, m)
		return
	}
	n := numberOf(m.value.text)
	if f.Kind == KindInteger && (!n.whole() || v.strict && n.written) {
		v.mistyped(f, f.Name, m)
		return
	}
	if finding, bad := f.outside(m.value.text, n); bad {
		v.refuse(m, finding)
		return
	}
	if f.Kind == KindInteger {
		set := int(n.tenths / 10)
		*f.whole(&v.custom) = &set
		return
	}
	set, _ := strconv.ParseFloat(m.value.text, 64) // cannot fail: it is within the bounds
	*f.real(&v.custom) = &set
}

func (v *validation) boolean(f *Field, m member) {
	if m.value.kind != isTrue && m.value.kind != isFalse {
		v.mistyped(f, f.Name, m)
		return
	}
	set := m.value.kind == isTrue
	*f.truth(&v.custom) = &set
}

// member checks that a value is one of a field's words. Path is that of the value.
func (v *validation) member(f *Field, path string, m member) bool {
	if m.value.kind != isString {
		v.mistyped(&Field{Name: path, Kind: KindString, Enum: f.Enum}, path, m)
		return false
	}
	if slices.Contains(f.Enum, m.value.text) {
		return true
	}
	words := "['" + strings.Join(f.Enum, "', '") + "']"
	message := fmt.Sprintf("Field '%s': %s is not one of %s", path, quote(m.value.text), words)
	if v.strict {
		message = fmt.Sprintf("Field '%s' value %s not in allowed values: %s", path, quote(m.value.text), words)
	}
	v.refuse(m, Finding{Path: path, Message: message, Suggestion: fmt.Sprintf("%s takes one of: %s", path, strings.Join(f.Enum, ", "))})
	return false
}

func (v *validation) object(f *Field, m member) {
	if m.value.kind != isObject {
		v.mistyped(f, f.Name, m)
		return
	}
	if n := len(m.value.members); n > f.MaxProperties {
		v.refuse(m, Finding{
			Path:       f.Name,
			Message:    fmt.Sprintf("Field '%s' has too many properties: %d (max: %d)", f.Name, n, f.MaxProperties),
			Suggestion: fmt.Sprintf("Keep %s to %d operations; the others take default_strategy", f.Name, f.MaxProperties),
		})
	}
}

// overrides checks what operation_overrides holds.
func (v *validation) overrides() {
	f := findField("operation_overrides")
	for _, m := range v.root.members {
		if m.key != f.Name || m.value.kind != isObject {
			continue
		}
		v.custom.OperationOverrides = make(map[string]trysail.Strategy, len(m.value.members))
		for _, o := range m.value.members {
			path := pathOf([]step{{key: f.Name}, {key: o.key}})
			if !v.knows(o.key) {
				v.refuse(o, Finding{
					Path:       path,
					Message:    fmt.Sprintf("Invalid operation %s in operation_overrides", quote(o.key)),
					Suggestion: "Valid operations: key_points, qa, questions, sentiment, summarize, their long names, and those that are registered",
				})
			}
			if v.member(f, path, o) {
				v.custom.OperationOverrides[o.key] = trysail.Strategy(o.value.text)
			}
		}
	}
}

// knows reports whether there is an operation of that name.
func (v *validation) knows(operation string) bool {
	return slices.Contains(v.opts.Operations, operation) || otherName(operation) != ""
}

// mistyped refuses a value of another kind than the field's.
func (v *validation) mistyped(f *Field, path string, m member) {
	message := fmt.Sprintf("Field '%s': %s is not of type '%s': %s must be %s", path, m.value.shown(), f.Kind, path, f.wanted())
	if v.strict {
		message = fmt.Sprintf("Field '%s' must be %s, got %s: %s must be %s", path, f.Kind.english(), m.value.python(), path, f.wanted())
	}
	v.refuse(m, Finding{Path: path, Message: message, Suggestion: f.remedy()})
}

func (v *validation) refuse(m member, f Finding) {
	f.Rule, f.Line = RuleShape, v.lines.lineOf(m.at)
	v.report.refuse(f)
}
