package configfile

import (
	"fmt"
	"maps"
	"reflect" //nolint:depguard // ADR 13: one decoder for the types of all packages
	"slices"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
)

// A special is how a type is written that does not follow from its kind.
type special struct {
	decode func(d *decoder, v *value, into reflect.Value, path string)
	about  string   // what is written, for the reference page
	words  []string // all that may be written, if these are words
}

// specialOf finds out whether values of t are written in a way of their own.
func specialOf(t reflect.Type) (special, bool) {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return special{decode: (*decoder).duration, about: `time, such as "30s"`}, true
	case reflect.TypeFor[Size]():
		return special{decode: (*decoder).bytes, about: `size, such as "32MiB"`}, true
	case reflect.TypeFor[Secret]():
		return special{decode: (*decoder).secret, about: "secret"}, true
	case reflect.TypeFor[KeyHash]():
		return special{decode: (*decoder).keyHash, about: "secret, or {sha256: its hash}"}, true
	case reflect.TypeFor[Credential]():
		return special{decode: (*decoder).credential, about: "secret, with a name if it is to have one"}, true
	case reflect.TypeFor[trysail.Strategy]():
		return enumeration(trysail.Strategies()), true
	case reflect.TypeFor[trysail.Priority]():
		return enumeration(counted[trysail.Priority]()), true
	case reflect.TypeFor[trysail.Backoff]():
		return enumeration(counted[trysail.Backoff]()), true
	case reflect.TypeFor[trysail.Class]():
		return enumeration(counted[trysail.Class]()), true
	case reflect.TypeFor[trysail.ClassRetries]():
		return special{decode: (*decoder).classRetries, about: "mapping of classes"}, true
	case reflect.TypeFor[*trysail.RetryBudget]():
		return special{decode: (*decoder).budget, about: "name under retry_budgets"}, true
	default:
		return special{}, false
	}
}

// counted returns the members of an enumeration that counts from 0. Beyond the last one its String is such as "Class(9)".
func counted[T ~uint8]() []T {
	var members []T
	for i := T(0); ; i++ {
		if strings.Contains(fmt.Sprint(i), "(") || i == 255 {
			return members
		}
		members = append(members, i)
	}
}

// enumeration reads the members by their words.
func enumeration[T any](members []T) special {
	words := make([]string, len(members))
	for i, m := range members {
		words[i] = fmt.Sprint(m)
	}
	return special{about: oneOf(words), words: words, decode: func(d *decoder, v *value, into reflect.Value, path string) {
		if v.kind != text {
			d.wrong(v, path, oneOf(words))
			return
		}
		i := slices.Index(words, v.text)
		if i < 0 {
			want := oneOf(words)
			if near := nearest(v.text, words); near != "" {
				want += "; did you mean " + near + "?"
			}
			d.wrong(v, path, want)
			return
		}
		into.Set(reflect.ValueOf(members[i]))
	}}
}

// row returns the library's own row of the table of consequences.
func (d *decoder) row(class trysail.Class) trysail.Consequence {
	if d.rows == nil {
		orc, err := trysail.New(trysail.Config{})
		if err != nil {
			panic(err) // the zero Config is good
		}
		d.rows = orc.Configuration().Classes
	}
	return d.rows[class]
}

// classRetries reads rows by class.
func (d *decoder) classRetries(v *value, into reflect.Value, path string) {
	rows := map[trysail.Class]trysail.ClassRetry{}
	d.table(v, reflect.ValueOf(&rows).Elem(), path)
	all := into.Interface().(trysail.ClassRetries) // specialOf has looked at the type
	for class, row := range rows {
		all[class] = row
	}
	into.Set(reflect.ValueOf(all))
}

// budget finds a retry budget by its name.
func (d *decoder) budget(v *value, into reflect.Value, path string) {
	if v.kind != text {
		d.wrong(v, path, "the name of a retry budget"+inQuotes(v))
		return
	}
	b, ok := d.budgets[v.text]
	if !ok {
		names := slices.Sorted(maps.Keys(d.budgets))
		want := "a name under retry_budgets, of which there are none"
		if len(names) > 0 {
			want = oneOf(names) + ", which are under retry_budgets"
		}
		d.wrong(v, path, want)
		return
	}
	into.Set(reflect.ValueOf(b))
}
