package config

import (
	"maps"
	"slices"
	"time"

	"github.com/trysail-go/trysail"
)

// A Preset is a complete set of numbers under one name. [Preset.Check] says what may stand in it.
type Preset struct {
	Key         string // what operators write, in lower case
	Name        string // for people
	Description string

	RetryAttempts           int              // attempts per call, the first included
	CircuitBreakerThreshold int              // failed calls in a row that open a breaker
	RecoveryTimeout         time.Duration    // how long a breaker stays open, in whole seconds
	DefaultStrategy         trysail.Strategy // of operations without one of their own

	// OperationOverrides gives operations a strategy by name. The short and the long name of an
	// operation mean the same; see [Aliases].
	OperationOverrides map[string]trysail.Strategy

	// EnvironmentContexts are the environments that the preset is meant for: development, testing, staging, production.
	EnvironmentContexts []string
}

// Presets returns the built-in presets in the order in which they are listed:
// simple, development, production. The caller owns them.
func Presets() []Preset {
	return []Preset{
		{
			Key: "simple", Name: "Simple",
			Description:   "Sensible numbers for everything that has no special needs.",
			RetryAttempts: 3, CircuitBreakerThreshold: 5, RecoveryTimeout: 60 * time.Second,
			DefaultStrategy:     trysail.Balanced,
			OperationOverrides:  map[string]trysail.Strategy{},
			EnvironmentContexts: []string{"development", "testing", "staging", "production"},
		},
		{
			Key: "development", Name: "Development",
			Description:   "Gives up early, so that a developer sees a failure at once.",
			RetryAttempts: 2, CircuitBreakerThreshold: 3, RecoveryTimeout: 30 * time.Second,
			DefaultStrategy: trysail.Aggressive,
			OperationOverrides: map[string]trysail.Strategy{
				"sentiment": trysail.Aggressive,
				"qa":        trysail.Balanced,
			},
			EnvironmentContexts: []string{"development", "testing"},
		},
		{
			Key: "production", Name: "Production",
			Description:   "Tries longer before a user sees a failure, and gives a provider time to recover.",
			RetryAttempts: 5, CircuitBreakerThreshold: 10, RecoveryTimeout: 120 * time.Second,
			DefaultStrategy: trysail.Conservative,
			OperationOverrides: map[string]trysail.Strategy{
				"qa":         trysail.Critical,
				"sentiment":  trysail.Aggressive,
				"summarize":  trysail.Conservative,
				"key_points": trysail.Balanced,
				"questions":  trysail.Balanced,
			},
			EnvironmentContexts: []string{"production", "staging"},
		},
	}
}

// Find returns the built-in preset with that key; see [Manager] for others. The error for any other key is the
// specification's, word for word. The caller owns the preset.
func Find(key string) (Preset, error) { return NewManager().Get(key) }

// Config returns the policies that the preset stands for.
func (p Preset) Config() trysail.Config {
	return trysail.Config{
		Preset:          p.Key,
		DefaultStrategy: p.DefaultStrategy,
		Default:         p.policy(),
		Strategies:      withAliases(p.OperationOverrides),
	}
}

// policy derives the numbers that a preset does not state from those it does.
func (p Preset) policy() trysail.Policy {
	retry := trysail.RetryPolicy{
		Attempts:    p.RetryAttempts,
		DelayBudget: min(time.Duration(p.RetryAttempts)*20*time.Second, 2*time.Minute),
		Base:        1500 * time.Millisecond,
		MinDelay:    2 * time.Second,
		MaxDelay:    30 * time.Second,
		Jitter:      2 * time.Second,
	}
	switch p.DefaultStrategy {
	case trysail.Aggressive:
		retry.Base, retry.MinDelay, retry.MaxDelay = 500*time.Millisecond, time.Second, 5*time.Second
	case trysail.Balanced:
		retry.Base, retry.MaxDelay = time.Second, 10*time.Second
	case trysail.Conservative, trysail.Critical: // as above
	}
	return trysail.Policy{
		Retry: retry,
		Breaker: trysail.BreakerPolicy{
			FailureThreshold: p.CircuitBreakerThreshold,
			RecoveryTimeout:  p.RecoveryTimeout,
			HalfOpenMaxCalls: 1,
		},
	}
}

// clone returns a preset that shares nothing with p.
func (p Preset) clone() Preset {
	p.OperationOverrides = maps.Clone(p.OperationOverrides)
	p.EnvironmentContexts = slices.Clone(p.EnvironmentContexts)
	return p
}
