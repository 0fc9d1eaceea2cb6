package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail/monitor"
)

// A Row is a row of the route table as tests see it.
type Row struct {
	Method, Path string
	Optional     bool // a key may be missing
	Reads        bool // a read-only key will do
	Validates    bool // it counts as a validation
	Problems     []int
	Extension    bool
}

// Rows returns the route table.
func (a *API) Rows() []Row {
	rows := []Row{}
	for _, r := range a.routes() {
		g := r.guard()
		rows = append(rows, Row{r.method, base + r.path, r.access == optional, g.reads, g.validates, r.problems(), r.extension})
	}
	return rows
}

// Mount adds an operation that answers what run returns.
func (a *API) Mount(path string, run func(context.Context) (any, error)) {
	op := huma.Operation{Method: "GET", Path: path, Metadata: map[string]any{guardKey: guard{access: optional}}}
	handle(func(ctx context.Context, _ *nothing) (*any, error) {
		out, err := run(ctx)
		return &out, err
	})(a, op)
}

// Panic has every operation panic with v before it begins.
func (a *API) Panic(v any) error {
	a.mux = http.NewServeMux()
	a.huma = huma.NewAPI(a.humaConfig(), adapter{a})
	a.huma.UseMiddleware(func(huma.Context, func(huma.Context)) { panic(v) })
	for _, r := range a.routes() {
		r.run(a, r.operation())
	}
	return a.documentation()
}

// Promised returns the statuses that the OpenAPI document has for a row, in order.
func (a *API) Promised(row Row) []int {
	item := a.huma.OpenAPI().Paths[row.Path]
	op := item.Get
	if row.Method == http.MethodPost {
		op = item.Post
	}
	statuses := []int{}
	for text := range op.Responses {
		status, _ := strconv.Atoi(text) // "default" is promised by none, and would be 0
		statuses = append(statuses, status)
	}
	slices.Sort(statuses)
	return statuses
}

// CheckAnswer compares an answer with what the OpenAPI document promises for the
// row of that path.
func (a *API) CheckAnswer(row Row, status int, body []byte) error {
	doc := a.huma.OpenAPI()
	item := doc.Paths[row.Path]
	op := item.Get
	if row.Method == "POST" {
		op = item.Post
	}
	promised := op.Responses[strconv.Itoa(status)]
	if promised == nil {
		return errors.New("the document has no such status")
	}
	schema := &huma.Schema{Ref: schemasPath + "Problem"}
	if status == 200 {
		answer := promised.Content["application/json"]
		if answer == nil {
			return errors.New("the document has no JSON answer")
		}
		schema = answer.Schema
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return err
	}
	found := &huma.ValidateResult{}
	huma.Validate(doc.Components.Schemas, schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, value, found)
	return errors.Join(found.Errors...)
}

// SubjectOf is subjectOf.
func SubjectOf(ctx context.Context) monitor.Subject { return subjectOf(ctx) }

// ReadBenchmark is readBenchmark: whether a body names an operation, and how many iterations it asks for.
func ReadBenchmark(body []byte) (named bool, iterations int, err error) {
	ask, err := readBenchmark(&rawBody[benchmarkShape]{text: body})
	if err != nil {
		return false, 0, err
	}
	if ask.one != nil {
		return true, ask.one.Iterations, nil
	}
	return false, ask.many.Iterations, nil
}
