package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// together checks the fields with each other, then with the numbers of the base, and gives hints.
func (v *validation) together() {
	c := v.custom
	v.names()
	v.waits()
	v.budget()
	if c.CircuitBreakerThreshold != nil && *c.CircuitBreakerThreshold < 3 {
		v.warn("circuit_breaker_threshold", "Very low circuit breaker threshold may cause frequent circuit opening",
			"Consider a circuit_breaker_threshold of 3 or more")
	}
	if c.RetryAttempts != nil && *c.RetryAttempts > 7 {
		v.warn("retry_attempts", "High retry attempts may increase latency significantly",
			"Consider the production preset, which makes 5 attempts")
	}
	off := c.JitterEnabled != nil && !*c.JitterEnabled
	if off && c.JitterMax != nil {
		v.warn("jitter_max", "jitter_max has no effect while jitter_enabled is false", "Remove jitter_max, or set jitter_enabled: true")
	}
	if !v.report.Valid() || v.report.Fields == 0 {
		return // hints about what is missing come when the rest is right
	}
	if c.ExponentialMultiplier == nil && c.ExponentialMin == nil && c.ExponentialMax == nil {
		v.warn("", "Consider adding exponential backoff configuration", "")
	}
	if off || c.JitterEnabled == nil {
		v.report.suggest("Add jitter_enabled: true for better load distribution")
	}
}

// names refuses two strategies for one operation: one of them would silently lose.
func (v *validation) names() {
	overrides := v.custom.OperationOverrides
	aliases := Aliases()
	for _, short := range slices.Sorted(maps.Keys(aliases)) {
		long := aliases[short]
		one, hasShort := overrides[short]
		other, hasLong := overrides[long]
		if hasShort && hasLong && one != other {
			v.report.refuse(Finding{
				Path: "operation_overrides." + long, Line: v.lineOf("operation_overrides"), Rule: RuleLogic,
				Message:    fmt.Sprintf("'%s' and '%s' in operation_overrides are one operation, but have the strategies %s and %s", short, long, one, other),
				Suggestion: "Name each operation once in operation_overrides",
			})
		}
	}
}

// waits checks the bounds of the waits: both of the document, or one of it and one of the base.
func (v *validation) waits() {
	least, most := v.custom.ExponentialMin, v.custom.ExponentialMax
	if least != nil && most != nil {
		if *least >= *most {
			v.report.refuse(Finding{
				Path: "exponential_min", Line: v.lineOf("exponential_min"), Rule: RuleLogic,
				Message:    "exponential_min must be less than exponential_max",
				Suggestion: fmt.Sprintf("Try setting exponential_min to %.1f and exponential_max to %.1f", *most/2, *most*2),
			})
		}
		return
	}
	if v.opts.Base == nil || v.gives("exponential_min") == v.gives("exponential_max") {
		return // neither, or both and one of them refused already
	}
	if least == nil && most == nil {
		return
	}
	retry := v.opts.Base.policy().Retry
	path, low, high := "exponential_min", retry.MinDelay.Seconds(), retry.MaxDelay.Seconds()
	if least != nil {
		low = *least
	} else {
		path, high = "exponential_max", *most
	}
	if low >= high {
		v.report.refuse(Finding{
			Path: path, Line: v.lineOf(path), Rule: RuleMerged,
			Message: fmt.Sprintf("exponential_min must be less than exponential_max: with preset '%s' they are %s and %s",
				printable(short(v.opts.Base.Key)), plain(low), plain(high)),
			Suggestion: "Give both exponential_min and exponential_max, the first less than the second",
		})
	}
}

// budget warns of a budget for waits that leaves no time for the attempts: each wait takes about two seconds.
func (v *validation) budget() {
	attempts, budget := v.custom.RetryAttempts, v.custom.MaxDelaySeconds
	given := attempts != nil && budget != nil
	if attempts == nil && budget == nil || !given && v.opts.Base == nil {
		return
	}
	if !given && v.gives("retry_attempts") && v.gives("max_delay_seconds") {
		return // one of them is refused already
	}
	from, rule := "", RuleLogic
	if !given {
		retry := v.opts.Base.policy().Retry
		whole := int(retry.DelayBudget.Seconds())
		attempts, budget = cmp.Or(attempts, &retry.Attempts), cmp.Or(budget, &whole)
		from, rule = fmt.Sprintf(" on top of preset '%s'", printable(short(v.opts.Base.Key))), RuleMerged
	}
	if least := 2 * *attempts; *budget < least {
		v.report.warn(Finding{
			Path: "max_delay_seconds", Line: v.lineOf("max_delay_seconds"), Rule: rule,
			Message: fmt.Sprintf("max_delay_seconds (%ds) may be too short for %d retry attempts%s: the estimated minimum is %ds",
				*budget, *attempts, from, least),
			Suggestion: fmt.Sprintf("Raise max_delay_seconds to at least %d", least),
		})
	}
}

func (v *validation) warn(path, message, remedy string) {
	v.report.warn(Finding{Path: path, Message: message, Suggestion: remedy, Line: v.lineOf(path), Rule: RuleLogic})
}

// lineOf is the line of a field, 0 where it is not given.
func (v *validation) lineOf(field string) int {
	if i := v.find(field); i >= 0 {
		return v.lines.lineOf(v.root.members[i].at)
	}
	return 0
}

// gives reports whether the document has the field, good or bad.
func (v *validation) gives(field string) bool { return v.find(field) >= 0 }

func (v *validation) find(field string) int {
	return slices.IndexFunc(v.root.members, func(m member) bool { return m.key == field })
}

func plain(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
