package gateway

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"strings"
)

// admit finds out who asks, and refuses who may not.
func (g *Gateway) admit(e *exchange, r *http.Request) *fault {
	if clients := e.plan.clients; len(clients) > 0 {
		if e.asker = clientOf(clients, r); e.asker != nil {
			return nil
		}
	}
	access := g.access(r)
	switch {
	case access.Denied == "" && (access.Trusted || len(e.plan.clients) == 0):
		return nil
	case access.Denied == "":
		access.Denied = "API key required: send one of this gateway's keys where your SDK puts its key, or as " + KeyHeader + "."
	}
	if g.wrongKey != nil && keyed(r) {
		if wait := g.wrongKey(r); wait > 0 {
			return &fault{
				status: http.StatusTooManyRequests, kind: "rate_limit_error", code: "too_many_wrong_keys", retryAfter: wait, final: true,
				message: "Too many wrong API keys have come from this address. A good one is let in at once.",
			}
		}
	}
	return &fault{status: http.StatusUnauthorized, kind: "authentication_error", code: "invalid_api_key", message: access.Denied}
}

// keyed reports whether a request carries a key, good or not.
func keyed(r *http.Request) bool {
	return keysOf(r) != [4]string{}
}

// clientOf returns the client whose key a request carries, or nil.
func clientOf(clients map[keyHash]*client, r *http.Request) *client {
	for _, key := range keysOf(r) {
		if key == "" {
			continue
		}
		if c := clients[HashKey(key)]; c != nil {
			return c
		}
	}
	return nil
}

// keysOf returns what stands in the places where a request may have a key. That of KeyHeader is the only one that counts where there is one.
func keysOf(r *http.Request) (keys [4]string) {
	h := r.Header
	if values := h[KeyHeader]; values != nil {
		keys[0] = strings.TrimSpace(values[0])
		return keys
	}
	_, bearer, _ := strings.Cut(strings.TrimSpace(h.Get("Authorization")), " ")
	keys = [...]string{bearer, h.Get("X-Api-Key"), h.Get("X-Goog-Api-Key"), ""}
	if r.URL.RawQuery != "" {
		keys[3] = r.URL.Query().Get("key")
	}
	for i := range keys {
		keys[i] = strings.TrimSpace(keys[i])
	}
	return keys
}

// permit refuses what the client may not do, and narrows the route to the targets that may serve it.
func (e *exchange) permit(operation string) *fault {
	c := e.asker
	if c == nil {
		return nil
	}
	if !c.mayRun(operation) {
		return c.forbids("operation_not_allowed", fmt.Sprintf("the operation %q", clip(operation)))
	}
	if c.routes != nil && !c.routes[e.route.Name] {
		return c.forbids("route_not_allowed", "the route of this request")
	}
	if c.targets != nil {
		narrowed := *e.route
		narrowed.places = nil
		for _, p := range e.route.places {
			if c.targets[p.target.Name] {
				narrowed.places = append(narrowed.places, p)
			}
		}
		if e.route = &narrowed; len(narrowed.places) == 0 {
			return c.forbids("target_not_allowed", "any target of this request's route")
		}
	}
	e.control.priority = max(e.control.priority, c.Ceiling) // the less urgent, the higher
	return nil
}

func (c *client) mayRun(operation string) bool {
	for _, p := range c.operations {
		if p.matches(operation) {
			return true
		}
	}
	return len(c.operations) == 0
}

func (c *client) forbids(code, what string) *fault {
	return &fault{
		status: http.StatusForbidden, kind: "permission_error", code: code, final: true,
		message: fmt.Sprintf("The key %q may not use %s.", c.Name, what),
	}
}

// owns reports whether a text is a key of this server, or one that clients have or had.
func (g *Gateway) owns(text string) bool {
	if g.ownKey != nil && g.ownKey(text) {
		return true
	}
	issued := g.issued.Load()
	return issued != nil && (*issued)[sha256.Sum256([]byte(text))]
}

// keyless reports whether there is no key that must be kept from providers.
func (g *Gateway) keyless() bool { return g.ownKey == nil && g.issued.Load() == nil }

// mostIssued is how many keys of former plans are remembered.
const mostIssued = 100_000

// issue notes the keys of a plan. Those of plans before it are still no provider's business: calls under way carry them, and clients that have not heard.
func (g *Gateway) issue(next *snapshot) {
	before := g.issued.Load()
	if len(next.clients) == 0 {
		return
	}
	all := map[keyHash]bool{}
	if before != nil && len(*before) < mostIssued {
		all = maps.Clone(*before)
	} else if now := g.plan.Load(); now != nil {
		for hash := range now.clients {
			all[hash] = true
		}
	}
	for hash := range next.clients {
		all[hash] = true
	}
	g.issued.Store(&all)
}

// Keyed reports whether the plan in force has keys of clients. Then every request that is not [Access].Trusted needs one.
func (g *Gateway) Keyed() bool { return len(g.plan.Load().clients) > 0 }
