package trysail

import (
	"cmp"
	"errors"
	"fmt"
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

	// Operations gives single operations a strategy, numbers, or both, by name. It goes before
	// what [Orchestrator.Register] says, field by field, and after Strategies.
	Operations map[string]OperationConfig

	// Classes replaces rows of the table of what a class of failure leads to.
	Classes map[Class]Consequence

	// Disabled runs every call plainly, once, with metrics only.
	Disabled bool

	// Observer hears of transitions, retries, hedges and fallbacks. Nil: nobody does.
	Observer Observer

	// ObserveCalls tells the Observer of the end of every call, too, and of every refusal.
	// It costs a call some 200 ns.
	ObserveCalls bool
}

// An OperationConfig sets up one operation.
type OperationConfig struct {
	// Strategy is the operation's strategy. Default: the Config's.
	Strategy Strategy

	// Policy holds what differs from the strategy's numbers.
	Policy Policy
}

// withDefaults returns c completed and checked, but for Operations; every fault is named. The maps are the caller's still.
func (c Config) withDefaults() (Config, consequences, error) {
	c.Preset = cmp.Or(c.Preset, "simple")
	c.DefaultStrategy = cmp.Or(c.DefaultStrategy, Balanced)
	base := c.DefaultStrategy.Policy()
	if c.DefaultStrategy == Balanced {
		base = simple()
	}
	c.Default.fill(&base)
	table, err := defaultConsequences().with(c.Classes)
	return c, table, errors.Join(
		checkStrategy("DefaultStrategy", c.DefaultStrategy), c.Default.completed().check("Default"), c.checkStrategies(), err)
}

// checkStrategies names every fault of Strategies, in the order of the names. There are a thousand of them, and mostly all are
// good: sorting and texts are for those that are not.
func (c *Config) checkStrategies() error {
	var faulty []string
	for name, strategy := range c.Strategies {
		if !strategy.known() || checkName(name) != nil {
			faulty = append(faulty, name)
		}
	}
	slices.Sort(faulty)
	var errs []error
	for _, name := range faulty {
		if err := checkName(name); err != nil {
			errs = append(errs, fmt.Errorf("Strategies: %w", err))
		}
		if strategy := c.Strategies[name]; !strategy.known() {
			errs = append(errs, checkStrategy(fmt.Sprintf("Strategies[%q]", name), strategy))
		}
	}
	return errors.Join(errs...)
}

func checkStrategy(field string, s Strategy) error {
	if s.known() {
		return nil
	}
	_, err := ParseStrategy(string(s))
	return fmt.Errorf("%s: %w", field, err)
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
