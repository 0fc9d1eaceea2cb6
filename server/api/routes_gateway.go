package api

import "net/http"

// gatewayRoutes are there only where there is a gateway.
func (a *API) gatewayRoutes() []route {
	if a.gateway == nil {
		return nil
	}
	return []route{
		{
			method: http.MethodGet, path: "/gateway/usage", id: "getGatewayUsage", module: gateways, access: required, run: handle(a.gatewayUsage),
			extension: true,
			summary:   "Say what was used through the gateway",
			description: "Requests, attempts, tokens and dollars of every target, every operation and every key of a client, since the start and today. " +
				"A request counts when it has ended.",
		},
		{
			method: http.MethodGet, path: "/gateway/targets", id: "listGatewayTargets", module: gateways, access: required, run: handle(a.gatewayTargets),
			extension:   true,
			summary:     "Say how the gateway's targets stand",
			description: "Circuit breaker, accounts that are parked or closed, draining, calls under way, and what is left of requests, tokens and dollars. Never a key.",
		},
		{
			method: http.MethodPost, path: "/gateway/targets/{target_name}/drain", id: "drainGatewayTarget", module: gateways, access: required, run: handle(a.drain(true)),
			extension:   true,
			summary:     "Have one target get no new calls",
			description: "Calls under way finish. It holds over reloads, until it is taken back or the program ends; the configuration's draining holds longer.",
		},
		{
			method: http.MethodPost, path: "/gateway/targets/{target_name}/undrain", id: "undrainGatewayTarget", module: gateways, access: required, run: handle(a.drain(false)),
			extension:   true,
			further:     []int{http.StatusConflict},
			summary:     "Have one target get calls again",
			description: "Takes an operator's word back. What the configuration drains stays so; then the answer is a 409.",
		},
	}
}
