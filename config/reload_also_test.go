package config_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/trysail-go/trysail/config"
)

// What goes with the engine's configuration changes with it, whole or not at all.
func TestReloadOfWhatGoesWithTheEngine(t *testing.T) {
	p := newPlant(t, 0, config.Sources{Lookup: env("RESILIENCE_PRESET=simple")})
	var seen []int // attempts of the engine at each call
	var refusal error
	p.sources.Also = func() error {
		seen = append(seen, p.orc.Configuration().Default.Retry.Attempts)
		return refusal
	}
	reload := func(req config.Request) (config.Result, error) {
		t.Helper()
		return p.Reload(context.Background(), req)
	}
	attempts := p.orc.Configuration().Default.Retry.Attempts

	if result, err := reload(config.Request{}); err != nil || result.Changed || !slices.Equal(seen, []int{attempts}) {
		t.Errorf("a reload of the same: %v, %v, called with %v attempts, want once with %d", result.Changed, err, seen, attempts)
	}
	p.set(`RESILIENCE_CUSTOM_CONFIG={"retry_attempts": 7}`)
	if _, err := reload(config.Request{DryRun: true}); err != nil || len(seen) != 1 {
		t.Errorf("a dry run: %v, called %d times, want once before it", err, len(seen))
	}
	refusal = errors.New("there is no such target")
	_, err := reload(config.Request{})
	if !errors.Is(err, refusal) || len(p.alerts) != 1 || !slices.Equal(seen, []int{attempts, 7}) {
		t.Errorf("refused: %v, %d alerts, called with %v attempts", err, len(p.alerts), seen)
	}
	if got := p.orc.Configuration().Default.Retry.Attempts; got != attempts || p.Current().Number != 1 || len(p.applied) != 0 {
		t.Errorf("after the refusal: %d attempts, version %d, %d applied; want %d, 1, 0", got, p.Current().Number, len(p.applied), attempts)
	}
	if _, err := reload(config.Request{}); !errors.Is(err, refusal) { // not taken for the same as before
		t.Errorf("refused again: %v", err)
	}
	refusal = nil
	if result, err := reload(config.Request{}); err != nil || !result.Changed || p.Current().Number != 2 {
		t.Errorf("taken: %v, version %d", err, p.Current().Number)
	}
	calls := len(seen)
	if _, err := p.Rollback(context.Background(), 1, config.Request{}); err != nil || len(seen) != calls {
		t.Errorf("a rollback: %v, called %d times more, want none", err, len(seen)-calls)
	}
	refusal = errors.New("the file of a secret is gone")
	p.set("RESILIENCE_PRESET=simple")
	if _, err := reload(config.Request{}); !errors.Is(err, refusal) || len(p.alerts) != 3 {
		t.Errorf("a reload of the same that is refused: %v, %d alerts, want 3", err, len(p.alerts))
	}
}
