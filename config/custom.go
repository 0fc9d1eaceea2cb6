package config

import (
	"maps"
	"time"

	"github.com/trysail-go/trysail"
)

// A Custom holds the numbers that an operator wants other than the preset's: what
// RESILIENCE_CUSTOM_CONFIG and the API take. A nil field leaves the preset's number. [Fields] has
// the ranges; a Custom from [Validate] is within them.
type Custom struct {
	RetryAttempts           *int                        `json:"retry_attempts,omitempty"`
	CircuitBreakerThreshold *int                        `json:"circuit_breaker_threshold,omitempty"`
	RecoveryTimeout         *int                        `json:"recovery_timeout,omitempty"` // seconds
	DefaultStrategy         *trysail.Strategy           `json:"default_strategy,omitempty"`
	OperationOverrides      map[string]trysail.Strategy `json:"operation_overrides,omitempty"`
	ExponentialMultiplier   *float64                    `json:"exponential_multiplier,omitempty"`
	ExponentialMin          *float64                    `json:"exponential_min,omitempty"` // seconds
	ExponentialMax          *float64                    `json:"exponential_max,omitempty"` // seconds
	JitterEnabled           *bool                       `json:"jitter_enabled,omitempty"`
	JitterMax               *float64                    `json:"jitter_max,omitempty"`        // seconds
	MaxDelaySeconds         *int                        `json:"max_delay_seconds,omitempty"` // of all waits of a call
	TimeoutSeconds          *int                        `json:"timeout_seconds,omitempty"`   // of each attempt
}

// Over returns base with the numbers of c on top. Overrides are merged by operation: one by a long name
// replaces one by the short name, and the other way round. Base keeps its own map.
func (c Custom) Over(base Custom) Custom {
	merged := base
	over(&merged.RetryAttempts, c.RetryAttempts)
	over(&merged.CircuitBreakerThreshold, c.CircuitBreakerThreshold)
	over(&merged.RecoveryTimeout, c.RecoveryTimeout)
	over(&merged.DefaultStrategy, c.DefaultStrategy)
	over(&merged.ExponentialMultiplier, c.ExponentialMultiplier)
	over(&merged.ExponentialMin, c.ExponentialMin)
	over(&merged.ExponentialMax, c.ExponentialMax)
	over(&merged.JitterEnabled, c.JitterEnabled)
	over(&merged.JitterMax, c.JitterMax)
	over(&merged.MaxDelaySeconds, c.MaxDelaySeconds)
	over(&merged.TimeoutSeconds, c.TimeoutSeconds)
	if c.OperationOverrides != nil {
		merged.OperationOverrides = maps.Clone(base.OperationOverrides)
		if merged.OperationOverrides == nil {
			merged.OperationOverrides = map[string]trysail.Strategy{}
		}
		for name := range c.OperationOverrides {
			delete(merged.OperationOverrides, otherName(name))
		}
		maps.Copy(merged.OperationOverrides, c.OperationOverrides)
	}
	return merged
}

// With returns the policies of the preset with the numbers of c on top. The numbers that a preset
// derives from others stay as the preset has them: more attempts do not bring more time for waits.
func (p Preset) With(c Custom) trysail.Config {
	cfg := p.Config()
	c.put(&cfg)
	return cfg
}

// put sets the numbers of c in cfg.
func (c Custom) put(cfg *trysail.Config) {
	if c.DefaultStrategy != nil {
		cfg.DefaultStrategy = *c.DefaultStrategy
	}
	if cfg.Strategies == nil {
		cfg.Strategies = map[string]trysail.Strategy{}
	}
	for name, strategy := range c.OperationOverrides {
		cfg.Strategies[name] = strategy
		if other := otherName(name); other != "" {
			cfg.Strategies[other] = strategy
		}
	}
	retry, breaker := &cfg.Default.Retry, &cfg.Default.Breaker
	set(&retry.Attempts, c.RetryAttempts)
	set(&breaker.FailureThreshold, c.CircuitBreakerThreshold)
	setSeconds(&breaker.RecoveryTimeout, c.RecoveryTimeout)
	setSeconds(&retry.Base, c.ExponentialMultiplier)
	setSeconds(&retry.MinDelay, c.ExponentialMin)
	setSeconds(&retry.MaxDelay, c.ExponentialMax)
	setSeconds(&retry.Jitter, c.JitterMax)
	setSeconds(&retry.DelayBudget, c.MaxDelaySeconds)
	setSeconds(&cfg.Default.Attempt, c.TimeoutSeconds)
	set(&retry.NoJitter, not(c.JitterEnabled))
	if retry.NoJitter {
		retry.Jitter = 0
	}
}

// otherName returns the long name of an operation for its short one and the other way round, "" for any other operation.
func otherName(operation string) string {
	for _, alias := range aliases {
		switch operation {
		case alias.short:
			return alias.long
		case alias.long:
			return alias.short
		}
	}
	return ""
}

func not(value *bool) *bool {
	if value == nil {
		return nil
	}
	return new(!*value)
}

func over[T any](field **T, value *T) {
	if value != nil {
		*field = value
	}
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

func setSeconds[T int | float64](field *time.Duration, value *T) {
	if value != nil {
		*field = time.Duration(float64(*value) * float64(time.Second))
	}
}
