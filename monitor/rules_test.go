package monitor_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/trysail-go/trysail/monitor"
)

func loads(c *monitor.Collector, n int) {
	for range n {
		c.RecordConfigLoad(of("simple"), time.Millisecond)
	}
}

func failures(c *monitor.Collector, n int) {
	for range n {
		c.RecordConfigError(of("simple"), errBroken)
	}
}

func changes(c *monitor.Collector, n int) {
	for range n {
		c.RecordConfigChange(of("production"), "simple")
	}
}

func checks(c *monitor.Collector, valid, invalid int) {
	for i := range valid + invalid {
		c.RecordValidation(of("simple"), i < valid)
	}
}

// raised returns the alerts of one rule.
func raised(c *monitor.Collector, rule monitor.Rule) []monitor.Alert {
	var found []monitor.Alert
	for _, a := range c.Alerts(0, 0) {
		if a.Rule == rule {
			found = append(found, a)
		}
	}
	return found
}

func TestRules(t *testing.T) {
	for name, tc := range map[string]struct {
		rule   monitor.Rule
		record func(*monitor.Collector)
		want   monitor.Alert // no Rule: there is none
	}{
		"an error": {
			monitor.RuleConfigError,
			func(c *monitor.Collector) {
				c.RecordConfigError(monitor.Subject{Preset: "custom", Operation: "parse"}, errors.New(`no "}" found`))
			},
			monitor.Alert{
				Level: monitor.LevelError, Title: "Configuration Error: custom", Description: `Error in parse: no "}" found`,
				Preset: "custom", Kind: monitor.ConfigError, Threshold: 0, Actual: 1, Count: 1,
				Metadata: `{"operation":"parse","error_message":"no \"}\" found"}`,
			},
		},
		"a load at the threshold": {
			rule:   monitor.RuleSlowLoad,
			record: func(c *monitor.Collector) { c.RecordConfigLoad(of("simple"), 100*time.Millisecond) },
		},
		"a load just above it": {
			monitor.RuleSlowLoad,
			func(c *monitor.Collector) { c.RecordConfigLoad(of("simple"), 100*time.Millisecond+1) },
			monitor.Alert{
				Level: monitor.LevelWarning, Title: "Slow Configuration Load: simple",
				Description: "Loading in load_config took 100.000001 ms, more than 100 ms",
				Preset:      "simple", Kind: monitor.PerformanceEvent, Threshold: 100, Actual: 100.000001, Count: 1,
				Metadata: `{"load_time_ms":100.000001}`,
			},
		},
		"errors at the threshold": {
			rule:   monitor.RuleErrorShare,
			record: func(c *monitor.Collector) { loads(c, 20); failures(c, 1) },
		},
		"errors above it": {
			monitor.RuleErrorShare,
			func(c *monitor.Collector) { loads(c, 19); failures(c, 1) },
			monitor.Alert{
				Level: monitor.LevelCritical, Title: "High Configuration Error Rate",
				Description: "1 errors and 19 loads in the last hour, more than 0.05 errors per load",
				Kind:        monitor.ConfigError, Threshold: 0.05, Actual: 1.0 / 19, Count: 1,
				Metadata: `{"config_errors":1,"config_loads":19}`,
			},
		},
		"errors above it, too few samples": {
			rule:   monitor.RuleErrorShare,
			record: func(c *monitor.Collector) { loads(c, 9); failures(c, 10) },
		},
		"errors above it, the load makes it enough": {
			monitor.RuleErrorShare,
			func(c *monitor.Collector) { failures(c, 10); loads(c, 10) },
			monitor.Alert{
				Level: monitor.LevelCritical, Title: "High Configuration Error Rate",
				Description: "10 errors and 10 loads in the last hour, more than 0.05 errors per load",
				Kind:        monitor.ConfigError, Threshold: 0.05, Actual: 1, Count: 1,
				Metadata: `{"config_errors":10,"config_loads":10}`,
			},
		},
		"nothing but errors": {
			monitor.RuleErrorShare,
			func(c *monitor.Collector) { failures(c, 20) },
			monitor.Alert{
				Level: monitor.LevelCritical, Title: "High Configuration Error Rate",
				Description: "20 errors and 0 loads in the last hour, more than 0.05 errors per load",
				Kind:        monitor.ConfigError, Threshold: 0.05, Actual: 1, Count: 1,
				Metadata: `{"config_errors":20,"config_loads":0}`,
			},
		},
		"ten changes": {
			rule:   monitor.RuleChanges,
			record: func(c *monitor.Collector) { changes(c, 10) },
		},
		"eleven changes": {
			monitor.RuleChanges,
			func(c *monitor.Collector) { changes(c, 11) },
			monitor.Alert{
				Level: monitor.LevelWarning, Title: "Frequent Configuration Changes",
				Description: "11 changes in the last hour, more than 10",
				Kind:        monitor.ConfigChange, Threshold: 10, Actual: 11, Count: 1, Metadata: `{"changes":11}`,
			},
		},
		"validations at the threshold": {
			rule:   monitor.RuleInvalid,
			record: func(c *monitor.Collector) { checks(c, 18, 2) },
		},
		"validations above it": {
			monitor.RuleInvalid,
			func(c *monitor.Collector) { checks(c, 17, 3) },
			monitor.Alert{
				Level: monitor.LevelWarning, Title: "High Validation Failure Rate",
				Description: "3 of 20 validations in the last hour failed, more than a share of 0.1",
				Kind:        monitor.ValidationEvent, Threshold: 0.1, Actual: 0.15, Count: 1,
				Metadata: `{"failed_validations":3,"validations":20}`,
			},
		},
		"validations above it, too few samples": {
			rule:   monitor.RuleInvalid,
			record: func(c *monitor.Collector) { checks(c, 0, 19) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
				tc.record(c)
				got := raised(c, tc.rule)
				if tc.want.Title == "" {
					if len(got) > 0 {
						t.Errorf("there is the alert %+v, want none", got[0])
					}
					return
				}
				if len(got) == 0 {
					t.Fatalf("there is no alert, want %+v", tc.want)
				}
				tc.want.Rule, tc.want.ID, tc.want.Time = tc.rule, got[0].ID, time.Now().UTC()
				tc.want.Last = tc.want.Time
				got[0].Count = 1 // of others see TestCoolDown
				same(t, "the alert", got[0], tc.want)
				same(t, "alerts", len(got), 1)
			})
		})
	}
}

// The rules look at exactly an hour.
func TestRulesForgetAfterAnHour(t *testing.T) {
	for name, tc := range map[string]struct {
		wait time.Duration
		want int
	}{
		"a nanosecond less": {time.Hour - 1, 1},
		"an hour":           {time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
				changes(c, 10)
				checks(c, 10, 9)
				failures(c, 19)
				time.Sleep(tc.wait)
				changes(c, 1)
				checks(c, 0, 1)
				loads(c, 1)
				for _, rule := range []monitor.Rule{monitor.RuleChanges, monitor.RuleInvalid, monitor.RuleErrorShare} {
					same(t, "alerts of "+string(rule), len(raised(c, rule)), tc.want)
				}
			})
		})
	}
}

// What MaxEvents pushed out, or Cleanup removed, does not count either: rules and statistics see the same.
func TestRulesForgetWhatIsGone(t *testing.T) {
	bubble(t, monitor.Config{MaxEvents: 10}, func(t *testing.T, c *monitor.Collector) {
		changes(c, 100)
		same(t, "alerts", len(raised(c, monitor.RuleChanges)), 0)
	})
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		changes(c, 10)
		if _, err := c.Cleanup(0); err != nil {
			t.Fatal(err)
		}
		changes(c, 10)
		same(t, "alerts", len(raised(c, monitor.RuleChanges)), 0)
		changes(c, 1)
		same(t, "alerts", len(raised(c, monitor.RuleChanges)), 1)
	})
}

func TestCoolDown(t *testing.T) {
	for name, tc := range map[string]struct {
		wait  time.Duration
		count []int // of the alerts
	}{
		"at once":           {0, []int{2}},
		"a nanosecond less": {5*time.Minute - 1, []int{2}},
		"when it has ended": {5 * time.Minute, []int{1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
				begun := time.Now().UTC()
				failures(c, 1)
				c.RecordConfigLoad(of("simple"), time.Second)
				time.Sleep(tc.wait)
				failures(c, 1)
				c.RecordConfigLoad(of("simple"), 2*time.Second)
				for _, rule := range []monitor.Rule{monitor.RuleConfigError, monitor.RuleSlowLoad} {
					got := raised(c, rule)
					if len(got) != len(tc.count) {
						t.Fatalf("there are %d alerts of %s, want %d", len(got), rule, len(tc.count))
					}
					for i, a := range got {
						same(t, "Count", a.Count, tc.count[i])
					}
					same(t, "Time of the first", got[0].Time, begun)
					same(t, "Last of the last", got[len(got)-1].Last, time.Now().UTC())
				}
			})
		})
	}
}

// The alerts about an hour repeat with every event that keeps them true.
func TestCoolDownOfAnHour(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		changes(c, 15)
		got := raised(c, monitor.RuleChanges)
		if len(got) != 1 || got[0].Count != 5 || got[0].Actual != 11 {
			t.Errorf("alerts = %+v, want one about 11 changes, 5 times", got)
		}
	})
}

func TestDifferentAlertsAreNotTheSame(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		for range 3 {
			c.RecordConfigError(of("simple"), errBroken)
			c.RecordConfigError(of("simple"), errors.New(`another "error"`))
			c.RecordConfigError(of("production"), errBroken)
			c.RecordConfigError(monitor.Subject{Preset: "simple", Operation: "parse"}, errBroken)
			c.RecordConfigLoad(of("simple"), time.Second)
			c.RecordConfigLoad(of("production"), time.Second)
		}
		all := c.Alerts(0, 0)
		same(t, "alerts", len(all), 6)
		for _, a := range all {
			same(t, "Count of "+a.Description, a.Count, 3)
		}
	})
}

func TestAlerts(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		for i := range 3 {
			c.RecordConfigError(of("simple"), fmt.Errorf("error %d", i))
			c.RecordConfigLoad(of(fmt.Sprintf("preset-%d", i)), time.Second)
			time.Sleep(time.Minute)
		}
		for name, tc := range map[string]struct {
			level monitor.Level
			limit int
			want  []string
		}{
			"all": {0, 0, []string{
				"Configuration Error: simple", "Slow Configuration Load: preset-0", "Configuration Error: simple",
				"Slow Configuration Load: preset-1", "Configuration Error: simple", "Slow Configuration Load: preset-2",
			}},
			"the newest":                     {0, 1, []string{"Slow Configuration Load: preset-2"}},
			"the level first, then the last": {monitor.LevelWarning, 2, []string{"Slow Configuration Load: preset-1", "Slow Configuration Load: preset-2"}},
			"of a level that there is not":   {monitor.LevelInfo, 0, nil},
		} {
			got := c.Alerts(tc.level, tc.limit)
			if len(got) != len(tc.want) {
				t.Errorf("%s: Alerts() has %d alerts, want %d", name, len(got), len(tc.want))
				continue
			}
			for i, a := range got {
				same(t, name+": Title", a.Title, tc.want[i])
			}
		}
	})
}

// An alert is active for a day, also when it is kept longer.
func TestAlertsAreActiveForADay(t *testing.T) {
	bubble(t, monitor.Config{Retention: 48 * time.Hour}, func(t *testing.T, c *monitor.Collector) {
		failures(c, 1)
		time.Sleep(24*time.Hour - 1)
		same(t, "alerts before", len(c.Alerts(0, 0)), 1)
		same(t, "ActiveAlerts before", len(c.Statistics(time.Hour).ActiveAlerts), 1)
		time.Sleep(time.Nanosecond)
		same(t, "alerts after", len(c.Alerts(0, 0)), 0)
		same(t, "ActiveAlerts after", len(c.Statistics(time.Hour).ActiveAlerts), 0)
		same(t, "kept", c.Counts().Alerts, 1)
		time.Sleep(24 * time.Hour)
		same(t, "kept after the retention", c.Counts().Alerts, 0)
	})
}

// Whatever comes, the list stays within its bound, and what matters most stays longest.
func TestAlertsAreBounded(t *testing.T) {
	bubble(t, monitor.Config{MaxAlerts: 5}, func(t *testing.T, c *monitor.Collector) {
		failures(c, 20) // one error and one critical
		for i := range 3 {
			c.RecordConfigLoad(of(fmt.Sprint("slow ", i)), time.Second)
		}
		for i := range 4 {
			c.RecordConfigError(of("simple"), fmt.Errorf("error %d", i))
		}
		var got []string
		for _, a := range c.Alerts(0, 0) {
			got = append(got, a.Level.String()+" "+a.Description)
		}
		want := []string{
			"critical 20 errors and 0 loads in the last hour, more than 0.05 errors per load",
			"error Error in load_config: error 0", "error Error in load_config: error 1",
			"error Error in load_config: error 2", "error Error in load_config: error 3",
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("Alerts() = %q, want %q", got, want)
		}
		same(t, "AlertsEvicted", c.Counts().AlertsEvicted, 4)
		same(t, "Alerts", c.Counts().Alerts, 5)
	})
}

func TestParseLevel(t *testing.T) {
	for text, want := range map[string]monitor.Level{
		"info": monitor.LevelInfo, "WARNING": monitor.LevelWarning, "Error": monitor.LevelError, "critical": monitor.LevelCritical,
	} {
		if got, err := monitor.ParseLevel(text); got != want || err != nil {
			t.Errorf("ParseLevel(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "fatal", "Level(1)", "1"} {
		if got, err := monitor.ParseLevel(text); err == nil {
			t.Errorf("ParseLevel(%q) = %v, want an error", text, got)
		}
	}
}
