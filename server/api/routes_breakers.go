package api

import "net/http"

func (a *API) breakerRoutes() []route {
	return []route{
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
