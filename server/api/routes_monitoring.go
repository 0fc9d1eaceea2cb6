package api

import "net/http"

func (a *API) monitoringRoutes() []route {
	return []route{
		{
			method: http.MethodGet, path: "/monitoring/usage-statistics", id: "getUsageStatistics", module: monitoring, run: handle(a.usageStatistics),
			summary: "Show how configurations were used",
			description: "Loads, errors and use of presets in a window that ends now. What is exactly as old as the window is not in it. " +
				"What operations did counts elsewhere: see /metrics.",
		},
		{
			method: http.MethodGet, path: "/monitoring/preset-trends/{preset_name}", id: "getPresetTrend", module: monitoring, run: handle(a.presetTrend),
			anyName: true,
			summary: "Show how often a preset was used, hour by hour",
			description: "One point for each full hour, oldest first; the newest is the hour that has begun. The oldest holds the rest of " +
				"the hour before it, too, so that the total is that of the usage statistics. A name that was never used has zeros.",
		},
		{
			method: http.MethodGet, path: "/monitoring/performance-metrics", id: "getPerformanceMetrics", module: monitoring, run: handle(a.performanceMetrics),
			summary:     "Show how long loading configurations took",
			description: "Times of the loads in a window that ends now, of all and by preset. Errors count also when nothing was loaded.",
		},
		{
			method: http.MethodGet, path: "/monitoring/alerts", id: "listAlerts", module: monitoring, run: handle(a.alerts),
			summary: "List what somebody should look at",
			description: "The newest alerts of the last 24 hours, oldest first. An alert that repeats within its cool-down is no other one, " +
				"but has a greater count.",
		},
		{
			method: http.MethodGet, path: "/monitoring/session/{session_id}", id: "getSession", module: monitoring, run: handle(a.session),
			anyName: true,
			summary: "Show what was recorded for a session",
			description: "The events of requests that sent this X-Session-ID, and of the program's own recorders. " +
				"A session that is not known has none.",
		},
		{
			method: http.MethodGet, path: "/monitoring/export", id: "exportEvents", module: monitoring, run: handleStream(exportMedia(), a.export),
			summary: "Export events",
			description: "Events of a window that ends now, or all that are remembered, oldest first, as one text inside a JSON answer. " +
				"With stream=true the answer is the text itself: lines of JSON, or CSV. " +
				"Trailers then say how many events there were (X-Record-Count) and how many went while it was written (X-Missed-Count). " +
				"In CSV an apostrophe stands before what a spreadsheet would take for a formula.",
			further: []int{http.StatusBadRequest},
		},
		{
			method: http.MethodPost, path: "/monitoring/cleanup", id: "cleanUpMonitoring", module: monitoring, run: handle(a.cleanup),
			summary:     "Remove old events and alerts",
			description: "What is as old as the given hours, or older; 0 removes everything. The numbers are those of one moment.",
		},
		{
			method: http.MethodGet, path: "/events", id: "followEvents", module: monitoring, run: handleStream(eventsMedia(), a.events),
			summary: "Follow events as they come",
			description: "Server-sent events: each is an event as in the export, and its id is what a client sends as Last-Event-ID to " +
				"go on where it was. Without that header the stream begins with what comes next; Last-Event-ID: 0 begins with " +
				"all that is remembered. The server keeps nothing for a slow reader: events of the name missed say how many went before " +
				"it came to them. restart says that the server does not know the id and begins anew, stopping that it stops.",
			further:   []int{http.StatusServiceUnavailable},
			extension: true,
		},
	}
}
