package api

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

func (a *API) config(context.Context, *nothing) (*configView, error) {
	cfg, out := a.orc.Configuration(), configView{Source: "program", Warnings: []string{}}
	if a.reloader != nil {
		// The numbers are those of the version, not of the orchestrator, which a reload may be about to change.
		v := a.reloader.Current()
		loaded, at := &v.Loaded, instant(v.Time)
		cfg = loaded.Trysail
		out.PresetName, out.Legacy, out.Custom = loaded.Preset.Key, loaded.Legacy, viewOfCustom(loaded.Custom)
		out.Source, out.Version, out.LoadedAt, out.Warnings = loaded.Kind(), v.Number, &at, listOf(loaded.Warnings)
	} else {
		out.PresetName = cfg.Preset
	}
	plan, err := planOf(cfg)
	if err != nil {
		return nil, err
	}
	whole := plan.Configuration()
	out.Configuration, out.Enabled = viewOfDefault(&whole), !whole.Disabled
	out.Strategies, out.Operations = map[string]string{}, map[string]policyView{}
	for _, name := range a.plannedNames(&whole) {
		op, ok := a.orc.Lookup(name)
		if !ok {
			op = plan.Operation(name) // what it would be: asking creates none in the orchestrator itself
		}
		policy := op.Policy()
		out.Strategies[name] = string(op.Strategy())
		out.Operations[name] = viewOfPolicy(op.Strategy(), &policy, whole.Disabled)
	}
	out.ByStrategy = map[string]policyView{}
	for _, strategy := range trysail.Strategies() {
		policy := strategy.Policy()
		if strategy == whole.DefaultStrategy {
			policy = whole.Default
		}
		out.ByStrategy[string(strategy)] = viewOfPolicy(strategy, &policy, whole.Disabled)
	}
	return &out, nil
}

// planOf returns an orchestrator that nobody calls: it knows what a configuration comes to, with every default filled in.
func planOf(cfg trysail.Config) (*trysail.Orchestrator, error) {
	cfg.Observer = nil
	plan, err := trysail.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("read the configuration in force: %w", err)
	}
	return plan, nil
}

// plannedNames are the operations that there are, that are configured, and that every preset knows.
func (a *API) plannedNames(cfg *trysail.Config) []string {
	names := slices.Concat(
		a.operationNames(),
		slices.Collect(maps.Values(config.Aliases())),
		slices.Collect(maps.Keys(cfg.Strategies)),
		slices.Collect(maps.Keys(cfg.Operations)),
	)
	slices.Sort(names)
	return slices.Compact(names)
}
