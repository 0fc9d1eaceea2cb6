package monitor

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// A Kind says what an [Event] reports.
type Kind uint8

// The kinds.
const (
	PresetUsage      Kind = iota + 1 // a preset was used; value 1
	ConfigLoad                       // a configuration was loaded; value: milliseconds
	ConfigError                      // a configuration could not be loaded; value 1
	ConfigChange                     // another preset was put into force; value 1
	ValidationEvent                  // a configuration was checked; value 1 if it is valid, 0 if not
	PerformanceEvent                 // the engine reported something; see [Collector.Observe]
	kinds                            // one more than the last
)

func kindNames() [kinds]string {
	return [kinds]string{
		PresetUsage: "preset_usage", ConfigLoad: "config_load", ConfigError: "config_error", ConfigChange: "config_change",
		ValidationEvent: "validation_event", PerformanceEvent: "performance_event",
	}
}

// String returns the word that the API uses, such as "preset_usage".
func (k Kind) String() string {
	if k > 0 && k < kinds {
		return kindNames()[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// MarshalText returns what String does.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what String returns.
func (k *Kind) UnmarshalText(text []byte) error {
	names := kindNames()
	for i, name := range names {
		if i > 0 && name == string(text) {
			*k = Kind(i)
			return nil
		}
	}
	return fmt.Errorf("unknown kind of event %q, want one of %q", short(string(text)), names[1:])
}

// An Event is something that happened. Its JSON form has the names of the API; session_id and user_context are
// null when there is none.
type Event struct {
	Seq       uint64    `json:"-"` // counts up over all events of a collector; see [Collector.After]
	Time      time.Time `json:"timestamp"`
	Kind      Kind      `json:"metric_type"`
	Preset    string    `json:"preset_name"` // empty if the engine reported it
	Operation string    `json:"operation"`
	Value     float64   `json:"value"`
	Metadata  Metadata  `json:"metadata"`
	Session   string    `json:"session_id"`
	User      string    `json:"user_context"`
}

// MarshalJSON implements [json.Marshaler].
func (e Event) MarshalJSON() ([]byte, error) {
	if math.IsNaN(e.Value) || math.IsInf(e.Value, 0) {
		return nil, fmt.Errorf("event %d has the value %v, want a finite number", e.Seq, e.Value)
	}
	return e.appendJSON(nil), nil
}

// columns are what an exported event is made of, in this order.
func columns() [8]string {
	return [8]string{"timestamp", "metric_type", "preset_name", "operation", "value", "metadata", "session_id", "user_context"}
}

// appendJSON writes what encoding/json would, some five times faster: a large export is a million of these.
func (e *Event) appendJSON(b []byte) []byte {
	b = append(b, `{"timestamp":"`...)
	b = e.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","metric_type":"`...)
	b = append(b, e.Kind.String()...)
	b = append(b, `","preset_name":`...)
	b = appendText(b, e.Preset)
	b = append(b, `,"operation":`...)
	b = appendText(b, e.Operation)
	b = append(b, `,"value":`...)
	b = appendNumber(b, e.Value)
	b = append(b, `,"metadata":`...)
	b = append(b, e.Metadata.String()...)
	b = append(b, `,"session_id":`...)
	b = appendOptional(b, e.Session)
	b = append(b, `,"user_context":`...)
	b = appendOptional(b, e.User)
	return append(b, '}')
}

func appendOptional(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendText(b, s)
}

func appendNumber(b []byte, f float64) []byte {
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return strconv.AppendInt(b, int64(f), 10)
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

// Guard the two ways of writing an event against drifting apart.
var _ json.Marshaler = Event{}

// A Subject is what an event is about. Names and texts longer than 200 characters are cut to that; the last one is then
// an ellipsis.
type Subject struct {
	Preset    string // default "unknown"
	Operation string // default: see the recorder
	Session   string // whose work it was, if known; see [Collector.Session]
	User      string // for people; empty if not known

	// Metadata is whatever else is known: see [Metadata] for what it may hold. It is read before the recorder
	// returns, and not kept.
	Metadata map[string]any
}
