package monitor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail/monitor"
)

// must returns a new collector.
func must(t testing.TB, cfg monitor.Config) *monitor.Collector {
	t.Helper()
	c, err := monitor.New(cfg)
	if err != nil {
		t.Fatalf("New(%+v) = %v, want a collector", cfg, err)
	}
	return c
}

// bubble runs a test with a collector in a bubble whose clock stands at half past ten.
func bubble(t *testing.T, cfg monitor.Config, test func(*testing.T, *monitor.Collector)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		time.Sleep(10*time.Hour + 30*time.Minute)
		test(t, must(t, cfg))
	})
}

func of(preset string) monitor.Subject { return monitor.Subject{Preset: preset} }

// same fails the test unless got is want.
func same[V comparable](t *testing.T, what string, got, want V) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}
