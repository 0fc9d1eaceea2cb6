package main

import (
	"errors"

	"github.com/trysail-go/trysail/server/gateway"
)

// newGateway makes a gateway that goes by a plan.
func newGateway(cfg gateway.Config, plan gateway.Plan) (*gateway.Gateway, error) {
	for i := range plan.Targets {
		t := &plan.Targets[i]
		if t.Protocol != gateway.OpenAIProtocol {
			continue
		}
		cfg.BaseURL, cfg.Simulated = t.BaseURL, t.Simulated
		if len(t.Credentials) > 0 {
			cfg.APIKey = t.Credentials[0].Key
		}
		return gateway.New(cfg)
	}
	return nil, errors.New("there is no target that speaks openai")
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
