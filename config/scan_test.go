package config_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/config"
)

// Each fault has its own words, and its place in lines, columns (of characters) and bytes.
func TestMalformedDocuments(t *testing.T) {
	for document, want := range map[string]string{
		"":                               "line 1, column 1 (byte 0): the document is empty",
		" \n\t":                          "line 2, column 2 (byte 3): the document is empty",
		"garbage":                        "line 1, column 1 (byte 0): 'garbage' without quotes, where a value is due",
		`{"retry_attempts": 3,}`:         "line 1, column 21 (byte 20): a comma after the last property",
		`{"retry_attempts" 3}`:           "line 1, column 19 (byte 18): '3', where the colon after the name 'retry_attempts' is due",
		`{retry_attempts: 3}`:            "line 1, column 2 (byte 1): 'retry_attempts' without quotes, where a property's name in double quotes is due",
		`{'retry_attempts': 3}`:          "line 1, column 2 (byte 1): a single quote, where a property's name in double quotes is due",
		`{"a": 'b'}`:                     "line 1, column 7 (byte 6): a single quote, where a value is due",
		`{"a": 1 "b": 2}`:                "line 1, column 9 (byte 8): '\"', where a comma or '}' is due",
		`{"a": [1 2]}`:                   "line 1, column 10 (byte 9): '2', where a comma or ']' is due",
		`{"a": [1, 2,]}`:                 "line 1, column 12 (byte 11): a comma after the last item",
		`{"a": [,1]}`:                    "line 1, column 8 (byte 7): ',', where a value is due",
		`{,}`:                            "line 1, column 2 (byte 1): ',', where a property's name in double quotes is due",
		`{"a": 1,, "b": 2}`:              "line 1, column 9 (byte 8): ',', where a property's name in double quotes is due",
		`{"a"`:                           "line 1, column 5 (byte 4): the document ends, where the colon after the name 'a' is due",
		`{"a":`:                          "line 1, column 6 (byte 5): the document ends, where a value is due",
		`{"a": 1`:                        "line 1, column 8 (byte 7): the document ends, where a comma or '}' is due",
		`{"a": [1`:                       "line 1, column 9 (byte 8): the document ends, where a comma or ']' is due",
		`{`:                              "line 1, column 2 (byte 1): the document ends, where a property's name in double quotes is due",
		`{"a": "b`:                       "line 1, column 7 (byte 6): a string that does not end",
		`{"a": "b\`:                      "line 1, column 9 (byte 8): a string that does not end",
		`{"a": "\q"}`:                    `line 1, column 8 (byte 7): the escape \q, which JSON does not have`,
		`{"a": "\u12"}`:                  `line 1, column 8 (byte 7): \u without four hexadecimal digits`,
		`{"a": "\u12g4"}`:                `line 1, column 8 (byte 7): \u without four hexadecimal digits`,
		`{"a": NaN}`:                     "line 1, column 7 (byte 6): 'NaN' without quotes, where a value is due",
		`{"a": Infinity}`:                "line 1, column 7 (byte 6): 'Infinity' without quotes, where a value is due",
		`{"a": -Infinity}`:               "line 1, column 7 (byte 6): a minus without a number",
		`{"a": True}`:                    "line 1, column 7 (byte 6): 'True' without quotes, where a value is due",
		`{"a": nullx}`:                   "line 1, column 7 (byte 6): 'nullx' without quotes, where a value is due",
		`{"a": +1}`:                      "line 1, column 7 (byte 6): '+', where a value is due",
		`{"a": .5}`:                      "line 1, column 7 (byte 6): '.', where a value is due",
		`{"a": 5.}`:                      "line 1, column 7 (byte 6): a number without digits after its point",
		`{"a": 01}`:                      "line 1, column 7 (byte 6): a number that begins with 0",
		`{"a": -01}`:                     "line 1, column 7 (byte 6): a number that begins with 0",
		`{"a": 1e}`:                      "line 1, column 7 (byte 6): a number without digits in its exponent",
		`{"a": 1e+}`:                     "line 1, column 7 (byte 6): a number without digits in its exponent",
		`{"a": 0x10}`:                    "line 1, column 7 (byte 6): a number with letters after it",
		`{"a": 1_000}`:                   "line 1, column 7 (byte 6): a number with letters after it",
		"{\n  // three\n  \"a\": 3\n}":   "line 2, column 3 (byte 4): a comment, where a property's name in double quotes is due",
		"{\"ä\": 1,\n \"ö\": \"ü\" x}":   "line 2, column 11 (byte 22): 'x' without quotes, where a comma or '}' is due",
		`{"a": 1} {"b": 2}`:              "line 1, column 10 (byte 9): '{' after the end of the document",
		`{"a": 1}]`:                      "line 1, column 9 (byte 8): ']' after the end of the document",
		"\uFEFF{}":                       "line 1, column 1 (byte 0): the document begins with a byte order mark: save it as plain UTF-8",
		"{\"a\": \"\xff\"}":              "line 1, column 8 (byte 7): the byte 0xFF, which is not UTF-8",
		"{\"a\": \xff}":                  "line 1, column 7 (byte 6): the byte 0xFF, not UTF-8, where a value is due",
		"{\"a\": \u00a01}":               "line 1, column 7 (byte 6): U+00A0, where a value is due",
		"{\"a\": \x00}":                  "line 1, column 7 (byte 6): U+0000, where a value is due",
		"mysecretkeymysecretkeymysecret": "line 1, column 1 (byte 0): a word without quotes, where a value is due",
		`{"a": "\x4"}`:                   `line 1, column 8 (byte 7): the escape \x, which JSON does not have`,
		`{"a": "b": 1}`:                  "line 1, column 10 (byte 9): ':', where a comma or '}' is due",
		`{"a\q": 1}`:                     `line 1, column 4 (byte 3): the escape \q, which JSON does not have`,
	} {
		custom, report := config.Validate([]byte(document), config.ValidateOptions{})
		if got := messages(report.Errors); len(got) != 1 || got[0] != "Invalid JSON: "+want {
			t.Errorf("errors of %q =\n  %s\nwant\n  Invalid JSON: %s", document, strings.Join(got, "\n  "), want)
			continue
		}
		if f := report.Errors[0]; f.Rule != config.RuleSyntax || f.Suggestion == "" {
			t.Errorf("finding of %q = %+v, want one of syntax, with a remedy", document, f)
		}
		if got := text(t, custom); got != "{}" {
			t.Errorf("custom of %q = %s, want nothing", document, got)
		}
		if valid := json.Valid([]byte(document)); valid && !strings.Contains(document, "\xff") {
			t.Errorf("encoding/json takes %q", document)
		}
	}
}
