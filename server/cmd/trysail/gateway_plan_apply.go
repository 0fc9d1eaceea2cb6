package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/gateway"
	"github.com/trysail-go/trysail/trysailtest"
)

// An applier puts plans in force: a [gateway.Gateway].
type applier interface {
	Apply(plan gateway.Plan) error
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

// also puts a plan in force. It is called in the reloader's turn, after the engine has taken the same configuration. Also a plan that is the same
// is applied: it may be that somebody has paid the bill of an account that the gateway has parked, and says so by a reload.
func (srv *server) also(_ context.Context, companion config.Companion) error {
	next, ok := companion.(*planned)
	if !ok {
		return fmt.Errorf("a plan is wanted, not a %T", companion) // a bug of ours
	}
	changes := changeLines(next.Since(srv.planned))
	plan, err := srv.simulate(next.plan)
	if err == nil {
		err = srv.applier.Apply(plan)
	}
	if err != nil {
		return fmt.Errorf("the gateway's targets, routes and keys stay as they were: %w", err)
	}
	srv.planned = next
	if len(changes) > 0 {
		srv.log.Info("gateway reloaded", "targets", len(plan.Targets), "routes", len(plan.Routes), "keys", len(plan.Keys), "changes", firstLines(changes))
		srv.warnOfPlan(next)
	}
	return nil
}

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
	for _, warning := range p.warnings {
		srv.log.Warn(warning)
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

// changeLines are the lines of the log about changes.
func changeLines(changes []config.Difference) (lines []string) {
	for _, d := range changes {
		lines = append(lines, fmt.Sprintf("%s %s -> %s", d.Name, cmp.Or(d.Old, "-"), cmp.Or(d.New, "-")))
	}
	return lines
}
