// Package api is the internal API of a trysail program: health, metrics, circuit
// breakers, the configuration and monitoring over HTTP, under /internal.
//
// What it serves stands in one table, [API]'s routes in routes.go; the OpenAPI
// document at /internal/openapi.json is generated from the same table, and
// /internal/docs is a page that shows it. Operations
// (health.go, metrics.go, breakers.go, monitoring.go) turn an input into a view or an error and
// know nothing of HTTP. Views are the JSON shapes. Whatever goes wrong is
// answered with a [Problem], and only there is it decided what outsiders may read.
package api
