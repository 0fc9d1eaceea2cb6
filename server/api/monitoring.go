package api

import (
	"context"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail/monitor"
)

// Bounds of what counts as good, as the specification's service had them.
const (
	goodErrorRate = 0.05
	goodAverage   = 100 * time.Millisecond
	goodP95       = 200 * time.Millisecond
)

// hoursOf is a window in whole hours.
func hoursOf(n int) time.Duration { return time.Duration(n) * time.Hour }

// A windowInput is a window that ends now.
type windowInput struct {
	Hours int `query:"time_window_hours" default:"24" minimum:"1" maximum:"720" doc:"Hours that the window goes back."`
}

func (a *API) usageStatistics(_ context.Context, in *windowInput) (*usageView, error) {
	s := a.monitor.Statistics(hoursOf(in.Hours))
	return &usageView{
		Hours: in.Hours,
		Statistics: statisticsView{
			Loads: s.Loads, PresetUsage: s.PresetUsage, ErrorRate: s.ErrorRate, AverageMS: milliseconds(s.AverageLoad),
			MostUsed: s.MostUsed, LeastUsed: s.LeastUsed, CustomRate: s.CustomRate, LegacyRate: s.LegacyRate,
			ActiveAlerts: viewsOfAlerts(s.ActiveAlerts),
		},
		Summary: usageSummaryView{
			Healthy: s.ErrorRate < goodErrorRate, PerformanceGood: s.AverageLoad < goodAverage, PresetAdoption: 1 - s.LegacyRate,
		},
	}, nil
}

// A trendInput names a preset and a window.
type trendInput struct {
	Name  pathName `path:"preset_name" doc:"The preset's name, percent-encoded. It need not exist any more." example:"production"`
	Hours int      `query:"hours" default:"24" minimum:"1" maximum:"720" doc:"Hours that the window goes back."`
}

func (a *API) presetTrend(_ context.Context, in *trendInput) (*trendView, error) {
	trend, err := a.monitor.Trend(string(in.Name), in.Hours)
	if err != nil {
		return nil, err
	}
	points := make([]trendPointView, len(trend.Points))
	for i, p := range trend.Points {
		points[i] = trendPointView{Time: p.Time, Count: p.Count}
	}
	return &trendView{
		Preset: string(in.Name), Hours: in.Hours, Points: points,
		Summary: trendSummaryView{Total: trend.Total, Peak: trend.Peak, Average: trend.AverageHourly},
	}, nil
}

// A hoursInput is a [windowInput] under the name that its route has for it.
type hoursInput struct {
	Hours int `query:"hours" default:"24" minimum:"1" maximum:"720" doc:"Hours that the window goes back."`
}

func (a *API) performanceMetrics(_ context.Context, in *hoursInput) (*performanceView, error) {
	p := a.monitor.Performance(hoursOf(in.Hours))
	presets := make(map[string]presetLoadView, len(p.Presets))
	for name, of := range p.Presets {
		presets[name] = presetLoadView{
			AverageMS: milliseconds(of.Average), MinMS: milliseconds(of.Min), MaxMS: milliseconds(of.Max), Samples: of.Samples,
		}
	}
	return &performanceView{
		Hours: in.Hours,
		Metrics: loadTimesView{
			AverageMS: milliseconds(p.Average), MinMS: milliseconds(p.Min), MaxMS: milliseconds(p.Max), P95MS: milliseconds(p.P95),
			Errors: p.Errors, Samples: p.Samples, Presets: presets,
		},
		Health: loadsHealthView{
			PerformanceGood:     p.Average < goodAverage,
			ErrorRateAcceptable: float64(p.Errors)/float64(max(p.Samples, 1)) < goodErrorRate,
			P95Good:             p.P95 < goodP95,
		},
	}, nil
}

// An alertsInput says which alerts are wanted.
type alertsInput struct {
	Most  int       `query:"max_alerts" default:"50" minimum:"1" maximum:"1000" doc:"How many, the newest of those with the level."`
	Level levelName `query:"level" doc:"Only alerts of this level, in upper or lower case. Without it all."`
}

// A levelName is the name of a level, regardless of case.
type levelName string

// Schema implements [huma.SchemaProvider].
func (levelName) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Examples: []any{"info", "warning", "error", "critical"},
		Extensions: asWritten{"pattern": anyCase("info", "warning", "error", "critical")},
	}
}

// anyCase is a pattern of words in upper or lower case. The dialect of the document, ECMA-262, has no sign for that.
func anyCase(words ...string) string {
	var b strings.Builder
	for i, word := range words {
		b.WriteString(map[bool]string{true: "^(", false: "|"}[i == 0])
		for _, c := range word {
			b.WriteString("[" + strings.ToUpper(string(c)) + string(c) + "]")
		}
	}
	return b.String() + ")$"
}

func (a *API) alerts(_ context.Context, in *alertsInput) (*alertsView, error) {
	var level monitor.Level
	if in.Level != "" {
		var err error
		if level, err = monitor.ParseLevel(string(in.Level)); err != nil {
			return nil, &problemError{invalid([]Fault{{
				Location: "query.level", Message: "unknown level; value has the known ones", Value: []string{"info", "warning", "error", "critical"},
			}})}
		}
	}
	found := a.monitor.Alerts(level, 0)
	shown := found[max(len(found)-in.Most, 0):]
	out := alertsView{
		Alerts:  viewsOfAlerts(shown),
		Summary: alertsSummaryView{Total: len(shown), Omitted: len(found) - len(shown)},
	}
	counts := &out.Summary.Counts
	for _, alert := range shown {
		switch alert.Level {
		case monitor.LevelInfo:
			counts.Info++
		case monitor.LevelWarning:
			counts.Warning++
		case monitor.LevelError:
			counts.Error++
		case monitor.LevelCritical:
			counts.Critical++
		}
	}
	out.Summary.HasCritical, out.Summary.HasErrors = counts.Critical > 0, counts.Error > 0
	return &out, nil
}

// A sessionInput names a session.
type sessionInput struct {
	ID pathName `path:"session_id" doc:"What requests sent as X-Session-ID, percent-encoded." example:"batch-17"`
}

func (a *API) session(_ context.Context, in *sessionInput) (*sessionView, error) {
	s := a.monitor.Session(string(in.ID))
	return &sessionView{
		ID:      string(in.ID),
		Metrics: viewsOfEvents(s.Events),
		Summary: sessionSummaryView{
			Total: len(s.Events), PresetUsage: s.PresetUsage, Errors: s.Errors, ErrorRate: s.ErrorRate, AverageMS: milliseconds(s.AverageLoad),
		},
	}, nil
}

// A cleanupInput says what is old. A body is not needed; clients that send one with every POST may send an empty object.
type cleanupInput struct {
	Hours int `query:"hours" default:"24" minimum:"0" maximum:"8760" doc:"Age in hours from which on everything goes; 0 removes all."`
	Body  *emptyView
}

func (a *API) cleanup(ctx context.Context, in *cleanupInput) (*cleanupView, error) {
	done, err := a.monitor.Cleanup(hoursOf(in.Hours))
	if err != nil {
		return nil, err
	}
	a.audit(ctx, change{
		what:   auditCleanup,
		before: monitoringState{done.EventsRemoved + done.EventsRemaining, done.AlertsRemoved + done.AlertsRemaining, nil},
		after:  monitoringState{done.EventsRemaining, done.AlertsRemaining, &in.Hours},
	})
	who, subject := callerOf(ctx), subjectOf(ctx)
	a.log.InfoContext(ctx, "monitoring cleaned up", "hours", in.Hours,
		"events_removed", done.EventsRemoved, "alerts_removed", done.AlertsRemoved, "remote_addr", who.addr,
		"session_id", subject.Session, "user_context", subject.User, "request_id", who.requestID)
	return &cleanupView{
		Hours:         in.Hours,
		EventsRemoved: done.EventsRemoved, AlertsRemoved: done.AlertsRemoved,
		EventsRemaining: done.EventsRemaining, AlertsRemaining: done.AlertsRemaining,
		Time: instant(done.Time),
	}, nil
}
