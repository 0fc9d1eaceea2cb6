package answers_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
	"github.com/trysail-go/trysail/server/answers"
)

const weather = `{
	"type": "object",
	"required": ["city", "celsius"],
	"additionalProperties": false,
	"properties": {
		"city": {"type": "string", "minLength": 1, "pattern": "^[A-Z]"},
		"celsius": {"type": "number", "minimum": -90, "maximum": 60},
		"sky": {"enum": ["clear", "cloudy"]},
		"at": {"type": "string", "format": "date-time"},
		"next": {"type": "array", "items": {"$ref": "#"}}
	}
}`

func compiled(t testing.TB, schema string) func(string) error {
	t.Helper()
	check, err := answers.Schema([]byte(schema))
	if err != nil {
		t.Fatal(err)
	}
	return check
}

func TestSchema(t *testing.T) {
	check := compiled(t, weather)
	for answer, want := range map[string]string{
		`{"city": "Oslo", "celsius": -3.5, "sky": "cloudy", "at": "2026-11-25T10:00:00Z"}`: "",
		` {"city": "Oslo", "celsius": 1e1, "next": [{"city": "Bergen", "celsius": 4}]} `:   "",
		``:                                "the answer is empty",
		`{"city": "Oslo", "celsius": `:    "the answer is not JSON: byte 28 of 28: unexpected end of JSON input",
		"```json\n{}\n```":                "the answer is not JSON: byte 1 of 14: invalid character '`' looking for beginning of value",
		`{"city": "Oslo", "celsius": 1}.`: "the answer is not JSON: byte 31 of 31: invalid character '.' after top-level value",
		`[]`:                              "the answer does not fit its schema: at the top: got array, want object",
		`{"city": "Oslo"}`:                "the answer does not fit its schema: at the top: missing property 'celsius'",
		`{"city": "oslo", "celsius": "warm", "sky": "green", "at": "noon"}`: `the answer does not fit its schema: ` +
			`at "/at": the value is not in the format "date-time"; at "/celsius": got string, want number; ` +
			`at "/city": the text does not match the pattern "^[A-Z]"; at "/sky": value must be one of 'clear', 'cloudy'`,
		`{"city": "Oslo", "celsius": 61}`:                                  `the answer does not fit its schema: at "/celsius": maximum: got 61, want 60`,
		`{"city": "Oslo", "celsius": 6, "z": 1, "b/~": 2}`:                 `the answer does not fit its schema: at the top: 2 properties that the schema does not have, such as "b/~"`,
		`{"city": "Oslo", "celsius": 6, "next": [{"city": "X"}]}`:          `the answer does not fit its schema: at "/next/0": missing property 'celsius'`,
		`{"city": "Oslo", "celsius": 1e1001}`:                              `the answer cannot be checked: the number at "/celsius" has an exponent beyond 1000`,
		`{"city": "Oslo", "celsius": 1e-99999999999999999999}`:             `the answer cannot be checked: the number at "/celsius" has an exponent beyond 1000`,
		`{"city": "Oslo", "celsius": 0.` + strings.Repeat("1", 1000) + `}`: `the answer cannot be checked: the number at "/celsius" has 1002 characters, want at most 1000`,
		strings.Repeat("[", 102) + strings.Repeat("]", 102):                "the answer cannot be checked: values are nested more than 100 deep",
		`"` + strings.Repeat("a", 1<<20) + `"`:                             "the answer has 1048578 bytes, want at most 1048576",
	} {
		got := ""
		if err := check(answer); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("check(%.80s) =\n  %s\nwant\n  %s", answer, got, want)
		}
	}
}

func TestMismatchIsData(t *testing.T) {
	err := compiled(t, weather)(`{"city": "Oslo", "celsius": "secret"}`)
	var mismatch *answers.MismatchError
	if !errors.As(err, &mismatch) || len(mismatch.Faults) != 1 || mismatch.Faults[0].Pointer != "/celsius" {
		t.Fatalf("error = %#v, want a MismatchError with the fault at /celsius", err)
	}
	many := compiled(t, `{"items": {"type": "string"}}`)("[" + strings.Repeat("1,", 500) + "1]")
	if !errors.As(many, &mismatch) || len(mismatch.Faults) != 10 {
		t.Errorf("an answer with 501 faults = %v, want ten of them", many)
	}
	for schema, answer := range map[string]string{
		`{"pattern": "^a$"}`: `"secret"`, `{"format": "email"}`: `"secret"`, `{"const": 1}`: `"secret"`, `{"enum": ["a"]}`: `"secret"`,
		`{"type": "number"}`: `"secret"`, `{"maxLength": 2}`: `"secret"`, `{"not": {"type": "string"}}`: `"secret"`,
	} {
		if err := compiled(t, schema)(answer); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s under %s: %v, want an error without the answer's text", answer, schema, err)
		}
	}
}

func TestSchemasThatAreRefused(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(secret, []byte(`"s3cret"`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(secret))
	for name, tc := range map[string]struct{ schema, want string }{
		"not JSON":          {`{"type": "object",}`, "compile the schema: it is not JSON: byte 19 of 19: invalid character '}' looking for beginning of object key string"},
		"cut":               {`{"type": "object"`, "unexpected EOF"},
		"no schema":         {`[1]`, "compile the schema: it is no JSON Schema: at the top: got array, want boolean or object"},
		"a bad keyword":     {`{"type": "text", "minLength": -1}`, `compile the schema: it is no JSON Schema: at "/minLength": minimum: got -1, want 0; at "/type": got string, want array; at "/type": value must be one of `},
		"a file":            {`{"$ref": "file://` + filepath.ToSlash(secret) + `"}`, "secret.json is not loaded: put what it defines under $defs in the schema itself"},
		"a relative file":   {`{"$ref": "secret.json"}`, "https://schema.invalid/secret.json is not loaded: put what it defines under $defs in the schema itself"},
		"an address":        {`{"$ref": "https://example.com/s.json"}`, "https://example.com/s.json is not loaded"},
		"an unknown draft":  {`{"$schema": "https://example.com/draft-99"}`, "https://example.com/draft-99 is not loaded"},
		"nothing there":     {`{"$ref": "#/$defs/none"}`, "none"},
		"a lookahead":       {`{"pattern": "(?=a)"}`, `compile the schema: it is no JSON Schema: at "/pattern": the value is not in the format "regex"`},
		"a huge number":     {`{"maximum": 1e10000000}`, `compile the schema: the number at "/maximum" has an exponent beyond 1000`},
		"nested too deep":   {strings.Repeat(`{"not":`, 101) + "{}" + strings.Repeat("}", 101), "compile the schema: values are nested more than 100 deep"},
		"too large":         {`"` + strings.Repeat("a", 64<<10) + `"`, "compile the schema: it has 65538 bytes, want at most 65536"},
		"more than a value": {`{} {}`, "invalid character after top-level value"},
	} {
		t.Run(name, func(t *testing.T) {
			check, err := answers.Schema([]byte(tc.schema))
			if err == nil || !strings.Contains(err.Error(), tc.want) || check != nil {
				t.Errorf("Schema(%.80s) = %v, want %s", tc.schema, err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("Schema(%.80s) shows what is in a file: %v", tc.schema, err)
			}
		})
	}
}

// Each level of the answer doubles the work under this schema. The check gives up in time, and works again afterwards.
func TestStepsAreBounded(t *testing.T) {
	check := compiled(t, `{
		"$defs": {"node": {"anyOf": [
			{"properties": {"kind": {"const": "a"}, "next": {"$ref": "#/$defs/node"}}, "required": ["kind"]},
			{"properties": {"kind": {"const": "b"}, "next": {"$ref": "#/$defs/node"}}, "required": ["kind"]}
		]}},
		"$ref": "#/$defs/node"
	}`)
	deep := strings.Repeat(`{"kind": "c", "next": `, 60) + `{"kind": "c"}` + strings.Repeat("}", 60)
	if err := check(deep); err == nil || !strings.Contains(err.Error(), "too many steps") {
		t.Errorf("60 levels that double = %v, want that they take too many steps", err)
	}
	if err := check(`{"kind": "a", "next": {"kind": "b"}}`); err != nil {
		t.Errorf("a good answer after that = %v, want it to fit", err)
	}
	list := compiled(t, `{"type": "array", "items": {"type": "integer"}}`)
	if err := list("[" + strings.Repeat("1,", 100_000) + "1]"); err != nil {
		t.Errorf("a long list = %v, want it to fit", err)
	}
}

func TestChecksAtTheSameTime(t *testing.T) {
	check := compiled(t, weather)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				if err := check(`{"city": "Oslo", "celsius": 3}`); err != nil {
					t.Errorf("a good answer = %v", err)
				}
				if err := check(`{"city": "Oslo"}`); err == nil {
					t.Error("a bad answer fits")
				}
			}
		})
	}
	wg.Wait()
}

// With llm.Checked a bad answer is a failure of its own class, which is repeated once.
func TestUnderAnOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc, err := trysail.New(trysail.Config{})
		if err != nil {
			t.Fatal(err)
		}
		given := []string{`{"city": "Oslo", "celsius": "cold"}`, `{"city": "Oslo", "celsius": -3}`}
		calls := 0
		ask := func(context.Context) (string, error) {
			calls++
			return given[(calls-1)%len(given)], nil
		}
		text, err := trysail.Do(t.Context(), orc.Operation("weather"), llm.Checked(ask, compiled(t, weather)))
		if text != given[1] || err != nil || calls != 2 {
			t.Errorf("Do = %q, %v after %d calls, want the good answer of the second", text, err, calls)
		}
		given = given[:1]
		_, err = trysail.Do(t.Context(), orc.Operation("weather"), llm.Checked(ask, compiled(t, weather)))
		var failed *trysail.Error
		var mismatch *answers.MismatchError
		if !errors.As(err, &failed) || failed.Class != trysail.ClassBadAnswer || !errors.As(err, &mismatch) {
			t.Errorf("two bad answers = %v, want a bad answer with the mismatch", err)
		}
	})
}

// No schema and no answer makes the validator panic, and what is no JSON never fits.
func FuzzSchema(f *testing.F) {
	f.Add([]byte(weather), `{"city": "Oslo", "celsius": 1}`)
	f.Add([]byte(`{"$ref": "#"}`), `1`)
	f.Add([]byte(`{"$dynamicRef": "#a", "$defs": {"a": {"$dynamicAnchor": "a"}}}`), `[1, 1]`)
	f.Add([]byte(`{"uniqueItems": true, "multipleOf": 0.1, "contains": false, "unevaluatedItems": false}`), `[1, 1.0, 1e0]`)
	f.Add([]byte(`{"$schema": "http://json-schema.org/draft-04/schema#", "dependencies": {"a": ["b"]}, "items": [{}, {}]}`), `{"a": 1}`)
	f.Add([]byte(`true`), `{"a": "\ud800"}`)
	f.Fuzz(func(t *testing.T, schema []byte, answer string) {
		check, err := answers.Schema(schema)
		if err != nil {
			return
		}
		if err := check(answer); err == nil && llm.ValidJSON(answer) != nil {
			t.Errorf("%q fits %q, but is no JSON", answer, schema)
		}
	})
}

func ExampleSchema() {
	check, err := answers.Schema([]byte(`{"type": "object", "required": ["sentiment"]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(check(`{"sentiment": "positive"}`))
	fmt.Println(check(`{"mood": "positive"}`))
	// Output:
	// <nil>
	// the answer does not fit its schema: at the top: missing property 'sentiment'
}

func BenchmarkSchema(b *testing.B) {
	check := compiled(b, weather)
	b.ReportAllocs()
	for b.Loop() {
		if err := check(`{"city": "Oslo", "celsius": -3.5, "sky": "cloudy"}`); err != nil {
			b.Fatal(err)
		}
	}
}
