package api

import "net/http"

func (a *API) breakerRoutes() []route {
	return []route{
		{
			method: http.MethodGet, path: "/circuit-breakers", id: "listCircuitBreakers", module: breakers, access: required, run: handle(a.breakers),
			summary:     "List all circuit breakers",
			description: "All circuit breakers by name, which is the name of their operation, and how many are in which state.",
		},
		{
			method: http.MethodGet, path: "/circuit-breakers/{breaker_name}", id: "getCircuitBreaker", module: breakers, access: required, run: handle(a.breaker),
			summary: "Show one circuit breaker",
			description: "State, limits, times and counters of one circuit breaker. An open one whose recovery timeout has " +
				"passed is shown as half-open, also when no call has come since.",
		},
		{
			method: http.MethodPost, path: "/circuit-breakers/{breaker_name}/reset", id: "resetCircuitBreaker", module: breakers, access: required, run: handle(a.resetBreaker),
			summary: "Close one circuit breaker by hand",
			description: "The breaker closes and forgets its failures; calls that are under way no longer count for it. " +
				"Counters stay. The answer tells the state that this very request ended, also when several come at once.",
		},
	}
}
