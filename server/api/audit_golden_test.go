package api_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/monitor"
)

// changed returns a ship on which every kind of change was made once, a second after each other.
func changed(t *testing.T) *ship {
	t.Helper()
	s := newShip(t, map[string]string{})
	try(t, s.orc.Operation("chat"), nil, trysail.WithClass(errDown, trysail.ClassQuotaExhausted, 0))
	s.monitor.RecordPresetUsage(monitor.Subject{Preset: "simple"})
	for _, r := range changes {
		time.Sleep(time.Second)
		if w := send(s.API, r); w.Code != 200 {
			t.Fatalf("%s %s: status %d\n%s", r.method, r.target, w.Code, w.Body)
		}
	}
	time.Sleep(time.Second)
	return s
}

// changes are requests that each change something.
var changes = []request{
	post(base+"/circuit-breakers/chat/force-open", `{"reason":"maintenance of the provider","expires_in_seconds":600}`).with("X-User-Context", "ann@example.org"),
	post(base+"/circuit-breakers/chat/disable", `{"reason":"it must run"}`),
	post(base+"/circuit-breakers/chat/metrics-only", `{"reason":"look first"}`),
	post(base+"/circuit-breakers/chat/close", `{"reason":"the provider is back"}`),
	post(base+"/circuit-breakers/chat/reset", ""),
	post(base+"/metrics/reset", `{"operation_name":"chat"}`),
	post(base+"/config/reload", `{"preset":"development","reason":"try it"}`),
	post(base+"/config/versions/1/rollback", `{"reason":"too few retries"}`),
	post(base+"/monitoring/cleanup?hours=0", ""),
	post(base+"/gateway/targets/well/drain", `{"reason":"maintenance of the provider"}`),
	post(base+"/gateway/targets/well/undrain", `{"reason":"the provider is back"}`),
}

// TestAnswersOfTheAuditLog keeps the good answer and each problem of the audit log.
func TestAnswersOfTheAuditLog(t *testing.T) {
	const log = base + "/audit-log"
	for name, tc := range map[string]struct {
		ask    request
		status int
	}{
		"audit log":                             {get(log), 200},
		"audit log newest":                      {get(log + "?limit=1"), 200},
		"audit log older":                       {get(log + "?limit=2&before=4"), 200},
		"audit log last page":                   {get(log + "?limit=3&before=4"), 200},
		"audit log of a breaker":                {get(log + "?target=chat&what=breaker.disable&who=admin-1"), 200},
		"audit log of nobody":                   {get(log + "?who=nobody"), 200},
		"audit log of a time":                   {get(log + "?from=2000-01-01T00:00:03.5Z&until=2000-01-01T01:00:05.5%2B01:00"), 200},
		"audit log without a key":               {get(log).with("X-API-Key", ""), 401},
		"audit log with a limit of 0":           {get(log + "?limit=0"), 422},
		"audit log with a limit of 1001":        {get(log + "?limit=1001&before=0"), 422},
		"audit log with no number":              {get(log + "?limit=all&before=x"), 422},
		"audit log with no time":                {get(log + "?from=yesterday&until=2026-11-25T10:00:00+01:00"), 422},
		"audit log with a time out of range":    {get(log + "?from=1969-12-31T23:59:59Z&until=2262-01-01T00:00:00Z"), 422},
		"audit log with times the wrong way":    {get(log + "?from=2026-11-25T10:00:00Z&until=2026-11-25T10:00:00Z"), 422},
		"audit log with an unusable name":       {get(log + "?who=a%0Ab"), 422},
		"audit log with another parameter":      {get(log + "?whom=x"), 422},
		"audit log with a parameter twice":      {get(log + "?who=a&who=b"), 422},
		"audit log with an empty parameter":     {get(log + "?who="), 422},
		"audit log with a query of a bad shape": {get(log + "?who=%zz"), 422},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				checkRow(t, changed(t).API, "", tc.ask, tc.status)
			})
		})
	}
}

// TestAuditLogOfNothing shows it before the first change.
func TestAuditLogOfNothing(t *testing.T) {
	t.Run("audit log empty", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			golden(t, send(newAPI(t, newOrchestrator(t, trysail.Config{})), get(base+"/audit-log")))
		})
	})
}
