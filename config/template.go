package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
)

// A Template is a custom configuration to begin with: one that is complete enough to stand alone.
type Template struct {
	Key         string // what operators write
	Name        string // for people
	Description string
	Custom      Custom // its numbers
}

// Templates returns the built-in templates, in the order in which they are listed. The caller owns them.
func Templates() []Template {
	return []Template{
		Preset{
			Key: "fast_development", Name: "Fast Development",
			Description:   "One attempt and a breaker that opens at once, so that a developer sees every failure.",
			RetryAttempts: 1, CircuitBreakerThreshold: 2, RecoveryTimeout: 15 * time.Second,
			DefaultStrategy:    trysail.Aggressive,
			OperationOverrides: map[string]trysail.Strategy{"sentiment": trysail.Aggressive},
		}.Template(),
		Preset{
			Key: "robust_production", Name: "Robust Production",
			Description:   "More attempts and longer recovery than the preset, for services whose users will rather wait than see a failure.",
			RetryAttempts: 6, CircuitBreakerThreshold: 12, RecoveryTimeout: 180 * time.Second,
			DefaultStrategy:    trysail.Conservative,
			OperationOverrides: map[string]trysail.Strategy{"qa": trysail.Critical, "summarize": trysail.Conservative},
		}.Template(),
		Preset{
			Key: "low_latency", Name: "Low Latency",
			Description:   "One attempt, and a breaker that is asked again after ten seconds, for callers who have something else to show.",
			RetryAttempts: 1, CircuitBreakerThreshold: 2, RecoveryTimeout: 10 * time.Second,
			DefaultStrategy: trysail.Aggressive,
		}.Template().with(Custom{
			MaxDelaySeconds: new(5), ExponentialMultiplier: new(0.5), ExponentialMin: new(0.5), ExponentialMax: new(5.0),
		}),
		Preset{
			Key: "high_throughput", Name: "High Throughput",
			Description:   "Few attempts, and a breaker that bears some failures and recovers soon, for many calls of which some may fail.",
			RetryAttempts: 3, CircuitBreakerThreshold: 8, RecoveryTimeout: 45 * time.Second,
			DefaultStrategy:    trysail.Balanced,
			OperationOverrides: map[string]trysail.Strategy{"sentiment": trysail.Aggressive, "key_points": trysail.Balanced},
		}.Template(),
		Preset{
			Key: "maximum_reliability", Name: "Maximum Reliability",
			Description:   "Tries as often and as long as it can, for work that must not be lost and is in no hurry.",
			RetryAttempts: 8, CircuitBreakerThreshold: 15, RecoveryTimeout: 300 * time.Second,
			DefaultStrategy: trysail.Critical,
			OperationOverrides: map[string]trysail.Strategy{
				"qa": trysail.Critical, "summarize": trysail.Critical,
				"sentiment": trysail.Conservative, "key_points": trysail.Conservative, "questions": trysail.Conservative,
			},
		}.Template().with(Custom{
			ExponentialMultiplier: new(2.0), ExponentialMin: new(3.0), ExponentialMax: new(60.0),
			JitterEnabled: new(true), JitterMax: new(5.0),
		}),
	}
}

func (t Template) with(more Custom) Template {
	t.Custom = more.Over(t.Custom)
	return t
}

// TemplateByName returns the built-in template with that key, which is case-sensitive. See [Manager.Base] for presets as templates.
func TemplateByName(key string) (Template, error) {
	all := Templates()
	if i := slices.IndexFunc(all, func(t Template) bool { return t.Key == key }); i >= 0 {
		return all[i], nil
	}
	return Template{}, fmt.Errorf("Unknown template: %s. Available: ['%s']", shownKey(key), strings.Join(templateKeys(), "', '"))
}

// Base returns what custom configurations may begin with: a template, or else a preset, which gives its five numbers. Where both
// have the key, it is the template's.
func (m *Manager) Base(key string) (Template, error) {
	t, err := TemplateByName(key)
	if err == nil {
		return t, nil
	}
	if entry, badPreset := m.Lookup(key); badPreset == nil {
		return entry.preset.Template(), nil
	}
	return Template{}, err
}

// Template returns the preset as a template, with its attempts, threshold, recovery timeout, default strategy and overrides.
func (p Preset) Template() Template {
	return Template{
		Key: p.Key, Name: p.Name, Description: p.Description,
		Custom: Custom{
			RetryAttempts: new(p.RetryAttempts), CircuitBreakerThreshold: new(p.CircuitBreakerThreshold),
			RecoveryTimeout: new(int(p.RecoveryTimeout / time.Second)), DefaultStrategy: new(p.DefaultStrategy),
			OperationOverrides: maps.Clone(p.OperationOverrides),
		},
	}
}

// Config returns the policies that the template stands for. What it does not say follows from its strategy, as with
// a [Preset].
func (t Template) Config() trysail.Config { return t.preset().With(t.Custom) }

// preset is the preset on top of which t's numbers go. What t does not say is as the preset simple has it.
func (t Template) preset() Preset {
	p := builtin.entries["simple"].Preset()
	p.Key, p.Name, p.Description = t.Key, t.Name, t.Description
	set(&p.RetryAttempts, t.Custom.RetryAttempts)
	set(&p.CircuitBreakerThreshold, t.Custom.CircuitBreakerThreshold)
	setSeconds(&p.RecoveryTimeout, t.Custom.RecoveryTimeout)
	set(&p.DefaultStrategy, t.Custom.DefaultStrategy)
	if t.Custom.OperationOverrides != nil {
		p.OperationOverrides = maps.Clone(t.Custom.OperationOverrides)
	}
	return p
}

func templateKeys() []string {
	var keys []string
	for _, t := range Templates() {
		keys = append(keys, t.Key)
	}
	return keys
}

// shownKey is a key for a message that does not put it between quotes.
func shownKey(key string) string { return strings.Trim(quote(key), "'") }
