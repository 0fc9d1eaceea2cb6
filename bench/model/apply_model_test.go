package model_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/trysail-go/trysail"
)

// applyModel is a configuration as one would explain it: every operation is resolved anew, nothing is taken over from
// before, and two configurations are compared field by field.
type applyModel struct {
	cfg        trysail.Config
	operations []string                           // that there are
	registered map[string]trysail.OperationConfig // those of them that were registered
}

// resolved returns an orchestrator that has known no other configuration than cfg, or why there is none.
func (m *applyModel) resolved(cfg trysail.Config) (*trysail.Orchestrator, error) {
	orc, err := trysail.New(cfg)
	if err != nil {
		return nil, err
	}
	for _, name := range m.operations {
		own, ok := m.registered[name]
		if !ok {
			orc.Operation(name)
			continue
		}
		if _, err := orc.Register(name, own); err != nil {
			return nil, err
		}
	}
	return orc, nil
}

// change is what differs between two orchestrators that resolved has made.
func (m *applyModel) change(old, next *trysail.Orchestrator) (c trysail.Change) {
	was, is := old.Configuration(), next.Configuration()
	c.Fields = differing("", setting{was.DefaultStrategy, was.Default}, setting{is.DefaultStrategy, is.Default})
	if was.Disabled != is.Disabled {
		c.Fields = append(c.Fields, trysail.FieldChange{Field: "Disabled", Old: fmt.Sprint(was.Disabled), New: fmt.Sprint(is.Disabled)})
	}
	for _, name := range m.absent(was, is) {
		if a, b := was.Strategies[name], is.Strategies[name]; a != b {
			c.Fields = append(c.Fields, trysail.FieldChange{Field: "Strategies[" + name + "]", Old: string(a), New: string(b)})
		}
		a, b := was.Operations[name], is.Operations[name]
		if was.Strategies[name] != "" {
			a.Strategy = "" // it is overruled
		}
		if is.Strategies[name] != "" {
			b.Strategy = ""
		}
		c.Fields = append(c.Fields, differing(name, setting{a.Strategy, a.Policy}, setting{b.Strategy, b.Policy})...)
	}
	for _, class := range slices.Sorted(maps.Keys(is.Classes)) {
		if a, b := was.Classes[class], is.Classes[class]; a != b {
			name := fmt.Sprintf("Classes[%v]", class)
			c.Fields = append(c.Fields, trysail.FieldChange{Field: name, Old: fmt.Sprintf("%+v", a), New: fmt.Sprintf("%+v", b)})
		}
	}
	for _, name := range slices.Sorted(slices.Values(m.operations)) {
		a, b := old.Operation(name), next.Operation(name)
		fields := differing(name, setting{a.Strategy(), a.Policy()}, setting{b.Strategy(), b.Policy()})
		if c.Fields = append(c.Fields, fields...); len(fields) > 0 {
			c.Operations = append(c.Operations, name)
		}
	}
	return c
}

// absent returns the names in either configuration that no operation has.
func (m *applyModel) absent(configs ...trysail.Config) []string {
	names := map[string]bool{}
	for _, cfg := range configs {
		for name := range cfg.Strategies {
			names[name] = true
		}
		for name := range cfg.Operations {
			names[name] = true
		}
	}
	for _, name := range m.operations {
		delete(names, name)
	}
	return slices.Sorted(maps.Keys(names))
}

// A setting is what an operation is put under.
type setting struct {
	strategy trysail.Strategy
	policy   trysail.Policy
}

// differing lists the fields whose values differ, in the order of the rows.
func differing(operation string, was, is setting) (fields []trysail.FieldChange) {
	add := func(name, a, b string) {
		if a != b {
			fields = append(fields, trysail.FieldChange{Operation: operation, Field: name, Old: a, New: b})
		}
	}
	add("Strategy", string(was.strategy), string(is.strategy))
	for _, row := range rows() {
		if row.name != "Retry.Budget" {
			add(row.name, fmt.Sprint(row.value(&was.policy)), fmt.Sprint(row.value(&is.policy)))
			continue
		}
		switch a, b := was.policy.Retry.Budget, is.policy.Retry.Budget; {
		case a == b:
		case fmt.Sprint(a) == fmt.Sprint(b):
			add(row.name, "the same numbers", "a new account")
		default:
			add(row.name, fmt.Sprint(a), fmt.Sprint(b))
		}
	}
	return fields
}

// A row is a field of a policy.
type row struct {
	name  string
	value func(*trysail.Policy) any
}

// rows lists all fields of a policy in the order in which a change has them.
func rows() []row {
	all := []row{
		{"Total", func(p *trysail.Policy) any { return p.Total }},
		{"Attempt", func(p *trysail.Policy) any { return p.Attempt }},
		{"Throttle.Factor", func(p *trysail.Policy) any { return p.Throttle.Factor }},
		{"Throttle.Window", func(p *trysail.Policy) any { return p.Throttle.Window }},
		{"Throttle.MinCalls", func(p *trysail.Policy) any { return p.Throttle.MinCalls }},
		{"Throttle.MaxShare", func(p *trysail.Policy) any { return p.Throttle.MaxShare }},
		{"Throttle.Disabled", func(p *trysail.Policy) any { return p.Throttle.Disabled }},
		{"Limiter.Rate", func(p *trysail.Policy) any { return p.Limiter.Rate }},
		{"Limiter.Burst", func(p *trysail.Policy) any { return p.Limiter.Burst }},
		{"Limiter.MaxWait", func(p *trysail.Policy) any { return p.Limiter.MaxWait }},
		{"Limiter.Disabled", func(p *trysail.Policy) any { return p.Limiter.Disabled }},
		{"Bulkhead.MaxConcurrent", func(p *trysail.Policy) any { return p.Bulkhead.MaxConcurrent }},
		{"Bulkhead.MinConcurrent", func(p *trysail.Policy) any { return p.Bulkhead.MinConcurrent }},
		{"Bulkhead.Adaptive", func(p *trysail.Policy) any { return p.Bulkhead.Adaptive }},
		{"Bulkhead.MaxQueue", func(p *trysail.Policy) any { return p.Bulkhead.MaxQueue }},
		{"Bulkhead.MaxWait", func(p *trysail.Policy) any { return p.Bulkhead.MaxWait }},
		{"Bulkhead.Disabled", func(p *trysail.Policy) any { return p.Bulkhead.Disabled }},
	}
	return append(append(append(all, retryRows()...), breakerRows()...), hedgeRows()...)
}

func retryRows() []row {
	all := []row{
		{"Retry.Attempts", func(p *trysail.Policy) any { return p.Retry.Attempts }},
		{"Retry.DelayBudget", func(p *trysail.Policy) any { return p.Retry.DelayBudget }},
		{"Retry.Backoff", func(p *trysail.Policy) any { return p.Retry.Backoff }},
		{"Retry.Base", func(p *trysail.Policy) any { return p.Retry.Base }},
		{"Retry.MinDelay", func(p *trysail.Policy) any { return p.Retry.MinDelay }},
		{"Retry.MaxDelay", func(p *trysail.Policy) any { return p.Retry.MaxDelay }},
		{"Retry.Jitter", func(p *trysail.Policy) any { return p.Retry.Jitter }},
		{"Retry.NoJitter", func(p *trysail.Policy) any { return p.Retry.NoJitter }},
	}
	for i := range (trysail.RetryPolicy{}).Classes {
		name := fmt.Sprintf("Retry.Classes[%v]", trysail.Class(i))
		all = append(all,
			row{name + ".Attempts", func(p *trysail.Policy) any { return p.Retry.Classes[i].Attempts }},
			row{name + ".Base", func(p *trysail.Policy) any { return p.Retry.Classes[i].Base }})
	}
	return append(all,
		row{"Retry.Budget", func(p *trysail.Policy) any { return p.Retry.Budget }},
		row{"Retry.Cost", func(p *trysail.Policy) any { return p.Retry.Cost }},
		row{"Retry.Disabled", func(p *trysail.Policy) any { return p.Retry.Disabled }})
}

func breakerRows() []row {
	return []row{
		{"Breaker.FailureThreshold", func(p *trysail.Policy) any { return p.Breaker.FailureThreshold }},
		{"Breaker.RecoveryTimeout", func(p *trysail.Policy) any { return p.Breaker.RecoveryTimeout }},
		{"Breaker.HalfOpenMaxCalls", func(p *trysail.Policy) any { return p.Breaker.HalfOpenMaxCalls }},
		{"Breaker.ProbeTimeout", func(p *trysail.Policy) any { return p.Breaker.ProbeTimeout }},
		{"Breaker.FailureRate", func(p *trysail.Policy) any { return p.Breaker.FailureRate }},
		{"Breaker.SlowRate", func(p *trysail.Policy) any { return p.Breaker.SlowRate }},
		{"Breaker.SlowFails", func(p *trysail.Policy) any { return p.Breaker.SlowFails }},
		{"Breaker.SlowCall", func(p *trysail.Policy) any { return p.Breaker.SlowCall }},
		{"Breaker.Window", func(p *trysail.Policy) any { return p.Breaker.Window }},
		{"Breaker.WindowCalls", func(p *trysail.Policy) any { return p.Breaker.WindowCalls }},
		{"Breaker.MinCalls", func(p *trysail.Policy) any { return p.Breaker.MinCalls }},
		{"Breaker.RatesOnly", func(p *trysail.Policy) any { return p.Breaker.RatesOnly }},
		{"Breaker.MaxRecovery", func(p *trysail.Policy) any { return p.Breaker.MaxRecovery }},
		{"Breaker.RecoveryJitter", func(p *trysail.Policy) any { return p.Breaker.RecoveryJitter }},
		{"Breaker.HonorRetryAfter", func(p *trysail.Policy) any { return p.Breaker.HonorRetryAfter }},
		{"Breaker.RampUp", func(p *trysail.Policy) any { return p.Breaker.RampUp }},
		{"Breaker.Enforce", func(p *trysail.Policy) any { return p.Breaker.Enforce }},
		{"Breaker.Disabled", func(p *trysail.Policy) any { return p.Breaker.Disabled }},
	}
}

func hedgeRows() []row {
	return []row{
		{"Hedge.After", func(p *trysail.Policy) any { return p.Hedge.After }},
		{"Hedge.Percentile", func(p *trysail.Policy) any { return p.Hedge.Percentile }},
		{"Hedge.Max", func(p *trysail.Policy) any { return p.Hedge.Max }},
		{"Hedge.Disabled", func(p *trysail.Policy) any { return p.Hedge.Disabled }},
	}
}
