package api

import (
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail/monitor"
)

// The views of the module monitoring. Rates are shares from 0 to 1.
type (
	usageView struct {
		Hours      int              `json:"time_window_hours"`
		Statistics statisticsView   `json:"statistics"`
		Summary    usageSummaryView `json:"summary"`
	}

	statisticsView struct {
		Loads        int            `json:"total_loads" doc:"Configurations that were loaded."`
		PresetUsage  map[string]int `json:"preset_usage_count" doc:"By preset; those that were not used are not in it."`
		ErrorRate    float64        `json:"error_rate" minimum:"0" maximum:"1" doc:"Errors per load; 1 with errors but no load."`
		AverageMS    float64        `json:"avg_load_time_ms" doc:"0 without loads."`
		MostUsed     string         `json:"most_used_preset" doc:"The first by name if several were used as often; none if none was."`
		LeastUsed    string         `json:"least_used_preset" doc:"As most_used_preset, of those that were used."`
		CustomRate   float64        `json:"custom_config_usage_rate" minimum:"0" maximum:"1" doc:"Share of the events that are about a custom configuration."`
		LegacyRate   float64        `json:"legacy_config_usage_rate" minimum:"0" maximum:"1" doc:"Share of the events that are about the old variables."`
		ActiveAlerts []alertView    `json:"active_alerts" nullable:"false" doc:"Of the last 24 hours, whatever the window, oldest first."`
	}

	usageSummaryView struct {
		Healthy         bool    `json:"healthy" doc:"Whether error_rate is below 0.05."`
		PerformanceGood bool    `json:"performance_good" doc:"Whether avg_load_time_ms is below 100."`
		PresetAdoption  float64 `json:"preset_adoption" minimum:"0" maximum:"1" doc:"1 without legacy_config_usage_rate."`
	}

	trendView struct {
		Preset  string           `json:"preset_name"`
		Hours   int              `json:"time_window_hours"`
		Points  []trendPointView `json:"trend_data" nullable:"false" doc:"As many as hours were asked for, oldest first."`
		Summary trendSummaryView `json:"summary"`
	}

	trendPointView struct {
		Time  time.Time `json:"timestamp" doc:"The full hour, UTC, that it begins with."`
		Count int       `json:"usage_count"`
	}

	trendSummaryView struct {
		Total   int     `json:"total_usage"`
		Peak    int     `json:"peak_usage" doc:"Of one hour."`
		Average float64 `json:"avg_hourly_usage"`
	}

	performanceView struct {
		Hours   int             `json:"time_window_hours"`
		Metrics loadTimesView   `json:"performance_metrics"`
		Health  loadsHealthView `json:"health_check"`
	}

	loadTimesView struct {
		AverageMS float64                   `json:"avg_load_time_ms" doc:"This and the other times are 0 without loads."`
		MinMS     float64                   `json:"min_load_time_ms"`
		MaxMS     float64                   `json:"max_load_time_ms"`
		P95MS     float64                   `json:"p95_load_time_ms" doc:"95 % of the loads were at least as fast."`
		Errors    int                       `json:"error_count"`
		Samples   int                       `json:"total_samples" doc:"Loads."`
		Presets   map[string]presetLoadView `json:"preset_performance" doc:"By preset; those that were not loaded are not in it."`
	}

	presetLoadView struct {
		AverageMS float64 `json:"avg_load_time_ms"`
		MinMS     float64 `json:"min_load_time_ms"`
		MaxMS     float64 `json:"max_load_time_ms"`
		Samples   int     `json:"sample_count"`
	}

	loadsHealthView struct {
		PerformanceGood     bool `json:"performance_good" doc:"Whether avg_load_time_ms is below 100."`
		ErrorRateAcceptable bool `json:"error_rate_acceptable" doc:"Whether there were fewer than 0.05 errors per load; without loads, per one."`
		P95Good             bool `json:"p95_within_threshold" doc:"Whether p95_load_time_ms is below 200."`
	}

	alertsView struct {
		Alerts  []alertView       `json:"alerts" nullable:"false" doc:"Oldest first."`
		Summary alertsSummaryView `json:"summary"`
	}

	alertView struct {
		ID          uint64       `json:"id" doc:"Counts up over all alerts."`
		Time        time.Time    `json:"timestamp"`
		Level       string       `json:"level" enum:"info,warning,error,critical"`
		Rule        string       `json:"rule" doc:"What raised it, such as config_error."`
		Title       string       `json:"title"`
		Description string       `json:"description"`
		Preset      string       `json:"preset_name" doc:"Empty if the rule looks at all of them."`
		Kind        string       `json:"metric_type"`
		Threshold   float64      `json:"threshold_value"`
		Actual      float64      `json:"actual_value"`
		Metadata    metadataView `json:"metadata"`
		Count       int          `json:"count" minimum:"1" doc:"How often within the cool-down."`
		Last        time.Time    `json:"last_timestamp" doc:"When it repeated last."`
	}

	alertsSummaryView struct {
		Total       int            `json:"total_alerts" doc:"Those in alerts, as in the rest of the summary."`
		Omitted     int            `json:"omitted_alerts" doc:"Older ones that max_alerts left out."`
		Counts      levelCountView `json:"alert_counts"`
		HasCritical bool           `json:"has_critical"`
		HasErrors   bool           `json:"has_errors"`
	}

	levelCountView struct {
		Info     int `json:"info"`
		Warning  int `json:"warning"`
		Error    int `json:"error"`
		Critical int `json:"critical"`
	}

	sessionView struct {
		ID      string             `json:"session_id"`
		Metrics []eventView        `json:"metrics" nullable:"false" doc:"Oldest first."`
		Summary sessionSummaryView `json:"summary"`
	}

	eventView struct {
		Time      time.Time    `json:"timestamp"`
		Kind      string       `json:"metric_type" enum:"preset_usage,config_load,config_error,config_change,validation_event,performance_event"`
		Preset    string       `json:"preset_name"`
		Operation string       `json:"operation"`
		Value     float64      `json:"value" doc:"Milliseconds of a load, 1 or 0 of a validation, otherwise mostly 1."`
		Metadata  metadataView `json:"metadata"`
		Session   *string      `json:"session_id"`
		User      *string      `json:"user_context"`
	}

	sessionSummaryView struct {
		Total       int            `json:"total_operations" doc:"Events."`
		PresetUsage map[string]int `json:"preset_usage"`
		Errors      int            `json:"error_count"`
		ErrorRate   float64        `json:"error_rate" minimum:"0" maximum:"1" doc:"Errors per event; 0 without events."`
		AverageMS   float64        `json:"avg_load_time_ms" doc:"0 without loads."`
	}

	cleanupView struct {
		Hours           int       `json:"cleanup_threshold_hours"`
		EventsRemoved   int       `json:"metrics_removed"`
		AlertsRemoved   int       `json:"alerts_removed"`
		EventsRemaining int       `json:"metrics_remaining"`
		AlertsRemaining int       `json:"alerts_remaining"`
		Time            time.Time `json:"cleanup_timestamp"`
	}

	// metadataView is the JSON object that a recorder made.
	metadataView struct{ monitor.Metadata }
)

// Schema implements [huma.SchemaProvider].
func (metadataView) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "Whatever else is known."}
}

func viewsOfAlerts(alerts []monitor.Alert) []alertView {
	views := make([]alertView, len(alerts))
	for i, a := range alerts {
		views[i] = alertView{
			ID: a.ID, Time: instant(a.Time), Level: a.Level.String(), Rule: string(a.Rule), Title: a.Title, Description: a.Description,
			Preset: a.Preset, Kind: a.Kind.String(), Threshold: a.Threshold, Actual: a.Actual, Metadata: metadataView{a.Metadata},
			Count: a.Count, Last: instant(a.Last),
		}
	}
	return views
}

func viewsOfEvents(events []monitor.Event) []eventView {
	views := make([]eventView, len(events))
	for i, e := range events {
		views[i] = eventView{
			Time: instant(e.Time), Kind: e.Kind.String(), Preset: e.Preset, Operation: e.Operation, Value: e.Value,
			Metadata: metadataView{e.Metadata}, Session: textOrNull(e.Session), User: textOrNull(e.User),
		}
	}
	return views
}

func textOrNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
