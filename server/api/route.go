package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// A route is a row of the table.
type route struct {
	method, path, id, module string
	access                   rule
	run                      binding
	summary, description     string
	further                  []int // statuses of problems that other routes do not have
	anyName                  bool  // the name in the path is looked up nowhere, so that none is unknown
	extension                bool  // is not one of the specification's 38; the document says so
}

// A rule says who may use a route.
type rule uint8

// The rules. The zero value is the strict one.
const (
	required rule = iota // a good key is needed
	optional             // no key is fine, a wrong one is not
)

// A guard is what a request must get past before its operation runs. The zero value is the strict one.
type guard struct {
	access    rule
	reads     bool // the operation changes nothing, so that a read-only key will do
	validates bool // the request counts as a validation
}

// validating begins the paths of all validations, which share one quota.
const validating = "/config/validate"

func (r route) guard() guard {
	validates := r.method == http.MethodPost && strings.HasPrefix(r.path, validating)
	return guard{
		access:    r.access,
		reads:     validates || r.method == http.MethodGet || r.path == "/config/recommend-template",
		validates: validates,
	}
}

// A binding registers an operation with the API under the description of its row.
type binding func(*API, huma.Operation)

// An answer is what huma writes: a view as the body.
type answer[View any] struct {
	Body View
}

// handle binds an operation, which turns an input into a view. It is the one place
// where an operation's error becomes a problem.
func handle[In, View any](run func(context.Context, *In) (*View, error)) binding {
	return func(a *API, op huma.Operation) {
		huma.Register(a.huma, op, func(ctx context.Context, in *In) (*answer[View], error) {
			view, err := run(ctx, in)
			if err != nil {
				return nil, a.refuse(ctx, err)
			}
			return &answer[View]{Body: *view}, nil
		})
	}
}

// nothing is the input of an operation that needs none.
type nothing struct{}
