package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

// What a frame tells does not depend on how its JSON is spaced.
func FuzzFrames(f *testing.F) {
	for _, doc := range []string{
		`{"model":"m","choices":[{"index":1,"delta":{"content":"x","tool_calls":[]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}`,
		`{"type":"response.failed","response":{"error":{"code":"x"}},"delta":""}`,
		`{"type":"content_block_delta","delta":{"type":"text_delta","text":"x","stop_reason":"y"},"message":{"usage":{"input_tokens":3}}}`,
		`{"candidates":[{"content":{"parts":[{"text":"x"},{"thought":true}]},"finishReason":"STOP"}],"promptFeedback":{"blockReason":"X"}}`,
		`[{"error":{"code":503,"status":"UNAVAILABLE"}},{}]`,
		`{"message":{"content":"x"},"done":true,"done_reason":"stop","eval_count":3}`,
		`{"type":"message-end","delta":{"finish_reason":"ERROR","error":"x","message":{"content":{"text":"x"}}}}`,
		`{"token":{"id":1},"generated_text":"","details":{"generated_tokens":1},"error":[ ]}`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		var spaced bytes.Buffer
		valid := json.Indent(&spaced, doc, " ", "\t") == nil && bytes.Count(doc, []byte("["))+bytes.Count(doc, []byte("{")) < maxDepth
		for p := range protocols {
			plain := Inspector{Protocol: p}
			plain.see(Event{Data: doc})
			if !valid {
				continue
			}
			wide := Inspector{Protocol: p}
			wide.see(Event{Data: spaced.Bytes()})
			if errors.Is(plain.progress.Err, ErrNotJSON) {
				t.Errorf("%v: %s is refused", p, doc)
			}
			failed := plain.progress.Err != nil
			if (wide.progress.Err != nil) != failed {
				t.Errorf("%v: %s: %v, spaced %v", p, doc, plain.progress.Err, wide.progress.Err)
			}
			plain.progress.Err, wide.progress.Err = nil, nil
			if a, b := fmt.Sprint(plain.progress), fmt.Sprint(wide.progress); a != b {
				t.Errorf("%v: %s tells %s, spaced %s", p, doc, a, b)
			}
		}
	})
}
