package monitor_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/monitor"
)

func Example() {
	monitoring, err := monitor.New(monitor.Config{MaxEvents: 50_000, Retention: 48 * time.Hour})
	if err != nil {
		fmt.Println(err)
		return
	}

	err = monitoring.Track(monitor.Subject{Operation: "load_preset", Preset: "production"}, func() error {
		return nil // load the preset
	})
	monitoring.RecordPresetUsage(monitor.Subject{Preset: "production", Operation: "batch_processing", Session: "nightly"})
	monitoring.RecordConfigError(monitor.Subject{Preset: "custom"}, errors.New("retry_attempts is 0, want 1 to 10"))

	stats := monitoring.Statistics(24 * time.Hour)
	fmt.Println(err, stats.Loads, stats.MostUsed, stats.ErrorRate)
	for _, alert := range stats.ActiveAlerts {
		fmt.Printf("%v: %s: %s\n", alert.Level, alert.Title, alert.Description)
	}
	// Output:
	// <nil> 1 production 1
	// error: Configuration Error: custom: Error in load_config: retry_attempts is 0, want 1 to 10
}

// A collector hears of breakers when it is the observer of an orchestrator.
func ExampleCollector_Observe() {
	monitoring, err := monitor.New(monitor.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = trysail.New(trysail.Config{Observer: monitoring})
	fmt.Println(err)

	monitoring.Observe(trysail.Event{Kind: trysail.EventTransition, Operation: "summarize", From: trysail.Closed, To: trysail.Open})
	events, _ := monitoring.After(0, 100)
	for _, e := range events {
		fields := e.Metadata.Map()
		fmt.Println(e.Operation, fields["event"], fields["from"], fields["to"])
	}
	// Output:
	// <nil>
	// summarize breaker_transition closed open
}

func ExampleCollector_ExportText() {
	monitoring, err := monitor.New(monitor.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	text, exported, err := monitoring.ExportText(monitor.CSV, 24*time.Hour)
	fmt.Println(exported.Events, err)
	fmt.Println(text)
	// Output:
	// 0 <nil>
	// timestamp,metric_type,preset_name,operation,value,metadata,session_id,user_context
}
