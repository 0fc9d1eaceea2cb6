package api_test

import (
	"context"
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

// A ship is a program with everything that an API can be given.
type ship struct {
	*api.API
	orc      *trysail.Orchestrator
	reloader *config.Reloader
	monitor  *monitor.Collector

	mu        sync.Mutex
	variables map[string]string // that the next reload finds
}

// newShip returns a program under the preset production with a preset and an operation of its own.
func newShip(t testing.TB, variables map[string]string) *ship {
	t.Helper()
	s := &ship{variables: variables}
	presets := config.NewManager()
	report := presets.Register("high_throughput", config.Preset{
		Name: "HighThroughput", Description: "Optimized for high throughput scenarios", RetryAttempts: 2, CircuitBreakerThreshold: 20,
		RecoveryTimeout: 30 * time.Second, DefaultStrategy: trysail.Aggressive,
		OperationOverrides:  map[string]trysail.Strategy{"batch_processing": trysail.Balanced},
		EnvironmentContexts: []string{"production", "staging"},
	})
	must(t, report.Err())
	sources := func() config.Sources {
		s.mu.Lock()
		defer s.mu.Unlock()
		return config.Sources{Lookup: config.Variables(s.variables), Presets: presets.Get, Operations: []string{"chat"}}
	}
	loaded, err := sources().Load()
	must(t, err)
	s.orc, err = trysail.New(loaded.Trysail)
	must(t, err)
	s.monitor, err = monitor.New(monitor.Config{})
	must(t, err)
	s.reloader, err = config.NewReloader(config.ReloaderConfig{
		Orchestrator: s.orc, Start: loaded,
		Read: func(context.Context) (config.Sources, error) { return sources(), nil },
		Applied: func(v config.Version) {
			api.Record(s.monitor, monitor.Subject{}, v.Events)
			s.AuditReload(context.Background(), v)
		},
		Alert: func(f config.Failure) { api.Record(s.monitor, monitor.Subject{}, f.Events) },
	})
	must(t, err)
	keys, err := api.NewKeys(key)
	must(t, err)
	around := config.Surroundings{Lookup: config.Variables(map[string]string{"ENVIRONMENT": "production", "DATABASE_URL": "postgres://hunter2@production"})}
	s.API, err = api.New(api.Config{
		Orchestrator: s.orc, Presets: presets, Reloader: s.reloader, Monitor: s.monitor, Keys: keys, Version: "1.2.3", Gateway: &fakeGateway{},
		Detect: func() config.Recommendation { return config.Detect(around) },
		Redis:  func() bool { return false },
	})
	must(t, err)
	s.orc.Operation("chat")
	return s
}

// set has the next reload find a variable.
func (s *ship) set(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.variables[name] = value
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestAnswersOfConfiguration keeps the good answer and each problem of the routes of configurations, presets and templates.
func TestAnswersOfConfiguration(t *testing.T) {
	const (
		conf      = base + "/config"
		reload    = conf + "/reload"
		versions  = conf + "/versions"
		diff      = versions + "/{number}/diff"
		back      = versions + "/{number}/rollback"
		onePreset = conf + "/presets/{preset_name}"
		recommend = conf + "/recommend-preset/{environment}"
		oneTmpl   = conf + "/templates/{template_name}"
		check     = conf + "/validate-template"
		suggest   = conf + "/recommend-template"
	)
	form := func(target string) request { return post(target, "a=b").with("Content-Type", "text/plain") }
	large := strings.Repeat(" ", 1<<20+1)
	for name, tc := range map[string]struct {
		row    string // path in the table, if it differs from the target
		ask    request
		status int
	}{
		"config":                         {"", get(conf), 200},
		"config without a key":           {"", get(conf).with("X-API-Key", ""), 401},
		"reload of nothing new":          {"", post(reload, ""), 200},
		"reload with an empty object":    {"", post(reload, "{}"), 200},
		"reload of another preset":       {"", post(reload, `{"preset":"development","reason":"try it"}`), 200},
		"reload of numbers":              {"", post(reload, `{"custom_config":{"retry_attempts":4,"circuit_breaker_threshold":8}}`), 200},
		"reload of no numbers":           {"", post(reload, `{"custom_config":null}`), 200},
		"reload dry":                     {"", post(reload, `{"preset":"simple","dry_run":true}`), 200},
		"reload dry of nothing new":      {"", post(reload, `{"dry_run":true}`), 200},
		"reload of an unknown preset":    {"", post(reload, `{"preset":"prod"}`), 400},
		"reload of bad numbers":          {"", post(reload, `{"custom_config":{"retry_attempts":15,"jitter_max":99}}`), 400},
		"reload of numbers of no object": {"", post(reload, `{"custom_config":["hunter2"]}`), 422},
		"reload of keys":                 {"", post(reload, `{"reload_api_keys":true}`), 409},
		"reload with a member":           {"", post(reload, `{"api_key":"hunter2"}`), 422},
		"reload with malformed JSON":     {"", post(reload, `{"hunter2`), 422},
		"reload with a form":             {"", form(reload), 415},
		"reload with too much":           {"", post(reload, large), 413},
		"reload with a wrong key":        {"", post(reload, "").with("X-API-Key", "guess"), 401},
		"reload with a long reason":      {"", post(reload, `{"reason":"`+strings.Repeat("x", 201)+`"}`), 422},

		"versions":                       {"", get(versions), 200},
		"versions without a key":         {"", get(versions).with("X-API-Key", ""), 401},
		"diff":                           {diff, get(versions + "/1/diff"), 200},
		"diff of two":                    {diff, get(versions + "/2/diff?to=1"), 200},
		"diff of an unknown version":     {diff, get(versions + "/9/diff"), 404},
		"diff to an unknown version":     {diff, get(versions + "/1/diff?to=9"), 404},
		"diff of version zero":           {diff, get(versions + "/0/diff"), 422},
		"diff to version zero":           {diff, get(versions + "/1/diff?to=0"), 422},
		"diff of no number":              {diff, get(versions + "/hunter2/diff"), 422},
		"diff without a key":             {diff, get(versions+"/1/diff").with("X-API-Key", ""), 401},
		"rollback":                       {back, post(versions+"/1/rollback", `{"reason":"worse"}`), 200},
		"rollback without a body":        {back, post(versions+"/1/rollback", ""), 200},
		"rollback dry":                   {back, post(versions+"/1/rollback", `{"dry_run":true}`), 200},
		"rollback to an unknown version": {back, post(versions+"/9/rollback", ""), 404},
		"rollback to version zero":       {back, post(versions+"/0/rollback", ""), 422},
		"rollback with a member":         {back, post(versions+"/1/rollback", `{"api_key":"hunter2"}`), 422},
		"rollback with a form":           {back, form(versions + "/1/rollback"), 415},
		"rollback with too much":         {back, post(versions+"/1/rollback", large), 413},
		"rollback with a wrong key":      {back, post(versions+"/1/rollback", "").with("X-API-Key", "guess"), 401},

		"presets":                          {"", get(conf + "/presets"), 200},
		"presets without a key":            {"", get(conf+"/presets").with("X-API-Key", ""), 401},
		"preset":                           {onePreset, get(conf + "/presets/production"), 200},
		"preset of the program":            {onePreset, get(conf + "/presets/high_throughput"), 200},
		"preset unknown":                   {onePreset, get(conf + "/presets/prod"), 404},
		"preset of an unusable name":       {onePreset, get(conf + "/presets/a%0Ab"), 422},
		"preset without a key":             {onePreset, get(conf+"/presets/simple").with("X-API-Key", ""), 401},
		"presets summary":                  {"", get(conf + "/presets-summary"), 200},
		"presets summary without a key":    {"", get(conf+"/presets-summary").with("X-API-Key", ""), 401},
		"recommendation":                   {recommend, get(conf + "/recommend-preset/production"), 200},
		"recommendation of any name":       {recommend, get(conf + "/recommend-preset/Somewhere%20Else"), 200},
		"recommendation of an unusable":    {recommend, get(conf + "/recommend-preset/%00"), 422},
		"recommendation without a key":     {recommend, get(conf+"/recommend-preset/prod").with("X-API-Key", ""), 401},
		"recommendation found":             {"", get(conf + "/recommend-preset-auto"), 200},
		"recommendation found without key": {"", get(conf+"/recommend-preset-auto").with("X-API-Key", ""), 401},

		"templates":                           {"", get(conf + "/templates"), 200},
		"templates without a key":             {"", get(conf+"/templates").with("X-API-Key", ""), 401},
		"template":                            {oneTmpl, get(conf + "/templates/maximum_reliability"), 200},
		"template unknown":                    {oneTmpl, get(conf + "/templates/production"), 404},
		"template of an unusable name":        {oneTmpl, get(conf + "/templates/" + strings.Repeat("x", 201)), 422},
		"template without a key":              {oneTmpl, get(conf+"/templates/low_latency").with("X-API-Key", ""), 401},
		"template check of the specification": {"", post(check, "{\n  \"template_name\": \"production\",\n  \"overrides\": {\n    \"retry_attempts\": 5\n  }\n}"), 200},
		"template check of overrides":         {"", post(check, `{"template_name":"robust_production","overrides":{"operation_overrides":{"chat":"critical"}}}`), 200},
		"template check without overrides":    {"", post(check, `{"template_name":"low_latency","overrides":null}`), 200},
		"template check that fails":           {"", post(check, `{"template_name":"low_latency","overrides":{"retry_attempts":15}}`), 200},
		"template check of an unknown":        {"", post(check, `{"template_name":"x"}`), 200},
		"template check of nothing":           {"", post(check, ""), 422},
		"template check without a name":       {"", post(check, `{"overrides":{}}`), 422},
		"template check of no object":         {"", post(check, `{"template_name":"simple","overrides":"hunter2"}`), 422},
		"template check with a form":          {"", form(check), 415},
		"template check with too much":        {"", post(check, large), 413},
		"template check with a wrong key":     {"", post(check, "{}").with("X-API-Key", "guess"), 401},
		"suggestion":                          {"", post(suggest, `{"configuration":{"retry_attempts":6,"circuit_breaker_threshold":12,"default_strategy":"conservative"}}`), 200},
		"suggestion of none":                  {"", post(suggest, `{"configuration":{"retry_attempts":50,"circuit_breaker_threshold":1,"default_strategy":"critical"}}`), 200},
		"suggestion for another type":         {"", post(suggest, `{"configuration":{"retry_attempts":"3"}}`), 422},
		"suggestion for an unknown field":     {"", post(suggest, `{"configuration":{"retries":3}}`), 422},
		"suggestion for no object":            {"", post(suggest, `{"configuration":null}`), 422},
		"suggestion for nothing":              {"", post(suggest, `{}`), 422},
		"suggestion with a form":              {"", form(suggest), 415},
		"suggestion with too much":            {"", post(suggest, large), 413},
		"suggestion with a wrong key":         {"", post(suggest, "{}").with("X-API-Key", "guess"), 401},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShip(t, map[string]string{"RESILIENCE_PRESET": "production", "RESILIENCE_CUSTOM_CONFIG": `{"retry_attempts": 4}`})
				time.Sleep(time.Minute)
				_, err := s.reloader.Reload(t.Context(), config.Request{Trigger: config.TriggerAPI, By: "ana", Why: "fewer", Custom: []byte(`{"retry_attempts": 3}`)})
				must(t, err)
				time.Sleep(time.Minute)
				checkRow(t, s.API, tc.row, tc.ask, tc.status)
			})
		})
	}
}

func TestAnswersAboutHealthInDetail(t *testing.T) {
	for name, tc := range map[string]struct {
		ask    request
		status int
	}{
		"health in detail":               {get(base + "/health/detailed"), 200},
		"health in detail without a key": {get(base+"/health/detailed").with("X-API-Key", ""), 401},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShip(t, map[string]string{"RESILIENCE_PRESET": "simple"})
				op := register(t, s.orc, "ai", quick())
				try(t, op, nil, errDown)
				op.For("tenant-7").Breaker().ForceOpen(trysail.Override{Reason: "unpaid", Author: "ana", For: time.Hour})
				checkRow(t, s.API, "", tc.ask, tc.status)
			})
		})
	}
}

// TestConfigurationInCode shows what a program answers that has no Reloader.
func TestConfigurationInCode(t *testing.T) {
	for name, tc := range map[string]struct {
		row    string
		ask    request
		status int
	}{
		"config in code":   {"", get(base + "/config"), 200},
		"reload in code":   {"", post(base+"/config/reload", ""), 409},
		"versions in code": {"", get(base + "/config/versions"), 409},
		"diff in code":     {base + "/config/versions/{number}/diff", get(base + "/config/versions/1/diff"), 409},
		"rollback in code": {base + "/config/versions/{number}/rollback", post(base+"/config/versions/1/rollback", ""), 409},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				orc := newOrchestrator(t, trysail.Config{Preset: "mine", Disabled: true, Strategies: map[string]trysail.Strategy{"planned": trysail.Critical}})
				checkRow(t, newAPI(t, orc), tc.row, tc.ask, tc.status)
			})
		})
	}
}
