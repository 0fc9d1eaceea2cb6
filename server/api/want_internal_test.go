package api

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail"
)

// TestEveryLimitHasItsWords walks the parameters and the members of bodies: whatever limits one is said in words.
func TestEveryLimitHasItsWords(t *testing.T) {
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(Config{Orchestrator: orc})
	if err != nil {
		t.Fatal(err)
	}
	schemas, limited := a.huma.OpenAPI().Components.Schemas, 0
	for path, item := range a.huma.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post} {
			if op == nil {
				continue
			}
			found := map[string]*huma.Schema{}
			for _, p := range op.Parameters {
				found[p.In+"."+p.Name] = p.Schema
			}
			if op.RequestBody != nil && op.RequestBody.Content[typeJSON] != nil {
				for name, s := range resolved(op.RequestBody.Content[typeJSON].Schema, schemas).Properties {
					found["body."+name] = resolved(s, schemas)
				}
			}
			for location, s := range found {
				if s == nil || s.Pattern == "" && s.Minimum == nil && s.Maximum == nil && s.MaxLength == nil {
					continue
				}
				limited++
				if words := wantAt(op, schemas, location); !strings.HasPrefix(words, "want ") || strings.Contains(words, "^") {
					t.Errorf("%s %s of %s is limited by %+v, and a problem says %q of it, want words", op.Method, location, path, s, words)
				}
			}
		}
	}
	if limited < 40 {
		t.Errorf("%d limits were found, want those of all names and numbers", limited)
	}
}

// No problem shows a regular expression to somebody who has mistyped a name.
func TestNoProblemShowsAPattern(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d golden files, %v, want those of every problem", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, `"message"`) && (strings.Contains(line, "^[") || strings.Contains(line, "pattern ^")) {
				t.Errorf("%s: %s", file, line)
			}
		}
	}
}
