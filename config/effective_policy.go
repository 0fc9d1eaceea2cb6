package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/trysail-go/trysail"
)

// A policyRowOf is a field of a [trysail.Policy].
type policyRowOf struct {
	path  string // in a file, below "policy"
	field string // of [Fields] that says the same, or ""

	given func(*trysail.Policy) bool // whether a policy says anything about the field: it is not zero
	text  func(*trysail.Policy) string
}

// rowOf makes a row. It compares values as what they are: a thousand operations have 60,000 of them, and boxes cost more than all the rest.
func rowOf[T comparable](path, field string, value func(*trysail.Policy) T) policyRowOf {
	return policyRowOf{
		path: path, field: field,
		given: func(p *trysail.Policy) bool { var zero T; return value(p) != zero },
		text:  func(p *trysail.Policy) string { return fmt.Sprint(value(p)) },
	}
}

// PolicyValues lists what a policy says, in the order of its fields; Name is the path below "policy", such as "breaker.window". Zero says nothing.
func PolicyValues(p *trysail.Policy) []Value {
	var all []Value
	for i := range policyRows {
		if row := &policyRows[i]; row.given(p) {
			all = append(all, Value{Name: row.path, Value: row.text(p)})
		}
	}
	return all
}

// policyRow is the row of a field, or nil.
func policyRow(field string) *policyRowOf {
	i := slices.IndexFunc(policyRows, func(r policyRowOf) bool { return r.field == field })
	if i < 0 {
		return nil
	}
	return &policyRows[i]
}

var policyRows = []policyRowOf{ //nolint:gochecknoglobals // a table that nothing changes
	rowOf("total", "", func(p *trysail.Policy) time.Duration { return p.Total }),
	rowOf("attempt", "timeout_seconds", func(p *trysail.Policy) time.Duration { return p.Attempt }),

	rowOf("throttle.factor", "", func(p *trysail.Policy) float64 { return p.Throttle.Factor }),
	rowOf("throttle.window", "", func(p *trysail.Policy) time.Duration { return p.Throttle.Window }),
	rowOf("throttle.min_calls", "", func(p *trysail.Policy) int { return p.Throttle.MinCalls }),
	rowOf("throttle.max_share", "", func(p *trysail.Policy) float64 { return p.Throttle.MaxShare }),
	rowOf("throttle.disabled", "", func(p *trysail.Policy) bool { return p.Throttle.Disabled }),

	rowOf("limiter.rate", "", func(p *trysail.Policy) float64 { return p.Limiter.Rate }),
	rowOf("limiter.burst", "", func(p *trysail.Policy) float64 { return p.Limiter.Burst }),
	rowOf("limiter.max_wait", "", func(p *trysail.Policy) time.Duration { return p.Limiter.MaxWait }),
	rowOf("limiter.disabled", "", func(p *trysail.Policy) bool { return p.Limiter.Disabled }),

	rowOf("bulkhead.max_concurrent", "", func(p *trysail.Policy) int { return p.Bulkhead.MaxConcurrent }),
	rowOf("bulkhead.min_concurrent", "", func(p *trysail.Policy) int { return p.Bulkhead.MinConcurrent }),
	rowOf("bulkhead.adaptive", "", func(p *trysail.Policy) bool { return p.Bulkhead.Adaptive }),
	rowOf("bulkhead.max_queue", "", func(p *trysail.Policy) int { return p.Bulkhead.MaxQueue }),
	rowOf("bulkhead.max_wait", "", func(p *trysail.Policy) time.Duration { return p.Bulkhead.MaxWait }),
	rowOf("bulkhead.disabled", "", func(p *trysail.Policy) bool { return p.Bulkhead.Disabled }),

	rowOf("breaker.failure_threshold", "circuit_breaker_threshold", func(p *trysail.Policy) int { return p.Breaker.FailureThreshold }),
	rowOf("breaker.recovery_timeout", "recovery_timeout", func(p *trysail.Policy) time.Duration { return p.Breaker.RecoveryTimeout }),
	rowOf("breaker.half_open_max_calls", "", func(p *trysail.Policy) int { return p.Breaker.HalfOpenMaxCalls }),
	rowOf("breaker.probe_timeout", "", func(p *trysail.Policy) time.Duration { return p.Breaker.ProbeTimeout }),
	rowOf("breaker.failure_rate", "", func(p *trysail.Policy) float64 { return p.Breaker.FailureRate }),
	rowOf("breaker.slow_rate", "", func(p *trysail.Policy) float64 { return p.Breaker.SlowRate }),
	rowOf("breaker.slow_fails", "", func(p *trysail.Policy) bool { return p.Breaker.SlowFails }),
	rowOf("breaker.slow_call", "", func(p *trysail.Policy) time.Duration { return p.Breaker.SlowCall }),
	rowOf("breaker.window", "", func(p *trysail.Policy) time.Duration { return p.Breaker.Window }),
	rowOf("breaker.window_calls", "", func(p *trysail.Policy) int { return p.Breaker.WindowCalls }),
	rowOf("breaker.min_calls", "", func(p *trysail.Policy) int { return p.Breaker.MinCalls }),
	rowOf("breaker.rates_only", "", func(p *trysail.Policy) bool { return p.Breaker.RatesOnly }),
	rowOf("breaker.max_recovery", "", func(p *trysail.Policy) time.Duration { return p.Breaker.MaxRecovery }),
	rowOf("breaker.recovery_jitter", "", func(p *trysail.Policy) float64 { return p.Breaker.RecoveryJitter }),
	rowOf("breaker.honor_retry_after", "", func(p *trysail.Policy) bool { return p.Breaker.HonorRetryAfter }),
	rowOf("breaker.ramp_up", "", func(p *trysail.Policy) time.Duration { return p.Breaker.RampUp }),
	rowOf("breaker.enforce", "", func(p *trysail.Policy) float64 { return p.Breaker.Enforce }),
	rowOf("breaker.disabled", "", func(p *trysail.Policy) bool { return p.Breaker.Disabled }),

	rowOf("retry.attempts", "retry_attempts", func(p *trysail.Policy) int { return p.Retry.Attempts }),
	rowOf("retry.delay_budget", "max_delay_seconds", func(p *trysail.Policy) time.Duration { return p.Retry.DelayBudget }),
	rowOf("retry.backoff", "", func(p *trysail.Policy) trysail.Backoff { return p.Retry.Backoff }),
	rowOf("retry.base", "exponential_multiplier", func(p *trysail.Policy) time.Duration { return p.Retry.Base }),
	rowOf("retry.min_delay", "exponential_min", func(p *trysail.Policy) time.Duration { return p.Retry.MinDelay }),
	rowOf("retry.max_delay", "exponential_max", func(p *trysail.Policy) time.Duration { return p.Retry.MaxDelay }),
	rowOf("retry.jitter", "jitter_max", func(p *trysail.Policy) time.Duration { return p.Retry.Jitter }),
	rowOf("retry.no_jitter", "jitter_enabled", func(p *trysail.Policy) bool { return p.Retry.NoJitter }),
	rowOf("retry.classes", "", func(p *trysail.Policy) trysail.ClassRetries { return p.Retry.Classes }),
	rowOf("retry.budget", "", func(p *trysail.Policy) *trysail.RetryBudget { return p.Retry.Budget }),
	rowOf("retry.cost", "", func(p *trysail.Policy) trysail.Cost { return p.Retry.Cost }),
	rowOf("retry.disabled", "", func(p *trysail.Policy) bool { return p.Retry.Disabled }),

	rowOf("hedge.after", "", func(p *trysail.Policy) time.Duration { return p.Hedge.After }),
	rowOf("hedge.percentile", "", func(p *trysail.Policy) float64 { return p.Hedge.Percentile }),
	rowOf("hedge.max", "", func(p *trysail.Policy) int { return p.Hedge.Max }),
	rowOf("hedge.disabled", "", func(p *trysail.Policy) bool { return p.Hedge.Disabled }),
}
