package monitor_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail/monitor"
)

func TestRecorders(t *testing.T) {
	full := monitor.Subject{
		Preset: "production", Operation: "nightly", Session: "s-1", User: "ada",
		Metadata: map[string]any{"b": 1, "a": "x"},
	}
	for name, tc := range map[string]struct {
		record func(*monitor.Collector, monitor.Subject)
		want   monitor.Event // of an empty Subject, without metadata
		own    string        // the recorder's metadata
	}{
		"preset usage": {
			func(c *monitor.Collector, s monitor.Subject) { c.RecordPresetUsage(s) },
			monitor.Event{Kind: monitor.PresetUsage, Operation: "load", Value: 1},
			"",
		},
		"load": {
			func(c *monitor.Collector, s monitor.Subject) { c.RecordConfigLoad(s, 1500*time.Microsecond) },
			monitor.Event{Kind: monitor.ConfigLoad, Operation: "load_config", Value: 1.5},
			"",
		},
		"error": {
			func(c *monitor.Collector, s monitor.Subject) { c.RecordConfigError(s, errBroken) },
			monitor.Event{Kind: monitor.ConfigError, Operation: "load_config", Value: 1},
			`"error_message":"preset is broken"`,
		},
		"no error": {
			func(c *monitor.Collector, s monitor.Subject) { c.RecordConfigError(s, nil) },
			monitor.Event{Kind: monitor.ConfigError, Operation: "load_config", Value: 1},
			`"error_message":"no error was given"`,
		},
		"error that panics": {
			func(c *monitor.Collector, s monitor.Subject) { c.RecordConfigError(s, (*hostile)(nil)) },
			monitor.Event{Kind: monitor.ConfigError, Operation: "load_config", Value: 1},
			`"error_message":"an error whose Error method panics"`,
		},
		"valid": {
			func(c *monitor.Collector, s monitor.Subject) { c.RecordValidation(s, true) },
			monitor.Event{Kind: monitor.ValidationEvent, Operation: "validate", Value: 1},
			`"is_valid":true,"validation_errors":[]`,
		},
		"not valid": {
			func(c *monitor.Collector, s monitor.Subject) { c.RecordValidation(s, false, "too many", "too few") },
			monitor.Event{Kind: monitor.ValidationEvent, Operation: "validate", Value: 0},
			`"is_valid":false,"validation_errors":["too many","too few"]`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
				tc.record(c, monitor.Subject{})
				tc.record(c, full)
				events, _ := c.After(0, 10)
				tc.want.Seq, tc.want.Time, tc.want.Preset = 1, time.Now().UTC(), "unknown"
				if tc.own != "" {
					tc.want.Metadata = monitor.Metadata("{" + tc.own + "}")
				}
				same(t, "the event", events[0], tc.want)
				tc.want.Seq, tc.want.Preset, tc.want.Operation, tc.want.Session, tc.want.User = 2, "production", "nightly", "s-1", "ada"
				tc.want.Metadata = monitor.Metadata("{" + strings.TrimPrefix(tc.own+`,"a":"x","b":1}`, ","))
				same(t, "the event with everything", events[1], tc.want)
			})
		})
	}
}

func TestRecordConfigChange(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		c.RecordConfigChange(of("production"), "simple")
		events, _ := c.After(0, 10)
		same(t, "the event", events[0], monitor.Event{
			Seq: 1, Time: time.Now().UTC(), Kind: monitor.ConfigChange, Preset: "production", Operation: "change", Value: 1,
			Metadata: `{"old_preset":"simple","new_preset":"production"}`,
		})
	})
}

// hostile is an error that panics.
type hostile struct{ text string }

func (h *hostile) Error() string { return h.text }

func TestTrack(t *testing.T) {
	s := monitor.Subject{Operation: "load_preset"}
	for name, tc := range map[string]struct {
		run  func() error
		kind monitor.Kind
		text string
		err  error
	}{
		"success": {func() error { return nil }, monitor.ConfigLoad, "", nil},
		"error":   {func() error { return errBroken }, monitor.ConfigError, "preset is broken", errBroken},
		"panic":   {func() error { panic(errBroken) }, monitor.ConfigError, "the operation panicked or ended its goroutine", errBroken},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
				err := recovered(func() error {
					return c.Track(s, func() error {
						time.Sleep(30 * time.Millisecond)
						return tc.run()
					})
				})
				if !errors.Is(err, tc.err) {
					t.Errorf("Track() = %v, want %v", err, tc.err)
				}
				events, _ := c.After(0, 10)
				if len(events) != 1 || events[0].Kind != tc.kind || events[0].Operation != "load_preset" || events[0].Preset != "unknown" {
					t.Fatalf("After Track there is %+v, want one event of kind %v", events, tc.kind)
				}
				if text, _ := events[0].Metadata.Map()["error_message"].(string); text != tc.text {
					t.Errorf("error_message = %q, want %q", text, tc.text)
				}
				if tc.kind == monitor.ConfigLoad {
					same(t, "Value", events[0].Value, 30)
				}
			})
		})
	}
}

// recovered returns what run returns, or panics with.
func recovered(run func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err, _ = v.(error)
		}
	}()
	return run()
}

func TestTrackGoexit(t *testing.T) {
	c := must(t, monitor.Config{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Track(of("simple"), func() error {
			runtime.Goexit()
			return nil
		})
	}()
	<-done
	same(t, "Errors", c.Statistics(0).Errors, 1)
	same(t, "Loads", c.Statistics(0).Loads, 0)
}

func TestNilCollectorRecordsNothing(t *testing.T) {
	for name, c := range map[string]*monitor.Collector{"nil": nil, "not made by New": {}} {
		t.Run(name, func(t *testing.T) {
			c.RecordPresetUsage(of("simple"))
			c.RecordValidation(of("simple"), true)
			if err := c.Track(of("simple"), func() error { return errBroken }); !errors.Is(err, errBroken) {
				t.Errorf("Track() = %v, want %v", err, errBroken)
			}
			if c != nil {
				same(t, "Recorded", c.Counts().Recorded, 0)
			}
		})
	}
}

func TestLongNamesAreCut(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		long := strings.Repeat("é", 300)
		c.RecordPresetUsage(monitor.Subject{Preset: long, Operation: long, Session: long, User: long})
		c.RecordPresetUsage(monitor.Subject{Preset: "broken \xff", Session: strings.Repeat("s", 200)})
		want := strings.Repeat("é", 199) + "…"
		events, _ := c.After(0, 10)
		e := events[0]
		for column, got := range map[string]string{"Preset": e.Preset, "Operation": e.Operation, "Session": e.Session, "User": e.User} {
			same(t, column, got, want)
		}
		same(t, "Preset", events[1].Preset, "broken \uFFFD")
		same(t, "Session", events[1].Session, strings.Repeat("s", 200))
		same(t, "events of the session, asked for by its whole name", len(c.Session(long).Events), 1)
		trend, err := c.Trend(long, 1)
		if err != nil || trend.Total != 1 {
			t.Errorf("Trend() = %+v, %v; want 1 use", trend, err)
		}
	})
}
