package monitor

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Rule is what raises an alert.
type Rule string

// The rules.
const (
	RuleConfigError Rule = "config_error"        // a configuration could not be loaded
	RuleSlowLoad    Rule = "slow_load"           // one was loaded, but it took longer than Config.SlowLoad
	RuleErrorShare  Rule = "error_rate"          // errors per load in the last hour are above Config.ErrorShare
	RuleChanges     Rule = "change_frequency"    // more changes in the last hour than Config.ChangesPerHour
	RuleInvalid     Rule = "validation_failures" // the share of failed validations in the last hour is above Config.InvalidShare
)

func (r Rule) known() bool {
	switch r {
	case RuleConfigError, RuleSlowLoad, RuleErrorShare, RuleChanges, RuleInvalid:
		return true
	default:
		return false
	}
}

// An hour counts what the rules about the last hour look at. It follows the configuration's group: what leaves
// that leaves the hour, too.
type hour struct {
	from                                     int // the place of the oldest entry that is counted
	loads, errors, changes, checked, invalid int
}

// enter counts the newest entry of g and forgets those that it is an hour after.
func (h *hour) enter(g *group, e *entry) {
	h.count(e, 1)
	edge := edgeOf(g.last, time.Hour)
	if h.from < g.head { // all that was counted has been removed
		h.from = g.head
	}
	for g.at(h.from).at <= edge {
		h.leave(g)
	}
}

// leave forgets the oldest entry that is counted.
func (h *hour) leave(g *group) {
	h.count(g.at(h.from), -1)
	h.from++
}

func (h *hour) count(e *entry, by int) {
	switch e.kind {
	case ConfigLoad:
		h.loads += by
	case ConfigError:
		h.errors += by
	case ConfigChange:
		h.changes += by
	case ValidationEvent:
		h.checked += by
		if e.value == 0 {
			h.invalid += by
		}
	default: // no rule asks
	}
}

// judge asks the rules about an event that has just been counted.
func (c *Collector) judge(e *entry) {
	switch e.kind {
	case ConfigLoad:
		c.judgeLoad(e)
		c.judgeErrors(e)
	case ConfigError:
		c.judgeError(e)
		c.judgeErrors(e)
	case ConfigChange:
		c.judgeChanges(e)
	case ValidationEvent:
		c.judgeValidations(e)
	default: // no rule asks
	}
}

func (c *Collector) judgeError(e *entry) {
	k := alertKey{RuleConfigError, e.preset, e.operation, e.metadata.first()}
	if c.alerts.repeat(k, e.at) {
		return
	}
	k.text = strings.Clone(k.text)
	message, _ := e.metadata.Map()["error_message"].(string)
	c.alerts.raise(Alert{
		Level: LevelError, Rule: RuleConfigError,
		Title:       "Configuration Error: " + e.preset,
		Description: fmt.Sprintf("Error in %s: %s", e.operation, message),
		Preset:      e.preset, Kind: ConfigError, Actual: 1,
		Metadata: metadataOf(nil, field{"operation", e.operation}, field{"error_message", message}),
	}, k, e.at)
}

func (c *Collector) judgeLoad(e *entry) {
	k, limit := alertKey{rule: RuleSlowLoad, preset: e.preset}, milliseconds(c.config.SlowLoad)
	if e.value <= limit || c.alerts.repeat(k, e.at) {
		return
	}
	c.alerts.raise(Alert{
		Level: LevelWarning, Rule: RuleSlowLoad,
		Title:       "Slow Configuration Load: " + e.preset,
		Description: fmt.Sprintf("Loading in %s took %s ms, more than %s ms", e.operation, decimal(e.value), decimal(limit)),
		Preset:      e.preset, Kind: PerformanceEvent, Threshold: limit, Actual: e.value,
		Metadata: metadataOf(nil, field{"load_time_ms", e.value}),
	}, k, e.at)
}

func (c *Collector) judgeErrors(e *entry) {
	k, h := alertKey{rule: RuleErrorShare}, &c.hour
	share := errorShare(h.errors, h.loads)
	if h.loads+h.errors < c.config.MinSamples || share <= c.config.ErrorShare || c.alerts.repeat(k, e.at) {
		return
	}
	c.alerts.raise(Alert{
		Level: LevelCritical, Rule: RuleErrorShare,
		Title:       "High Configuration Error Rate",
		Description: fmt.Sprintf("%d errors and %d loads in the last hour, more than %s errors per load", h.errors, h.loads, decimal(c.config.ErrorShare)),
		Kind:        ConfigError, Threshold: c.config.ErrorShare, Actual: share,
		Metadata: metadataOf(nil, field{"config_errors", h.errors}, field{"config_loads", h.loads}),
	}, k, e.at)
}

func (c *Collector) judgeChanges(e *entry) {
	k := alertKey{rule: RuleChanges}
	if c.hour.changes <= c.config.ChangesPerHour || c.alerts.repeat(k, e.at) {
		return
	}
	c.alerts.raise(Alert{
		Level: LevelWarning, Rule: RuleChanges,
		Title:       "Frequent Configuration Changes",
		Description: fmt.Sprintf("%d changes in the last hour, more than %d", c.hour.changes, c.config.ChangesPerHour),
		Kind:        ConfigChange, Threshold: float64(c.config.ChangesPerHour), Actual: float64(c.hour.changes),
		Metadata: metadataOf(nil, field{"changes", c.hour.changes}),
	}, k, e.at)
}

func (c *Collector) judgeValidations(e *entry) {
	k, h := alertKey{rule: RuleInvalid}, &c.hour
	share := float64(h.invalid) / float64(h.checked)
	if h.checked < c.config.MinSamples || share <= c.config.InvalidShare || c.alerts.repeat(k, e.at) {
		return
	}
	c.alerts.raise(Alert{
		Level: LevelWarning, Rule: RuleInvalid,
		Title:       "High Validation Failure Rate",
		Description: fmt.Sprintf("%d of %d validations in the last hour failed, more than a share of %s", h.invalid, h.checked, decimal(c.config.InvalidShare)),
		Kind:        ValidationEvent, Threshold: c.config.InvalidShare, Actual: share,
		Metadata: metadataOf(nil, field{"failed_validations", h.invalid}, field{"validations", h.checked}),
	}, k, e.at)
}

// errorShare is errors per load, at most 1.
func errorShare(errors, loads int) float64 {
	return min(float64(errors)/float64(max(loads, 1)), 1)
}

// milliseconds is d as events have it.
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// decimal writes a number for people, with all its digits.
func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
