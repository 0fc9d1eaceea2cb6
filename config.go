package trysail

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Config sets up an [Orchestrator]. Its zero value is the preset "simple".
// Package config makes one from presets and the environment.
type Config struct {
	// Preset says where the numbers come from. It changes nothing by itself and
	// appears in [Orchestrator.Configuration]. Default "simple".
	Preset string

	// DefaultStrategy is the strategy of operations that have none of their own.
	// Default Balanced.
	DefaultStrategy Strategy

	// Default is the policy of the operations that follow DefaultStrategy. Its
	// zero fields take that strategy's numbers. An operation with another strategy takes
	// that one's own numbers.
	Default Policy

	// Strategies gives single operations a strategy by name. It goes before
	// what [Orchestrator.Register] says, so that operators can overrule code.
	Strategies map[string]Strategy

	// Classes replaces rows of the table of what a class of failure leads to.
	Classes map[Class]Consequence

	// Disabled runs every call plainly, once, with metrics only.
	Disabled bool

	// Observer hears of transitions and retries. Nil: nobody does.
	Observer Observer
}

// An OperationConfig sets up one operation.
type OperationConfig struct {
	// Strategy is the operation's strategy. Default: the Config's.
	Strategy Strategy

	// Policy holds what differs from the strategy's numbers.
	Policy Policy
}

// withDefaults returns c completed and checked; every fault is named.
func (c Config) withDefaults() (Config, consequences, error) {
	c.Preset = cmp.Or(c.Preset, "simple")
	c.DefaultStrategy = cmp.Or(c.DefaultStrategy, Balanced)
	c.Strategies = maps.Clone(c.Strategies)
	base := c.DefaultStrategy.Policy()
	if c.DefaultStrategy == Balanced {
		base = simple()
	}
	c.Default = c.Default.or(base)

	errs := []error{checkStrategy("DefaultStrategy", c.DefaultStrategy), c.Default.complete().check("Default")}
	for _, name := range slices.Sorted(maps.Keys(c.Strategies)) {
		errs = append(errs, checkName(name), checkStrategy(fmt.Sprintf("Strategies[%q]", name), c.Strategies[name]))
	}
	table, err := defaultConsequences().with(c.Classes)
	return c, table, errors.Join(append(errs, err)...)
}

func checkStrategy(field string, s Strategy) error {
	if _, err := ParseStrategy(string(s)); err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	return nil
}

// policyOf resolves what the named operation does when it says nothing itself. It
// cannot fail, because the configuration has been checked.
func (c *Config) policyOf(name string) (Strategy, Policy) {
	strategy, policy, _ := c.policyFor(name, OperationConfig{})
	return strategy, policy
}

// policyFor resolves what the named operation does.
func (c *Config) policyFor(name string, own OperationConfig) (Strategy, Policy, error) {
	strategy := cmp.Or(c.Strategies[name], own.Strategy, c.DefaultStrategy)
	base := c.Default
	if strategy != c.DefaultStrategy {
		base = strategy.Policy()
	}
	policy := own.Policy.or(base).complete()
	if c.Disabled {
		policy.Retry.Disabled, policy.Breaker.Disabled = true, true
	}
	wanted := cmp.Or(own.Strategy, strategy) // an overruled strategy must exist, too
	return strategy, policy, errors.Join(checkStrategy("Strategy", wanted), policy.check("Policy"))
}

// checkName refuses names that could not be shown, or be part of an address.
func checkName(name string) error {
	if name == "" || len(name) > 200 {
		return fmt.Errorf("%w: it has %d bytes, want 1 to 200", ErrName, len(name))
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("%w: %q is not valid UTF-8", ErrName, name)
	}
	if i := strings.IndexFunc(name, unicode.IsControl); i >= 0 {
		return fmt.Errorf("%w: %q has a control character at byte %d", ErrName, name, i)
	}
	return nil
}
