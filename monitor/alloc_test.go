package monitor_test

import (
	"testing"
	"time"

	"github.com/trysail-go/trysail/monitor"
)

// What is recorded often makes no garbage: metadata is allocated as one text, which is kept, and nothing else is.
func TestRecordingMakesNoGarbage(t *testing.T) {
	c := must(t, monitor.Config{MaxEvents: 100})
	fields := map[string]any{"batch_size": 100, "share": 0.25, "config_type": "custom", "took": true}
	type testCase struct {
		record func()
		want   float64
	}
	cases := map[string]testCase{
		"usage":      {func() { c.RecordPresetUsage(monitor.Subject{Preset: "production"}) }, 0},
		"load":       {func() { c.RecordConfigLoad(monitor.Subject{Session: "s"}, time.Millisecond) }, 0},
		"validation": {func() { c.RecordValidation(monitor.Subject{}, true) }, 0},
		"metadata":   {func() { c.RecordPresetUsage(monitor.Subject{Metadata: fields}) }, 1},
	}
	for name, e := range engineEvents() {
		cases[name] = testCase{func() { c.Observe(e) }, 1}
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for range 1000 { // until batches and groups have what they need
				tc.record()
			}
			if got := testing.AllocsPerRun(1000, tc.record); got != tc.want {
				t.Errorf("allocations = %v, want %v", got, tc.want)
			}
		})
	}
}
