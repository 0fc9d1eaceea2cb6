package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
)

// legacyGiven returns the names of the old variables that are set.
func (l *loading) legacyGiven() []string {
	var names []string
	for _, v := range legacyVariables {
		if _, set := l.env(v.Name); set {
			names = append(names, v.Name)
		}
	}
	return names
}

// explicitly reports who has asked for a preset or a custom configuration in the new way, so that the old
// variables do not count. A file does not: old variables go before it.
func (l *loading) explicitly() (who string) {
	switch {
	case l.said.preset != "" || l.said.replaced:
		return "a reload"
	case l.Flags.Preset != "" || !l.Flags.Custom.empty():
		return "a flag"
	case l.given("RESILIENCE_PRESET"):
		return "RESILIENCE_PRESET"
	case l.given(customVariable):
		return customVariable
	default:
		return ""
	}
}

func (l *loading) legacyMode() bool { return l.explicitly() == "" && len(l.legacyGiven()) > 0 }

// legacy lays the old variables on top, or says that they have no effect.
func (l *loading) legacy() {
	if !l.out.Legacy {
		l.ignoreLegacy(l.explicitly())
		return
	}
	l.warn("old variables are in use (%s): trysail config migrate says what to write in their place",
		strings.Join(l.legacyGiven(), ", "))
	if l.out.Preset.Key == legacyKey { // no file names another preset
		l.out.Trysail.Default.Retry.DelayBudget = legacyBudget * time.Second
		l.out.base.policy = l.out.Trysail.Default
	}
	r := readLegacy(l.env)
	r.ordered(l.out.Trysail.Default.Retry)
	l.out.Warnings = append(l.out.Warnings, r.warnings...)
	if r.custom.empty() && r.policy == (trysail.Policy{}) {
		return
	}
	l.put(layer{custom: r.custom, policy: r.policy, operations: l.switched(r), origin: func(path string) Origin {
		switch {
		case strings.HasSuffix(path, "policy.retry.disabled"):
			return Origin{FromLegacy, l.place("RETRY_ENABLED")}
		case strings.HasSuffix(path, "policy.breaker.disabled"):
			return Origin{FromLegacy, l.place("CIRCUIT_BREAKER_ENABLED")}
		default:
			return Origin{FromLegacy, l.place(r.names[path])}
		}
	}})
	l.step("old variables: %s", strings.Join(l.legacyGiven(), ", "))
}

// ordered leaves bounds of the waits out that do not go together.
func (r *legacyReading) ordered(below trysail.RetryPolicy) {
	least, most := below.MinDelay.Seconds(), below.MaxDelay.Seconds()
	if r.custom.ExponentialMin == nil && r.custom.ExponentialMax == nil {
		return
	}
	before := fmt.Sprintf("%s and %s", plain(least), plain(most))
	set(&least, r.custom.ExponentialMin)
	set(&most, r.custom.ExponentialMax)
	if least <= most {
		return
	}
	r.custom.ExponentialMin, r.custom.ExponentialMax = nil, nil
	r.warnings = append(r.warnings, fmt.Sprintf(
		"RETRY_EXPONENTIAL_MIN and RETRY_EXPONENTIAL_MAX come to %s and %s, want the first to be at most the second: %s apply",
		plain(least), plain(most), before))
}

// switched is what RETRY_ENABLED and CIRCUIT_BREAKER_ENABLED do to the operations whose strategy is not the default
// one, and which therefore do not follow the default policy.
func (l *loading) switched(r legacyReading) map[string]trysail.OperationConfig {
	if r.policy == (trysail.Policy{}) {
		return nil
	}
	all := map[string]trysail.OperationConfig{}
	names := slices.Concat(slices.Collect(maps.Keys(l.out.Trysail.Strategies)), slices.Collect(maps.Keys(r.custom.OperationOverrides)), l.known())
	for _, name := range names {
		all[name] = trysail.OperationConfig{Policy: r.policy}
	}
	return all
}

// ignoreLegacy names the old variables that have no effect.
func (l *loading) ignoreLegacy(because string) {
	if names := l.legacyGiven(); len(names) > 0 {
		for _, name := range names {
			l.warn("%s is set but has no effect: %s goes before it", l.place(name), because)
		}
	}
}
