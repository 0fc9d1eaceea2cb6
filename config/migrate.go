package config

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/trysail-go/trysail"
)

// A Migration says what to write in place of old variables.
type Migration struct {
	// Found are the old variables that are set, in the order of [LegacyVariables]. None: there is nothing to do, and
	// everything else is empty.
	Found []LegacySetting

	// Matches says how close each preset comes, the closest first.
	Matches []PresetMatch

	// Preset is the key of the closest.
	Preset string

	// Confidence is its closeness, 0 to 1, and Level says it in a word: high from 0.9, medium from 0.7, else low.
	Confidence float64
	Level      string

	// Custom holds what was set and differs from the preset. It is good on top of it.
	Custom Custom

	// Warnings are about values that are none, that are out of range today, or that are better thought over.
	Warnings []string

	// Changes says what will be another number than before, because nobody had set it.
	Changes []string
}

// A LegacySetting is an old variable that is set.
type LegacySetting struct {
	LegacyVariable
	Value string // as it was set
}

// A PresetMatch is how close a preset comes to what the old variables say, each part 0 to 1. A number's closeness is 1 less
// the difference's share of the larger one; overrides count the operations of the specification that keep their strategy.
type PresetMatch struct {
	Preset                                            string
	Score                                             float64 // the sum, weighted with the shares below
	Attempts, Threshold, Recovery, Strategy, Override float64 // 0.30, 0.25, 0.20, 0.15, 0.10
}

// Migrate finds the preset that comes closest to what the old variables say, those that are not set with their defaults, and
// what must be written besides. The presets default to the built-in ones. It changes nothing.
//
// Variables may come from anywhere: [os.LookupEnv], [EnvFile.Value], or [Variables] for a compose file. What compose would fill
// in, such as ${RETRY_MAX_ATTEMPTS:-5}, is taken at its default.
func Migrate(variables Environ, presets ...Preset) Migration {
	if len(presets) == 0 {
		presets = Presets()
	}
	m := migration{}
	m.collect(variables)
	if len(m.Found) == 0 {
		return Migration{}
	}
	m.reading = readLegacy(func(name string) (string, bool) {
		v, ok := m.values[name]
		return v, ok
	})
	m.already(variables)
	m.Warnings = append(m.Warnings, m.reading.warnings...)
	m.before = legacyPreset().With(Custom{MaxDelaySeconds: new(legacyBudget)}.with(m.reading.custom))
	for _, p := range presets {
		m.Matches = append(m.Matches, m.match(p))
	}
	slices.SortStableFunc(m.Matches, func(a, b PresetMatch) int { return cmp.Compare(b.Score, a.Score) })
	best := m.Matches[0]
	m.Preset, m.Confidence, m.Level = best.Preset, best.Score, levelOf(best.Score)
	m.preset = presets[slices.IndexFunc(presets, func(p Preset) bool { return p.Key == best.Preset })]
	m.numbers()
	m.strategies()
	m.fit()
	m.advise()
	return m.Migration
}

// already warns if the old variables have no effect now: then what is written for them would be a change.
func (m *migration) already(variables Environ) {
	for _, name := range []string{"RESILIENCE_PRESET", customVariable} {
		if variables.Value(name, "") != "" {
			m.warn("%s is set, so that the old variables have no effect now: removing them changes nothing, and what is recommended here is another configuration", name)
		}
	}
}

// Variables is an Environ of a map, such as the environment of a service in a compose file.
func Variables(values map[string]string) Environ {
	return func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	}
}

// with returns c with the fields of other on top.
func (c Custom) with(other Custom) Custom { return other.Over(c) }

func levelOf(score float64) string {
	switch {
	case score >= 0.9:
		return "high"
	case score >= 0.7:
		return "medium"
	default:
		return "low"
	}
}

// A migration is a Migration in the making.
type migration struct {
	Migration
	values  map[string]string
	reading legacyReading
	before  trysail.Config // what applies now
	preset  Preset
}

// collect takes the old variables that are set.
func (m *migration) collect(variables Environ) {
	m.values = map[string]string{}
	for _, v := range legacyVariables {
		text, set := variables(v.Name)
		if !set {
			continue
		}
		m.Found = append(m.Found, LegacySetting{v, text})
		filled, known := fillIn(text)
		if !known {
			m.warn("%s is %s, which compose fills in: nobody can know here with what, the default %s is assumed", v.Name, quote(text), v.Default)
			continue
		}
		if filled != text {
			m.warn("%s is %s, which compose fills in: %s is assumed", v.Name, quote(text), quote(filled))
		}
		m.values[v.Name] = filled
	}
}

// fillIn returns what compose makes of a value when the variable in it is not set: the default after :- or -.
func fillIn(value string) (filled string, known bool) {
	inner, ok := strings.CutPrefix(strings.TrimSpace(value), "${")
	if !ok || !strings.HasSuffix(inner, "}") {
		return value, !strings.HasPrefix(strings.TrimSpace(value), "$")
	}
	name, fallback, ok := strings.Cut(strings.TrimSuffix(inner, "}"), "-")
	return fallback, ok && isVariable(strings.TrimSuffix(name, ":"))
}

// match compares a preset with what applies now.
func (m *migration) match(p Preset) PresetMatch {
	retry, breaker := m.before.Default.Retry, m.before.Default.Breaker
	match := PresetMatch{
		Preset:    p.Key,
		Attempts:  closeness(float64(retry.Attempts), float64(p.RetryAttempts)),
		Threshold: closeness(float64(breaker.FailureThreshold), float64(p.CircuitBreakerThreshold)),
		Recovery:  closeness(breaker.RecoveryTimeout.Seconds(), p.RecoveryTimeout.Seconds()),
	}
	if p.DefaultStrategy == m.before.DefaultStrategy {
		match.Strategy = 1
	}
	after := p.Config()
	for short := range Aliases() {
		if m.before.Strategies[short] == cmp.Or(after.Strategies[short], after.DefaultStrategy) {
			match.Override += 1 / float64(len(Aliases()))
		}
	}
	score := 0.3*match.Attempts + 0.25*match.Threshold + 0.2*match.Recovery + 0.15*match.Strategy + 0.1*match.Override
	match.Score, match.Override = round(score), round(match.Override)
	return match
}

// round cuts what adding up fractions leaves behind, so that limits are met and ties are ties.
func round(x float64) float64 { return math.Round(x*1e4) / 1e4 }

func closeness(a, b float64) float64 {
	if a == b {
		return 1
	}
	return round(1 - math.Abs(a-b)/max(a, b))
}

// numbers takes what was set and differs from the preset, and notes what will be other because it was not set.
func (m *migration) numbers() {
	after := m.preset.Config()
	for i := range fields {
		f := &fields[i]
		if f.Name == "operation_overrides" || f.Name == "timeout_seconds" { // old variables had no time limit
			continue
		}
		was, is := f.effective(&m.before, &m.before.Default), f.effective(&after, &after.Default)
		switch {
		case was == is || f.Name == "jitter_max" && m.before.Default.Retry.NoJitter:
		case f.givenIn(&m.reading.custom):
			f.copy(&m.Custom, &m.reading.custom)
		default:
			m.Changes = append(m.Changes, f.Name+" was "+was+", which nobody had set; the preset has "+is)
		}
	}
}

// copy takes a field that is given over, as near as its range allows.
func (f *Field) copy(to, from *Custom) {
	switch f.Kind {
	case KindInteger:
		*f.whole(to) = new(min(max(**f.whole(from), int(f.Min)), int(f.Max)))
	case KindNumber:
		*f.real(to) = new(min(max(**f.real(from), f.Min), f.Max))
	case KindBoolean:
		*f.truth(to) = *f.truth(from)
	default:
		*f.choice(to) = *f.choice(from)
	}
}

// strategies takes the strategies of operations that were set and differ.
func (m *migration) strategies() {
	after := m.preset.With(m.Custom)
	for _, v := range legacyVariables {
		operation, ok := strings.CutPrefix(v.Field, "operation_overrides.")
		if !ok {
			continue
		}
		was, is := m.before.Strategies[operation], cmp.Or(after.Strategies[operation], after.DefaultStrategy)
		switch {
		case was == is:
		case m.reading.custom.OperationOverrides[operation] != "":
			if m.Custom.OperationOverrides == nil {
				m.Custom.OperationOverrides = map[string]trysail.Strategy{}
			}
			m.Custom.OperationOverrides[operation] = was
		default:
			m.Changes = append(m.Changes, "the strategy of "+operation+" was "+string(was)+", which nobody had set; with the preset it is "+string(is))
		}
	}
}

// fit warns of numbers that are out of range today, and leaves out what does not go together.
func (m *migration) fit() {
	for i := range fields {
		f := &fields[i]
		was, is := f.number(&m.reading.custom), f.number(&m.Custom)
		if f.givenIn(&m.Custom) && was != is {
			m.warn("%s was %s, which is more or less than a configuration may hold today: %s", f.Name, plain(was), plain(is))
		}
	}
	for range fields { // each round leaves one out, at least
		report := m.Custom.Check(ValidateOptions{Base: &m.preset, AllowEmpty: true})
		if report.Valid() {
			return
		}
		for _, finding := range report.Errors {
			name, _, _ := strings.Cut(finding.Path, ".")
			m.warn("%s is left out: %s", name, finding.Message)
			m.Custom.leaveOut(name)
		}
	}
}

// number is the value of a field that is a number and given, else 0.
func (f *Field) number(c *Custom) float64 {
	switch {
	case !f.givenIn(c):
		return 0
	case f.Kind == KindInteger:
		return float64(**f.whole(c))
	case f.Kind == KindNumber:
		return **f.real(c)
	default:
		return 0
	}
}

func (c *Custom) leaveOut(name string) {
	f := findField(name)
	if f == nil {
		return
	}
	switch f.Kind {
	case KindInteger:
		*f.whole(c) = nil
	case KindNumber:
		*f.real(c) = nil
	case KindBoolean:
		*f.truth(c) = nil
	case KindString:
		*f.choice(c) = nil
	case KindObject:
		c.OperationOverrides = nil
	}
}

// advise says what is better thought over.
func (m *migration) advise() {
	retry, breaker := m.before.Default.Retry, m.before.Default.Breaker
	if retry.Attempts > 7 {
		m.warn("%d attempts make a failing call take long: production makes 5", retry.Attempts)
	}
	if breaker.FailureThreshold < 3 {
		m.warn("a breaker that opens after %s opens often: 3 or more is better", counted(breaker.FailureThreshold, "failed call"))
	}
	if retry.Attempts > breaker.FailureThreshold {
		m.warn("there are more attempts (%d) than failures that open the breaker (%d): it counts calls now, not attempts, and opens later than it may have done",
			retry.Attempts, breaker.FailureThreshold)
	}
	if m.before.DefaultStrategy == trysail.Aggressive {
		m.warn("the strategy aggressive gives up early: good for development, seldom for production")
	}
	if m.reading.policy.Retry.Disabled {
		m.warn("RETRY_ENABLED is off, which no preset can say: write policy.retry.disabled: true into trysail.yaml")
	}
	if m.reading.policy.Breaker.Disabled {
		m.warn("CIRCUIT_BREAKER_ENABLED is off, which no preset can say: write policy.breaker.disabled: true into trysail.yaml")
	}
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
