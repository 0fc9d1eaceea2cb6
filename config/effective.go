package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
)

// A Value is one effective value of a configuration: what counts after all sources were put on each other.
type Value struct {
	// Name is a field's of [Fields], such as "retry_attempts", or a path as in the file, such as
	// "policy.hedge.after" or "operations.qa.strategy".
	Name string

	Value  string // as text; numbers of fields are in the field's unit, other times such as "1m30s"
	Origin Origin
}

// Effective lists every value that has an effect, with the source that decided it: first the general ones, then the fields
// in the order of [Fields], the rest of the policy, the operations by name, the classes of failure. The order is always
// the same. A policy's zero, which is "off" or "no limit", is not listed unless it is a field's.
func (l *Loaded) Effective() []Value {
	if l.frozen != nil {
		return slices.Clone(l.frozen.values)
	}
	e := effective{loaded: l, policy: l.Trysail.Default}
	if orc, err := trysail.New(trysail.Config{DefaultStrategy: l.Trysail.DefaultStrategy, Default: l.Trysail.Default}); err == nil {
		e.policy = orc.Configuration().Default // with what the engine fills in
	}
	e.values = slices.Clone(l.general)
	e.fields()
	e.rest()
	e.operations()
	e.classes()
	return e.values
}

// effective is a list of values in the making.
type effective struct {
	loaded *Loaded
	policy trysail.Policy
	values []Value

	// Policies that are being looked at: what an operation has, and what a layer says about it. They are here because rows take
	// pointers, and each would be in memory of its own.
	own, said trysail.Policy
}

func (e *effective) add(name, value string, origin Origin) {
	e.values = append(e.values, Value{name, value, origin})
}

// fields lists the numbers that have a name of the specification.
func (e *effective) fields() {
	for i := range fields {
		f := &fields[i]
		if f.Name == "operation_overrides" {
			continue // among the operations
		}
		e.add(f.Name, f.effective(&e.loaded.Trysail, &e.policy), e.originOf(f))
	}
}

// effective is the field's value in a configuration.
func (f *Field) effective(cfg *trysail.Config, p *trysail.Policy) string {
	seconds := func(d time.Duration) string { return plain(d.Seconds()) }
	switch f.Name {
	case "retry_attempts":
		return strconv.Itoa(p.Retry.Attempts)
	case "circuit_breaker_threshold":
		return strconv.Itoa(p.Breaker.FailureThreshold)
	case "recovery_timeout":
		return seconds(p.Breaker.RecoveryTimeout)
	case "default_strategy":
		return string(cfg.DefaultStrategy)
	case "exponential_multiplier":
		return seconds(p.Retry.Base)
	case "exponential_min":
		return seconds(p.Retry.MinDelay)
	case "exponential_max":
		return seconds(p.Retry.MaxDelay)
	case "jitter_enabled":
		return strconv.FormatBool(!p.Retry.NoJitter)
	case "jitter_max":
		return seconds(p.Retry.Jitter)
	case "max_delay_seconds":
		return seconds(p.Retry.DelayBudget)
	default: // timeout_seconds
		if p.Attempt == 0 {
			return "none"
		}
		return seconds(p.Attempt)
	}
}

// originOf is the uppermost layer that gives a field, by its name or in a policy.
func (e *effective) originOf(f *Field) Origin {
	row := policyRow(f.Name)
	for _, layer := range slices.Backward(e.loaded.layers) {
		if f.givenIn(&layer.custom) {
			return layer.origin(f.Name)
		}
		if row != nil && row.given(&layer.policy) {
			return layer.origin("policy." + row.path)
		}
	}
	if row != nil && !row.given(&e.loaded.base.policy) && f.Kind != KindBoolean {
		return Origin{Source: FromDefault}
	}
	return e.loaded.base.origin(f.Name)
}

// rest lists what policies have beyond the fields.
func (e *effective) rest() {
	for i := range policyRows {
		row := &policyRows[i]
		if row.field == "" && row.given(&e.policy) {
			e.add("policy."+row.path, row.text(&e.policy), e.originOfRow(row))
		}
	}
}

func (e *effective) originOfRow(row *policyRowOf) Origin {
	for _, layer := range slices.Backward(e.loaded.layers) {
		if row.given(&layer.policy) {
			return layer.origin("policy." + row.path)
		}
	}
	if row.given(&e.loaded.base.policy) {
		return e.loaded.base.origin(row.path)
	}
	return Origin{Source: FromDefault}
}

// operations lists what single operations have, under their short names.
func (e *effective) operations() {
	cfg := &e.loaded.Trysail
	names := map[string]bool{}
	for name := range cfg.Strategies {
		names[name] = true
	}
	for name := range cfg.Operations {
		names[name] = true
	}
	long := map[string]bool{}
	for short, alias := range Aliases() {
		long[alias] = names[short] && cfg.Strategies[short] == cfg.Strategies[alias] && cfg.Operations[short].Policy == cfg.Operations[alias].Policy
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if long[name] {
			continue // it is the same as the short one
		}
		path := joinPath("operations", name)
		if strategy := cfg.Strategies[name]; strategy != "" {
			e.add(path+".strategy", string(strategy), e.originOfStrategy(name))
		}
		if e.own = cfg.Operations[name].Policy; e.own == (trysail.Policy{}) {
			continue
		}
		for i := range policyRows {
			if row := &policyRows[i]; row.given(&e.own) {
				e.add(path+".policy."+row.path, row.text(&e.own), e.originOfOperation(name, row))
			}
		}
	}
}

// originOfStrategy is the uppermost layer that names the operation, by either name.
func (e *effective) originOfStrategy(name string) Origin {
	for _, layer := range slices.Backward(e.loaded.layers) {
		for _, name := range []string{name, otherName(name)} {
			if layer.custom.OperationOverrides[name] != "" {
				return layer.origin(joinPath("operation_overrides", name))
			}
			if layer.operations[name].Strategy != "" {
				return layer.origin(joinPath("operations", name) + ".strategy")
			}
		}
	}
	return e.loaded.base.origin(name)
}

func (e *effective) originOfOperation(name string, row *policyRowOf) Origin {
	for _, layer := range slices.Backward(e.loaded.layers) {
		for _, name := range []string{name, otherName(name)} {
			operation, ok := layer.operations[name]
			if e.said = operation.Policy; ok && row.given(&e.said) {
				return layer.origin(joinPath("operations", name) + ".policy." + row.path)
			}
		}
	}
	return Origin{Source: FromDefault}
}

// classes lists the rows of the table of consequences that somebody has replaced.
func (e *effective) classes() {
	cfg := &e.loaded.Trysail
	for _, class := range slices.Sorted(maps.Keys(cfg.Classes)) {
		row := cfg.Classes[class]
		path := joinPath("classes", class.String())
		e.add(path, fmt.Sprintf("retry %t, count %t, fallback %t", row.Retry, row.Count, row.Fallback), e.loaded.classes.origin(path))
	}
}

// joinPath adds a name to a path, as the file's reader does: what is no plain name stands in brackets and quotes.
func joinPath(path, name string) string {
	if strings.ContainsAny(name, ".[]\" \t\n") || name == "" {
		return path + "[" + strconv.Quote(name) + "]"
	}
	return path + "." + name
}
