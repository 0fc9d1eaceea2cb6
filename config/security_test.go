package config_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/config"
)

func securityErrors(document string) string {
	return strings.Join(messages(config.Security([]byte(document)).Errors), "\n")
}

func TestDocumentLimits(t *testing.T) {
	limits := config.DocumentLimits()
	got := fmt.Sprintf("%d %d %d %d %d %d U+%X %v %d", limits.Size, limits.Text, limits.Items, limits.Properties, limits.Depth,
		limits.Repeated, limits.Codepoint, limits.Categories, len(limits.Patterns))
	if want := "4096 200 20 50 10 10 U+1F4FF [Cc Cf Co Cs] 15"; got != want {
		t.Errorf("limits = %s, want %s", got, want)
	}
}

// At each limit a document passes, one step further it does not. What is left are the findings of the whitelist.
func TestAtTheLimits(t *testing.T) {
	object := func(n int) string {
		var members []string
		for i := range n {
			members = append(members, fmt.Sprintf(`"k%d": 1`, i))
		}
		return "{" + strings.Join(members, ",") + "}"
	}
	nested := func(depth int) string { return strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth) }
	text := func(n int) string { return strings.Repeat("ab", n/2) + strings.Repeat("c", n%2) }
	for name, tc := range map[string]struct{ good, bad, want string }{
		"size": {
			`{"retry_attempts": 3}` + strings.Repeat(" ", 4096-21), `{"retry_attempts": 3}` + strings.Repeat(" ", 4097-21),
			"Configuration too large: 4097 bytes (max: 4096 bytes)",
		},
		"depth of objects": {nested(10), nested(11), "Nesting too deep at 'a.a.a.a.a.a.a.a.a.a.a': depth 11 (max: 10)"},
		"depth of arrays": {
			`{"a":` + strings.Repeat("[", 9) + "1" + strings.Repeat("]", 9) + `}`, `{"a":` + strings.Repeat("[", 10) + "1" + strings.Repeat("]", 10) + `}`,
			"Nesting too deep at 'a[0][0][0][0][0][0][0][0][0][0]': depth 11 (max: 10)",
		},
		"items":        {`{"a": [` + strings.Repeat("1,", 19) + "1]}", `{"a": [` + strings.Repeat("1,", 20) + "1]}", "Too many items in array at 'a': more than 20 (max: 20)"},
		"properties":   {object(50), object(51), "Too many properties in object at 'root': more than 50 (max: 50)"},
		"inner ones":   {`{"a": ` + object(50) + "}", `{"a": ` + object(51) + "}", "Too many properties in object at 'a': more than 50 (max: 50)"},
		"text":         {`{"a": "` + text(200) + `"}`, `{"a": "` + text(201) + `"}`, "String too long at 'a': 201 characters (max: 200)"},
		"text's path":  {`{"a": [1, {"b": "x"}]}`, `{"a": [1, {"b": "` + text(300) + `"}]}`, "String too long at 'a[1].b': 300 characters (max: 200)"},
		"characters":   {`{"a": "` + strings.Repeat("äb", 100) + `"}`, `{"a": "` + strings.Repeat("äb", 101) + `"}`, "String too long at 'a': 202 characters (max: 200)"},
		"key":          {`{"` + text(200) + `": 1}`, `{"` + text(201) + `": 1}`, "Key name too long at 'root': 201 characters (max: 200)"},
		"an inner key": {`{"a": {"` + text(200) + `": 1}}`, `{"a": {"` + text(201) + `": 1}}`, "Key name too long at 'a': 201 characters (max: 200)"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range config.Security([]byte(tc.good)).Errors {
				if f.Rule == config.RuleLimit {
					t.Errorf("within the limit: %s", f.Message)
				}
			}
			report := config.Security([]byte(tc.bad))
			if got := report.Errors[0]; got.Message != tc.want || got.Rule != config.RuleLimit || got.Suggestion == "" {
				t.Errorf("beyond the limit: %+v, want %q, with a remedy", got, tc.want)
			}
		})
	}
}

// A million brackets cost no more than eleven: nothing is read after the limit, and a large document not at all.
func TestStopsAtTheFirstLimit(t *testing.T) {
	document := `{"a":` + strings.Repeat("[", 2000) + `"<script"`
	if got, want := securityErrors(document), "Nesting too deep at 'a[0][0][0][0][0][0][0][0][0][0]': depth 11 (max: 10)"; got != want {
		t.Errorf("errors = %q, want %q and nothing of what comes after it", got, want)
	}
	document = strings.Repeat("[", 1_000_000)
	if got, want := securityErrors(document), "Configuration too large: 1000000 bytes (max: 4096 bytes)"; got != want {
		t.Errorf("errors = %q, want %q", got, want)
	}
}

func TestForbiddenPatterns(t *testing.T) {
	for i, tc := range []struct {
		pattern        string
		matches, other []string
	}{
		{`<script`, []string{"<script>", "x<ſCRIPT src"}, []string{"script", "< script"}},
		{`javascript:`, []string{"JavaScript:alert", "javascript:"}, []string{"javascript", "java script:"}},
		{`data:`, []string{"data:text/html", "mydata:x"}, []string{"data", "dat:"}},
		{`vbscript:`, []string{"VBScript:x"}, []string{"vbscript"}},
		{`on\w+\s*=`, []string{"onload=1", "ONCLICK  = x", "x onä=1", "bonbon=1", "one_=1"}, []string{"on=1", "o nload", "on load=1", "onload", "=on"}},
		{`\.\.\/`, []string{"../etc", "a/../b"}, []string{"..", ". ./", "./."}},
		{`\\x[0-9a-fA-F]{2}`, []string{`\\x41`, `\\xfFa`}, []string{`\\x4`, `x41`, `\\y41`}},
		{`\\u[0-9a-fA-F]{4}`, []string{`\\u0041`, `\u0041`, `\\U00e9`}, []string{`\\u004`, `u0041`}},
		{`<%.*%>`, []string{"<%= x %>", "<%%>"}, []string{"<% x", "%> <%", "<%>"}},
		{`\$\{.*\}`, []string{"${HOME}", "a${}b"}, []string{"${HOME", "$HOME", "} ${"}},
		{`eval\s*\(`, []string{"eval(1)", "Eval  (1)", "medieval("}, []string{"eval", "eval 1(", "eva("}},
		{`exec\s*\(`, []string{"exec(x)", "os.EXEC (x)"}, []string{"exec", "exec x("}},
		{`import\s+`, []string{"import os", "import\u2003os", "reimport "}, []string{"import", "important", "im port "}},
		{`require\s*\(`, []string{"require('x')", "require\u00a0("}, []string{"require", "requires("}},
		{`__.*__`, []string{"__class__", "____", "a__b__c"}, []string{"__class", "___", "_a_b_"}},
	} {
		want := "Configuration contains forbidden pattern matching: " + tc.pattern
		if got := config.DocumentLimits().Patterns[i]; got != tc.pattern {
			t.Errorf("pattern %d is %s, want %s", i, got, tc.pattern)
		}
		for _, place := range []string{`{"default_strategy": "%s"}`, `{"a": [{"%s": 1}]}`, `{"operation_overrides": {"%s": "balanced"}}`} {
			for _, text := range tc.matches {
				document := fmt.Sprintf(place, text)
				if got := securityErrors(document); !strings.Contains(got, want+" (") {
					t.Errorf("errors of %s = %q, want %q", document, got, want)
				}
			}
			for _, text := range tc.other {
				document := fmt.Sprintf(place, text)
				if got := securityErrors(document); strings.Contains(got, "forbidden pattern") {
					t.Errorf("errors of %s = %q, want no forbidden pattern", document, got)
				}
			}
		}
	}
}

// Patterns do not span fields, as they did where the document was searched as a whole.
func TestPatternsDoNotSpanFields(t *testing.T) {
	const document = `{"__a": "<% x", "b__": "x %>", "${": "}"}`
	if got := securityErrors(document); strings.Contains(got, "forbidden pattern") {
		t.Errorf("errors of %s = %q, want no forbidden pattern: no text matches one", document, got)
	}
}

func TestPatternsTellWhere(t *testing.T) {
	want := "Configuration contains forbidden pattern matching: <script (at 'a[1].b')\n" +
		"Configuration contains forbidden pattern matching: eval\\s*\\( (in a key at 'a[1]')"
	if got := securityErrors(`{"a": [0, {"b": "<script", "eval(": 1}]}`); !strings.HasPrefix(got, want) {
		t.Errorf("errors = %q, want first %q", got, want)
	}
}

func TestCharacters(t *testing.T) {
	for text, want := range map[string]string{
		"plain, Grüße, 日本語, \U0001F4FF": "",
		"\U0001F500":                    "High Unicode codepoint detected: U+1F500 (at 'a')",
		"\U0001F600":                    "High Unicode codepoint detected: U+1F600 (at 'a')",
		"\U0010FFFD":                    "High Unicode codepoint detected: U+10FFFD (at 'a')\nForbidden Unicode character category 'Co': U+10FFFD (at 'a')",
		"\u007F":                        "Forbidden Unicode character category 'Cc': U+007F (at 'a')",
		"\u0085":                        "Forbidden Unicode character category 'Cc': U+0085 (at 'a')",
		"soft\u00ADhyph":                "Forbidden Unicode character category 'Cf': U+00AD (at 'a')",
		"zero\u200Bwidth":               "Forbidden Unicode character category 'Cf': U+200B (at 'a')",
		"turn\u202Eround":               "Forbidden Unicode character category 'Cf': U+202E (at 'a')",
		"private\uE000":                 "Forbidden Unicode character category 'Co': U+E000 (at 'a')",
	} {
		for _, place := range []string{`{"a": "%s"}`, `{"a": {"%s": 1}}`} {
			document := fmt.Sprintf(place, text)
			got := strings.ReplaceAll(strings.TrimSuffix(securityErrors(document), "Field 'a' not in allowed whitelist"), "(in a key at", "(at")
			if got = strings.TrimSpace(got); got != want {
				t.Errorf("errors of %+q = %q, want %q", document, got, want)
			}
		}
	}
}

// Characters that only an escape can bring in are refused for both.
func TestEscapedCharacters(t *testing.T) {
	for escape, category := range map[string]string{
		`\u0000`: "'Cc': U+0000", `\u0001`: "'Cc': U+0001", `\u0002`: "'Cc': U+0002", `\n`: "'Cc': U+000A", `\b`: "'Cc': U+0008",
		`\u200b`: "'Cf': U+200B", `\ud800`: "'Cs': U+D800", `\udc00\ud800`: "'Cs': U+DC00", `\ue000`: "'Co': U+E000",
	} {
		got := securityErrors(`{"a": "` + escape + `"}`)
		if want := "Forbidden Unicode character category " + category; !strings.Contains(got, want) {
			t.Errorf("errors of %s = %q, want %q", escape, got, want)
		}
		if want := "forbidden pattern"; strings.HasPrefix(escape, `\u`) != strings.Contains(got, want) {
			t.Errorf("errors of %s = %q; %q is wanted for \\u alone", escape, got, want)
		}
	}
	if got, want := securityErrors(`{"a": "\ud83d\ude00"}`), "High Unicode codepoint detected: U+1F600"; !strings.Contains(got, want) {
		t.Errorf("errors of an escaped pair = %q, want %q", got, want)
	}
	got := securityErrors("{\"a\": \"\x01\"}")
	for _, want := range []string{"Forbidden Unicode character category 'Cc': U+0001", "Invalid JSON: line 1, column 8 (byte 7): the control character U+0001 in a string"} {
		if !strings.Contains(got, want) {
			t.Errorf("errors of a bare control character = %q, want %q", got, want)
		}
	}
}

// A document of nothing but faults does not make a report of a hundred times its size.
func TestReportsEnd(t *testing.T) {
	var text strings.Builder
	for r := '\uE000'; r < '\uE000'+150; r++ {
		text.WriteRune(r)
	}
	got := messages(config.Security([]byte(`{"a": "` + text.String() + `"}`)).Errors)
	if last, want := got[len(got)-1], "There is more: only the first 100 are listed"; len(got) != 101 || last != want {
		t.Errorf("%d errors, the last %q; want 101, the last %q", len(got), last, want)
	}
}

func TestRepeatedCharacters(t *testing.T) {
	for text, want := range map[string][]string{
		strings.Repeat("a", 10):       {},
		strings.Repeat("a", 11):       {"Excessive repeated characters at 'a.b': 'a' repeated 11 times"},
		strings.Repeat("ab", 50):      {},
		"x" + strings.Repeat("é", 12): {"Excessive repeated characters at 'a.b': 'é' repeated 12 times"},
		strings.Repeat("-", 20) + strings.Repeat("+", 30): {
			"Excessive repeated characters at 'a.b': '-' repeated 20 times", "Excessive repeated characters at 'a.b': '+' repeated 30 times",
		},
	} {
		document := fmt.Sprintf(`{"a": {"b": "%s"}}`, text)
		wantList(t, "warnings", document, messages(config.Security([]byte(document)).Warnings), want)
	}
}

func TestExtremeNumbers(t *testing.T) {
	const exact, large, small = "integers beyond 2^53 are not exact in every program", "it is beyond 1e100", "it is closer to zero than 1e-100"
	for number, want := range map[string]string{
		"9007199254740992": "", "9007199254740993": exact, "-9007199254740993": exact, "-9007199254740992": "", "90071992547409920": exact,
		"1e100": "", "1.0e100": "", "1.01e100": large, "1e101": large, "-1e101": large, "0.1e101": "", "1e999999999999": large,
		"1e-100": "", "0.9e-100": small, "1e-101": small, "-1e-101": small, "0e-500": "", "0.0": "", "1e-999999999999": small,
		"9007199254740993.0": "", strings.Repeat("9", 300): exact,
	} {
		var list []string
		if want != "" {
			list = append(list, "Extreme number at 'a': "+want)
		}
		wantList(t, "warnings", number, messages(config.Security([]byte(`{"a": `+number+`}`)).Warnings), append([]string{}, list...))
	}
}

func TestDuplicateKeys(t *testing.T) {
	for document, want := range map[string]string{
		`{"retry_attempts": 1, "retry_attempts": 2}`:                    "Duplicate key 'retry_attempts': it stands at line 1, column 2 (byte 1) and again at line 1, column 23 (byte 22)",
		"{\"retry_attempts\": 1,\n \"retry_\\u0061ttempts\": 1}":        "Duplicate key 'retry_attempts': it stands at line 1, column 2 (byte 1) and again at line 2, column 2 (byte 23)",
		`{"operation_overrides": {"qa": "critical", "qa": "critical"}}`: "Duplicate key 'operation_overrides.qa': it stands at line 1, column 26 (byte 25) and again at line 1, column 44 (byte 43)",
		`{"a": [{"b": 1}, {"b": 1}], "b": {"a": 1}}`:                    "",
	} {
		got := securityErrors(document)
		if want == "" && strings.Contains(got, "Duplicate") || !strings.Contains(got, want) {
			t.Errorf("errors of %s = %q, want %q", document, got, want)
		}
	}
}

// The security pass alone looks at no operation and at no two fields together.
func TestSecurityAlone(t *testing.T) {
	for document, want := range map[string]string{
		`{}`: "",
		`{"operation_overrides": {"foo": "bar"}}`:      "",
		`{"exponential_min": 9, "exponential_max": 6}`: "",
		`{"retry_attempts": true}`:                     "Field 'retry_attempts' must be an integer, got bool: retry_attempts must be an integer between 1 and 10",
	} {
		report := config.Security([]byte(document))
		if got := strings.Join(messages(report.Errors), "\n"); got != want || len(report.Warnings) > 0 {
			t.Errorf("errors of %s = %q, warnings %v, want %q and none", document, got, report.Warnings, want)
		}
	}
}

func TestUses(t *testing.T) {
	const document = `{"retry_attempts": 3, "jitter_max": 1.50, "default_strategy": "balanced", "jitter_enabled": true,
		"operation_overrides": { "qa": "critical" }, "x": [1, null], "y": null}`
	uses, report := config.Uses([]byte(document))
	var got []string
	for _, u := range uses {
		got = append(got, fmt.Sprint(u.Name, " ", u.Allowed, " ", u.Type, " ", u.Value, " ", u.Field.Kind))
	}
	want := []string{
		"retry_attempts true int 3 integer", "jitter_max true float 1.50 number", `default_strategy true str "balanced" string`,
		"jitter_enabled true bool true boolean", `operation_overrides true dict { "qa": "critical" } object`,
		"x false list [1, null] ", "y false NoneType null ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("uses =\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	wantList(t, "errors", document, messages(report.Errors), []string{"Field 'x' not in allowed whitelist", "Field 'y' not in allowed whitelist"})
	if uses, report := config.Uses([]byte(`[1]`)); uses != nil || report.Valid() {
		t.Errorf("Uses of an array = %v, %v, want none and an error", uses, report)
	}
}

func ExampleSecurity() {
	report := config.Security([]byte(`{"default_strategy": "<script>"}`))
	fmt.Println(report.Errors[0].Message)
	fmt.Println(strconv.Quote(report.Errors[0].Path), report.Errors[0].Rule)
	// Output:
	// Configuration contains forbidden pattern matching: <script (at 'default_strategy')
	// "default_strategy" text
}
