package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Gateway is what the API shows and controls of a gateway: [Config].Gateway. It is used by several goroutines at once, and must not wait.
type Gateway interface {
	// Usage returns what has been used.
	Usage() GatewayUsage

	// Targets says how the targets stand, in the order of the plan.
	Targets() []GatewayTarget

	// Drain takes a target out of the choice for new calls, or puts it back. It reports whether it was out by such a word before, and whether there is a
	// target of that name.
	Drain(target string, drained bool) (was, known bool)
}

// GatewayUsage is what has been used through a gateway.
type GatewayUsage struct {
	Since                        time.Time
	Targets, Operations, Clients map[string]GatewayCounts // by their names
}

// GatewayCounts are what has been used under one name.
type GatewayCounts struct{ All, Today GatewayCount }

// A GatewayCount sums up requests and what they have used. Cached tokens are among those of the input.
type GatewayCount struct {
	Requests, Attempts, Estimated uint64
	Input, Cached, Output         int64
	Dollars                       float64
}

// A GatewayTarget says how a target of a gateway stands. It holds no key. Times are zero, and limits 0, where there are none.
type GatewayTarget struct {
	Name, Protocol, Region string

	State, Reason string    // of its circuit breaker; empty if it has none
	OpenUntil     time.Time // when that tries again

	Draining, Drained bool // by the plan; by an operator
	Calls             int64
	Accounts          []GatewayAccount

	RequestLimit, RequestsLeft float64 // a minute; free now
	TokenLimit, TokensLeft     float64 // a minute; free now
	DollarLimit, DollarsLeft   float64 // a day
	DollarsSpent, DollarsHeld  float64 // of today
	MoneyBack                  time.Time
	Exhausted                  time.Time // until when the provider says that its quota is used up
}

// A GatewayAccount says how a credential of a target stands.
type GatewayAccount struct {
	Name           string
	Closed, Parked time.Time // until when; zero if that is not so
	Reason         string    // why it is parked
}

// The verbs of the audit log about the gateway.
const (
	auditDrain   = "target.drain"
	auditUndrain = "target.undrain"
)

func (a *API) gatewayUsage(context.Context, *nothing) (*gatewayUsageView, error) {
	now, u := time.Now(), a.gateway.Usage()
	return &gatewayUsageView{
		Since: instant(u.Since), Day: now.UTC().Format(time.DateOnly), Timestamp: instant(now),
		Targets: countsOf(u.Targets), Operations: countsOf(u.Operations), Clients: countsOf(u.Clients),
	}, nil
}

func (a *API) gatewayTargets(context.Context, *nothing) (*gatewayTargetsView, error) {
	out := gatewayTargetsView{Targets: []gatewayTargetView{}, Timestamp: instant(time.Now())}
	for _, t := range a.gateway.Targets() {
		out.Targets = append(out.Targets, viewOfTarget(&t))
	}
	return &out, nil
}

// A drainInput is an operator's word about a target.
type drainInput struct {
	Name pathName `path:"target_name" doc:"The target's name." example:"openai"`
	Body struct {
		Reason reasonText `json:"reason" doc:"Why, for those who look later." example:"maintenance of the provider"`
	}
}

// drain returns the operation that takes a target out of the choice, or puts it back.
func (a *API) drain(drained bool) func(context.Context, *drainInput) (*drainView, error) {
	return func(ctx context.Context, in *drainInput) (*drainView, error) {
		name, what, done := string(in.Name), auditUndrain, "gets calls again"
		if drained {
			what, done = auditDrain, "gets no new calls now"
		}
		if t := a.target(name); t != nil && t.Draining && !drained {
			return nil, &problemError{Problem{Status: http.StatusConflict, Detail: fmt.Sprintf(
				"Target '%s' is drained by the configuration (draining: true), which goes before: change it there", name)}}
		}
		was, known := a.gateway.Drain(name, drained)
		if !known {
			return nil, a.noTarget(name)
		}
		now, who := time.Now(), callerOf(ctx)
		if was != drained {
			a.audit(ctx, change{what: what, target: name, before: drainState{Drained: was}, after: drainState{drained, string(in.Body.Reason)}})
		}
		a.log.InfoContext(ctx, "target set by hand", "target", name, "drained", drained, "was_drained", was, "reason", string(in.Body.Reason),
			"remote_addr", who.addr, "request_id", who.requestID)
		return &drainView{
			Message: fmt.Sprintf("Target '%s' %s", name, done), Name: name, Previous: was, Drained: drained,
			Reason: string(in.Body.Reason), Author: hostOf(ctx), ChangedAt: instant(now),
		}, nil
	}
}

// A drainState is what the audit log has of a target.
type drainState struct {
	Drained bool   `json:"drained"`
	Reason  string `json:"reason,omitempty"`
}

func (a *API) target(name string) *GatewayTarget {
	all := a.gateway.Targets()
	i := slices.IndexFunc(all, func(t GatewayTarget) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return &all[i]
}

func (a *API) noTarget(name string) error {
	known := []string{}
	for _, t := range a.gateway.Targets() {
		known = append(known, t.Name)
	}
	slices.SortFunc(known, strings.Compare)
	return &missingError{kind: "Target", param: "target_name", name: name, known: known}
}
