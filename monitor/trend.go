package monitor

import (
	"fmt"
	"time"
)

// maxTrend is how many hours a trend may have: a year.
const maxTrend = 366 * 24

// A Trend says how often a preset was used, hour by hour.
type Trend struct {
	Points        []TrendPoint // as many as hours were asked for, oldest first
	Total         int
	Peak          int     // the greatest Count
	AverageHourly float64 // Total per hour
}

// A TrendPoint is one hour of a [Trend].
type TrendPoint struct {
	Time  time.Time // the full hour, UTC, that it begins with
	Count int
}

// Trend returns how often a preset was used in the last hours, 1 to 8784. The newest point is the hour that has
// begun. So that nothing is lost between the first full hour and the beginning of the window, the oldest point holds the rest of
// the hour before it, too: Total is what Statistics counts in the same window. A preset that was never used has
// zeros.
func (c *Collector) Trend(preset string, hours int) (Trend, error) {
	if hours < 1 || hours > maxTrend {
		return Trend{}, fmt.Errorf("a trend over %d hours was asked for, want 1 to %d", hours, maxTrend)
	}
	preset = clip(preset, maxName)
	now := c.lock()
	defer c.mu.Unlock()
	newest := timeOf(now).Truncate(time.Hour)
	t := Trend{Points: make([]TrendPoint, hours)}
	for i := range t.Points {
		t.Points[i].Time = newest.Add(-time.Duration(hours-1-i) * time.Hour)
	}
	first := t.Points[0].Time.UnixNano()
	c.groups[configuration].since(edgeOf(now, time.Duration(hours)*time.Hour), func(e *entry) {
		if e.kind != PresetUsage || e.preset != preset {
			return
		}
		p := &t.Points[max(e.at-first, 0)/int64(time.Hour)]
		p.Count++
		t.Total++
		t.Peak = max(t.Peak, p.Count)
	})
	t.AverageHourly = float64(t.Total) / float64(hours)
	return t, nil
}
