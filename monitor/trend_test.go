package monitor_test

import (
	"testing"
	"time"

	"github.com/trysail-go/trysail/monitor"
)

func TestTrendOfFiveHours(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		for range 5 {
			c.RecordPresetUsage(of("production"))
			c.RecordPresetUsage(of("simple"))
			time.Sleep(time.Hour)
		}
		trend, err := c.Trend("production", 24)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "points", len(trend.Points), 24)
		same(t, "Total", trend.Total, 5)
		same(t, "Peak", trend.Peak, 1)
		same(t, "AverageHourly", trend.AverageHourly, 5.0/24)
		last := time.Now().UTC().Truncate(time.Hour)
		for i, p := range trend.Points {
			want := 0
			if i >= 18 && i < 23 { // the hour that has begun has none yet
				want = 1
			}
			same(t, "Count", p.Count, want)
			if at := last.Add(time.Duration(i-23) * time.Hour); p.Time != at {
				t.Errorf("Points[%d].Time = %v, want %v", i, p.Time, at)
			}
		}
	})
}

// Upstream lost what lies between the beginning of the window and its first full hour.
func TestTrendKeepsThePartialOldestHour(t *testing.T) {
	for name, tc := range map[string]struct {
		age   time.Duration // before 10:30
		hours int
		point int // that must hold it, -1: it is too old
	}{
		"just now":                      {0, 24, 23},
		"at the full hour":              {30 * time.Minute, 24, 23},
		"just before the full hour":     {30*time.Minute + 1, 24, 22},
		"in the first full hour":        {23 * time.Hour, 24, 0},
		"before the first full hour":    {23*time.Hour + 45*time.Minute, 24, 0},
		"at the very beginning":         {24*time.Hour - 1, 24, 0},
		"as old as the window":          {24 * time.Hour, 24, -1},
		"one hour":                      {45 * time.Minute, 1, 0},
		"one hour, as old as the hour":  {time.Hour, 1, -1},
		"a window longer than all that": {time.Hour, 8784, 8782},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, monitor.Config{Retention: 400 * 24 * time.Hour}, func(t *testing.T, c *monitor.Collector) {
				time.Sleep(48*time.Hour - tc.age)
				c.RecordPresetUsage(of("simple"))
				time.Sleep(tc.age)
				trend, err := c.Trend("simple", tc.hours)
				if err != nil {
					t.Fatal(err)
				}
				want := 1
				if tc.point < 0 {
					want = 0
				} else {
					same(t, "Count of the point", trend.Points[tc.point].Count, 1)
				}
				same(t, "Total", trend.Total, want)
				same(t, "what Statistics counts", c.Statistics(time.Duration(tc.hours) * time.Hour).PresetUsage["simple"], want)
				same(t, "points", len(trend.Points), tc.hours)
			})
		})
	}
}

func TestTrendOfNothing(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		trend, err := c.Trend("legacy", 3)
		if err != nil || len(trend.Points) != 3 || trend.Total != 0 || trend.Peak != 0 || trend.AverageHourly != 0 {
			t.Errorf("Trend() = %+v, %v; want three zeros", trend, err)
		}
	})
}

func TestTrendRefuses(t *testing.T) {
	c := must(t, monitor.Config{})
	for _, hours := range []int{-1, 0, 8785, 1_000_000_000} {
		if trend, err := c.Trend("simple", hours); err == nil {
			t.Errorf("Trend(%d) = %d points, want an error", hours, len(trend.Points))
		}
	}
}
