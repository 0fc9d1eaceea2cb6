package config

import (
	"fmt"
	"time"
)

// An EventKind is what an [Event] is about, in the words of the specification's monitor.
type EventKind string

// The kinds of events.
const (
	EventLoad   EventKind = "config_load"   // a configuration was loaded
	EventUsage  EventKind = "preset_usage"  // a preset, a custom configuration or old variables were used
	EventError  EventKind = "config_error"  // something was refused
	EventChange EventKind = "config_change" // a reload took effect
)

// An Event is something that a monitor of configurations should record. It is a plain value: this package
// sends nothing anywhere.
type Event struct {
	Kind      EventKind
	Operation string            // what was done: load_config, load_preset, apply_custom_config, parse_custom_config, ...
	Preset    string            // the key of the preset in use
	Took      time.Duration     // of an EventLoad
	Error     string            // of an EventError: what was wrong
	Metadata  map[string]string // such as config_type: preset, custom or legacy; may be nil
}

// used notes for the monitor what was put to use.
func (l *loading) used(operation string, metadata map[string]string) {
	l.out.Events = append(l.out.Events, Event{Kind: EventUsage, Operation: operation, Preset: l.out.Preset.Key, Metadata: metadata})
}

// failure notes something that was refused.
func (l *loading) failure(operation string, err error) {
	l.out.Events = append(l.out.Events, Event{
		Kind: EventError, Operation: operation, Preset: l.out.Preset.Key, Error: err.Error(),
		Metadata: map[string]string{"error_message": err.Error()},
	})
}

// step notes what was done, for SHOW_CONFIG_LOADING. The specification has operators look for the word in front.
func (l *loading) step(format string, args ...any) {
	l.out.Steps = append(l.out.Steps, "resilience configuration: "+fmt.Sprintf(format, args...))
}

func (l *loading) warn(format string, args ...any) {
	l.out.Warnings = append(l.out.Warnings, fmt.Sprintf(format, args...))
}
