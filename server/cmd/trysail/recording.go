package main

import (
	"errors"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/monitor"
)

// record has the monitor remember what loading noted.
func record(m *monitor.Collector, events []config.Event) {
	for _, e := range events {
		metadata := make(map[string]any, len(e.Metadata))
		for key, value := range e.Metadata {
			metadata[key] = value
		}
		s := monitor.Subject{Preset: e.Preset, Operation: e.Operation, Metadata: metadata}
		switch e.Kind {
		case config.EventLoad:
			m.RecordConfigLoad(s, e.Took)
		case config.EventUsage:
			m.RecordPresetUsage(s)
		case config.EventError:
			delete(metadata, "error_message") // the monitor adds it
			m.RecordConfigError(s, errors.New(e.Error))
		case config.EventChange:
			old := e.Metadata["old_preset"]
			delete(metadata, "old_preset") // the monitor adds both
			delete(metadata, "new_preset")
			m.RecordConfigChange(s, old)
		}
	}
}

// observers tells several of the engine's events. Nil ones are left out.
func observers(all ...func(trysail.Event)) func(trysail.Event) {
	return func(e trysail.Event) {
		for _, observe := range all {
			if observe != nil {
				observe(e)
			}
		}
	}
}
