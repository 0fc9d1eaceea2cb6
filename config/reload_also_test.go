package config_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// ports is what goes with the engine in these tests: a list in the order of which nothing lies, and a secret.
type ports struct {
	open   string
	secret string
}

func (p ports) Values() []config.Value {
	return []config.Value{{Name: "ports.open", Value: p.open, Origin: config.Origin{Source: config.FromFile, Detail: "ports.yaml:1"}}}
}

func (p ports) Since(was config.Companion) []config.Difference {
	all := config.Differences(was.Values(), p.Values())
	if before, ok := was.(ports); ok && before.secret != p.secret {
		all = append(all, config.Difference{Name: "ports.secret", Old: "[secret]", New: "[another secret]"})
	}
	return all
}

func (p ports) Kept() (json.RawMessage, error) { return json.Marshal(p.open) }

// A harbour is a plant with ports.
type harbour struct {
	*plant
	opened  []ports
	refusal error // of Also
	gone    error // of Restore
}

func newHarbour(t *testing.T, start ports, earlier []config.Version) *harbour {
	t.Helper()
	sources := config.Sources{Lookup: env("RESILIENCE_PRESET=simple"), Companion: start}
	loaded, err := sources.Load()
	if err != nil {
		t.Fatal(err)
	}
	orc, err := trysail.New(loaded.Trysail)
	if err != nil {
		t.Fatal(err)
	}
	h := &harbour{plant: &plant{sources: sources, orc: orc}}
	h.Reloader, err = config.NewReloader(config.ReloaderConfig{
		Orchestrator: orc, Start: loaded, Earlier: earlier,
		Read: func(context.Context) (config.Sources, error) { return h.sources, nil },
		Also: func(_ context.Context, c config.Companion) error {
			if h.refusal == nil {
				h.opened = append(h.opened, c.(ports))
			}
			return h.refusal
		},
		Restore: func(_ context.Context, was config.Companion) (config.Companion, error) {
			text, err := was.Kept()
			p := ports{secret: "of now"}
			return p, errors.Join(err, json.Unmarshal(text, &p.open), h.gone)
		},
		Applied: func(v config.Version) { h.applied = append(h.applied, v) },
		Alert:   func(f config.Failure) { h.alerts = append(h.alerts, f) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// What goes with the engine's configuration changes with it, whole or not at all.
func TestReloadOfWhatGoesWithTheEngine(t *testing.T) {
	h := newHarbour(t, ports{"a", "x"}, nil)
	attempts := h.attempts()
	reload := func(req config.Request) (config.Result, error) { return h.Reload(t.Context(), req) }
	if result, err := reload(config.Request{}); err != nil || result.Changed || !slices.Equal(h.opened, []ports{{"a", "x"}}) {
		t.Errorf("a reload of the same: %v, %v, opened %v, want it once", result.Changed, err, h.opened)
	}
	h.sources.Companion = ports{"b", "x"}
	result, err := reload(config.Request{DryRun: true})
	if err != nil || !result.Changed || len(h.opened) != 1 || result.Current.Number != 0 {
		t.Errorf("a dry run: %v, %v, opened %v, want a change that is not made", result.Changed, err, h.opened)
	}
	h.refusal = errors.New("there is no such port")
	h.sources.Lookup = env(`RESILIENCE_CUSTOM_CONFIG={"retry_attempts": 7}`)
	if _, err := reload(config.Request{}); !errors.Is(err, h.refusal) || h.attempts() != attempts || h.Current().Number != 1 || len(h.alerts) != 1 || len(h.applied) != 0 {
		t.Errorf("refused: %v, %d attempts, version %d, %d alerts, %d applied; want %d, 1, 1, 0", err, h.attempts(), h.Current().Number, len(h.alerts), len(h.applied), attempts)
	}
	h.refusal, h.sources.Lookup = nil, env("RESILIENCE_PRESET=simple")

	// A change of it alone is a version, with what differs; so is a secret alone.
	result, err = reload(config.Request{Trigger: config.TriggerFile})
	if err != nil || !result.Changed || result.Current.Number != 2 || len(h.applied) != 1 || len(result.Change.Operations) != 0 || h.opened[1] != (ports{"b", "x"}) {
		t.Errorf("a change of it alone: %+v, %v, opened %v, want version 2 without a change of operations", result.Current.Number, err, h.opened)
	}
	place := config.Origin{Source: config.FromFile, Detail: "ports.yaml:1"}
	if got := result.Current.Loaded.Since(&result.Previous.Loaded); !slices.Equal(got, []config.Difference{{Name: "ports.open", Old: "a", New: "b", OldOrigin: place, NewOrigin: place}}) {
		t.Errorf("it differs in %v", got)
	}
	h.sources.Companion = ports{"b", "y"}
	if result, err = reload(config.Request{}); err != nil || !result.Changed || result.Current.Number != 3 {
		t.Errorf("another secret: version %d, %v, want 3", result.Current.Number, err)
	}
	if got, err := h.Diff(2, 3); err != nil || len(got) != 1 || got[0].New != "[another secret]" {
		t.Errorf("Diff(2, 3) = %v, %v", got, err)
	}
}

func TestRollbackOfWhatGoesWithTheEngine(t *testing.T) {
	h := newHarbour(t, ports{"a", "x"}, nil)
	h.sources.Companion = ports{"b", "x"}
	h.reload(t, config.Request{})
	if result, err := h.Rollback(t.Context(), 1, config.Request{DryRun: true}); err != nil || !result.Changed || len(h.opened) != 1 {
		t.Errorf("a dry run: %v, %v, opened %v", result.Changed, err, h.opened)
	}
	result, err := h.Rollback(t.Context(), 1, config.Request{})
	if err != nil || !result.Changed || result.Current.Number != 3 || result.Current.Of != 1 || h.opened[1] != (ports{"a", "of now"}) || len(result.Warnings) != 0 {
		t.Errorf("a rollback: version %d, %v, opened %v, warnings %v, want version 3 with the secret of now", result.Current.Number, err, h.opened, result.Warnings)
	}
	h.gone = errors.New("the file of a secret is gone")
	if _, err = h.Rollback(t.Context(), 2, config.Request{}); !errors.Is(err, h.gone) || !strings.Contains(err.Error(), "restore version 2: ") || len(h.opened) != 2 || h.Current().Number != 3 {
		t.Errorf("a secret that is gone: %v, opened %v, version %d", err, h.opened, h.Current().Number)
	}
	h.gone, h.refusal = nil, errors.New("there is no such port")
	if _, err = h.Rollback(t.Context(), 2, config.Request{}); !errors.Is(err, h.refusal) || h.Current().Number != 3 {
		t.Errorf("refused: %v, version %d", err, h.Current().Number)
	}
}

// Versions hold it outside of the process, without the secret, and come back.
func TestVersionsOfWhatGoesWithTheEngine(t *testing.T) {
	h := newHarbour(t, ports{"a", "hunter2"}, nil)
	h.sources.Companion = ports{"b", "hunter2"}
	h.reload(t, config.Request{Trigger: config.TriggerAPI})
	for _, v := range h.Versions() {
		if text, err := v.Encode(); err != nil || strings.Contains(string(text), "hunter2") || !strings.Contains(string(text), `"companion":{"values":[{"Name":"ports.open"`) {
			t.Errorf("%v\n%s", err, text)
		}
	}
	earlier := over(t, h.Versions()...)
	same := newHarbour(t, ports{"b", "hunter3"}, over(t, earlier...)) // the secret of another process is not known
	if got := numbersOf(same.Versions()); got != "1 start, 2 api" {
		t.Errorf("versions %q after a start with the same, want no third one", got)
	}
	next := newHarbour(t, ports{"c", "x"}, over(t, earlier...))
	if got, err := next.Diff(1, 3); err != nil || len(got) != 1 || got[0].Old != "a" || got[0].New != "c" {
		t.Errorf("Diff(1, 3) = %v, %v", got, err)
	}
	if got, err := next.Diff(3, 1); err != nil || len(got) != 1 || got[0].Old != "c" {
		t.Errorf("Diff(3, 1) = %v, %v", got, err)
	}
	if result, err := next.Rollback(t.Context(), 1, config.Request{}); err != nil || result.Current.Number != 4 || !slices.Equal(next.opened, []ports{{"a", "of now"}}) {
		t.Errorf("a rollback to another process's version: %d, %v, opened %v", result.Current.Number, err, next.opened)
	}
	// A version from before there was a companion: it holds nothing of it, and a rollback says so.
	for i := range earlier {
		earlier[i].Loaded.Companion = nil
	}
	earlier[0].Loaded.Trysail.Default.Retry.Attempts = 9
	old := newHarbour(t, ports{"c", "x"}, earlier)
	result, err := old.Rollback(t.Context(), 1, config.Request{})
	if err != nil || !result.Changed || !slices.Equal(old.opened, []ports{{"c", "x"}}) || len(result.Warnings) != 1 || !strings.Contains(result.Warnings[0], "version 1 holds nothing but the engine's configuration") {
		t.Errorf("a version without it: %v, %v, opened %v, warnings %v", result.Changed, err, old.opened, result.Warnings)
	}
}

func TestACompanionNeedsAlso(t *testing.T) {
	loaded, err := config.Sources{Companion: ports{"a", "x"}}.Load()
	if err != nil {
		t.Fatal(err)
	}
	orc, err := trysail.New(loaded.Trysail)
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.ReloaderConfig{Orchestrator: orc, Start: loaded, Read: func(context.Context) (config.Sources, error) { return config.Sources{Companion: ports{}}, nil }}
	if _, err := config.NewReloader(cfg); err == nil || !strings.Contains(err.Error(), "Also is nil, but there is a Companion") {
		t.Errorf("NewReloader = %v", err)
	}
	cfg.Start.Companion = nil
	r, err := config.NewReloader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Reload(t.Context(), config.Request{}); err == nil || !strings.Contains(err.Error(), "ReloaderConfig.Also is nil") {
		t.Errorf("Reload = %v", err)
	}
}
