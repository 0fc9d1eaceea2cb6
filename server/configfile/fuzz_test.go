package configfile_test

import (
	"os"
	"reflect" //nolint:depguard // it compares documents
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/configfile"
)

// bare is a document without what cannot be compared.
func bare(doc *config.Document) *config.Document {
	if doc == nil {
		return nil
	}
	plain := *doc
	plain.Line, plain.Hash = nil, ""
	return &plain
}

// Whatever a file holds: no panic, no hang, faults with places, and equal texts are equal documents. Written anew by the
// library, a good file means the same.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", "preset: production", "policy: {retry: {attempts: 3, base: 1s, budget: b}}\nretry_budgets: {b: {share: 0.1}}",
		"x-a: &a {attempts: 2}\npolicy: {retry: {<<: *a}}", "x-a: &a [*a]", "custom: {retry_attempts: 3, operation_overrides: {qa: critical}}",
		"classes: {rate_limited: {count: false}}", "operations: {qa: {strategy: critical}}", "? a\n: b", "a: |\n  text\n", "- - - a", "a: !!binary x",
		"server: {key: '${A}', more: [{file: x}]}", "log_level: info\nenabled: false", "{\"preset\": \"simple\"}", "\ufeffpreset: x", "%YAML 1.1\n---\na: 1",
	} {
		f.Add([]byte(seed))
	}
	if example, err := os.ReadFile("../../docs/reference/trysail.yaml"); err == nil {
		f.Add(example)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		started := time.Now()
		doc, err := loadBytes(content)
		if took := time.Since(started); took > 20*time.Second {
			t.Fatalf("it took %v", took)
		}
		again, err2 := loadBytes(content)
		if (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
			t.Fatalf("first %v, then %v", err, err2)
		}
		if err != nil {
			if e, ok := err.(*configfile.Error); !ok || len(e.Faults) == 0 || len(err.Error()) > 1<<20 { //nolint:errorlint // it is not wrapped
				t.Fatalf("the error is %T %v", err, err)
			}
			return
		}
		if doc.Policy.Retry.Budget == nil && !reflect.DeepEqual(bare(doc), bare(again)) {
			t.Fatalf("the same text is %+v, and then %+v", doc, again)
		}
		var node yaml.Node
		if yaml.Unmarshal(content, &node) != nil || len(node.Content) == 0 {
			return
		}
		other, err := yaml.Marshal(&node)
		if err != nil {
			return
		}
		rewritten, err := loadBytes(other)
		if err != nil { // the library does not always read what it wrote, comments in odd places above all
			return
		}
		if doc.Policy.Retry.Budget == nil && !reflect.DeepEqual(bare(doc), bare(rewritten)) {
			t.Fatalf("%q is %+v, and written anew as %q it is %+v", content, doc, other, rewritten)
		}
	})
}

func loadBytes(content []byte) (*config.Document, error) {
	file, err := configfile.Parse("trysail.yaml", content, variables(map[string]string{"A": "a"}))
	if err != nil {
		return nil, err
	}
	var section struct {
		Key  configfile.Secret
		More []configfile.Secret
		Size configfile.Size
		Time time.Duration
	}
	return new(configfile.Loader).Load(file, map[string]any{"server": &section})
}
