package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/trysail-go/trysail"
)

// The limits of a preset's texts, in characters, and of its overrides.
const (
	maxName        = 50
	maxDescription = 200
	maxOverrides   = maxProperties
)

var environments = []string{"development", "testing", "staging", "production"} //nolint:gochecknoglobals // a table that nothing changes

// Check reports what is wrong with a preset, all of it at once, and warns of what is unwise. Name has 1 to 50 characters,
// Description 1 to 200; RetryAttempts 1 to 10, CircuitBreakerThreshold 1 to 20, RecoveryTimeout 10 s to 300 s;
// OperationOverrides up to 50 operations of any name; EnvironmentContexts at least one, each once. Texts are held to the same rules as
// those of documents. The Key is the [Manager]'s business.
func (p Preset) Check() Report {
	c := presetCheck{Report: Report{Fields: 8}}
	c.text("name", p.Name, maxName)
	c.text("description", p.Description, maxDescription)
	c.number("retry_attempts", p.RetryAttempts)
	c.number("circuit_breaker_threshold", p.CircuitBreakerThreshold)
	c.recovery(p.RecoveryTimeout)
	c.choice("default_strategy", string(p.DefaultStrategy), strategies)
	c.overrides(p.OperationOverrides)
	c.contexts(p.EnvironmentContexts)
	if c.Valid() {
		c.together(p)
	}
	return c.Report
}

// A presetCheck is one check under way.
type presetCheck struct{ Report }

func (c *presetCheck) text(field, text string, most int) {
	n := utf8.RuneCountInString(text)
	wrong := ""
	switch {
	case strings.TrimSpace(text) == "":
		wrong = "too short"
	case n > most:
		wrong = "too long"
	case !utf8.ValidString(text):
		wrong = "not UTF-8"
	}
	if wrong != "" {
		c.bad(field, fmt.Sprintf("Field '%s': %s is %s: %s must have 1 to %d characters", field, quote(text), wrong, field, most),
			fmt.Sprintf("Give a %s of 1 to %d characters", field, most))
		return
	}
	c.look(step{key: field}, text, false)
}

// look runs the security pass on one text.
func (c *presetCheck) look(at step, text string, key bool) {
	s := scanner{report: &c.Report, path: []step{at}}
	s.check(key).look(text)
}

func (c *presetCheck) number(field string, n int) {
	if finding, bad := findField(field).CheckInt(n); bad {
		c.refuse(finding)
	}
}

func (c *presetCheck) recovery(d time.Duration) {
	const field = "recovery_timeout"
	if d%time.Second != 0 {
		f := findField(field)
		c.bad(field, fmt.Sprintf("Field '%s': %v is no whole number of seconds: %s must be between %s seconds", field, d, field, f.between("and")), f.remedy())
		return
	}
	c.number(field, int(d/time.Second))
}

func (c *presetCheck) choice(path, value string, words []string) {
	if !slices.Contains(words, value) {
		c.bad(path, fmt.Sprintf("Field '%s': %s is not one of ['%s']", path, quote(value), strings.Join(words, "', '")),
			fmt.Sprintf("%s takes one of: %s", path, strings.Join(words, ", ")))
	}
}

func (c *presetCheck) overrides(overrides map[string]trysail.Strategy) {
	const field = "operation_overrides"
	if n := len(overrides); n > maxOverrides {
		c.bad(field, fmt.Sprintf("Field '%s' has too many properties: %d (max: %d)", field, n, maxOverrides),
			"Keep the operations that need a strategy of their own; the others take default_strategy")
	}
	for _, name := range slices.Sorted(maps.Keys(overrides)) {
		path := pathOf([]step{{key: field}, {key: name}})
		if name == "" || len(name) > maxText || !utf8.ValidString(name) {
			c.bad(path, fmt.Sprintf("Field '%s': %s is no name of an operation: it must have 1 to %d bytes of UTF-8", field, quote(name), maxText),
				"Name operations as they are registered")
			continue
		}
		c.look(step{key: field}, name, true)
		c.choice(path, string(overrides[name]), strategies)
		if other := otherName(name); name < other && overrides[other] != "" && overrides[other] != overrides[name] {
			c.refuse(Finding{
				Path: path, Rule: RuleLogic,
				Message:    fmt.Sprintf("'%s' and '%s' in %s are one operation, but have the strategies %s and %s", name, other, field, overrides[name], overrides[other]),
				Suggestion: "Name each operation once in " + field,
			})
		}
	}
}

func (c *presetCheck) contexts(contexts []string) {
	const field = "environment_contexts"
	if len(contexts) == 0 {
		c.bad(field, fmt.Sprintf("Field '%s': [] is too short: name at least one environment", field),
			fmt.Sprintf("%s takes one or more of: %s", field, strings.Join(environments, ", ")))
	}
	for i, name := range contexts {
		c.choice(field+"["+strconv.Itoa(i)+"]", name, environments)
		if slices.Index(contexts, name) < i {
			c.bad(field, fmt.Sprintf("Field '%s' has non-unique elements: %s", field, quote(name)), "Name each environment once in "+field)
		}
	}
}

// together warns of fields that do not go well with each other.
func (c *presetCheck) together(p Preset) {
	warn := func(path, message, remedy string) {
		c.warn(Finding{Path: path, Message: message, Suggestion: remedy, Rule: RuleLogic})
	}
	if p.RetryAttempts > p.CircuitBreakerThreshold {
		warn("circuit_breaker_threshold",
			fmt.Sprintf("retry_attempts (%d) is more than circuit_breaker_threshold (%d): a call tries a failing service more often than the breaker lets calls fail",
				p.RetryAttempts, p.CircuitBreakerThreshold),
			fmt.Sprintf("Consider a circuit_breaker_threshold of at least %d", p.RetryAttempts+2))
	}
	if p.DefaultStrategy == trysail.Aggressive && slices.Contains(p.EnvironmentContexts, "production") {
		warn("default_strategy", "The aggressive strategy gives up early, which users of a production environment see as failures",
			"Consider balanced or conservative for production")
	}
	if p.DefaultStrategy == trysail.Conservative && p.RetryAttempts > 3 && slices.Contains(p.EnvironmentContexts, "development") {
		warn("default_strategy",
			fmt.Sprintf("The conservative strategy with %d attempts makes developers wait for errors", p.RetryAttempts),
			"Consider aggressive or balanced for development, or at most 3 retry_attempts")
	}
}

func (c *presetCheck) bad(path, message, remedy string) {
	c.refuse(Finding{Path: path, Message: message, Suggestion: remedy, Rule: RuleShape})
}
