package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
)

// quick opens after one failure and makes one attempt.
func quick() trysail.Policy {
	return trysail.Policy{
		Retry:   trysail.RetryPolicy{Disabled: true},
		Breaker: trysail.BreakerPolicy{FailureThreshold: 1, RecoveryTimeout: time.Minute},
	}
}

func TestBreakerIsShownAsItIs(t *testing.T) {
	type seen struct {
		State        string     `json:"state"`
		FailureCount int        `json:"failure_count"`
		OpenedAt     *time.Time `json:"opened_at"`
		Next         *time.Time `json:"next_attempt_at"`
	}
	synctest.Test(t, func(t *testing.T) {
		orc := newOrchestrator(t, trysail.Config{})
		op := register(t, orc, "ai", quick())
		a := newAPI(t, orc)
		check := func(when, state string, failures int) {
			t.Helper()
			got := decode[seen](t, send(a, get(base+"/circuit-breakers/ai")))
			opened, next := state != "closed", state == "open"
			if got.State != state || got.FailureCount != failures || (got.OpenedAt != nil) != opened || (got.Next != nil) != next {
				t.Errorf("%s: %+v, want %s with %d failures", when, got, state, failures)
			}
		}
		check("at first", "closed", 0)
		try(t, op, errDown)
		check("after a failure", "open", 1)
		time.Sleep(time.Minute - time.Nanosecond)
		check("a nanosecond before the recovery timeout ends", "open", 1)
		time.Sleep(time.Nanosecond)
		check("when it has ended", "half-open", 1)
		try(t, op, nil)
		check("after a good probe", "closed", 0)
	})
}

// TestBreakersHaveTheSpecificationsKeys guards what other programs rely on.
func TestBreakersHaveTheSpecificationsKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := decode[map[string]json.RawMessage](t, send(newAPI(t, busy(t)), get(base+"/circuit-breakers")))
		var entries map[string]map[string]any
		if err := json.Unmarshal(got["circuit_breakers"], &entries); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"total_count", "healthy_count", "open_count"} {
			if _, ok := got[name]; !ok {
				t.Errorf("no %s", name)
			}
		}
		for breaker, entry := range entries {
			for _, name := range []string{"state", "failure_count", "threshold", "recovery_timeout", "last_failure"} {
				if _, ok := entry[name]; !ok {
					t.Errorf("breaker %s has no %s", breaker, name)
				}
			}
		}
	})
}

func TestResetClosesAndIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc := newOrchestrator(t, trysail.Config{})
		op := register(t, orc, "ai", quick())
		var log bytes.Buffer
		a, err := api.New(api.Config{Orchestrator: orc, Logger: slog.New(slog.NewJSONHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		try(t, op, errDown)
		if w := send(a, post(base+"/circuit-breakers/ai/reset", "")); w.Code != http.StatusOK {
			t.Fatalf("reset: %d %s", w.Code, w.Body)
		}
		if got := op.Breaker().Snapshot(); got.State != trysail.Closed || got.Failures != 0 || !got.LastFailure.IsZero() {
			t.Errorf("after the reset %+v, want closed, no failure and no last one", got)
		}
		if got := op.Metrics(); got.Failed != 1 || got.Opens != 1 || got.Closes != 0 {
			t.Errorf("counters %+v, want them untouched", got)
		}
		for _, want := range []string{`"level":"INFO"`, `"circuit_breaker":"ai"`, `"previous_state":"open"`, `"remote_addr":"192.0.2.1:1234"`, `"request_id":"req-1"`} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("log %s, want %s in it", log.String(), want)
			}
		}
	})
}

// TestConcurrentResets lets many admins reset one open breaker. Exactly one ended
// the open state, and only that one is told so.
func TestConcurrentResets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc := newOrchestrator(t, trysail.Config{})
		try(t, register(t, orc, "ai", quick()), errDown)
		a := newAPI(t, orc)
		const admins = 8
		said := make([]string, admins)
		var all sync.WaitGroup
		for i := range admins {
			all.Go(func() {
				w := send(a, post(base+"/circuit-breakers/ai/reset", ""))
				said[i], _ = decode[map[string]any](t, w)["previous_state"].(string)
			})
		}
		all.Wait()
		slices.Sort(said)
		want := append(slices.Repeat([]string{"closed"}, admins-1), "open")
		if diff := cmp.Diff(want, said); diff != "" {
			t.Errorf("previous states (-want +got):\n%s", diff)
		}
	})
}

func TestNamesWithOddCharacters(t *testing.T) {
	for name, odd := range map[string]string{
		"a slash":              "openai/gpt",
		"two slashes":          "//",
		"dots":                 "v1.2",
		"one dot":              ".",
		"two dots":             "..",
		"a way up":             "../x",
		"the word reset":       "reset",
		"a space":              "two words",
		"a plus":               "a+b",
		"percent":              "100%",
		"an escaped slash":     "a%2Fb",
		"a question mark":      "why?#not",
		"quotes":               `"it's"`,
		"a brace":              "{breaker_name}",
		"HTML":                 "<script>",
		"umlauts":              "Übersetzung",
		"an emoji":             "⛵",
		"200 bytes":            strings.Repeat("x", 200),
		"backslash":            `a\b`,
		"semicolons and ampes": "a;b&c=d",
	} {
		t.Run(name, func(t *testing.T) {
			orc := newOrchestrator(t, trysail.Config{})
			orc.Operation(odd)
			a := newAPI(t, orc)
			escaped := url.PathEscape(odd)
			if odd == "." || odd == ".." {
				escaped = strings.ReplaceAll(odd, ".", "%2e") // a lone dot is a way, not a name
			}
			type named struct {
				Name      string `json:"name"`
				Operation string `json:"operation"`
			}
			for target, ask := range map[string]request{
				"breaker": get(base + "/circuit-breakers/" + escaped),
				"metrics": get(base + "/metrics/" + escaped),
				"reset":   post(base+"/circuit-breakers/"+escaped+"/reset", ""),
			} {
				w := send(a, ask)
				if got := decode[named](t, w); w.Code != http.StatusOK || got.Name+got.Operation != odd {
					t.Errorf("%s of %q: %d %s", target, odd, w.Code, w.Body)
				}
			}
		})
	}
}

func TestUnusableNames(t *testing.T) {
	for name, tc := range map[string]struct {
		escaped string
		status  int
	}{
		"an end of line":     {"a%0Ab", 422},
		"a zero":             {"%00", 422},
		"DEL":                {"%7F", 422},
		"201 characters":     {strings.Repeat("x", 201), 422},
		"200 wide ones":      {strings.Repeat("%C3%9C", 200), 404},
		"not UTF-8":          {"%ff", 404},
		"nobody's":           {"nobody", 404},
		"only a slash":       {"%2F", 404}, // ServeMux takes such a part for the slash at a path's end
		"a prefix of a name": {"a", 404},
		"another case":       {"AI", 404},
	} {
		t.Run(name, func(t *testing.T) {
			orc := newOrchestrator(t, trysail.Config{})
			orc.Operation("ai")
			a := newAPI(t, orc)
			code := map[int]string{404: "NOT_FOUND", 422: "VALIDATION_ERROR"}[tc.status]
			checkProblem(t, send(a, get(base+"/metrics/"+tc.escaped)), tc.status, code)
			checkProblem(t, send(a, get(base+"/circuit-breakers/"+tc.escaped)), tc.status, code)
			checkProblem(t, send(a, post(base+"/circuit-breakers/"+tc.escaped+"/reset", "")), tc.status, code)
			if got := len(orc.Operations()); got != 1 {
				t.Errorf("asking made %d operations out of 1", got)
			}
		})
	}
}

func TestNotFoundTellsAtMostTwentyNames(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	for i := range 50 {
		orc.Operation(fmt.Sprintf("op-%02d", i))
	}
	p := checkProblem(t, send(newAPI(t, orc), get(base+"/circuit-breakers/x")), 404, "NOT_FOUND")
	names, _ := p.Errors[0].Value.([]any)
	if len(p.Errors) != 1 || len(names) != 20 || names[0] != "op-00" || !strings.Contains(p.Errors[0].Message, "20 of 50") {
		t.Errorf("errors %+v, want one with 20 of 50 names", p.Errors)
	}
}

// TestReadingWhileCallsRun is for the race detector, and checks that the sums of
// every answer agree.
func TestReadingWhileCallsRun(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	a := newAPI(t, orc)
	var callers, readers sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for i := range 4 {
		op := register(t, orc, fmt.Sprintf("op-%d", i), quick())
		callers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				_, _ = trysail.Do(ctx, op, func(context.Context) (int, error) {
					if n%7 == 0 {
						return 0, errDown
					}
					return 0, nil
				})
			}
		})
	}
	for i := range 4 {
		readers.Go(func() {
			one := fmt.Sprintf("%s/circuit-breakers/op-%d", base, i)
			for range 50 {
				send(a, get(base+"/health"))
				send(a, get(one))
				send(a, post(one+"/reset", ""))
				checkSums(t, a)
			}
		})
	}
	readers.Wait()
	stop()
	callers.Wait()
}

func checkSums(t *testing.T, a *api.API) {
	t.Helper()
	m := decode[struct {
		Summary struct {
			Total  uint64 `json:"total_calls"`
			Good   uint64 `json:"successful_calls"`
			Failed uint64 `json:"failed_calls"`
		} `json:"summary"`
	}](t, send(a, get(base+"/metrics")))
	if s := m.Summary; s.Total != s.Good+s.Failed {
		t.Errorf("summary %+v does not add up", s)
	}
	b := decode[struct {
		Total    int `json:"total_count"`
		Healthy  int `json:"healthy_count"`
		Open     int `json:"open_count"`
		HalfOpen int `json:"half_open_count"`
	}](t, send(a, get(base+"/circuit-breakers")))
	if b.Total != b.Healthy+b.Open || b.HalfOpen > b.Healthy {
		t.Errorf("counts %+v do not add up", b)
	}
}
