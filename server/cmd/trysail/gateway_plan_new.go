package main

import (
	"cmp"
	"errors"
	"slices"

	"github.com/trysail-go/trysail/server/gateway"
)

// newGateway makes a gateway that goes by the first target of a plan, if there is one of those that speaks OpenAI's protocol.
func newGateway(cfg gateway.Config, plan gateway.Plan) (*gateway.Gateway, error) {
	first := &plan.Targets[max(0, slices.IndexFunc(plan.Targets, func(t gateway.Target) bool { return t.Protocol == gateway.OpenAIProtocol }))]
	cfg.BaseURL, cfg.Simulated = cmp.Or(first.BaseURL, gateway.OpenAI), first.Simulated
	if len(first.Credentials) > 0 {
		cfg.APIKey = first.Credentials[0].Key
	}
	return gateway.New(cfg)
}

// applierOf returns what puts another plan in force.
func applierOf(gw *gateway.Gateway) applier {
	if a, ok := any(gw).(applier); ok {
		return a
	}
	return unappliable{}
}

// unappliable is a gateway that cannot change.
type unappliable struct{}

func (unappliable) Apply(gateway.Plan) error {
	return errors.New("this gateway takes other targets only at its start")
}
