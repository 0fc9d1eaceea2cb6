package api

import (
	"net/http"

	"github.com/trysail-go/trysail"
)

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
		{
			http.MethodPost, "/circuit-breakers/{breaker_name}/force-open", "forceOpenCircuitBreaker", breakers, required,
			extension(handle(a.word(command{trysail.ForcedOpen, (*trysail.Breaker).ForceOpen}))),
			"Have one circuit breaker refuse every call",
			"It refuses every call until it is closed or reset, or until the word expires; no rule ends it.",
		},
		{
			http.MethodPost, "/circuit-breakers/{breaker_name}/disable", "disableCircuitBreaker", breakers, required,
			extension(handle(a.word(command{trysail.Disabled, (*trysail.Breaker).Disable}))),
			"Have one circuit breaker let every call through",
			"It lets every call through and judges none, until it is closed or reset, or until the word expires.",
		},
		{
			http.MethodPost, "/circuit-breakers/{breaker_name}/metrics-only", "watchCircuitBreaker", breakers, required,
			extension(handle(a.word(command{trysail.MetricsOnly, (*trysail.Breaker).MetricsOnly}))),
			"Have one circuit breaker count only",
			"It lets every call through and counts what its rules would have done, until it is closed or reset, or until the word expires.",
		},
		{
			http.MethodPost, "/circuit-breakers/{breaker_name}/close", "closeCircuitBreaker", breakers, required, extension(handle(a.closeBreaker)),
			"Give one circuit breaker back to its rules",
			"Ends an operator's word, and an open period, with a reason that is kept. Reset does the same without one.",
		},
		{
			http.MethodGet, "/operations/{operation_name}/explain", "explainOperation", breakers, required, extension(handle(a.explain)),
			"Say why calls of an operation ended as they did",
			"The newest decisions: why calls failed or were refused, why no further attempt was made, why the circuit breaker took its state. " +
				"Decisions of one kind that follow each other are one, with a count; successes are not among them.",
		},
	}
}
