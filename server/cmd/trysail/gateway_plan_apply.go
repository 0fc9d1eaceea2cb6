package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/gateway"
	"github.com/trysail-go/trysail/trysailtest"
)

// An applier puts plans in force: a [gateway.Gateway].
type applier interface {
	Apply(plan gateway.Plan) error
}

// A planned is a plan with what it was made of. Its targets that are simulated have no address.
type planned struct {
	reading *reading
	plan    gateway.Plan
}

// changes lists what is other in next, keys included. There is no change without a line in it.
func (p *planned) changes(next *planned) []string {
	var lines []string
	for _, d := range config.Differences(p.reading.planInForce(&p.plan), next.reading.planInForce(&next.plan)) {
		lines = append(lines, fmt.Sprintf("%s %s -> %s", d.Name, dash(d.Old), dash(d.New)))
	}
	was, is := keysOf(&p.plan), keysOf(&next.plan)
	for _, path := range slices.Sorted(maps.Keys(is)) {
		if old, had := was[path]; had && old != is[path] {
			lines = append(lines, fmt.Sprintf("%s %s -> %s", path, aSecret, another))
		}
	}
	names := func(plan *gateway.Plan) (names []string) {
		for _, t := range plan.Targets {
			names = append(names, t.Name)
		}
		return names
	}
	if len(lines) == 0 && !slices.Equal(names(&p.plan), names(&next.plan)) {
		lines = append(lines, fmt.Sprintf("order of targets %v -> %v", names(&p.plan), names(&next.plan)))
	}
	return lines
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// plan compiles the plan of a reading for this server.
func (srv *server) plan(r *reading) (*planned, error) {
	plan, err := planOf(r, srv.listensOn(r))
	return &planned{r, plan}, err
}

// listensOn is the server's address: before it listens, the one that it will listen on.
func (srv *server) listensOn(r *reading) string {
	if srv.listener != nil {
		return srv.listener.Addr().String()
	}
	return r.settings.Addr
}

// simulate gives the targets of the simulated provider its address. It starts it when there is one for the first time.
func (srv *server) simulate(plan gateway.Plan) (gateway.Plan, error) {
	plan.Targets = slices.Clone(plan.Targets)
	for i := range plan.Targets {
		t := &plan.Targets[i]
		if !t.Simulated {
			continue
		}
		if srv.simulated == nil {
			provider, err := trysailtest.StartProvider(trysailtest.ProviderConfig{
				FaultRate: srv.settings.SimulateFaultRate, TokenDelay: srv.settings.SimulateTokenDelay,
			})
			if err != nil {
				return plan, fmt.Errorf("start the simulated provider: %w", err)
			}
			srv.simulated = provider
		}
		t.BaseURL = srv.simulated.Origin
		if t.Protocol == gateway.OpenAIProtocol {
			t.BaseURL = srv.simulated.URL
		}
	}
	return plan, nil
}

// applyPlan puts a plan in force. It is called in the reloader's turn, after the engine has taken the same configuration. Also a plan that is the same
// is applied: it may be that somebody has paid the bill of an account that the gateway has parked, and says so by a reload.
func (srv *server) applyPlan(ctx context.Context, next *planned) error {
	changes := srv.planned.changes(next)
	plan, err := srv.simulate(next.plan)
	if err == nil {
		err = srv.applier.Apply(plan)
	}
	if err != nil {
		return fmt.Errorf("the gateway's targets and routes stay as they were: %w", err)
	}
	srv.planned = next
	if len(changes) > 0 {
		srv.log.Info("gateway reloaded", "targets", len(plan.Targets), "routes", len(plan.Routes), "changes", firstLines(changes))
		srv.warnOfPlan(next)
		if told, ok := ctx.Value(gatewayKey{}).(*bool); ok {
			*told = true
		}
	}
	return nil
}

// gatewayKey is the key of a context for a *bool that is to become true if a reload changes the gateway.
type gatewayKey struct{}

// tellPlan logs where requests go.
func (srv *server) tellPlan(p *planned) {
	for i := range p.plan.Targets {
		t := &p.plan.Targets[i]
		address := t.BaseURL
		if t.Simulated && srv.simulated != nil {
			address = srv.simulated.Origin
		}
		srv.log.LogAttrs(context.Background(), slog.LevelInfo, "target", slog.String("name", t.Name), slog.String("protocol", wordOf(t.Protocol)),
			slog.String("url", address), slog.Bool("simulated", t.Simulated), slog.Int("credentials", len(t.Credentials)))
	}
	srv.warnOfPlan(p)
}

// warnOfPlan logs what is better thought over.
func (srv *server) warnOfPlan(p *planned) {
	for _, warning := range p.reading.planWarnings(&p.plan) {
		srv.log.Warn(warning.Message)
	}
}

// firstLines are the lines that a line of the log has room for.
func firstLines(lines []string) []string {
	const most = 20
	if more := len(lines) - most; more > 0 {
		return append(slices.Clone(lines[:most]), fmt.Sprintf("and %d more", more))
	}
	return lines
}

// again compiles the plan of the start once more.
func (p *planned) again(srv *server) error {
	next, err := srv.plan(p.reading)
	p.plan = next.plan
	return err
}
