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

// Over returns base with the numbers of c on top. Overrides of operations are merged by name.
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
		maps.Copy(merged.OperationOverrides, c.OperationOverrides)
	}
	return merged
}

// With returns the policies of the preset with the numbers of c on top. The numbers that a preset
// derives from others stay as the preset has them: more attempts do not bring more time for waits.
func (p Preset) With(c Custom) trysail.Config {
	cfg := p.Config()
	if c.DefaultStrategy != nil {
		cfg.DefaultStrategy = *c.DefaultStrategy
	}
	maps.Copy(cfg.Strategies, withAliases(c.OperationOverrides))
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
	if c.JitterEnabled != nil && !*c.JitterEnabled {
		retry.Jitter, retry.NoJitter = 0, true
	}
	return cfg
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
