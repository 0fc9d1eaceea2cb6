package api

import (
	"net/http"

	"github.com/trysail-go/trysail"
)

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
		{
			method: http.MethodPost, path: "/circuit-breakers/{breaker_name}/force-open", id: "forceOpenCircuitBreaker", module: breakers, access: required, run: handle(a.word(command{trysail.ForcedOpen, "breaker.force_open"})),
			extension:   true,
			summary:     "Have one circuit breaker refuse every call",
			description: "It refuses every call until it is closed or reset, or until the word expires; no rule ends it.",
		},
		{
			method: http.MethodPost, path: "/circuit-breakers/{breaker_name}/disable", id: "disableCircuitBreaker", module: breakers, access: required, run: handle(a.word(command{trysail.Disabled, "breaker.disable"})),
			extension:   true,
			summary:     "Have one circuit breaker let every call through",
			description: "It lets every call through and judges none, until it is closed or reset, or until the word expires.",
		},
		{
			method: http.MethodPost, path: "/circuit-breakers/{breaker_name}/metrics-only", id: "watchCircuitBreaker", module: breakers, access: required, run: handle(a.word(command{trysail.MetricsOnly, "breaker.metrics_only"})),
			extension:   true,
			summary:     "Have one circuit breaker count only",
			description: "It lets every call through and counts what its rules would have done, until it is closed or reset, or until the word expires.",
		},
		{
			method: http.MethodPost, path: "/circuit-breakers/{breaker_name}/close", id: "closeCircuitBreaker", module: breakers, access: required, run: handle(a.closeBreaker),
			extension:   true,
			summary:     "Give one circuit breaker back to its rules",
			description: "Ends an operator's word, and an open period, with a reason that is kept. Reset does the same without one.",
		},
		{
			method: http.MethodGet, path: "/operations/{operation_name}/explain", id: "explainOperation", module: breakers, access: required, run: handle(a.explain),
			extension: true,
			summary:   "Say why calls of an operation ended as they did",
			description: "The newest decisions: why calls failed or were refused, why no further attempt was made, why the circuit breaker took its state. " +
				"Decisions of one kind that follow each other are one, with a count; successes are not among them.",
		},
	}
}
