package config

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/trysail-go/trysail"
)

// Said is what others than the preset say about the strategy of an operation. Its zero value is nothing.
type Said struct {
	Code       trysail.Strategy // of the code that makes the call
	Custom     Custom           // of the operator: RESILIENCE_CUSTOM_CONFIG, a file, the API
	Legacy     Custom           // of the variables of old
	Registered trysail.Strategy // of the program, when it registered the operation
}

// By says who decided on a strategy.
type By string

// Those who may decide, the strongest first.
const (
	ByCode         By = "code"
	ByCustom       By = "custom"     // operation_overrides of the operator
	ByLegacy       By = "legacy"     // a variable of old for this operation
	ByPreset       By = "preset"     // operation_overrides of the preset
	ByRegistration By = "registered" // the program
	ByDefault      By = "default"    // the default strategy of the operator, else of the variables of old, else of the preset
)

// A Resolution is what an operation does, and why.
type Resolution struct {
	Strategy trysail.Strategy
	By       By

	// Policy holds the numbers: those of the preset, the variables of old and the operator where Strategy is the
	// default strategy, otherwise those of Strategy's own table. A policy given to [trysail.Orchestrator.Register] goes on top.
	Policy trysail.Policy
}

// Resolve returns what an operation does under the preset, by its short or long name, which are case-sensitive. It agrees with what
// [trysail.Orchestrator] does with the configuration that [Preset.With] makes. An error names every strategy that there is not.
func (p Preset) Resolve(operation string, said Said) (Resolution, error) {
	custom := said.Custom.Over(said.Legacy)
	fallback := trysail.Balanced
	if p.DefaultStrategy != "" {
		fallback = p.DefaultStrategy
	}
	if custom.DefaultStrategy != nil {
		fallback = *custom.DefaultStrategy
	}
	r := Resolution{Strategy: fallback, By: ByDefault}
	for _, step := range []struct {
		by       By
		strategy trysail.Strategy
	}{
		{ByCode, said.Code},
		{ByCustom, strategyOf(said.Custom.OperationOverrides, operation)},
		{ByLegacy, strategyOf(said.Legacy.OperationOverrides, operation)},
		{ByPreset, strategyOf(p.OperationOverrides, operation)},
		{ByRegistration, said.Registered},
	} {
		if step.strategy != "" {
			r.Strategy, r.By = step.strategy, step.by
			break
		}
	}
	r.Policy = r.Strategy.Policy()
	if r.Strategy == fallback {
		r.Policy = p.With(custom).Default
	}
	return r, knownStrategies(operation, r.Strategy, fallback, cmp.Or(said.Registered, fallback))
}

// Resolve is [Preset.Resolve] for the preset with that key.
func (m *Manager) Resolve(key, operation string, said Said) (Resolution, error) {
	entry, err := m.Lookup(key)
	if err != nil {
		return Resolution{}, err
	}
	return entry.preset.Resolve(operation, said)
}

// strategyOf returns what overrides say about an operation under either of its names.
func strategyOf(overrides map[string]trysail.Strategy, operation string) trysail.Strategy {
	if s, ok := overrides[operation]; ok {
		return s
	}
	return overrides[otherName(operation)]
}

func knownStrategies(operation string, used ...trysail.Strategy) error {
	var errs []error
	for i, s := range used {
		if _, err := trysail.ParseStrategy(string(s)); err != nil && (i == 0 || s != used[i-1]) {
			errs = append(errs, fmt.Errorf("operation %s: %w", quote(operation), err))
		}
	}
	return errors.Join(errs...)
}
