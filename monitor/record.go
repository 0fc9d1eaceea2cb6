package monitor

import (
	"errors"
	"time"
)

// RecordPresetUsage records that a preset was used. The operation's default is "load".
func (c *Collector) RecordPresetUsage(s Subject) {
	e := entry{kind: PresetUsage, value: 1, metadata: metadataOf(s.Metadata)}
	s.describe(&e, "load")
	c.record(&e)
}

// RecordConfigLoad records that a configuration was loaded, and how long that took; a negative time counts as none. The
// operation's default is "load_config". A load that took longer than Config.SlowLoad is an alert.
func (c *Collector) RecordConfigLoad(s Subject, took time.Duration) {
	e := entry{kind: ConfigLoad, value: milliseconds(max(took, 0)), metadata: metadataOf(s.Metadata)}
	s.describe(&e, "load_config")
	c.record(&e)
}

// RecordConfigError records that a configuration could not be loaded, which is an alert. The text of err is kept, cut to 500
// characters: it must hold no secret. The operation's default is "load_config".
func (c *Collector) RecordConfigError(s Subject, err error) {
	e := entry{kind: ConfigError, value: 1, metadata: metadataOf(s.Metadata, field{"error_message", textOf(err)})}
	s.describe(&e, "load_config")
	c.record(&e)
}

// RecordConfigChange records that s.Preset was put into force in place of the preset old. The operation's default is
// "change".
func (c *Collector) RecordConfigChange(s Subject, old string) {
	e := entry{kind: ConfigChange, value: 1}
	s.describe(&e, "change")
	e.metadata = metadataOf(s.Metadata, field{"old_preset", clip(old, maxName)}, field{"new_preset", e.preset})
	c.record(&e)
}

// RecordValidation records that a configuration was checked and what was wrong with it, each fault in its words. The
// operation's default is "validate".
func (c *Collector) RecordValidation(s Subject, valid bool, faults ...string) {
	e := entry{kind: ValidationEvent, metadata: `{"is_valid":true,"validation_errors":[]}`}
	if valid {
		e.value = 1
	}
	if !valid || len(faults) > 0 || len(s.Metadata) > 0 {
		e.metadata = metadataOf(s.Metadata, field{"is_valid", valid}, field{"validation_errors", faults})
	}
	s.describe(&e, "validate")
	c.record(&e)
}

// errAbandoned is what Track records of an fn that did not return.
var errAbandoned = errors.New("the operation panicked or ended its goroutine")

// Track runs fn and records how long it took: as a load if it succeeded, as an error if it returned one, never
// both. It returns fn's error. A panic is recorded as an error and goes on its way.
func (c *Collector) Track(s Subject, fn func() error) error {
	start := time.Now()
	err := errAbandoned
	defer func() {
		if err != nil {
			c.RecordConfigError(s, err)
		} else {
			c.RecordConfigLoad(s, time.Since(start))
		}
	}()
	err = fn()
	return err
}

const unknown = "unknown" // a preset that was not named

// describe fills in what all events have in common but the metadata.
func (s *Subject) describe(e *entry, operation string) {
	e.preset, e.operation = clip(s.Preset, maxName), clip(s.Operation, maxName)
	if e.preset == "" {
		e.preset = unknown
	}
	if e.operation == "" {
		e.operation = operation
	}
	e.session, e.user = clip(s.Session, maxName), clip(s.User, maxName)
	if s.Metadata != nil {
		e.origin = originOf(e.kind, func(key string) any { return s.Metadata[key] })
	}
}

// textOf returns the text of an error. Errors that are none, or whose methods panic, have one, too.
func textOf(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = "an error whose Error method panics"
		}
	}()
	if err == nil {
		return "no error was given"
	}
	return err.Error()
}
