package api_test

import (
	"cmp"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/api"
)

const monitoringBase = base + "/monitoring"

// observed returns an API over a collector that wants the key.
func observed(t *testing.T, cfg monitor.Config) (*api.API, *monitor.Collector) {
	t.Helper()
	c, err := monitor.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := api.NewKeys(key)
	if err != nil {
		t.Fatal(err)
	}
	a, err := api.New(api.Config{Orchestrator: newOrchestrator(t, trysail.Config{}), Keys: keys, Monitor: c})
	if err != nil {
		t.Fatal(err)
	}
	return a, c
}

// used returns an API whose collector has something of everything.
func used(t *testing.T) *api.API {
	t.Helper()
	a, c := observed(t, monitor.Config{})
	about := func(preset, session string) monitor.Subject {
		return monitor.Subject{Preset: preset, Session: session, User: "Ada"}
	}
	c.RecordPresetUsage(about("production", "s-1"))
	time.Sleep(50 * time.Minute)
	for range 2 {
		c.RecordPresetUsage(about("simple", ""))
	}
	c.RecordConfigLoad(about("production", "s-1"), 12500*time.Microsecond)
	c.RecordConfigLoad(about("simple", ""), 150*time.Millisecond)
	c.RecordConfigError(about(`=cmd|' /C calc'!A0`, "s-1"), errors.New("file \"a, b\" is missing\nor empty"))
	c.RecordConfigChange(monitor.Subject{Preset: "production", Metadata: map[string]any{"config_type": "legacy"}}, "simple")
	c.RecordValidation(monitor.Subject{Preset: "custom", Metadata: map[string]any{"config_type": "custom"}}, false, "retry_attempts is 11, want 1 to 10")
	c.Observe(trysail.Event{Kind: trysail.EventTransition, Operation: "summarize", Generation: 2, Time: time.Now()})
	time.Sleep(20 * time.Minute)
	return a
}

// TestMonitoringAnswers keeps the good answer and each problem of every route in a golden file.
func TestMonitoringAnswers(t *testing.T) {
	const (
		usage, load, alerts = monitoringBase + "/usage-statistics", monitoringBase + "/performance-metrics", monitoringBase + "/alerts"
		trend, session      = monitoringBase + "/preset-trends/{preset_name}", monitoringBase + "/session/{session_id}"
		export, cleanup     = monitoringBase + "/export", monitoringBase + "/cleanup"
		events              = base + "/events"
	)
	for name, tc := range map[string]struct {
		row    string
		ask    request
		status int
	}{
		"usage statistics":                       {usage, get(""), 200},
		"usage statistics of an hour":            {usage, get("?time_window_hours=1"), 200},
		"usage statistics of no hour":            {usage, get("?time_window_hours=0"), 422},
		"usage statistics of 721 hours":          {usage, get("?time_window_hours=721"), 422},
		"usage statistics of a word":             {usage, get("?time_window_hours=hunter2"), 422},
		"usage statistics of too many digits":    {usage, get("?time_window_hours=99999999999999999999"), 422},
		"usage statistics of another parameter":  {usage, get("?hours=1"), 422},
		"usage statistics of two windows":        {usage, get("?time_window_hours=1&time_window_hours=2"), 422},
		"usage statistics of an empty window":    {usage, get("?time_window_hours="), 422},
		"usage statistics without a key":         {usage, get("").with("X-API-Key", ""), 401},
		"preset trend":                           {trend, get("/simple?hours=3"), 200},
		"preset trend of an unknown preset":      {trend, get("/legacy?hours=2"), 200},
		"preset trend of no hour":                {trend, get("/simple?hours=-1"), 422},
		"preset trend of an unusable name":       {trend, get("/a%0Ab"), 422},
		"preset trend without a key":             {trend, get("/simple").with("X-API-Key", ""), 401},
		"performance metrics":                    {load, get(""), 200},
		"performance metrics of too many hours":  {load, get("?hours=1000000000"), 422},
		"performance metrics without a key":      {load, get("").with("X-API-Key", ""), 401},
		"alerts":                                 {alerts, get(""), 200},
		"alerts of a level":                      {alerts, get("?level=ERROR"), 200},
		"alerts that are cut":                    {alerts, get("?max_alerts=1"), 200},
		"alerts of an unknown level":             {alerts, get("?level=hunter2"), 422},
		"alerts none":                            {alerts, get("?max_alerts=0"), 422},
		"alerts without a key":                   {alerts, get("").with("X-API-Key", ""), 401},
		"session":                                {session, get("/s-1"), 200},
		"session unknown":                        {session, get("/nobody"), 200},
		"session of an unusable name":            {session, get("/" + strings.Repeat("x", 201)), 422},
		"session without a key":                  {session, get("/s-1").with("X-API-Key", ""), 401},
		"export":                                 {export, get("?time_window_hours=1"), 200},
		"export as CSV":                          {export, get("?format=CSV"), 200},
		"export as XML":                          {export, get("?format=xml"), 400},
		"export as NDJSON without a stream":      {export, get("?format=ndjson"), 400},
		"export of too many hours":               {export, get("?time_window_hours=721"), 422},
		"export that may be a stream":            {export, get("?stream=perhaps"), 422},
		"export without a key":                   {export, get("").with("X-API-Key", ""), 401},
		"export stream":                          {"", get(export + "?stream=true"), 200},
		"export stream as CSV":                   {"", get(export + "?stream=true&format=csv"), 200},
		"export stream as XML":                   {"", get(export + "?stream=true&format=xml"), 400},
		"cleanup":                                {cleanup, post("?hours=1", ""), 200},
		"cleanup by default":                     {cleanup, post("", ""), 200},
		"cleanup of everything":                  {cleanup, post("?hours=0", "{}"), 200},
		"cleanup of the future":                  {cleanup, post("?hours=-1", ""), 422},
		"cleanup of more than a year":            {cleanup, post("?hours=8761", ""), 422},
		"cleanup with another parameter":         {cleanup, post("?hour=48", ""), 422},
		"cleanup with a query that is malformed": {cleanup, post("?hours=%zz", ""), 422},
		"cleanup with a member":                  {cleanup, post("", `{"hours":"hunter2"}`), 422},
		"cleanup without a key":                  {cleanup, post("", "").with("X-API-Key", ""), 401},
		"cleanup with a form":                    {cleanup, post("", "a=b").with("Content-Type", "application/x-www-form-urlencoded"), 415},
		"cleanup of a bad session":               {cleanup, post("", "").with("X-Session-ID", "hunter2 x"), 422},
		"events from the beginning":              {"", get(events).with("Last-Event-ID", "0"), 200},
		"events of a bad id":                     {events, get("").with("Last-Event-ID", "hunter2"), 422},
		"events without a key":                   {events, get("").with("X-API-Key", ""), 401},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := used(t)
				ask := tc.ask
				path, _, _ := strings.Cut(tc.row, "/{")
				ask.target = path + ask.target
				if tc.row == "" && strings.HasPrefix(ask.target, events) {
					time.AfterFunc(time.Second, a.Close)
				}
				w := send(a, ask)
				row, _, _ := strings.Cut(ask.target, "?")
				goldenOf(t, w, ask.method+" "+cmp.Or(tc.row, row))
				if w.Code != tc.status {
					t.Errorf("status %d, want %d", w.Code, tc.status)
				}
				if strings.Contains(w.Body.String(), "hunter2") {
					t.Error("the answer repeats what was sent")
				}
				if tc.row != "" {
					checkPromise(t, a, ask.method+" "+tc.row, w.Code, w.Body.Bytes())
				}
			})
		})
	}
}

func checkPromise(t *testing.T, a *api.API, route string, status int, body []byte) {
	t.Helper()
	for _, row := range a.Rows() {
		if row.Method+" "+row.Path != route {
			continue
		}
		if err := a.CheckAnswer(row, status, body); err != nil {
			t.Errorf("not what the OpenAPI document promises: %v", err)
		}
		return
	}
	t.Errorf("no row %s", route)
}

// TestUnusedMonitoring shows what a program answers that has recorded nothing.
func TestUnusedMonitoring(t *testing.T) {
	for name, target := range map[string]string{
		"unused usage statistics":    "/usage-statistics",
		"unused performance metrics": "/performance-metrics",
		"unused alerts":              "/alerts",
		"unused export":              "/export",
		"unused export as CSV":       "/export?format=csv",
		"unused export stream":       "/export?stream=true",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, _ := observed(t, monitor.Config{})
				golden(t, send(a, get(monitoringBase+target)))
			})
		})
	}
}
