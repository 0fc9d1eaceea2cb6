package api

import "net/http"

func (a *API) healthRoutes() []route {
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
	}
}
