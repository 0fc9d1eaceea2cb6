package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// How a request says how it is to be treated.
func TestHeadersThatControl(t *testing.T) {
	for name, tc := range map[string]struct {
		scripts []string
		headers []string
		status  int
		sent    string
	}{
		"no retries":                        {[]string{"500"}, []string{gateway.RetriesHeader, "0"}, 500, "1"},
		"one":                               {[]string{"500"}, []string{gateway.RetriesHeader, "1"}, 500, "2"},
		"never more than the strategy has":  {[]string{"500"}, []string{gateway.RetriesHeader, "9"}, 500, "3"},
		"another strategy":                  {[]string{"500"}, []string{gateway.StrategyHeader, "aggressive"}, 500, "2"},
		"a patient one":                     {[]string{"500"}, []string{gateway.StrategyHeader, "critical"}, 500, "7"},
		"both":                              {[]string{"500"}, []string{gateway.StrategyHeader, "critical", gateway.RetriesHeader, "3"}, 500, "4"},
		"no retries, but another target":    {[]string{"500", "ok"}, []string{gateway.RetriesHeader, "0"}, 200, "1 1"},
		"no other target":                   {[]string{"500", "ok"}, []string{gateway.FallbackHeader, "off"}, 500, "3 0"},
		"no other target for a lack of it":  {[]string{"billing", "ok"}, []string{gateway.FallbackHeader, "off"}, 429, "1 0"},
		"others if need be":                 {[]string{"billing", "ok"}, []string{gateway.FallbackHeader, "on"}, 200, "1 1"},
		"a priority":                        {[]string{"ok"}, []string{gateway.PriorityHeader, "background"}, 200, "1"},
		"a strategy that does not exist":    {[]string{"ok"}, []string{gateway.StrategyHeader, "heroic"}, 400, "0"},
		"retries that are no number":        {[]string{"ok"}, []string{gateway.RetriesHeader, "many"}, 400, "0"},
		"too many":                          {[]string{"ok"}, []string{gateway.RetriesHeader, "20"}, 400, "0"},
		"less than none":                    {[]string{"ok"}, []string{gateway.RetriesHeader, "-1"}, 400, "0"},
		"a time that is none":               {[]string{"ok"}, []string{gateway.TimeoutHeader, "soon"}, 400, "0"},
		"no time at all":                    {[]string{"ok"}, []string{gateway.TimeoutHeader, "0s"}, 400, "0"},
		"a number that is none":             {[]string{"ok"}, []string{gateway.TimeoutHeader, "NaN"}, 400, "0"},
		"seconds":                           {[]string{"ok"}, []string{gateway.TimeoutHeader, "2.5"}, 200, "1"},
		"more time than there is":           {[]string{"ok"}, []string{gateway.TimeoutHeader, "24h"}, 200, "1"},
		"a fallback that is none":           {[]string{"ok"}, []string{gateway.FallbackHeader, "b"}, 400, "0"},
		"a priority that does not exist":    {[]string{"ok"}, []string{gateway.PriorityHeader, "vip"}, 400, "0"},
		"an operation of the gateway's own": {[]string{"ok"}, []string{gateway.OperationHeader, "target/a"}, 400, "0"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, tc.scripts, nil)
			got := f.chat(plainBody, append(tc.headers, "X-Other", "1")...)
			if got.status != tc.status || f.totals() != tc.sent {
				t.Errorf("status %d after %s requests, want %d after %s\n%s", got.status, f.totals(), tc.status, tc.sent, got.body)
			}
			if tc.status == 400 {
				if _, code, message := got.failure(t); !strings.HasPrefix(code, "invalid_") || !strings.Contains(message, tc.headers[0]) {
					t.Errorf("code %q, %q; want what is wrong, and where", code, message)
				}
			}
		})
	}
}

// What a route does not allow is refused, and says so.
func TestHeadersThatTheRouteForbids(t *testing.T) {
	f := newFleet(t, []string{"ok"}, func(c *gateway.Config) {
		c.Plan.Routes = []gateway.Route{{
			Path: "/v1/chat/*", Targets: []gateway.RouteTarget{{Target: "a"}},
			Allow: gateway.Allowed{NoStrategy: true, NoRetries: true, NoTimeout: true, NoPriority: true, NoFallback: true},
		}}
	})
	for header, value := range map[string]string{
		gateway.StrategyHeader: "critical", gateway.RetriesHeader: "1", gateway.TimeoutHeader: "1s", gateway.PriorityHeader: "batch", gateway.FallbackHeader: "off",
	} {
		got := f.chat(plainBody, header, value)
		if _, code, message := got.failure(t); got.status != 400 || code != "header_not_allowed" || !strings.Contains(message, header) {
			t.Errorf("%s: status %d, %q, %q", header, got.status, code, message)
		}
	}
	if got := f.chat(plainBody); got.status != 200 || f.totals() != "1" {
		t.Errorf("without any: status %d after %s requests", got.status, f.totals())
	}
}

// A client's time limit holds, whatever the provider and the strategy do.
func TestTimeoutHeaderHolds(t *testing.T) {
	for name, tc := range map[string]struct {
		scripts []string
		body    string
		status  int
	}{
		"a provider that hangs":         {[]string{"hang"}, plainBody, 504},
		"two of them":                   {[]string{"hang", "hang"}, plainBody, 504},
		"one that fails slowly":         {[]string{"first-token:700ms,500,500"}, plainBody, 200},
		"a stream that stalls":          {[]string{"stall:3"}, streamBody, 200},
		"one that asks to wait for 5 s": {[]string{"429:5"}, plainBody, 429},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, tc.scripts, nil)
			began := time.Now()
			got := f.chat(tc.body, gateway.TimeoutHeader, "2s")
			if took := time.Since(began); took > 2*time.Second || got.status != tc.status {
				t.Errorf("status %d after %v, want %d within 2 s", got.status, took, tc.status)
			}
			for _, target := range []string{"a", "b"}[:len(tc.scripts)] {
				if b := f.breaker(target); b.WindowFailures != 0 {
					t.Errorf("the target %q is blamed for the client's impatience: %+v", target, b)
				}
			}
		})
	}
}

// The last of several targets has what is left of the time; the ones before it have their limits.
func TestLastTargetHasTheRest(t *testing.T) {
	f := newFleet(t, []string{"hang", "first-token:600ms"}, func(c *gateway.Config) {
		c.Limits = gateway.Limits{Plain: 150 * time.Millisecond, FirstToken: 150 * time.Millisecond, Total: 20 * time.Second}
	})
	for kind, body := range map[string]string{"plain": plainBody, "stream": streamBody} {
		if got := f.chat(body); got.status != 200 || got.header.Get(gateway.TargetHeader) != "b" || got.header.Get(gateway.AttemptsHeader) != "2" {
			t.Errorf("%s: status %d from %q after %s attempts\n%s", kind, got.status, got.header.Get(gateway.TargetHeader), got.header.Get(gateway.AttemptsHeader), got.body)
		}
	}
}

// A storm of calls against a dead provider makes few requests more than calls, without anybody having set a budget.
func TestStorm(t *testing.T) {
	for name, tc := range map[string]struct {
		calls  int
		factor float64
	}{"40 at once": {40, 1.6}, "200 at once": {200, 1.2}} {
		t.Run(name, func(t *testing.T) {
			orc, err := trysail.New(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone}}})
			if err != nil {
				t.Fatal(err)
			}
			f := (&fleet{rig: rig{t: t, orchestrator: orc}}).start([]string{"500"}, nil)
			answers := make(chan reply, tc.calls)
			for range tc.calls {
				go func() { answers <- f.chat(plainBody) }()
			}
			statuses := map[int]int{}
			for range tc.calls {
				statuses[(<-answers).status]++
			}
			if sent := f.providers[0].Total(); float64(sent) > tc.factor*float64(tc.calls) {
				t.Errorf("%d calls made %d requests, want %v times as many at most", tc.calls, sent, tc.factor)
			}
			if statuses[500]+statuses[503] != tc.calls {
				t.Errorf("statuses %v, want 500 and 503 only", statuses)
			}
		})
	}
}

// A key that is refused to many calls at once costs none of them its answer, as long as there is another.
func TestStormWithAnotherKey(t *testing.T) {
	const calls = 60
	var refused atomic.Int32
	gate := make(chan struct{})
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("Authorization") == "Bearer old" {
			if refused.Add(1) == calls {
				close(gate) // all have come before the first one hears of it
			}
			<-gate
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"message":"no","type":"invalid_request_error","code":"invalid_api_key"}}`)
			return
		}
		_, _ = io.WriteString(w, `{"choices":[]}`)
	}))
	defer provider.Close()
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		t.Fatal(err)
	}
	f := (&fleet{rig: rig{t: t, orchestrator: orc}}).start(nil, func(c *gateway.Config) {
		c.Plan = gateway.SingleTarget(gateway.Target{
			Name: "a", Protocol: gateway.OpenAIProtocol, BaseURL: provider.URL + "/v1", Credentials: []gateway.Credential{{Key: "old"}, {Key: "new"}},
		})
	})
	answers := make(chan reply, calls)
	for range calls {
		go func() { answers <- f.chat(plainBody) }()
	}
	for range calls {
		if got := <-answers; got.status != 200 {
			t.Errorf("status %d after %s attempts\n%s", got.status, got.header.Get(gateway.AttemptsHeader), got.body)
		}
	}
	if b := f.breaker("a"); b.State != trysail.Closed {
		t.Errorf("the target's breaker is %v: %s", b.State, b.Reason)
	}
}

// When the budget is used up, a target that is well gets the calls nevertheless: nobody suffers from the dead one.
func TestStormWithSomebodyWell(t *testing.T) {
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone}}})
	if err != nil {
		t.Fatal(err)
	}
	f := (&fleet{rig: rig{t: t, orchestrator: orc}}).start([]string{"500", "ok"}, nil)
	answers := make(chan reply, 100)
	for range 100 {
		go func() { answers <- f.chat(plainBody) }()
	}
	for range 100 {
		if got := <-answers; got.status != 200 {
			t.Errorf("status %d from %s after %s", got.status, got.header.Get(gateway.TargetHeader), got.header.Get(gateway.AttemptsHeader))
		}
	}
	if dead := f.providers[0].Total(); dead > 160 {
		t.Errorf("the dead provider had %s requests for 100 calls", fmt.Sprint(dead))
	}
}
