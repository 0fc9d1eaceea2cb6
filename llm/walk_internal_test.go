package llm

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzWalker reads what encoding/json takes, too, and compares: the message of a body that
// is JSON is what the standard library finds, and any other body ends the walk.
func FuzzWalker(f *testing.F) {
	for _, seed := range []string{
		`{"message":"a\nB\u00e9\ud83d\ude00\"\\"}`, `{"message":"a","x":[{"message":"b"},1e9,true,null],"message":"c"}`,
		`{"message":null}`, `{"message":"cut`, `{"message`, `{]}`, `{"a" "message":"b"}`, `{"message":"\u12`, "{\"a\":\x00}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var r report
		r.read([]byte(body))
		var want struct {
			Message *string `json:"message"`
		}
		var keys map[string]json.RawMessage
		if json.Unmarshal([]byte(body), &keys) != nil || json.Unmarshal([]byte(body), &want) != nil || want.Message == nil ||
			strings.ContainsFunc(body, func(c rune) bool { return c >= 0x7f }) || strings.Contains(body, `\u`) || hasOtherMessage(keys) {
			return
		}
		got := string(appendLower(nil, r.topMessage))
		lower := strings.Map(func(c rune) rune {
			if c < ' ' {
				return ' '
			}
			return c
		}, strings.ToLower(*want.Message))
		if got != lower {
			t.Errorf("message of %q = %q, want %q", body, got, lower)
		}
	})
}

// hasOtherMessage reports whether the standard library would take a key in another case for
// the message, or we another key.
func hasOtherMessage(keys map[string]json.RawMessage) bool {
	for key := range keys {
		if key != "message" && (strings.EqualFold(key, "message") || key == "detail" || key == "error" || key == "response") {
			return true
		}
	}
	return false
}
