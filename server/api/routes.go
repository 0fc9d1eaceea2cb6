package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// base is the path that the paths of the table follow.
const base = "/internal/resilience"

// documentPath is where the OpenAPI document is. It is not in the table because
// it is about the table.
const documentPath = "/internal/openapi.json"

// The modules of the API, as the document groups them.
const (
	health   = "health & metrics"
	breakers = "circuit breakers"
)

// routes is the API's table of contents; the OpenAPI document and the tests range
// over it. Access "optional" means that a key may be missing, but not wrong.
func (a *API) routes() []route {
	return []route{
		{
			http.MethodGet, "/health", "getHealth", health, optional, handle(a.health),
			"Tell whether calls get through",
			"Healthy means that no circuit breaker is open; a half-open one counts as healthy. " +
				"The status is 200 in both cases, so that the answer can be told from a server that is down.",
		},
		{
			http.MethodGet, "/metrics", "getMetrics", health, required, handle(a.metrics),
			"Count calls of all operations",
			"Counters since the start, by operation and by circuit breaker, and their sums. " +
				"A call counts once, with all its attempts, and refused calls count as failed.",
		},
		{
			http.MethodGet, "/metrics/{operation_name}", "getOperationMetrics", health, required, handle(a.operationMetrics),
			"Count calls of one operation",
			"The counters of one operation, its strategy and its circuit breaker. Asking for a name never creates an operation.",
		},
		{
			http.MethodGet, "/circuit-breakers", "listCircuitBreakers", breakers, required, handle(a.breakers),
			"List all circuit breakers",
			"All circuit breakers by name, which is the name of their operation, and how many are in which state.",
		},
		{
			http.MethodGet, "/circuit-breakers/{breaker_name}", "getCircuitBreaker", breakers, required, handle(a.breaker),
			"Show one circuit breaker",
			"State, limits, times and counters of one circuit breaker. An open one whose recovery timeout has " +
				"passed is shown as half-open, also when no call has come since.",
		},
		{
			http.MethodPost, "/circuit-breakers/{breaker_name}/reset", "resetCircuitBreaker", breakers, required, handle(a.resetBreaker),
			"Close one circuit breaker by hand",
			"The breaker closes and forgets its failures; calls that are under way no longer count for it. " +
				"Counters stay. The answer tells the state that this very request ended, also when several come at once.",
		},
	}
}

// A route is a row of the table.
type route struct {
	method, path, id, module string
	access                   rule
	run                      binding
	summary, description     string
}

// A rule says who may use a route.
type rule uint8

// The rules. The zero value is the strict one.
const (
	required rule = iota // a good key is needed
	optional             // no key is fine, a wrong one is not
)

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
