package configfile_test

import (
	"fmt"
	"reflect" //nolint:depguard // it walks the types that a file must be able to say
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// A leaf is a field that has no parts, with what a file says to set it and the value that it has then.
type leaf struct {
	path  []string
	index []step // from the root to it
	yaml  string
	want  any
}

// A step leads from a value to a part of it: a field, an element, or an entry of a map.
type step struct {
	field int
	key   reflect.Value // of maps and arrays
}

// leaves walks a type and finds every field that there is to set. It knows nothing of the package's rules but how
// names are spelled, so that a field which the package forgets is found out.
func leaves(t *testing.T, typ reflect.Type, path []string, index []step) []leaf {
	t.Helper()
	one := func(yaml string, want any) []leaf {
		return []leaf{{append([]string(nil), path...), append([]step(nil), index...), yaml, want}}
	}
	under := func(name string, s step, typ reflect.Type) []leaf {
		return leaves(t, typ, append(path[:len(path):len(path)], name), append(index[:len(index):len(index)], s))
	}
	switch typ {
	case reflect.TypeFor[time.Duration]():
		return one("7s", 7*time.Second)
	case reflect.TypeFor[trysail.Strategy]():
		return one("critical", trysail.Critical)
	case reflect.TypeFor[trysail.Backoff]():
		return one(trysail.BackoffDecorrelated.String(), trysail.BackoffDecorrelated)
	case reflect.TypeFor[*trysail.RetryBudget]():
		return one("shared", nil)
	case reflect.TypeFor[trysail.ClassRetries]():
		return under("bad_answer", step{key: reflect.ValueOf(int(trysail.ClassBadAnswer))}, typ.Elem())
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return leaves(t, typ.Elem(), path, index)
	case reflect.Struct:
		var all []leaf
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" {
				name = underscored(f.Name)
			}
			all = append(all, under(name, step{field: i}, f.Type)...)
		}
		return all
	case reflect.Map:
		if typ.Key() == reflect.TypeFor[trysail.Class]() {
			return under("rate_limited", step{key: reflect.ValueOf(trysail.ClassRateLimited)}, typ.Elem())
		}
		return under("qa", step{key: reflect.ValueOf("qa")}, typ.Elem())
	case reflect.String:
		return one("DEBUG", "DEBUG")
	case reflect.Bool:
		return one("true", true)
	case reflect.Int, reflect.Int64:
		return one("20", int64(20))
	case reflect.Float64:
		return one("0.75", 0.75)
	default:
		t.Fatalf("%v: there is no way to say %v in a file", path, typ)
		return nil
	}
}

func underscored(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// yaml writes the one field under its path. What it needs so that the file is good is written too.
func (l leaf) text() string {
	var b strings.Builder
	for depth, name := range l.path {
		fmt.Fprintf(&b, "%s%s:", strings.Repeat("  ", depth), name)
		if depth < len(l.path)-1 {
			b.WriteByte('\n')
		}
	}
	b.WriteString(" " + l.yaml + "\n")
	if l.yaml == "shared" {
		b.WriteString("retry_budgets:\n  shared: {}\n")
	}
	return b.String()
}

// in finds the field in a value.
func (l leaf) in(v reflect.Value) reflect.Value {
	for _, s := range l.index {
		for v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		switch v.Kind() {
		case reflect.Map:
			v = v.MapIndex(s.key)
		case reflect.Array:
			v = v.Index(int(s.key.Int()))
		default:
			v = v.Field(s.field)
		}
		if !v.IsValid() {
			return v
		}
	}
	for v.Kind() == reflect.Pointer && v.Type() != reflect.TypeFor[*trysail.RetryBudget]() && !v.IsNil() {
		v = v.Elem()
	}
	return v
}

// Every field of the document, so every one of trysail.Policy, OperationConfig, Consequence and config.Custom, can be
// said in a file, and says what it means.
func TestEveryFieldCanBeSaid(t *testing.T) {
	typ := reflect.TypeFor[config.Document]()
	count := 0
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.Name == "Name" || f.Name == "Hash" || f.Name == "Line" { // of the file, not in it
			continue
		}
		for _, l := range leaves(t, f.Type, []string{underscored(f.Name)}, []step{{field: i}}) {
			count++
			t.Run(strings.Join(l.path, "."), func(t *testing.T) {
				l = l.inRange()
				doc, err := load(l.text())
				if err != nil {
					t.Fatalf("%v\n%s", err, l.text())
				}
				got := l.in(reflect.ValueOf(doc))
				switch {
				case !got.IsValid() || got.Kind() == reflect.Pointer && got.IsNil():
					t.Fatalf("nothing was set by\n%s", l.text())
				case l.want == nil:
				case got.CanInt() && got.Type() != reflect.TypeFor[time.Duration]():
					if got.Int() != l.want {
						t.Errorf("got %v, want %v from\n%s", got, l.want, l.text())
					}
				case got.Interface() != l.want:
					t.Errorf("got %v, want %v from\n%s", got, l.want, l.text())
				}
			})
		}
	}
	if count < 90 { // a walk that finds little would prove little
		t.Errorf("found %d fields, want all of them", count)
	}
}

// inRange takes a number that custom allows, and a name that it knows.
func (l leaf) inRange() leaf {
	switch l.path[0] {
	case "preset":
		l.yaml, l.want = "production", "production"
	case "template":
		l.yaml, l.want = "low_latency", "low_latency"
	}
	if l.path[0] != "custom" {
		return l
	}
	for _, f := range config.Fields() {
		if f.Name != l.path[1] {
			continue
		}
		switch f.Kind {
		case config.KindInteger:
			l.yaml, l.want = fmt.Sprint(f.Max), int64(f.Max)
		case config.KindNumber:
			l.yaml, l.want = fmt.Sprint(f.Max), f.Max
		default: // any will do
		}
	}
	return l
}
