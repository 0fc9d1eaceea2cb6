package api

import "net/http"

func (a *API) healthRoutes() []route {
	return []route{
		{
			method: http.MethodGet, path: "/health", id: "getHealth", module: health, access: optional, run: handle(a.health),
			summary: "Tell whether calls get through",
			description: "Healthy means that no circuit breaker is open; a half-open one counts as healthy. " +
				"The status is 200 in both cases, so that the answer can be told from a server that is down.",
		},
		{
			method: http.MethodGet, path: "/metrics", id: "getMetrics", module: health, access: required, run: handle(a.metrics),
			summary: "Count calls of all operations",
			description: "Counters since the start, by operation and by circuit breaker, and their sums. " +
				"A call counts once, with all its attempts, and refused calls count as failed.",
		},
		{
			method: http.MethodGet, path: "/metrics/{operation_name}", id: "getOperationMetrics", module: health, access: required, run: handle(a.operationMetrics),
			summary:     "Count calls of one operation",
			description: "The counters of one operation, its strategy and its circuit breaker. Asking for a name never creates an operation.",
		},
	}
}
