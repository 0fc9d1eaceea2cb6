package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/trysail-go/trysail/server/configfile"
)

// The files that hold the schema: the program's, and the one for those who have the repository and not the program.
const (
	embeddedSchema = "trysail.schema.json"
	editorsSchema  = "../../../schema/trysail.schema.json"
	fileSchemaID   = "https://github.com/trysail-go/trysail/schema/trysail.schema.json"
)

// madeSchema is the schema as the types have it.
func madeSchema(t *testing.T) []byte {
	t.Helper()
	known := comments(t)
	schema := configfile.Schema(func(key configfile.Key) string {
		if key.Owner == "" || key.Owner == "configfile.says" {
			return topComments()[key.Path]
		}
		return meaning(known, key)
	}, map[string]any{"server": new(serverSection), "gateway": new(gatewaySection)})
	schema["$schema"], schema["$id"], schema["title"] = "https://json-schema.org/draft/2020-12/schema", fileSchemaID, "Trysail: configuration file"
	schema["description"] = "What trysail.yaml may say: trysail serve --config trysail.yaml. The program checks more than this schema does."
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFileSchema(t *testing.T) {
	want := madeSchema(t)
	for _, file := range []string{embeddedSchema, editorsSchema} {
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is not what the types say (go test ./cmd/trysail -run FileSchema -update):\n%s", file, diff)
		}
	}
}

// compiledSchema is the program's.
func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(fileSchema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(jsonschema.SchemeURLLoader{}) // loads nothing
	if err := compiler.AddResource(fileSchemaID, document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(fileSchemaID)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// What is good to the program is good to the schema, and it finds what is worst.
func TestFileSchemaAgrees(t *testing.T) {
	schema := compiledSchema(t)
	failOver, variables := failOver(t)
	page := uncommented(example(t))
	for name, tc := range map[string]struct {
		text string
		good bool
	}{
		"nothing": {"{}", true}, "the defaults": {page, true}, "the example of fail-over": {failOver, true},
		"durations": {"gateway: {connect_timeout: 1m30s, idle_timeout: 0.5s}", true}, "a size": {"gateway: {max_body: 32MiB, max_answer: 5}", true},
		"anchors": {"x-a: {b: 1}", true}, "classes": {"classes: {rate_limited: {count: false}}\npolicy: {retry: {classes: {transient: {base: 1s}}}}", true},
		"keys":                    {"gateway: {targets: {openai: {api_key: {file: key}, credentials: []}}}", true},
		"keys of clients":         {"gateway: {keys: [{name: a, key: {file: key}, max_priority: batch, limits: {dollars_per_day: 2.5}}, {name: b, key: {sha256: " + strings.Repeat("ab", 32) + "}}]}", true},
		"a client's plain key":    {"gateway: {keys: [{name: a, key: tsk_hunter2-0123456789}]}", false},
		"a client's bad hash":     {"gateway: {keys: [{name: a, key: {sha256: hunter2}}]}", false},
		"a client without a key":  {"gateway: {keys: [{name: a}]}", false},
		"an unknown key":          {"gateway: {targets: {openai: {api_kee: x}}}", false},
		"an unknown top":          {"gatewy: {}", false},
		"a literal key":           {"gateway: {targets: {openai: {api_key: sk-hunter2}}}", false},
		"an unknown strategy":     {"gateway: {routes: [{strategy: criticl, targets: [openai]}]}", false},
		"a time without its unit": {"gateway: {idle_timeout: 30}", false},
		"a list of targets":       {"gateway: {targets: [openai]}", false},
		"an unknown class":        {"classes: {rate_limit: {count: false}}", false},
	} {
		t.Run(name, func(t *testing.T) {
			var value any
			if err := yaml.Unmarshal([]byte(tc.text), &value); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(document); (err == nil) != tc.good {
				t.Errorf("the schema says %v of\n%s", err, tc.text)
			}
			if _, err := readingOf(t, tc.text, variables...); tc.good && err != nil && !strings.Contains(err.Error(), "file of a secret") {
				t.Errorf("the program says %v", err)
			}
		})
	}
}

func TestFileSchemaCommand(t *testing.T) {
	if got := (try{args: []string{"config", "schema", "--of", "file"}}).run(t); got.code != 0 || got.stdout != string(fileSchema) {
		t.Errorf("exit code %d, %d bytes, want %d", got.code, len(got.stdout), len(fileSchema))
	}
}
