package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// MissingHeader is in the list of all models: the targets whose models are not in it, because they did not tell them.
const MissingHeader = "X-Trysail-Missing-Targets"

// modelsPath returns where a protocol lists its models.
func modelsPath(p Protocol) string {
	if p == GeminiProtocol {
		return "/v1beta/models"
	}
	return "/v1/models"
}

// askedModel returns the model that a request asks about, and whether it asks for models at all; with a blank name it wants the list of all.
func askedModel(r *http.Request, p Protocol) (name string, asks bool) {
	rest, ok := strings.CutPrefix(r.URL.Path, modelsPath(p))
	if r.Method != http.MethodGet || !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return strings.TrimPrefix(rest, "/"), true
}

// catalogue answers a request for the list of models, and leads one for a single model to the target that has it. It reports whether it has
// answered. Where there is one target that calls its models as clients do, there is nothing to merge, and the request goes its way.
func (g *Gateway) catalogue(e *exchange) bool {
	name, asks := askedModel(e.client, e.protocol)
	if !asks {
		return false
	}
	targets := e.plan.lists(e)
	if len(targets) == 0 || len(targets) == 1 && len(targets[0].Models) == 0 && !targets[0].Only {
		return false
	}
	ctx, cancel := context.WithDeadlineCause(e.client.Context(), e.started.Add(min(e.control.limit(e.route, &g.limits), modelsLimit)), errTotal)
	defer cancel()
	offers := g.offers(ctx, e, targets)
	if name == "" {
		e.listModels(targets, offers)
		return true
	}
	for i, o := range offers {
		if o.has(name) {
			e.route = e.route.to(targets[i])
			return false
		}
	}
	return false // the providers themselves say that they do not have it
}

// lists returns the targets whose models the client is told.
func (s *snapshot) lists(e *exchange) (targets []*target) {
	for _, t := range s.targets {
		if t.Protocol == e.protocol && !t.out() && (e.asker == nil || e.asker.targets == nil || e.asker.targets[t.Name]) {
			targets = append(targets, t)
		}
	}
	return targets
}

// to returns the route with one target alone.
func (r *route) to(t *target) *route {
	narrowed := *r
	narrowed.places = []place{{target: t, weight: 1}}
	return &narrowed
}

// An offer is what a target has for clients, under the names that they use.
type offer struct {
	models []listed
	err    error // why it is not known
}

func (o offer) has(name string) bool {
	for _, m := range o.models {
		if m.name == name {
			return true
		}
	}
	return false
}

// offers asks all targets at the same time.
func (g *Gateway) offers(ctx context.Context, e *exchange, targets []*target) []offer {
	offers := make([]offer, len(targets))
	var all sync.WaitGroup
	for i, t := range targets {
		all.Go(func() {
			models, err := g.modelsOf(ctx, e, t)
			offers[i] = offer{t.offered(models), err}
			if err != nil {
				offers[i].models = nil
			}
		})
	}
	all.Wait()
	return offers
}

// listModels sends the list of all models, each name once: that of the first target that has it.
func (e *exchange) listModels(targets []*target, offers []offer) {
	var all []listed
	var missing []string
	seen := map[string]bool{}
	for i, o := range offers {
		if o.err != nil {
			missing = append(missing, targets[i].Name)
			e.gateway.log.Warn("list of models", "request_id", e.id, "target", targets[i].Name, "error", clip(reason(o.err)))
		}
		for _, m := range o.models {
			if !seen[m.name] {
				seen[m.name] = true
				all = append(all, m)
			}
		}
	}
	if len(missing) > 0 {
		e.w.Header().Set(MissingHeader, strings.Join(missing, ", "))
	}
	if len(missing) == len(targets) {
		e.refuse(&fault{
			status: http.StatusServiceUnavailable, kind: "server_error", code: "models_unavailable", retryAfter: modelsPause,
			message: fmt.Sprintf("No target told its models: %s.", strings.Join(missing, ", ")),
		})
		return
	}
	e.w.Header().Set("Content-Type", "application/json")
	e.write(http.StatusOK, listOf(e.protocol, all))
}

const (
	modelsLimit = 3 * time.Second  // how long a target may take to list its models
	modelsFresh = time.Minute      // how long a list is used without asking again
	modelsStale = 10 * time.Minute // how long it is used while nobody answers who is asked again
	modelsPause = 10 * time.Second // after a failure
)
