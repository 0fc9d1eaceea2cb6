package api

import "slices"

// base is the path that the paths of the table follow.
const base = "/internal/resilience"

// documentPath is where the OpenAPI document is. It is not in the table because
// it is about the table.
const documentPath = "/internal/openapi.json"

// The modules of the API, as the document groups them.
const (
	health      = "health & metrics"
	configuring = "configuration"
	presets     = "presets"
	templates   = "templates"
	validation  = "configuration validation"
	breakers    = "circuit breakers"
	monitoring  = "monitoring"
	auditing    = "audit log"
	performance = "performance"
	gateways    = "gateway"
)

// routes is the API's table of contents, module by module; the OpenAPI document and the tests range
// over it. Access "optional" means that a key may be missing, but not wrong.
func (a *API) routes() []route {
	return slices.Concat(
		a.healthRoutes(),
		a.configRoutes(),
		a.presetRoutes(),
		a.templateRoutes(),
		a.validationRoutes(),
		a.breakerRoutes(),
		a.monitoringRoutes(),
		a.auditRoutes(),
		a.performanceRoutes(),
		a.gatewayRoutes(),
	)
}
