package gateway

import (
	"encoding/json"
	"testing"
)

func TestRenamed(t *testing.T) {
	for name, tc := range map[string]struct{ body, want string }{
		"the only member":           {`{"model":"a"}`, `{"model":"b/c"}`},
		"space stays where it is":   {" {\n\t\"model\" :\r\n \"a\" , \"n\": 1 } ", " {\n\t\"model\" :\r\n \"b/c\" , \"n\": 1 } "},
		"the last member":           {`{"n":1,"x":[{"model":"a"},"model"],"model":"a"}`, `{"n":1,"x":[{"model":"a"},"model"],"model":"b/c"}`},
		"deeper ones stay":          {`{"messages":[{"model":"a"}],"o":{"model":"a"}}`, `{"messages":[{"model":"a"}],"o":{"model":"a"}}`},
		"quotes and braces in text": {`{"x":"\"model\":\"a\"}{,","model":"a"}`, `{"x":"\"model\":\"a\"}{,","model":"b/c"}`},
		"an escaped name":           {`{"x":1.50,"mod\u0065l":"\u0061"}`, `{"x":1.50,"mod\u0065l":"b/c"}`},
		"twice":                     {`{"model":"a","model":"a"}`, `{"model":"b/c","model":"b/c"}`},
		"no text":                   {`{"model":7}`, `{"model":7}`},
		"another case":              {`{"Model":"a"}`, `{"Model":"a"}`},
		"no object":                 {`["model","a"]`, `["model","a"]`},
		"nothing":                   {``, ``},
		"not JSON":                  {`{"model":"a`, `{"model":"b/c"`},
		"a number after":            {`{"model":"a","seed":12345678901234567890}`, `{"model":"b/c","seed":12345678901234567890}`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(renamed([]byte(tc.body), "b/c")); got != tc.want {
				t.Errorf("renamed(%s) = %s, want %s", tc.body, got, tc.want)
			}
		})
	}
}

func FuzzRenamed(f *testing.F) {
	f.Add(`{"a":[1,{"b":"\\\""}],"model":"x"}`, "y")
	f.Fuzz(func(t *testing.T, body, name string) {
		got := renamed([]byte(body), name)
		if !json.Valid([]byte(body)) {
			return
		}
		if !json.Valid(got) {
			t.Fatalf("renamed(%q) = %q, which is not JSON", body, got)
		}
		var before, after map[string]json.RawMessage
		if json.Unmarshal([]byte(body), &before) != nil {
			return
		}
		if err := json.Unmarshal(got, &after); err != nil || len(before) != len(after) {
			t.Fatalf("renamed(%q) = %q", body, got)
		}
		for key, value := range before {
			if key != "model" && string(after[key]) != string(value) {
				t.Fatalf("renamed(%q) changes %q", body, key)
			}
		}
	})
}

func TestRenamedPath(t *testing.T) {
	for path, want := range map[string][2]string{
		"/v1beta/models/fast:generateContent": {"/v1beta/models/a/b c:generateContent", "/v1beta/models/a%2Fb%20c:generateContent"},
		"/v1beta/models/fast":                 {"/v1beta/models/a/b c", "/v1beta/models/a%2Fb%20c"},
		"/v1beta/files":                       {"/v1beta/files", "/v1beta/files"},
	} {
		if plain, escaped := renamedPath(path, "a/b c"); plain != want[0] || escaped != want[1] {
			t.Errorf("renamedPath(%q) = %q, %q; want %q", path, plain, escaped, want)
		}
	}
}
