package llm

import (
	"encoding/json"
	"strings"
	"testing"
)

// decoded reads the next value as encoding/json would.
func decoded(s *scanner) any {
	switch s.peek() {
	case '{':
		object := map[string]any{}
		for key := range s.members {
			object[string(key)] = decoded(s)
		}
		return object
	case '[':
		array := []any{}
		for range s.elements {
			array = append(array, decoded(s))
		}
		return array
	case '"':
		return unquote(s.text())
	default:
		var v any
		_ = json.Unmarshal(s.raw(), &v)
		return v
	}
}

// Whatever encoding/json takes for JSON is JSON here, and means the same.
func FuzzScanner(f *testing.F) {
	for _, doc := range []string{
		`{"a":[1,-2.5e3,true,false,null,"x\\\"\u00e9",{}],"b":{"c":[]}}`, ` [ ] `, `"\\"`, `{"a\u0062":1,}`, `[1,,2]`, `[,1]`,
		`{"a" 1}`, `{a:1}`, `[1 2]`, `nul`, `-`, `"a`, `{"a":"b`, "\x00", `{}{}`, `[}`,
	} {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		s := scanner{data: []byte(doc)}
		s.skip()
		if !json.Valid([]byte(doc)) {
			return
		}
		if strings.Count(doc, "[")+strings.Count(doc, "{") > maxDepth {
			return
		}
		if !s.end() {
			t.Fatalf("%q is JSON, and is refused", doc)
		}
		again := scanner{data: []byte(doc)}
		got, err := json.Marshal(decoded(&again))
		if err != nil || !again.end() {
			t.Fatalf("%q cannot be read: %v", doc, err)
		}
		var v any
		_ = json.Unmarshal([]byte(doc), &v)
		if want, _ := json.Marshal(v); string(got) != string(want) {
			t.Errorf("%q reads as %s, want %s", doc, got, want)
		}
	})
}

func TestScannerRefuses(t *testing.T) {
	for _, doc := range []string{
		"", " ", "{", "[", `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,}`, `[1,]`, `[,1]`, `[1 2]`, `{"a" 1}`, `{a:1}`,
		"nul", "truth", `"a`, `"a\"`, "{}{}", "[}", "{]", "\x00", "{}\x00", "x", strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
	} {
		s := scanner{data: []byte(doc)}
		if s.skip(); s.end() {
			t.Errorf("%.40q is taken for JSON", doc)
		}
	}
}
