package api_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// TestAnswersOfHealth keeps those of the routes about health and breakers that are not in TestAnswersOfEveryRoute.
func TestAnswersOfHealth(t *testing.T) {
	const (
		reset   = base + "/metrics/reset"
		one     = base + "/circuit-breakers/{breaker_name}"
		forced  = one + "/force-open"
		closing = one + "/close"
		explain = base + "/operations/{operation_name}/explain"
		reason  = `{"reason":"maintenance"}`
	)
	breaker := base + "/circuit-breakers/good/"
	for name, tc := range map[string]struct {
		row    string
		ask    request
		status int
	}{
		"dashboard":                        {"", request{method: http.MethodGet, target: base + "/dashboard"}, 200},
		"dashboard with a wrong key":       {"", get(base+"/dashboard").with("X-API-Key", "guess"), 401},
		"metrics reset":                    {"", post(reset, ""), 200},
		"metrics reset of one":             {"", post(reset+"?operation_name=open", ""), 200},
		"metrics reset by the body":        {"", post(reset, `{"operation_name":"open","confirm":true}`), 200},
		"metrics reset of an unknown":      {"", post(reset+"?operation_name=nobody", `{"operation_name":"open"}`), 200},
		"metrics reset not confirmed":      {"", post(reset, `{"confirm":false}`), 422},
		"metrics reset of an unusable":     {"", post(reset+"?operation_name=a%0Ab", ""), 422},
		"metrics reset with a member":      {"", post(reset, `{"api_key":"hunter2"}`), 422},
		"metrics reset with a form":        {"", post(reset, "a=b").with("Content-Type", "text/plain"), 415},
		"metrics reset with too much":      {"", post(reset, strings.Repeat(" ", 1<<20+1)), 413},
		"metrics reset with a wrong key":   {"", post(reset, "").with("X-API-Key", "guess"), 401},
		"force open":                       {forced, post(breaker+"force-open", `{"reason":"maintenance","expires_in_seconds":3600}`), 200},
		"force open without a reason":      {forced, post(breaker+"force-open", `{}`), 422},
		"force open with a blank reason":   {forced, post(breaker+"force-open", `{"reason":"  "}`), 422},
		"force open without a body":        {forced, post(breaker+"force-open", ""), 422},
		"force open for too long":          {forced, post(breaker+"force-open", `{"reason":"x","expires_in_seconds":31622401}`), 422},
		"force open for no time":           {forced, post(breaker+"force-open", `{"reason":"x","expires_in_seconds":0}`), 422},
		"force open of an unknown breaker": {forced, post(base+"/circuit-breakers/nobody/force-open", reason), 404},
		"force open with a form":           {forced, post(breaker+"force-open", "a=b").with("Content-Type", "text/plain"), 415},
		"force open with too much":         {forced, post(breaker+"force-open", strings.Repeat(" ", 1<<20+1)), 413},
		"force open with a wrong key":      {forced, post(breaker+"force-open", reason).with("X-API-Key", "guess"), 401},
		"disable":                          {one + "/disable", post(breaker+"disable", reason), 200},
		"disable an unknown breaker":       {one + "/disable", post(base+"/circuit-breakers/nobody/disable", reason), 404},
		"metrics only":                     {one + "/metrics-only", post(breaker+"metrics-only", reason), 200},
		"metrics only of an unknown":       {one + "/metrics-only", post(base+"/circuit-breakers/nobody/metrics-only", reason), 404},
		"close":                            {closing, post(base+"/circuit-breakers/open/close", reason), 200},
		"close for a time":                 {closing, post(breaker+"close", `{"reason":"x","expires_in_seconds":5}`), 422},
		"close of an unknown breaker":      {closing, post(base+"/circuit-breakers/nobody/close", reason), 404},
		"close with a wrong key":           {closing, post(breaker+"close", reason).with("X-API-Key", "guess"), 401},
		"explain":                          {explain, get(base + "/operations/open/explain"), 200},
		"explain one without a breaker":    {explain, get(base + "/operations/plain/explain"), 200},
		"explain one that is planned":      {explain, get(base + "/operations/planned/explain"), 200},
		"explain an unknown operation":     {explain, get(base + "/operations/nobody/explain"), 404},
		"explain an unusable name":         {explain, get(base + "/operations/%7F/explain"), 422},
		"explain without a key":            {explain, get(base+"/operations/open/explain").with("X-API-Key", ""), 401},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { checkRow(t, newAPI(t, busy(t)), tc.row, tc.ask, tc.status) })
		})
	}
}
