package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/trysail-go/trysail"
)

// keptConfig is a [trysail.Config] outside of the process. Policies have the names of Go's fields and lack those that are zero;
// words such as classes are numbers. Who renames or renumbers one of them raises keptFormat.
type keptConfig struct {
	Preset          string                                `json:"preset"`
	DefaultStrategy trysail.Strategy                      `json:"default_strategy"`
	Default         keptPolicy                            `json:"default"`
	Strategies      map[string]trysail.Strategy           `json:"strategies,omitempty"`
	Operations      map[string]keptOperation              `json:"operations,omitempty"`
	Classes         map[trysail.Class]trysail.Consequence `json:"classes,omitempty"`
	Disabled        bool                                  `json:"disabled,omitempty"`
	ObserveCalls    bool                                  `json:"observe_calls,omitempty"`

	// Budgets are the retry budgets, which policies name by their places here, from 1.
	Budgets []trysail.RetryBudgetConfig `json:"budgets,omitempty"`
}

type keptOperation struct {
	Strategy trysail.Strategy `json:"strategy,omitempty"`
	Policy   keptPolicy       `json:"policy"`
}

type keptPolicy struct {
	Numbers json.RawMessage `json:"numbers"`
	Budget  int             `json:"budget,omitempty"`
}

// keepConfig takes a configuration apart. Its observer stays behind.
func keepConfig(cfg *trysail.Config) (keptConfig, error) {
	kept := keptConfig{
		Preset: cfg.Preset, DefaultStrategy: cfg.DefaultStrategy, Strategies: cfg.Strategies, Classes: cfg.Classes,
		Disabled: cfg.Disabled, ObserveCalls: cfg.ObserveCalls,
	}
	var budgets []*trysail.RetryBudget
	var err error
	if kept.Default, err = keepPolicy(cfg.Default, &budgets); err != nil {
		return keptConfig{}, err
	}
	if len(cfg.Operations) > 0 {
		kept.Operations = make(map[string]keptOperation, len(cfg.Operations))
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Operations)) {
		own := cfg.Operations[name]
		policy, err := keepPolicy(own.Policy, &budgets)
		if err != nil {
			return keptConfig{}, err
		}
		kept.Operations[name] = keptOperation{own.Strategy, policy}
	}
	for _, budget := range budgets {
		kept.Budgets = append(kept.Budgets, budget.Config())
	}
	return kept, nil
}

func keepPolicy(p trysail.Policy, budgets *[]*trysail.RetryBudget) (keptPolicy, error) {
	var kept keptPolicy
	if budget := p.Retry.Budget; budget != nil {
		if !slices.Contains(*budgets, budget) {
			*budgets = append(*budgets, budget)
		}
		kept.Budget = slices.Index(*budgets, budget) + 1
		p.Retry.Budget = nil
	}
	full, err := json.Marshal(p)
	if err != nil {
		return keptPolicy{}, err
	}
	kept.Numbers, err = withoutZeros(full)
	return kept, err
}

// withoutZeros leaves out of an object what is zero: of the 60 numbers of a policy an operation has a few.
func withoutZeros(object []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber() // a float would round what is long
	var full map[string]any
	if err := d.Decode(&full); err != nil {
		return nil, err
	}
	dropZeros(full)
	return json.Marshal(full)
}

func dropZeros(fields map[string]any) {
	for name, value := range fields {
		if zero(value) {
			delete(fields, name)
		}
	}
}

// zero reports whether a value decodes to the zero of its type, after the zeros in it are gone. Rows of a list stay where they are.
func zero(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		dropZeros(value)
		return len(value) == 0
	case []any:
		all := true
		for _, row := range value {
			all = zero(row) && all
		}
		return all
	case json.Number:
		return value == "0"
	default:
		return value == nil || value == false || value == ""
	}
}

// config puts a configuration together again.
func (k *keptConfig) config() (trysail.Config, error) {
	cfg := trysail.Config{
		Preset: k.Preset, DefaultStrategy: k.DefaultStrategy, Strategies: k.Strategies, Classes: k.Classes,
		Disabled: k.Disabled, ObserveCalls: k.ObserveCalls,
	}
	budgets := make([]*trysail.RetryBudget, len(k.Budgets))
	for i, numbers := range k.Budgets {
		budget, err := trysail.NewRetryBudget(numbers)
		if err != nil {
			return trysail.Config{}, err
		}
		budgets[i] = budget
	}
	var err error
	if cfg.Default, err = k.Default.policy(budgets); err != nil {
		return trysail.Config{}, fmt.Errorf("default policy: %w", err)
	}
	if len(k.Operations) > 0 {
		cfg.Operations = make(map[string]trysail.OperationConfig, len(k.Operations))
	}
	for name, own := range k.Operations {
		policy, err := own.Policy.policy(budgets)
		if err != nil {
			return trysail.Config{}, fmt.Errorf("policy of operation %q: %w", short(name), err)
		}
		cfg.Operations[name] = trysail.OperationConfig{Strategy: own.Strategy, Policy: policy}
	}
	return cfg, nil
}

func (k *keptPolicy) policy(budgets []*trysail.RetryBudget) (p trysail.Policy, err error) {
	d := json.NewDecoder(bytes.NewReader(k.Numbers))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return trysail.Policy{}, err
	}
	switch {
	case p.Retry.Budget != nil:
		return trysail.Policy{}, fmt.Errorf("it holds a retry budget itself, want its place in the list")
	case k.Budget < 0 || k.Budget > len(budgets):
		return trysail.Policy{}, fmt.Errorf("its retry budget is number %d, want 0 to %d", k.Budget, len(budgets))
	case k.Budget > 0:
		p.Retry.Budget = budgets[k.Budget-1]
	}
	return p, nil
}

// adoptBudgets has cfg use the budgets that another configuration uses at the same places with the same numbers: those are the
// ones in use, and not full.
func adoptBudgets(cfg, inUse *trysail.Config) {
	known := map[*trysail.RetryBudget]*trysail.RetryBudget{}
	learn := func(own, other *trysail.Policy) {
		was, is := own.Retry.Budget, other.Retry.Budget
		if was != nil && is != nil && known[was] == nil && was.Config() == is.Config() {
			known[was] = is
		}
	}
	learn(&cfg.Default, &inUse.Default)
	for name, own := range cfg.Operations {
		other := inUse.Operations[name]
		learn(&own.Policy, &other.Policy)
	}
	if is := known[cfg.Default.Retry.Budget]; is != nil {
		cfg.Default.Retry.Budget = is
	}
	operations := cfg.Operations
	cfg.Operations = maps.Clone(operations) // it may be the document's, too
	for name, own := range operations {
		if is := known[own.Policy.Retry.Budget]; is != nil {
			own.Policy.Retry.Budget = is
			cfg.Operations[name] = own
		}
	}
}
