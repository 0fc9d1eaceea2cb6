package config_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// over decodes what has been encoded.
func over(t *testing.T, versions ...config.Version) []config.Version {
	t.Helper()
	var all []config.Version
	for _, v := range versions {
		data, err := v.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := config.DecodeVersion(data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		all = append(all, again)
	}
	return all
}

// restarted is a plant that begins with the versions of another one, as a new process would.
func restarted(t *testing.T, p *plant, sources config.Sources) *plant {
	t.Helper()
	loaded, err := sources.Load()
	if err != nil {
		t.Fatal(err)
	}
	next := &plant{sources: sources}
	if next.orc, err = trysail.New(loaded.Trysail); err != nil {
		t.Fatal(err)
	}
	next.Reloader, err = config.NewReloader(config.ReloaderConfig{
		Orchestrator: next.orc, Start: loaded, Earlier: over(t, p.Versions()...),
		Read: func(context.Context) (config.Sources, error) { return next.sources, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func sharing(t *testing.T, share float64) *trysail.RetryBudget {
	t.Helper()
	b, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{Share: share})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// everything is a file that says as much as a file can.
func everything(t *testing.T) *config.Document {
	file := trysailFile()
	shared := sharing(t, 0.25)
	file.Policy.Retry = trysail.RetryPolicy{
		Budget: shared, Classes: trysail.ClassRetries{trysail.ClassOverloaded: {Attempts: 2, Base: time.Second}}, Backoff: trysail.BackoffDecorrelated,
	}
	file.Policy.Limiter = trysail.LimiterPolicy{Rate: 12.5, Burst: 3}
	file.Operations["qa"] = trysail.OperationConfig{Policy: trysail.Policy{Attempt: 20 * time.Second, Retry: trysail.RetryPolicy{Budget: shared}}}
	file.Operations["alone"] = trysail.OperationConfig{Policy: trysail.Policy{Retry: trysail.RetryPolicy{Budget: sharing(t, 0.5), Cost: 1e12}}}
	file.Operations["empty"] = trysail.OperationConfig{}
	return file
}

func TestVersionsOutsideOfTheProcess(t *testing.T) {
	p := newPlant(t, 0, config.Sources{File: everything(t), Templates: patient, Lookup: env(`RESILIENCE_CUSTOM_CONFIG={"retry_attempts": 99}`)})
	p.reload2(t, config.Request{Preset: "development", Custom: []byte(`{"retry_attempts": 4}`), By: "10.0.0.1", Why: "a test", Trigger: config.TriggerAPI})
	p.reload(t, config.Request{Trigger: config.TriggerSignal})
	was := p.Versions()
	for i, got := range over(t, was...) {
		want := was[i]
		if got.Number != want.Number || !got.Time.Equal(want.Time) || got.Trigger != want.Trigger || got.By != want.By || got.Why != want.Why ||
			!slices.Equal(got.Change.Operations, want.Change.Operations) {
			t.Errorf("version %d came back as %+v, want %+v", i+1, got, want)
		}
		if a, b := got.Loaded.Effective(), want.Loaded.Effective(); !slices.Equal(a, b) {
			t.Errorf("version %d has the values\n%v\nwant\n%v", i+1, a, b)
		}
		if got.Loaded.Kind() != want.Loaded.Kind() || got.Loaded.LogLevel != want.Loaded.LogLevel || got.Loaded.Preset.Key != want.Loaded.Preset.Key {
			t.Errorf("version %d is of kind %s, want %s", i+1, got.Loaded.Kind(), want.Loaded.Kind())
		}
		if fmt.Sprint(got.Loaded.Refused) != fmt.Sprint(want.Loaded.Refused) || (got.Loaded.Refused == nil) != (want.Loaded.Refused == nil) {
			t.Errorf("version %d was refused %v, want %v", i+1, got.Loaded.Refused, want.Loaded.Refused)
		}
		a, b := got.Loaded.Trysail, want.Loaded.Trysail
		if b.Default.Retry.Budget != nil && (a.Default.Retry.Budget != a.Operations["qa"].Policy.Retry.Budget ||
			a.Default.Retry.Budget.Config() != b.Default.Retry.Budget.Config() || a.Operations["alone"].Policy.Retry.Budget == a.Default.Retry.Budget) {
			t.Errorf("version %d does not share its budgets as before", i+1)
		}
	}
}

// reload2 reloads without the variable that newPlant was started with, which a reload would refuse.
func (p *plant) reload2(t *testing.T, req config.Request) {
	t.Helper()
	p.set()
	p.reload(t, req)
}

func TestVersionsReachOverARestart(t *testing.T) {
	file := everything(t)
	sources := config.Sources{File: file, Templates: patient}
	p := newPlant(t, 0, sources)
	p.reload(t, config.Request{Custom: []byte(`{"retry_attempts": 4}`), Trigger: config.TriggerAPI, By: "10.0.0.1"})
	next := restarted(t, p, sources)
	if got := numbersOf(next.Versions()); got != "1 start, 2 api, 3 start" {
		t.Fatalf("versions %s, want a third one: what the API had set has ended with the process", got)
	}
	differences, err := next.Diff(2, 3)
	again, other := next.Diff(3, 2)
	attempts := config.Difference{
		Name: "retry_attempts", Old: "4", New: "6",
		OldOrigin: config.Origin{Source: config.FromReload, Detail: "10.0.0.1"}, NewOrigin: config.Origin{Source: config.FromFile, Detail: "trysail.yaml:4"},
	}
	if err != nil || other != nil || !slices.Contains(differences, attempts) || len(again) != len(differences) {
		t.Errorf("Diff(2, 3) = %v, %v, want %v in it; Diff(3, 2) = %v, %v", differences, err, attempts, again, other)
	}
	budget := next.orc.Operation("qa").Policy().Retry.Budget
	result, err := next.Rollback(t.Context(), 2, config.Request{})
	if err != nil || !result.Changed || result.Current.Number != 4 || result.Current.Of != 2 || next.attempts() != 4 {
		t.Errorf("Rollback(2) = %+v, %v with %d attempts, want version 4 with 4", result.Current.Number, err, next.attempts())
	}
	if got := next.orc.Operation("qa").Policy().Retry.Budget; got != budget {
		t.Error("the rollback has refilled a retry budget that has the numbers of the one in use")
	}
	if result.Current.Loaded.Kind() != "reload" || result.Current.Loaded.Effective()[0].Name != "preset" {
		t.Errorf("the version is of kind %s with %v first", result.Current.Loaded.Kind(), result.Current.Loaded.Effective()[0])
	}
	// What the API had said before the restart is still what a request that says less goes by.
	if result, err = next.Reload(t.Context(), config.Request{Preset: "development"}); err != nil || next.attempts() != 4 {
		t.Errorf("Reload of the preset alone = %v with %d attempts, want the 4 of the request before", err, next.attempts())
	}
	if result, err = next.Reload(t.Context(), config.Request{}); err != nil || len(result.Warnings) != 1 || next.attempts() != 6 {
		t.Errorf("Reload = %v, %v, want a warning that what 10.0.0.1 had set no longer applies", result.Warnings, err)
	}
}

func TestARestartWithTheSameConfigurationMakesNoVersion(t *testing.T) {
	file := everything(t)
	p := newPlant(t, 0, config.Sources{File: trysailFile(), Templates: patient})
	p.mu.Lock()
	p.sources.File = file
	p.mu.Unlock()
	p.reload(t, config.Request{Trigger: config.TriggerFile})
	next := restarted(t, p, config.Sources{File: file, Templates: patient})
	if got := numbersOf(next.Versions()); got != "1 start, 2 file" {
		t.Errorf("versions %s, want no third one", got)
	}
	if result := next.reload(t, config.Request{}); result.Changed {
		t.Errorf("a reload of the same made version %d", result.Current.Number)
	}
	if again := restarted(t, next, config.Sources{}); numbersOf(again.Versions()) != "1 start, 2 file, 3 start" {
		t.Errorf("versions %s, want a third one", numbersOf(again.Versions()))
	}
}

func TestTooManyEarlierVersions(t *testing.T) {
	p := newPlant(t, 0, config.Sources{})
	for i := range 25 {
		p.reload(t, config.Request{Trigger: config.TriggerAPI, Custom: fmt.Appendf(nil, `{"retry_attempts": %d}`, 4+i%2)})
	}
	next := restarted(t, p, config.Sources{})
	all := next.Versions()
	if len(all) != 20 || all[0].Number != 8 || all[19].Number != 27 {
		t.Errorf("%d versions, %s, want the 20 to 27", len(all), numbersOf(all))
	}
	if _, err := next.Version(7); !errors.Is(err, config.ErrVersion) {
		t.Errorf("Version(7) = %v, want ErrVersion", err)
	}
	_, err := config.NewReloader(config.ReloaderConfig{Orchestrator: p.orc, Read: func(context.Context) (config.Sources, error) {
		return config.Sources{}, nil
	}, Earlier: []config.Version{all[1], all[0], {}}})
	if err == nil || !strings.Contains(err.Error(), "Earlier[1].Number is 8, want more than 9") || !strings.Contains(err.Error(), "Earlier[2].Number is 0, want more than 8") {
		t.Errorf("NewReloader = %v, want both numbers that do not grow", err)
	}
}

func TestVersionsThatCannotBeRight(t *testing.T) {
	p := newPlant(t, 0, config.Sources{File: everything(t), Templates: patient})
	first := p.Current()
	data, err := first.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ old, new, want string }{
		"no JSON":                 {`{"format"`, `{format`, "invalid character"},
		"another format":          {`"format":1`, `"format":2`, "it has format 2, want 1"},
		"an unknown field":        {`"number":1,`, `"number":1,"knots":7,`, `unknown field "knots"`},
		"an unknown policy field": {`"Attempts":6`, `"Trys":6`, `unknown field "Trys"`},
		"no number":               {`"number":1,`, ``, "its number is 0, want 1 or more"},
		"a rollback to itself":    {`"number":1,`, `"number":1,"of":1,`, "it goes back to version 1, want 0 or one before 1"},
		"an unknown trigger":      {`"trigger":"start"`, `"trigger":"moon"`, `its trigger is "moon"`},
		"no time":                 {`"time":"` + first.Time.UTC().Format(time.RFC3339Nano) + `",`, ``, "it has no time"},
		"a policy out of range":   {`"Attempts":6`, `"Attempts":600`, "Default.Retry.Attempts is 600, want 1 to 20"},
		"a budget out of range":   {`"Share":0.5`, `"Share":5`, "Share is 5, want more than 0 and at most 1"},
		"a budget that is not":    {`"budget":2`, `"budget":3`, "its retry budget is number 3, want 0 to 2"},
		"a budget in the policy":  {`"Attempts":6`, `"Attempts":6,"Budget":{}`, "it holds a retry budget itself"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := strings.Replace(string(data), tc.old, tc.new, 1)
			if bad == string(data) {
				t.Fatalf("%s is not in\n%s", tc.old, data)
			}
			if _, err := config.DecodeVersion([]byte(bad)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("DecodeVersion = %v, want %s", err, tc.want)
			}
		})
	}
}

// A version from outside is never more than an error, and one that is good comes out as it went in.
func FuzzDecodeVersion(f *testing.F) {
	loaded, err := config.Sources{File: trysailFile(), Templates: patient}.Load()
	if err != nil {
		f.Fatal(err)
	}
	v := config.Version{Number: 3, Time: time.Unix(1, 2), Trigger: config.TriggerFile, Of: 1, Loaded: loaded}
	data, err := v.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"format":1,"number":1,"time":"2026-01-01T00:00:00Z","trigger":"api","configuration":{"engine":{"default":{"numbers":{"Total":1}}}}}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := config.DecodeVersion(data)
		if err != nil {
			return
		}
		once, err := v.Encode()
		if err != nil {
			t.Fatalf("a decoded version cannot be encoded: %v", err)
		}
		again, err := config.DecodeVersion(once)
		if err != nil {
			t.Fatalf("%v\n%s", err, once)
		}
		if twice, err := again.Encode(); err != nil || string(twice) != string(once) {
			t.Fatalf("%v: it came out as\n%s\nand then as\n%s", err, once, twice)
		}
	})
}

// numbersOf lists versions with their triggers.
func numbersOf(versions []config.Version) string {
	var all []string
	for _, v := range versions {
		all = append(all, fmt.Sprint(v.Number, " ", v.Trigger))
	}
	return strings.Join(all, ", ")
}
