package api

import (
	"errors"
	"maps"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/monitor"
)

// Record has a monitor remember what loading or reloading a configuration noted. Session and user of who are recorded with each
// event; preset, operation and metadata are the event's own.
func Record(m *monitor.Collector, who monitor.Subject, events []config.Event) {
	for _, e := range events {
		metadata := make(map[string]any, len(e.Metadata))
		for key, value := range e.Metadata {
			metadata[key] = value
		}
		who.Preset, who.Operation, who.Metadata = e.Preset, e.Operation, metadata
		switch e.Kind {
		case config.EventLoad:
			m.RecordConfigLoad(who, e.Took)
		case config.EventUsage:
			m.RecordPresetUsage(who)
		case config.EventError:
			delete(metadata, "error_message") // the monitor adds it
			m.RecordConfigError(who, errors.New(e.Error))
		case config.EventChange:
			maps.DeleteFunc(metadata, func(key string, _ any) bool { return key == "old_preset" || key == "new_preset" }) // so it does these
			m.RecordConfigChange(who, e.Metadata["old_preset"])
		}
	}
}
