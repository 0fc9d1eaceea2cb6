package api

import (
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// extensionKey marks operations of the OpenAPI document that the specification does not have.
const extensionKey = "x-trysail-extension"

// extension marks a row as one that the specification does not have.
func extension(run binding) binding {
	return func(a *API, op huma.Operation) {
		op.Extensions = map[string]any{extensionKey: true}
		run(a, op)
	}
}

// may adds statuses of problems that a row answers besides those that follow from its method and path.
func may(run binding, statuses ...int) binding {
	return func(a *API, op huma.Operation) {
		for _, status := range statuses {
			op.Responses[strconv.Itoa(status)] = &huma.Response{Ref: responsesPath + responseName(status)}
			a.problems[status] = true
		}
		run(a, op)
	}
}
