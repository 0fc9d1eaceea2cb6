package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trysail-go/trysail"
)

type operation struct {
	ID          string                    `json:"operationId"`
	Summary     string                    `json:"summary"`
	Description string                    `json:"description"`
	Tags        []string                  `json:"tags"`
	Security    []map[string][]string     `json:"security"`
	Responses   map[string]map[string]any `json:"responses"`
	Parameters  []map[string]any          `json:"parameters"`
	Extension   bool                      `json:"x-trysail-extension"`
}

type document struct {
	OpenAPI string                          `json:"openapi"`
	Paths   map[string]map[string]operation `json:"paths"`
	Tags    []struct {
		Name string `json:"name"`
	} `json:"tags"`
	Components struct {
		Schemas         map[string]any `json:"schemas"`
		SecuritySchemes map[string]any `json:"securitySchemes"`
	} `json:"components"`
}

func TestDocumentListsTheTable(t *testing.T) {
	a := newAPI(t, newOrchestrator(t, trysail.Config{}))
	w := send(a, get("/internal/openapi.json"))
	doc := decode[document](t, w)
	if w.Code != 200 || !strings.HasPrefix(doc.OpenAPI, "3.1.") || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("answer %d, %s, OpenAPI %q; want 200, JSON, 3.1", w.Code, w.Header().Get("Content-Type"), doc.OpenAPI)
	}
	want, got := []string{}, []string{}
	for _, row := range a.Rows() {
		want = append(want, row.Method+" "+row.Path)
		op := doc.Paths[row.Path][strings.ToLower(row.Method)]
		checkOperation(t, op, row.Optional)
		if op.Extension != row.Extension {
			t.Errorf("%s %s is marked as an extension: %v, want %v", row.Method, row.Path, op.Extension, row.Extension)
		}
		for _, status := range append(row.Problems, 200) {
			if op.Responses[fmt.Sprint(status)] == nil {
				t.Errorf("%s %s has no answer %d", row.Method, row.Path, status)
			}
		}
		if !slices.ContainsFunc(doc.Tags, func(tag struct {
			Name string `json:"name"`
		},
		) bool {
			return tag.Name == op.Tags[0]
		}) {
			t.Errorf("tag %q is not described", op.Tags[0])
		}
	}
	for path, item := range doc.Paths {
		for method := range item {
			got = append(got, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-table +document):\n%s", diff)
	}
	if n := len(doc.Components.SecuritySchemes); n != 2 {
		t.Errorf("%d security schemes, want 2", n)
	}
	for _, alien := range []string{"$schema", "ErrorModel", "patternDescription", "View"} {
		if strings.Contains(w.Body.String(), alien) {
			t.Errorf("the document contains %s", alien)
		}
	}
}

func checkOperation(t *testing.T, op operation, optional bool) {
	t.Helper()
	if op.ID == "" || op.Summary == "" || op.Description == "" || len(op.Tags) != 1 || len(op.Parameters) == 0 {
		t.Errorf("operation %+v lacks an id, a text, a tag or the parameter X-Request-ID", op)
	}
	free := slices.ContainsFunc(op.Security, func(s map[string][]string) bool { return len(s) == 0 })
	if free != optional || len(op.Security) < 2 {
		t.Errorf("%s has security %v; without a key %v, want %v", op.ID, op.Security, free, optional)
	}
}

// TestDocumentIsGolden shows every change of the document in review.
func TestDocumentIsGolden(t *testing.T) {
	t.Run("openapi", func(t *testing.T) {
		golden(t, send(newAPI(t, newOrchestrator(t, trysail.Config{})), get("/internal/openapi.json")))
	})
}
