package api

import "github.com/danielgtaylor/huma/v2"

// extensionKey marks operations of the OpenAPI document that the specification does not have.
const extensionKey = "x-trysail-extension"

// extension marks a row as one that the specification does not have.
func extension(run binding) binding {
	return func(a *API, op huma.Operation) {
		op.Extensions = map[string]any{extensionKey: true}
		run(a, op)
	}
}
