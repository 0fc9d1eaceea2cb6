package model_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trysail-go/trysail"
)

// applyMachine drives an orchestrator and the model through the same configurations.
type applyMachine struct {
	model   applyModel
	orc     *trysail.Orchestrator
	budgets []*trysail.RetryBudget
}

// names are those that configurations have. Of the last one there never is an operation.
func names() []string { return []string{"chat", "qa", "list", "embed", "later"} }

func TestApplyAgreesWithModel(t *testing.T) {
	play(t, func(t *rapid.T) {
		m := &applyMachine{model: applyModel{registered: map[string]trysail.OperationConfig{}}}
		for _, share := range []float64{0.1, 0.1, 0.2} { // two with the same numbers
			budget, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{Share: share})
			if err != nil {
				t.Fatal(err)
			}
			m.budgets = append(m.budgets, budget)
		}
		var err error
		if m.orc, err = trysail.New(trysail.Config{}); err != nil {
			t.Fatal(err)
		}
		t.Repeat(map[string]func(*rapid.T){
			"another configuration": func(t *rapid.T) { m.apply(t, m.config(t)) },
			"one operation": func(t *rapid.T) {
				next := copied(m.model.cfg)
				next.Operations[pick(t, "operation", names()...)] = m.operation(t)
				m.apply(t, next)
			},
			"one operation less": func(t *rapid.T) {
				next := copied(m.model.cfg)
				delete(next.Operations, pick(t, "operation", names()...))
				m.apply(t, next)
			},
			"the default alone": func(t *rapid.T) {
				next := copied(m.model.cfg)
				next.Default = m.policy(t)
				m.apply(t, next)
			},
			"the same":  func(t *rapid.T) { m.apply(t, copied(m.model.cfg)) },
			"operation": m.create,
			"register":  m.register,
			"fail":      m.fail,
			"":          m.check,
		})
	})
}

// config draws a configuration, which may be bad.
func (m *applyMachine) config(t *rapid.T) trysail.Config {
	cfg := copied(trysail.Config{
		Preset:          pick(t, "preset", "", "production"),
		DefaultStrategy: pick(t, "default strategy", append(trysail.Strategies(), "", "", "brave")...),
		Default:         m.policy(t),
		Disabled:        pick(t, "disabled", false, false, false, true),
		Classes: pick(t, "classes", nil, nil, map[trysail.Class]trysail.Consequence{
			trysail.ClassPermanent: {Count: true}, trysail.ClassRateLimited: {},
		}),
	})
	for _, name := range names() {
		if rapid.Bool().Draw(t, "named") {
			cfg.Operations[name] = m.operation(t)
		}
		if s := pick(t, "strategy", append(trysail.Strategies(), "", "", "")...); s != "" {
			cfg.Strategies[name] = s
		}
	}
	return cfg
}

func (m *applyMachine) operation(t *rapid.T) trysail.OperationConfig {
	return trysail.OperationConfig{Strategy: pick(t, "own strategy", append(trysail.Strategies(), "", "")...), Policy: m.policy(t)}
}

// policy draws what an operation may say: nothing, or a few fields. One in fifty or so is bad.
func (m *applyMachine) policy(t *rapid.T) (p trysail.Policy) {
	set := map[string]func(){
		"attempt":  func() { p.Attempt = pick(t, "attempt", time.Second, time.Minute, 10*time.Minute) },
		"total":    func() { p.Total = pick(t, "total", time.Hour, 2*time.Hour) },
		"attempts": func() { p.Retry.Attempts = pick(t, "attempts", 1, 3, 3, 3, 5, 99) },
		"class":    func() { p.Retry.Classes[trysail.ClassOverloaded] = trysail.ClassRetry{Attempts: 2, Base: time.Second} },
		"budget":   func() { p.Retry.Budget = pick(t, "budget", m.budgets...) },
		"no retry": func() { p.Retry.Disabled = true },
		"rate":     func() { p.Breaker.FailureRate = pick(t, "rate", 0.5, 0.9) },
		"breaker":  func() { p.Breaker.FailureThreshold = pick(t, "threshold", 50, 60) },
		"none":     func() { p.Breaker.Disabled = true },
		"limiter":  func() { p.Limiter.Rate = pick(t, "limit", 1e6, 2e6) },
		"bulkhead": func() { p.Bulkhead.MaxConcurrent = pick(t, "places", 10, 20) },
		"throttle": func() { p.Throttle.Factor = pick(t, "factor", 50.0, 60) },
		"hedge":    func() { p.Hedge.After = 100 * time.Millisecond },
	}
	for range rapid.IntRange(0, 3).Draw(t, "fields") {
		set[pick(t, "field", slices.Sorted(maps.Keys(set))...)]()
	}
	return p
}

// copied returns a configuration that shares no map with cfg, and has them all.
func copied(cfg trysail.Config) trysail.Config {
	strategies, operations := cfg.Strategies, cfg.Operations
	cfg.Strategies, cfg.Operations = map[string]trysail.Strategy{}, map[string]trysail.OperationConfig{}
	maps.Copy(cfg.Strategies, strategies)
	maps.Copy(cfg.Operations, operations)
	cfg.Classes = maps.Clone(cfg.Classes)
	return cfg
}

// apply looks ahead, applies, and then changes what it has given away.
func (m *applyMachine) apply(t *rapid.T, next trysail.Config) {
	given := copied(next)
	preview, foreseen := m.orc.Preview(given)
	m.check(t)
	before := m.breakers()
	got, err := m.orc.Apply(given)
	given.Operations["chat"], given.Strategies["qa"] = trysail.OperationConfig{Policy: trysail.Policy{Total: 7}}, "brave"
	clear(given.Classes)

	old, bad := m.model.resolved(m.model.cfg)
	if bad != nil {
		t.Fatal(bad)
	}
	is, bad := m.model.resolved(next)
	if (err == nil) != (bad == nil) || fmt.Sprint(err) != fmt.Sprint(foreseen) {
		t.Fatalf("Preview() = %v, Apply() = %v, want %v", foreseen, err, bad)
	}
	if _, bad := trysail.New(next); bad != nil && err.Error() != bad.Error() {
		t.Fatalf("Apply() = %v, want %v", err, bad)
	}
	if err != nil {
		return
	}
	want := m.model.change(old, is)
	if !slices.Equal(got.Fields, want.Fields) || !slices.Equal(got.Operations, want.Operations) {
		t.Fatalf("Apply() = %+v\nwant      %+v", got, want)
	}
	if !slices.Equal(preview.Fields, want.Fields) || !slices.Equal(preview.Operations, want.Operations) {
		t.Fatalf("Preview() = %+v\nwant        %+v", preview, want)
	}
	m.model.cfg = next
	for name, is := range m.breakers() {
		was, had := before[name]
		if had && (was.State != is.State || was.Failures != is.Failures || was.Generation != is.Generation) {
			t.Fatalf("breaker of %s = %+v, was %+v before Apply(), want the same state", name, is, was)
		}
	}
}

// breakers returns those that there are.
func (m *applyMachine) breakers() map[string]trysail.BreakerSnapshot {
	all := map[string]trysail.BreakerSnapshot{}
	for _, s := range m.orc.Breakers() {
		all[s.Operation] = s
	}
	return all
}

// create makes an operation, and one of a key.
func (m *applyMachine) create(t *rapid.T) {
	name := pick(t, "operation", names()[:4]...)
	m.orc.Operation(name).For("key")
	m.known(name)
}

func (m *applyMachine) known(name string) {
	if !slices.Contains(m.model.operations, name) {
		m.model.operations = append(m.model.operations, name)
	}
}

// register gives an operation a configuration of its own, which the rules in force may refuse.
func (m *applyMachine) register(t *rapid.T) {
	name, own := pick(t, "operation", names()[:4]...), m.operation(t)
	fresh, err := trysail.New(m.model.cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, want := fresh.Register(name, own)
	op, err := m.orc.Register(name, own)
	if fmt.Sprint(err) != fmt.Sprint(want) {
		t.Fatalf("Register() = %v, want %v", err, want)
	}
	if err == nil {
		op.For("key")
		m.model.registered[name] = own
		m.known(name)
	}
}

// fail lets a call fail, if there is an operation and it lets one through.
func (m *applyMachine) fail(t *rapid.T) {
	if len(m.model.operations) == 0 {
		return
	}
	permit, err := m.orc.Operation(pick(t, "operation", m.model.operations...)).Acquire(context.Background())
	if err == nil {
		permit.Done(trysail.Transient(errors.New("busy")))
	}
}

// check wants every operation, and what the orchestrator says of itself, to be as if there had been one configuration only.
func (m *applyMachine) check(t *rapid.T) {
	fresh, err := m.model.resolved(m.model.cfg)
	if err != nil {
		t.Fatal(err)
	}
	got, want := m.orc.Configuration(), fresh.Configuration()
	if got.Preset != want.Preset || got.DefaultStrategy != want.DefaultStrategy || got.Default != want.Default || got.Disabled != want.Disabled ||
		!maps.Equal(got.Strategies, want.Strategies) || !maps.Equal(got.Operations, want.Operations) || !maps.Equal(got.Classes, want.Classes) {
		t.Fatalf("Configuration() = %+v\nwant              %+v", got, want)
	}
	for _, name := range m.model.operations {
		want := fresh.Operation(name)
		for _, op := range []*trysail.Operation{m.orc.Operation(name), m.orc.Operation(name).For("key")} {
			if op.Strategy() != want.Strategy() || op.Policy() != want.Policy() {
				t.Fatalf("%s follows %s with %+v\nwant %s with %+v", op.Name(), op.Strategy(), op.Policy(), want.Strategy(), want.Policy())
			}
			if (op.Breaker() == nil) != want.Policy().Breaker.Disabled {
				t.Fatalf("Breaker() of %s = %v under %+v", op.Name(), op.Breaker(), want.Policy().Breaker)
			}
			if b := op.Breaker(); b != nil && b.Snapshot().FailureThreshold != want.Policy().Breaker.FailureThreshold {
				t.Fatalf("the breaker of %s has the numbers %+v, want those of %+v", op.Name(), b.Snapshot(), want.Policy().Breaker)
			}
		}
	}
	if l := len(m.orc.Operations()); l != len(m.model.operations) {
		t.Fatalf("there are %d operations, want %q", l, m.model.operations)
	}
}
