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
			http.MethodGet, "/health/detailed", "getHealthDetailed", health, required, handle(a.healthDetailed),
			"Show everything that matters for health",
			"Health, counters, circuit breakers, the configuration in force and where the program runs, in one answer. " +
				"The status is 200 in both cases. A server that knows no keys shows the configuration to everybody who reaches it.",
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
			http.MethodPost, "/metrics/reset", "resetMetrics", health, required, handle(a.resetMetrics),
			"Have counters begin anew",
			"Counters and times of one operation, or of all, begin at nothing, those of their circuit breakers included. " +
				"Breakers keep their state and their failures in a row. A name that there is not is no problem: nothing is counted for it.",
		},
		{
			http.MethodGet, "/dashboard", "getDashboard", health, optional, handle(a.dashboard),
			"Show the state in brief",
			"Numbers for a first look, and what somebody should look at: each open circuit breaker, and a success rate of less than 80 % " +
				"once there were more than 10 calls.",
		},
	}
}
