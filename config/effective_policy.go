package config

import (
	"fmt"
	"slices"

	"github.com/trysail-go/trysail"
)

// A policyRowOf is a field of a [trysail.Policy].
type policyRowOf struct {
	path  string // in a file, below "policy"
	field string // of [Fields] that says the same, or ""
	value func(*trysail.Policy) any
}

// given reports whether a policy says anything about the field: it is not zero.
func (r *policyRowOf) given(p *trysail.Policy) bool { return r.value(p) != r.value(&trysail.Policy{}) }

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

func (r *policyRowOf) text(p *trysail.Policy) string { return fmt.Sprint(r.value(p)) }

// policyRow is the row of a field, or nil.
func policyRow(field string) *policyRowOf {
	i := slices.IndexFunc(policyRows, func(r policyRowOf) bool { return r.field == field })
	if i < 0 {
		return nil
	}
	return &policyRows[i]
}

var policyRows = []policyRowOf{ //nolint:gochecknoglobals // a table that nothing changes
	{"total", "", func(p *trysail.Policy) any { return p.Total }},
	{"attempt", "timeout_seconds", func(p *trysail.Policy) any { return p.Attempt }},

	{"throttle.factor", "", func(p *trysail.Policy) any { return p.Throttle.Factor }},
	{"throttle.window", "", func(p *trysail.Policy) any { return p.Throttle.Window }},
	{"throttle.min_calls", "", func(p *trysail.Policy) any { return p.Throttle.MinCalls }},
	{"throttle.max_share", "", func(p *trysail.Policy) any { return p.Throttle.MaxShare }},
	{"throttle.disabled", "", func(p *trysail.Policy) any { return p.Throttle.Disabled }},

	{"limiter.rate", "", func(p *trysail.Policy) any { return p.Limiter.Rate }},
	{"limiter.burst", "", func(p *trysail.Policy) any { return p.Limiter.Burst }},
	{"limiter.max_wait", "", func(p *trysail.Policy) any { return p.Limiter.MaxWait }},
	{"limiter.disabled", "", func(p *trysail.Policy) any { return p.Limiter.Disabled }},

	{"bulkhead.max_concurrent", "", func(p *trysail.Policy) any { return p.Bulkhead.MaxConcurrent }},
	{"bulkhead.min_concurrent", "", func(p *trysail.Policy) any { return p.Bulkhead.MinConcurrent }},
	{"bulkhead.adaptive", "", func(p *trysail.Policy) any { return p.Bulkhead.Adaptive }},
	{"bulkhead.max_queue", "", func(p *trysail.Policy) any { return p.Bulkhead.MaxQueue }},
	{"bulkhead.max_wait", "", func(p *trysail.Policy) any { return p.Bulkhead.MaxWait }},
	{"bulkhead.disabled", "", func(p *trysail.Policy) any { return p.Bulkhead.Disabled }},

	{"breaker.failure_threshold", "circuit_breaker_threshold", func(p *trysail.Policy) any { return p.Breaker.FailureThreshold }},
	{"breaker.recovery_timeout", "recovery_timeout", func(p *trysail.Policy) any { return p.Breaker.RecoveryTimeout }},
	{"breaker.half_open_max_calls", "", func(p *trysail.Policy) any { return p.Breaker.HalfOpenMaxCalls }},
	{"breaker.probe_timeout", "", func(p *trysail.Policy) any { return p.Breaker.ProbeTimeout }},
	{"breaker.failure_rate", "", func(p *trysail.Policy) any { return p.Breaker.FailureRate }},
	{"breaker.slow_rate", "", func(p *trysail.Policy) any { return p.Breaker.SlowRate }},
	{"breaker.slow_fails", "", func(p *trysail.Policy) any { return p.Breaker.SlowFails }},
	{"breaker.slow_call", "", func(p *trysail.Policy) any { return p.Breaker.SlowCall }},
	{"breaker.window", "", func(p *trysail.Policy) any { return p.Breaker.Window }},
	{"breaker.window_calls", "", func(p *trysail.Policy) any { return p.Breaker.WindowCalls }},
	{"breaker.min_calls", "", func(p *trysail.Policy) any { return p.Breaker.MinCalls }},
	{"breaker.rates_only", "", func(p *trysail.Policy) any { return p.Breaker.RatesOnly }},
	{"breaker.max_recovery", "", func(p *trysail.Policy) any { return p.Breaker.MaxRecovery }},
	{"breaker.recovery_jitter", "", func(p *trysail.Policy) any { return p.Breaker.RecoveryJitter }},
	{"breaker.honor_retry_after", "", func(p *trysail.Policy) any { return p.Breaker.HonorRetryAfter }},
	{"breaker.ramp_up", "", func(p *trysail.Policy) any { return p.Breaker.RampUp }},
	{"breaker.enforce", "", func(p *trysail.Policy) any { return p.Breaker.Enforce }},
	{"breaker.disabled", "", func(p *trysail.Policy) any { return p.Breaker.Disabled }},

	{"retry.attempts", "retry_attempts", func(p *trysail.Policy) any { return p.Retry.Attempts }},
	{"retry.delay_budget", "max_delay_seconds", func(p *trysail.Policy) any { return p.Retry.DelayBudget }},
	{"retry.backoff", "", func(p *trysail.Policy) any { return p.Retry.Backoff }},
	{"retry.base", "exponential_multiplier", func(p *trysail.Policy) any { return p.Retry.Base }},
	{"retry.min_delay", "exponential_min", func(p *trysail.Policy) any { return p.Retry.MinDelay }},
	{"retry.max_delay", "exponential_max", func(p *trysail.Policy) any { return p.Retry.MaxDelay }},
	{"retry.jitter", "jitter_max", func(p *trysail.Policy) any { return p.Retry.Jitter }},
	{"retry.no_jitter", "jitter_enabled", func(p *trysail.Policy) any { return p.Retry.NoJitter }},
	{"retry.classes", "", func(p *trysail.Policy) any { return p.Retry.Classes }},
	{"retry.budget", "", func(p *trysail.Policy) any { return p.Retry.Budget }},
	{"retry.cost", "", func(p *trysail.Policy) any { return p.Retry.Cost }},
	{"retry.disabled", "", func(p *trysail.Policy) any { return p.Retry.Disabled }},

	{"hedge.after", "", func(p *trysail.Policy) any { return p.Hedge.After }},
	{"hedge.percentile", "", func(p *trysail.Policy) any { return p.Hedge.Percentile }},
	{"hedge.max", "", func(p *trysail.Policy) any { return p.Hedge.Max }},
	{"hedge.disabled", "", func(p *trysail.Policy) any { return p.Hedge.Disabled }},
}
