package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
)

// legacyKey is the preset's key in the configuration while old variables decide.
const legacyKey = "legacy"

// A LegacyVariable is one of the variables that presets have replaced.
type LegacyVariable struct {
	Name    string
	Field   string // the field of [Fields] that it sets, such as "operation_overrides.qa"; empty: a switch that no field has
	Default string // while another of them is set and this one is not
}

// LegacyVariables returns the variables that presets have replaced, in the order of the specification's table. One that is set, even
// to nothing, has all of them count, unless a preset or a custom configuration is asked for explicitly.
func LegacyVariables() []LegacyVariable { return slices.Clone(legacyVariables) }

var legacyVariables = []LegacyVariable{ //nolint:gochecknoglobals // a table that nothing changes
	{"RETRY_MAX_ATTEMPTS", "retry_attempts", "3"},
	{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "circuit_breaker_threshold", "5"},
	{"CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "recovery_timeout", "60"},
	{"DEFAULT_RESILIENCE_STRATEGY", "default_strategy", "balanced"},
	{"SUMMARIZE_RESILIENCE_STRATEGY", "operation_overrides.summarize", "balanced"},
	{"SENTIMENT_RESILIENCE_STRATEGY", "operation_overrides.sentiment", "aggressive"},
	{"QA_RESILIENCE_STRATEGY", "operation_overrides.qa", "conservative"},
	{"KEY_POINTS_RESILIENCE_STRATEGY", "operation_overrides.key_points", "balanced"},
	{"QUESTIONS_RESILIENCE_STRATEGY", "operation_overrides.questions", "balanced"},
	{"RETRY_MAX_DELAY", "max_delay_seconds", "30"},
	{"RETRY_EXPONENTIAL_MULTIPLIER", "exponential_multiplier", "1.0"},
	{"RETRY_EXPONENTIAL_MIN", "exponential_min", "2.0"},
	{"RETRY_EXPONENTIAL_MAX", "exponential_max", "10.0"},
	{"RETRY_JITTER_ENABLED", "jitter_enabled", "true"},
	{"RETRY_JITTER_MAX", "jitter_max", "2.0"},
	{"CIRCUIT_BREAKER_ENABLED", "", "true"},
	{"RETRY_ENABLED", "", "true"},
}

// legacyPreset is what the old variables stand for while none of them says anything.
func legacyPreset() Preset {
	return Preset{
		Key: legacyKey, Name: "Legacy",
		Description:   "The defaults of the variables that presets have replaced.",
		RetryAttempts: 3, CircuitBreakerThreshold: 5, RecoveryTimeout: time.Minute,
		DefaultStrategy: trysail.Balanced,
		OperationOverrides: map[string]trysail.Strategy{
			"summarize": trysail.Balanced, "sentiment": trysail.Aggressive, "qa": trysail.Conservative,
			"key_points": trysail.Balanced, "questions": trysail.Balanced,
		},
		EnvironmentContexts: []string{"development", "testing", "staging", "production"},
	}
}

// legacyBudget is the default of RETRY_MAX_DELAY, which is not what a preset of three attempts would have.
const legacyBudget = 30

// A legacyReading is what the old variables say.
type legacyReading struct {
	custom   Custom
	policy   trysail.Policy // what no field can say: switches
	names    map[string]string
	warnings []string
}

// readLegacy reads the old variables. What is no good value is left out, with a warning.
func readLegacy(env Environ) legacyReading {
	r := legacyReading{names: map[string]string{}}
	for _, v := range legacyVariables {
		text, set := env(v.Name)
		if !set {
			continue
		}
		if problem := r.read(v, strings.TrimSpace(text)); problem != "" {
			r.warnings = append(r.warnings, fmt.Sprintf("%s is %s, want %s", v.Name, quote(text), problem))
			continue
		}
		r.names[v.Field] = v.Name
	}
	return r
}

// read takes a value, or says what would be one and what applies in its place. Values that the engine
// does not take are brought to the nearest that it does.
func (r *legacyReading) read(v LegacyVariable, text string) (problem string) {
	if operation, ok := strings.CutPrefix(v.Field, "operation_overrides."); ok || v.Field == "default_strategy" {
		strategy := trysail.Strategy(strings.ToLower(text))
		if !slices.Contains(trysail.Strategies(), strategy) {
			return fmt.Sprintf("one of %v: the default %s applies", trysail.Strategies(), v.Default)
		}
		if !ok {
			r.custom.DefaultStrategy = &strategy
			return ""
		}
		if r.custom.OperationOverrides == nil {
			r.custom.OperationOverrides = map[string]trysail.Strategy{}
		}
		r.custom.OperationOverrides[operation] = strategy
		return ""
	}
	field := findField(v.Field)
	if field == nil || field.Kind == KindBoolean {
		return r.truth(v, field, text)
	}
	n, err := strconv.ParseFloat(text, 64)
	if field.Kind == KindInteger {
		var whole int64
		whole, err = strconv.ParseInt(text, 10, 64)
		n = float64(whole)
	}
	if err != nil || math.IsInf(n, 0) || !(n > 0) { // written so that NaN fails too
		return fmt.Sprintf("a %s greater than 0: the default %s applies", english(field.Kind), v.Default)
	}
	if most := legacyMost(v.Field); n > most {
		r.warnings = append(r.warnings, fmt.Sprintf("%s is %s, which is more than the engine takes: %v applies", v.Name, short(text), most))
		n = most
	}
	if field.Kind == KindInteger {
		*field.whole(&r.custom) = new(int(n))
	} else {
		*field.real(&r.custom) = &n
	}
	return ""
}

// legacyMost is the largest number that the engine takes for a field: more than a custom configuration may hold.
func legacyMost(field string) float64 {
	switch field {
	case "retry_attempts":
		return 20
	case "circuit_breaker_threshold":
		return 100
	default: // a time in seconds
		return time.Hour.Seconds()
	}
}

func (r *legacyReading) truth(v LegacyVariable, field *Field, text string) (problem string) {
	truth, ok := parseBool(text)
	switch {
	case !ok:
		return fmt.Sprintf("true or false: the default %s applies", v.Default)
	case field != nil:
		*field.truth(&r.custom) = &truth
	case v.Name == "RETRY_ENABLED":
		r.policy.Retry.Disabled = !truth
	default:
		r.policy.Breaker.Disabled = !truth
	}
	return ""
}

func english(kind Kind) string {
	if kind == KindInteger {
		return "whole number"
	}
	return "number"
}
