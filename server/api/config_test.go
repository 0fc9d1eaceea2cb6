package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/api"
)

// reloadAnswer is what tests look at of the answer to a reload.
type reloadAnswer struct {
	Changed  bool     `json:"changed"`
	Version  int      `json:"config_version"`
	Breakers []string `json:"affected_circuit_breakers"`
	Current  struct {
		Configuration struct {
			Retry struct {
				Attempts int `json:"max_attempts"`
			} `json:"retry_config"`
		} `json:"configuration"`
	} `json:"current"`
	Warnings []string `json:"warnings"`
}

// A reload changes what calls do, and leaves states and counters as they are.
func TestReloadTakesEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShip(t, map[string]string{})
		chat := s.orc.Operation("chat")
		try(t, chat, trysail.WithClass(errDown, trysail.ClassQuotaExhausted, 0), trysail.WithClass(errDown, trysail.ClassQuotaExhausted, 0))
		before := chat.Metrics()
		got := decode[reloadAnswer](t, send(s.API, post(base+"/config/reload", `{"preset":"development","custom_config":{"circuit_breaker_threshold":2}}`)))
		if !got.Changed || got.Version != 2 || !slices.Equal(got.Breakers, []string{"chat"}) || got.Current.Configuration.Retry.Attempts != 2 {
			t.Errorf("answer %+v, want version 2 with two attempts and chat's breaker affected", got)
		}
		b := chat.Breaker().Snapshot()
		if b.State != trysail.Closed || b.Failures != 2 || b.FailureThreshold != 2 || chat.Metrics() != before {
			t.Errorf("breaker %+v, want it closed with 2 failures of 2, and counters as before", b)
		}
	})
}

// What somebody has said through the API ends with the next reload that says nothing.
func TestReloadReadsTheSources(t *testing.T) {
	s := newShip(t, map[string]string{"RESILIENCE_PRESET": "production"})
	send(s.API, post(base+"/config/reload", `{"preset":"simple"}`))
	s.set("RESILIENCE_PRESET", "development")
	got := decode[reloadAnswer](t, send(s.API, post(base+"/config/reload", "")))
	if !got.Changed || got.Version != 3 || got.Current.Configuration.Retry.Attempts != 2 || len(got.Warnings) == 0 {
		t.Errorf("answer %+v, want version 3 of the sources, and a warning that the preset of the API has ended", got)
	}
	if p := s.reloader.Current().Loaded.Preset.Key; p != "development" {
		t.Errorf("preset %s, want development", p)
	}
}

// Faults of the sources are no fault of the request; the old configuration stays.
func TestReloadOfBadSources(t *testing.T) {
	for name, tc := range map[string]struct{ name, value, want string }{
		"a preset": {"RESILIENCE_PRESET", "prod", "Invalid preset 'prod'. Available: ['simple', 'development', 'production', 'high_throughput']"},
		"numbers":  {"RESILIENCE_CUSTOM_CONFIG", `{"retry_attempts": 15}`, "retry_attempts must be between 1 and 10"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShip(t, map[string]string{})
			s.set(tc.name, tc.value)
			p := checkProblem(t, send(s.API, post(base+"/config/reload", "")), 409, "CONFLICT")
			if len(p.Errors) == 0 || !strings.HasPrefix(p.Errors[0].Location, "sources") || !strings.Contains(p.Errors[0].Message, tc.want) {
				t.Errorf("errors %+v, want %q of the sources", p.Errors, tc.want)
			}
			if n := s.reloader.Current().Number; n != 1 {
				t.Errorf("version %d, want 1", n)
			}
			if got := len(s.monitor.Alerts(monitor.LevelError, 0)); got != 1 {
				t.Errorf("%d alerts, want 1", got)
			}
		})
	}
}

// Each reload is in the monitor once: a changed one by who hears of it, an unchanged one by the API.
func TestReloadsAreRecordedOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		body  string
		loads int
		kinds []monitor.Kind
	}{
		"unchanged":             {"", 1, []monitor.Kind{monitor.ConfigLoad}},
		"changed":               {`{"preset":"development"}`, 1, []monitor.Kind{monitor.ConfigLoad, monitor.ConfigChange}},
		"a dry run":             {`{"preset":"development","dry_run":true}`, 0, nil},
		"an unchanged dry run":  {`{"dry_run":true}`, 0, nil},
		"of an unknown preset":  {`{"preset":"nobody"}`, 0, nil},
		"of bad custom numbers": {`{"custom_config":{"retry_attempts":0}}`, 0, []monitor.Kind{monitor.ConfigError}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShip(t, map[string]string{})
			send(s.API, post(base+"/config/reload", tc.body).with("X-Session-ID", "s-1"))
			if got := s.monitor.Statistics(0).Loads; got != tc.loads {
				t.Errorf("%d loads recorded, want %d", got, tc.loads)
			}
			events, _ := s.monitor.After(0, 100)
			for _, kind := range tc.kinds {
				if !slices.ContainsFunc(events, func(e monitor.Event) bool { return e.Kind == kind }) {
					t.Errorf("no %v among %d events", kind, len(events))
				}
			}
			if len(tc.kinds) == 0 && len(events) > 0 {
				t.Errorf("%d events, want none", len(events))
			}
		})
	}
}

func TestRollback(t *testing.T) {
	s := newShip(t, map[string]string{})
	send(s.API, post(base+"/config/reload", `{"preset":"production"}`))
	got := decode[reloadAnswer](t, send(s.API, post(base+"/config/versions/1/rollback", `{"reason":"worse"}`)))
	v := s.reloader.Current()
	if !got.Changed || got.Version != 3 || v.Of != 1 || v.Why != "worse" || v.By != "192.0.2.1" || v.Loaded.Preset.Key != "simple" {
		t.Errorf("answer %+v and version %d of %d by %q because of %q", got, v.Number, v.Of, v.By, v.Why)
	}
}

// Readers see one configuration, whole, while it is reloaded: attempts and threshold are always set together.
func TestConfigurationIsReadWhole(t *testing.T) {
	s := newShip(t, map[string]string{})
	var writers, readers sync.WaitGroup
	for i := range 2 {
		writers.Go(func() {
			for n := range 15 {
				k := 4 + (i+n)%5
				send(s.API, post(base+"/config/reload", fmt.Sprintf(`{"custom_config":{"retry_attempts":%d,"circuit_breaker_threshold":%d}}`, k, k)))
			}
		})
		readers.Go(func() {
			for range 30 {
				got := decode[struct {
					Version       int `json:"config_version"`
					Configuration struct {
						Retry   map[string]any `json:"retry_config"`
						Breaker map[string]any `json:"circuit_breaker_config"`
					} `json:"configuration"`
				}](t, send(s.API, get(base+"/config")))
				if a, b := got.Configuration.Retry["max_attempts"], got.Configuration.Breaker["failure_threshold"]; got.Version > 1 && a != b {
					t.Errorf("version %d has %v attempts and a threshold of %v", got.Version, a, b)
				}
			}
		})
	}
	writers.Wait()
	readers.Wait()
}

func TestReadingTheConfigurationCreatesNothing(t *testing.T) {
	s := newShip(t, map[string]string{"RESILIENCE_PRESET": "production"})
	for _, target := range []string{"/config", "/health/detailed", "/operations/qa/explain", "/metrics/qa", "/dashboard"} {
		if w := send(s.API, get(base+target)); w.Code != 200 {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	if got := len(s.orc.Operations()); got != 1 {
		t.Errorf("%d operations, want 1", got)
	}
}

// Legacy variables are shown as what they are.
func TestLegacyConfiguration(t *testing.T) {
	s := newShip(t, map[string]string{"RETRY_MAX_ATTEMPTS": "4", "QA_RESILIENCE_STRATEGY": "critical"})
	got := decode[struct {
		Preset     string            `json:"preset_name"`
		Legacy     bool              `json:"is_legacy_config"`
		Source     string            `json:"source"`
		Strategies map[string]string `json:"operation_strategies"`
	}](t, send(s.API, get(base+"/config")))
	if got.Preset != "legacy" || !got.Legacy || got.Source != "legacy" || got.Strategies["answer_question"] != "critical" {
		t.Errorf("answer %+v, want a legacy configuration with qa critical", got)
	}
}

func TestResetOfMetrics(t *testing.T) {
	for name, tc := range map[string]struct {
		target, body string
		a, b         uint64 // calls left
	}{
		"of all":            {"", "", 0, 0},
		"of one":            {"?operation_name=a", "", 0, 1},
		"by the body":       {"", `{"operation_name":"b"}`, 2, 0},
		"query before body": {"?operation_name=a", `{"operation_name":"b"}`, 0, 1},
		"of nobody":         {"?operation_name=nobody", "", 2, 1},
		"not confirmed":     {"", `{"confirm":false}`, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				orc := newOrchestrator(t, trysail.Config{})
				a, b := register(t, orc, "a", quick()), register(t, orc, "b", quick())
				try(t, a, nil, errDown)
				try(t, b, nil)
				send(newAPI(t, orc), post(base+"/metrics/reset"+tc.target, tc.body))
				if a.Metrics().Calls != tc.a || b.Metrics().Calls != tc.b {
					t.Errorf("%d and %d calls, want %d and %d", a.Metrics().Calls, b.Metrics().Calls, tc.a, tc.b)
				}
				if got := a.Breaker().State(); got != trysail.Open || len(orc.Operations()) != 2 {
					t.Errorf("breaker %v and %d operations, want open and 2", got, len(orc.Operations()))
				}
			})
		})
	}
}

// A high failure rate is one of more than 10 calls; the list of alerts never holds null.
func TestDashboardAlerts(t *testing.T) {
	for name, tc := range map[string]struct {
		good, bad int
		want      []string
	}{
		"no calls":              {0, 0, []string{}},
		"ten calls":             {2, 8, []string{}},
		"eleven calls":          {2, 9, []string{"High failure rate detected"}},
		"four of five are good": {16, 4, []string{}},
		"not quite":             {15, 4, []string{"High failure rate detected"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				orc := newOrchestrator(t, trysail.Config{})
				op := register(t, orc, "plain", trysail.Policy{Retry: trysail.RetryPolicy{Disabled: true}, Breaker: trysail.BreakerPolicy{Disabled: true}})
				try(t, op, slices.Concat(slices.Repeat([]error{nil}, tc.good), slices.Repeat([]error{errDown}, tc.bad))...)
				got := decode[map[string]json.RawMessage](t, send(newAPI(t, orc), get(base+"/dashboard")))
				if want, _ := json.Marshal(tc.want); !bytes.Equal(got["alerts"], want) {
					t.Errorf("alerts %s, want %s", got["alerts"], want)
				}
			})
		})
	}
}

// Whoever changes something is in the log, by address and request.
func TestChangesAreLogged(t *testing.T) {
	for target, body := range map[string]string{
		"/metrics/reset":                    "",
		"/circuit-breakers/ai/force-open":   `{"reason":"x"}`,
		"/circuit-breakers/ai/close":        `{"reason":"x"}`,
		"/config/reload":                    "",
		"/config/versions/1/rollback":       "",
		"/circuit-breakers/ai/disable":      `{"reason":"x"}`,
		"/circuit-breakers/ai/metrics-only": `{"reason":"x"}`,
	} {
		t.Run(target, func(t *testing.T) {
			s := newShip(t, map[string]string{})
			s.orc.Operation("ai")
			var log bytes.Buffer
			a, err := api.New(api.Config{Orchestrator: s.orc, Reloader: s.reloader, Logger: slog.New(slog.NewJSONHandler(&log, nil))})
			must(t, err)
			if w := send(a, post(base+target, body)); w.Code != 200 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			for _, want := range []string{`"level":"INFO"`, `"remote_addr":"192.0.2.1:1234"`, `"request_id":"req-1"`} {
				if !strings.Contains(log.String(), want) {
					t.Errorf("log %s, want %s in it", log.String(), want)
				}
			}
		})
	}
}

func TestWordsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc := newOrchestrator(t, trysail.Config{})
		op := orc.Operation("ai")
		a := newAPI(t, orc)
		send(a, post(base+"/circuit-breakers/ai/force-open", `{"reason":"maintenance","expires_in_seconds":60}`))
		time.Sleep(time.Minute - time.Nanosecond)
		if got := op.Breaker().State(); got != trysail.ForcedOpen {
			t.Errorf("state %v before the end, want forced-open", got)
		}
		list := decode[map[string]any](t, send(a, get(base+"/circuit-breakers")))
		if list["open_count"] != 1.0 || list["healthy_count"] != 0.0 {
			t.Errorf("open %v and healthy %v, want 1 and 0", list["open_count"], list["healthy_count"])
		}
		time.Sleep(time.Nanosecond)
		if got := op.Breaker().State(); got != trysail.Closed {
			t.Errorf("state %v at the end, want closed", got)
		}
	})
}

// The default of Detect looks at the program itself.
func TestDetectByDefault(t *testing.T) {
	t.Setenv("ENVIRONMENT", "staging")
	got := decode[map[string]any](t, send(newAPI(t, newOrchestrator(t, trysail.Config{})), get(base+"/config/recommend-preset-auto")))
	if got["environment_detected"] != config.Detect(config.Here()).Environment || got["auto_detected"] != true {
		t.Errorf("answer %v, want what Detect says", got)
	}
}
