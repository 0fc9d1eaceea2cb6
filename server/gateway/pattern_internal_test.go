package gateway

import "testing"

func TestPatterns(t *testing.T) {
	for name, tc := range map[string]struct {
		pattern, text string
		path, name    bool // whether it matches as a pattern of paths, and of names
	}{
		"none matches all":                    {"", "/v1/x/y", true, true},
		"a text matches itself":               {"gpt-4o", "gpt-4o", true, true},
		"and nothing else":                    {"gpt-4o", "gpt-4o-mini", false, false},
		"a star at the end":                   {"gpt-4*", "gpt-4o-mini", true, true},
		"a star stops at a slash, in paths":   {"/v1/*", "/v1/chat/completions", false, true},
		"a star in the middle":                {"/v1/*/completions", "/v1/chat/completions", true, true},
		"a model with the name of its vendor": {"*/gpt-4*", "openai/gpt-4o", true, true},
		"a class":                             {"gpt-[45]o", "gpt-5o", true, true},
		"a class that has others":             {"gpt-[45]o", "gpt-3o", false, false},
		"a question mark":                     {"gpt-?o", "gpt-4o", true, true},
		"an escaped star":                     {`a\*`, "a*", true, true},
		"an escaped star is no star":          {`a\*`, "ab", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := newPattern(tc.pattern)
			if err != nil || p.matches(tc.text) != tc.path {
				t.Errorf("path pattern %q matches %q: %t, %v; want %t", tc.pattern, tc.text, p.matches(tc.text), err, tc.path)
			}
			n, err := newNamePattern(tc.pattern)
			if err != nil || n.matches(tc.text) != tc.name {
				t.Errorf("name pattern %q matches %q: %t, %v; want %t", tc.pattern, tc.text, n.matches(tc.text), err, tc.name)
			}
		})
	}
	for _, bad := range []string{"[", "a[b", `a\`, "a[]", "x*["} {
		if _, err := newPattern(bad); err == nil {
			t.Errorf("newPattern(%q) is no error", bad)
		}
	}
}
