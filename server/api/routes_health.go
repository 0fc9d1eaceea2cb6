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
			method: http.MethodGet, path: "/health/detailed", id: "getHealthDetailed", module: health, access: required, run: handle(a.healthDetailed),
			summary: "Show everything that matters for health",
			description: "Health, counters, circuit breakers, the configuration in force and where the program runs, in one answer. " +
				"The status is 200 in both cases. A server that knows no keys shows the configuration to everybody who reaches it.",
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
		{
			method: http.MethodPost, path: "/metrics/reset", id: "resetMetrics", module: health, access: required, run: handle(a.resetMetrics),
			summary: "Have counters begin anew",
			description: "Counters and times of one operation, or of all, begin at nothing, those of their circuit breakers included. " +
				"Breakers keep their state and their failures in a row. A name that there is not is no problem: nothing is counted for it.",
		},
		{
			method: http.MethodGet, path: "/dashboard", id: "getDashboard", module: health, access: optional, run: handle(a.dashboard),
			summary: "Show the state in brief",
			description: "Numbers for a first look, and what somebody should look at: each open circuit breaker, and a success rate of less than 80 % " +
				"once there were more than 10 calls.",
		},
	}
}
