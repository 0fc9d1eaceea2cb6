package monitor_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/trysail-go/trysail/monitor"
)

var errBroken = errors.New("preset is broken")

// The example of the specification, as Go.
func TestSpecificationExample(t *testing.T) {
	bubble(t, monitor.Config{MaxEvents: 50_000, Retention: 48 * time.Hour}, func(t *testing.T, c *monitor.Collector) {
		err := c.Track(monitor.Subject{Operation: "load_preset", Preset: "production"}, func() error {
			time.Sleep(40 * time.Millisecond)
			return nil
		})
		c.RecordPresetUsage(monitor.Subject{
			Preset: "production", Operation: "batch_processing",
			Metadata: map[string]any{"batch_size": 100, "processing_time_ms": 1500},
		})
		stats := c.Statistics(0)
		if err != nil {
			t.Errorf("Track() = %v, want nil", err)
		}
		same(t, "MostUsed", stats.MostUsed, "production")
		same(t, "AverageLoad", stats.AverageLoad, 40*time.Millisecond)
		same(t, "alerts", len(stats.ActiveAlerts), 0)
	})
}

func TestStatistics(t *testing.T) {
	custom := monitor.Subject{Preset: "simple", Metadata: map[string]any{"config_type": "custom"}}
	legacy := monitor.Subject{Preset: "legacy", Metadata: map[string]any{"config_type": "legacy"}}
	for name, tc := range map[string]struct {
		record func(*monitor.Collector)
		want   monitor.Statistics
	}{
		"nothing": {
			record: func(*monitor.Collector) {},
			want:   monitor.Statistics{MostUsed: "none", LeastUsed: "none"},
		},
		"one error and two loads": {
			record: func(c *monitor.Collector) {
				c.RecordConfigLoad(of("simple"), 50*time.Millisecond)
				c.RecordConfigLoad(of("simple"), 100*time.Millisecond)
				c.RecordConfigError(of("simple"), errBroken)
			},
			want: monitor.Statistics{Loads: 2, Errors: 1, ErrorRate: 0.5, AverageLoad: 75 * time.Millisecond, MostUsed: "none", LeastUsed: "none"},
		},
		"more errors than loads": {
			record: func(c *monitor.Collector) {
				c.RecordConfigLoad(of("simple"), 0)
				c.RecordConfigError(of("simple"), errBroken)
				c.RecordConfigError(of("simple"), errBroken)
			},
			want: monitor.Statistics{Loads: 1, Errors: 2, ErrorRate: 1, MostUsed: "none", LeastUsed: "none"},
		},
		"errors only": {
			record: func(c *monitor.Collector) { c.RecordConfigError(of("simple"), errBroken) },
			want:   monitor.Statistics{Errors: 1, ErrorRate: 1, MostUsed: "none", LeastUsed: "none"},
		},
		"a negative time": {
			record: func(c *monitor.Collector) { c.RecordConfigLoad(of("simple"), -time.Second) },
			want:   monitor.Statistics{Loads: 1, MostUsed: "none", LeastUsed: "none"},
		},
		"presets as often as each other go by name": {
			record: func(c *monitor.Collector) {
				for _, preset := range []string{"simple", "production", "development"} {
					c.RecordPresetUsage(of(preset))
				}
			},
			want: monitor.Statistics{
				PresetUsage: map[string]int{"simple": 1, "production": 1, "development": 1},
				MostUsed:    "development", LeastUsed: "development",
			},
		},
		"most and least": {
			record: func(c *monitor.Collector) {
				for _, preset := range []string{"simple", "production", "simple"} {
					c.RecordPresetUsage(of(preset))
				}
			},
			want: monitor.Statistics{PresetUsage: map[string]int{"simple": 2, "production": 1}, MostUsed: "simple", LeastUsed: "production"},
		},
		"custom and legacy among all events": {
			record: func(c *monitor.Collector) {
				c.RecordPresetUsage(custom)
				c.RecordPresetUsage(legacy)
				c.RecordPresetUsage(legacy)
				c.RecordValidation(of("simple"), true)
			},
			want: monitor.Statistics{
				PresetUsage: map[string]int{"simple": 1, "legacy": 2}, MostUsed: "legacy", LeastUsed: "simple",
				CustomRate: 0.25, LegacyRate: 0.5,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
				tc.record(c)
				got := c.Statistics(24 * time.Hour)
				if !maps.Equal(got.PresetUsage, tc.want.PresetUsage) {
					t.Errorf("PresetUsage = %v, want %v", got.PresetUsage, tc.want.PresetUsage)
				}
				same(t, "Loads", got.Loads, tc.want.Loads)
				same(t, "Errors", got.Errors, tc.want.Errors)
				same(t, "ErrorRate", got.ErrorRate, tc.want.ErrorRate)
				same(t, "AverageLoad", got.AverageLoad, tc.want.AverageLoad)
				same(t, "MostUsed", got.MostUsed, tc.want.MostUsed)
				same(t, "LeastUsed", got.LeastUsed, tc.want.LeastUsed)
				same(t, "CustomRate", got.CustomRate, tc.want.CustomRate)
				same(t, "LegacyRate", got.LegacyRate, tc.want.LegacyRate)
			})
		})
	}
}

// Upstream kept statistics for a minute, whatever the window, and measured their age without days.
func TestStatisticsAreNeverOld(t *testing.T) {
	bubble(t, monitor.Config{Retention: 100 * time.Hour}, func(t *testing.T, c *monitor.Collector) {
		c.RecordConfigLoad(of("simple"), time.Millisecond)
		time.Sleep(2 * time.Hour)
		c.RecordConfigLoad(of("simple"), time.Millisecond)
		same(t, "loads of an hour", c.Statistics(time.Hour).Loads, 1)
		same(t, "loads of three hours", c.Statistics(3*time.Hour).Loads, 2)
		c.RecordConfigLoad(of("simple"), time.Millisecond)
		same(t, "loads of an hour, after another", c.Statistics(time.Hour).Loads, 2)
		time.Sleep(24 * time.Hour)
		same(t, "loads of an hour, a day later", c.Statistics(time.Hour).Loads, 0)
		same(t, "loads of all time", c.Statistics(0).Loads, 3)
		same(t, "loads of a negative window", c.Statistics(-time.Hour).Loads, 3)
	})
}

func TestWindowEndsExactly(t *testing.T) {
	for name, tc := range map[string]struct {
		wait time.Duration
		want int
	}{
		"a nanosecond younger": {time.Hour - 1, 1},
		"as old":               {time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
				c.RecordConfigLoad(of("simple"), time.Millisecond)
				time.Sleep(tc.wait)
				same(t, "Statistics().Loads", c.Statistics(time.Hour).Loads, tc.want)
				same(t, "Performance().Samples", c.Performance(time.Hour).Samples, tc.want)
				_, done, err := c.ExportText(monitor.NDJSON, time.Hour)
				if err != nil || done.Events != tc.want {
					t.Errorf("ExportText() = %+v, %v; want %d events", done, err, tc.want)
				}
			})
		})
	}
}

func TestPerformance(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for name, tc := range map[string]struct {
		loads []int
		want  monitor.Performance
	}{
		"none": {},
		"one":  {[]int{7}, monitor.Performance{Average: ms(7), Min: ms(7), Max: ms(7), P95: ms(7), Samples: 1}},
		"five": {[]int{20, 100, 40, 60, 80}, monitor.Performance{Average: ms(60), Min: ms(20), Max: ms(100), P95: ms(100), Samples: 5}},
		"twenty: the nearest rank is the nineteenth": {
			[]int{20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1},
			monitor.Performance{Average: ms(21) / 2, Min: ms(1), Max: ms(20), P95: ms(19), Samples: 20},
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
				for _, load := range tc.loads {
					c.RecordConfigLoad(of("simple"), ms(load))
				}
				got := c.Performance(0)
				same(t, "Average", got.Average, tc.want.Average)
				same(t, "Min", got.Min, tc.want.Min)
				same(t, "Max", got.Max, tc.want.Max)
				same(t, "P95", got.P95, tc.want.P95)
				same(t, "Samples", got.Samples, tc.want.Samples)
				same(t, "simple", got.Presets["simple"], monitor.PresetPerformance{
					Average: tc.want.Average, Min: tc.want.Min, Max: tc.want.Max, Samples: tc.want.Samples,
				})
			})
		})
	}
}

// Upstream failed without samples, and forgot the errors.
func TestPerformanceCountsErrorsWithoutLoads(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		c.RecordConfigError(of("simple"), errBroken)
		p := c.Performance(time.Hour)
		same(t, "Errors", p.Errors, 1)
		same(t, "Samples", p.Samples, 0)
		if p.Presets == nil || len(p.Presets) > 0 {
			t.Errorf("Presets = %v, want an empty map", p.Presets)
		}
	})
}

func TestPerformanceByPreset(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		c.RecordConfigLoad(of("simple"), 10*time.Millisecond)
		c.RecordConfigLoad(of("production"), 30*time.Millisecond)
		c.RecordConfigLoad(of("production"), 50*time.Millisecond)
		want := map[string]monitor.PresetPerformance{
			"simple":     {Average: 10 * time.Millisecond, Min: 10 * time.Millisecond, Max: 10 * time.Millisecond, Samples: 1},
			"production": {Average: 40 * time.Millisecond, Min: 30 * time.Millisecond, Max: 50 * time.Millisecond, Samples: 2},
		}
		if got := c.Performance(0); !maps.Equal(got.Presets, want) || got.Average != 30*time.Millisecond {
			t.Errorf("Performance() = %+v, want an average of 30ms and the presets %v", got, want)
		}
	})
}
