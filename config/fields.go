package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/trysail-go/trysail"
)

// A Kind is what values a field takes, in the words of JSON Schema.
type Kind string

// The kinds of fields.
const (
	KindInteger Kind = "integer" // a whole number; 3.0 is one
	KindNumber  Kind = "number"
	KindBoolean Kind = "boolean"
	KindString  Kind = "string" // one of Field.Enum
	KindObject  Kind = "object" // operations, and for each of them one of Field.Enum
)

// A Field is a row of the table of what a [Custom] configuration may hold. The checks, their messages,
// the JSON Schema and the reference page are all made of it.
type Field struct {
	Name string
	Kind Kind

	// Min and Max bound a KindInteger or KindNumber, both inclusive; multiples of 0.1.
	Min, Max float64

	Enum          []string // the values of a KindString, or of the members of a KindObject
	MaxProperties int      // of a KindObject

	Unit    string // of a number: "seconds", or empty
	Meaning string // a phrase, for people
	Example string // a good value, as JSON

	whole  func(*Custom) **int // where a KindInteger goes
	real   func(*Custom) **float64
	truth  func(*Custom) **bool
	choice func(*Custom) **trysail.Strategy
}

// Fields returns the table, in the order in which fields are listed everywhere. The caller owns it.
func Fields() []Field {
	all := slices.Clone(fields)
	for i := range all {
		all[i].Enum = slices.Clone(all[i].Enum)
	}
	return all
}

// CheckInt returns what is wrong with n as the value of a field of kind integer or number, in the words of [Validate].
// It reports false if nothing is.
func (f Field) CheckInt(n int) (Finding, bool) {
	text := strconv.Itoa(n)
	return f.outside(text, numberOf(text))
}

// outside returns what is wrong with a number that stood in the document as text.
func (f Field) outside(text string, n decimal) (Finding, bool) {
	side, bound := "below minimum", f.Min
	switch {
	case n.less(f.Min):
	case n.more(f.Max):
		side, bound = "above maximum", f.Max
	default:
		return Finding{}, false
	}
	return Finding{
		Path:       f.Name,
		Message:    fmt.Sprintf("Field '%s' value %s %s %s: %s must be between %s", f.Name, short(text), side, f.bound(bound), f.Name, f.between("and")),
		Suggestion: f.remedy(),
		Rule:       RuleShape,
	}, true
}

// between is the range, as "1 and 10" or "0.1 and 5.0".
func (f Field) between(word string) string {
	return f.bound(f.Min) + " " + word + " " + f.bound(f.Max)
}

func (f Field) bound(n float64) string {
	if f.Kind == KindInteger {
		return strconv.Itoa(int(n))
	}
	return strconv.FormatFloat(n, 'f', 1, 64)
}

// tenths is a bound of the table as a whole number, with which decimals are compared exactly.
func tenths(bound float64) int64 { return int64(math.Round(bound * 10)) }

// findField returns the row of that name, nil if there is none.
func findField(name string) *Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

var strategies = []string{"aggressive", "balanced", "conservative", "critical"} //nolint:gochecknoglobals // a table that nothing changes

var fields = []Field{ //nolint:gochecknoglobals // a table that nothing changes
	{
		Name: "retry_attempts", Kind: KindInteger, Min: 1, Max: 10, Example: "3",
		Meaning: "attempts per call, the first included",
		whole:   func(c *Custom) **int { return &c.RetryAttempts },
	},
	{
		Name: "circuit_breaker_threshold", Kind: KindInteger, Min: 1, Max: 20, Example: "5",
		Meaning: "failed calls in a row that open a breaker",
		whole:   func(c *Custom) **int { return &c.CircuitBreakerThreshold },
	},
	{
		Name: "recovery_timeout", Kind: KindInteger, Min: 10, Max: 300, Unit: "seconds", Example: "60",
		Meaning: "how long a breaker stays open before it lets a probe through",
		whole:   func(c *Custom) **int { return &c.RecoveryTimeout },
	},
	{
		Name: "default_strategy", Kind: KindString, Enum: strategies, Example: `"balanced"`,
		Meaning: "the strategy of operations without one of their own",
		choice:  func(c *Custom) **trysail.Strategy { return &c.DefaultStrategy },
	},
	{
		Name: "operation_overrides", Kind: KindObject, Enum: strategies, MaxProperties: 10, Example: `{"qa": "critical"}`,
		Meaning: "the strategies of single operations, by name",
	},
	{
		Name: "exponential_multiplier", Kind: KindNumber, Min: 0.1, Max: 5, Unit: "seconds", Example: "1.0",
		Meaning: "the first wait before it is clamped; it doubles with each attempt",
		real:    func(c *Custom) **float64 { return &c.ExponentialMultiplier },
	},
	{
		Name: "exponential_min", Kind: KindNumber, Min: 0.5, Max: 10, Unit: "seconds", Example: "2.0",
		Meaning: "the shortest wait between two attempts, less than exponential_max",
		real:    func(c *Custom) **float64 { return &c.ExponentialMin },
	},
	{
		Name: "exponential_max", Kind: KindNumber, Min: 5, Max: 120, Unit: "seconds", Example: "10.0",
		Meaning: "the longest wait between two attempts, without jitter",
		real:    func(c *Custom) **float64 { return &c.ExponentialMax },
	},
	{
		Name: "jitter_enabled", Kind: KindBoolean, Example: "true",
		Meaning: "whether a random time is added to each wait",
		truth:   func(c *Custom) **bool { return &c.JitterEnabled },
	},
	{
		Name: "jitter_max", Kind: KindNumber, Min: 0.1, Max: 10, Unit: "seconds", Example: "2.0",
		Meaning: "the most that is added to a wait",
		real:    func(c *Custom) **float64 { return &c.JitterMax },
	},
	{
		Name: "max_delay_seconds", Kind: KindInteger, Min: 5, Max: 600, Unit: "seconds", Example: "60",
		Meaning: "the budget for all waits of a call; a wait that does not fit is not begun",
		whole:   func(c *Custom) **int { return &c.MaxDelaySeconds },
	},
	{
		Name: "timeout_seconds", Kind: KindInteger, Min: 1, Max: 600, Unit: "seconds", Example: "30",
		Meaning: "the time limit of each attempt",
		whole:   func(c *Custom) **int { return &c.TimeoutSeconds },
	},
}
