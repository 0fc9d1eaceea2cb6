package monitor_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/monitor"
)

// decoded reads an event's JSON, strictly.
func decoded(t *testing.T, line string) monitor.Event {
	t.Helper()
	var e monitor.Event
	d := json.NewDecoder(strings.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		t.Errorf("Decode(%s) = %v", line, err)
	}
	return e
}

// some records one event of each sort.
func some(c *monitor.Collector) {
	c.RecordPresetUsage(monitor.Subject{Preset: "production", Session: "s-1", User: "ada", Metadata: map[string]any{"batch_size": 100}})
	time.Sleep(time.Second)
	c.RecordConfigLoad(of("simple"), 1500*time.Microsecond)
	c.RecordConfigError(of(`=HYPERLINK("http://x")`), errors.New("line 1\nline \"2\""))
	c.Observe(trysail.Event{Kind: trysail.EventTransition, Operation: "qa", From: trysail.Closed, To: trysail.Open, Generation: 1})
}

func TestExport(t *testing.T) {
	for name, tc := range map[string]struct {
		format monitor.Format
		record func(*monitor.Collector)
		want   string
	}{
		"json": {monitor.JSON, some, `[
  {"timestamp":"2000-01-01T10:30:00Z","metric_type":"preset_usage","preset_name":"production","operation":"load","value":1,"metadata":{"batch_size":100},"session_id":"s-1","user_context":"ada"},
  {"timestamp":"2000-01-01T10:30:01Z","metric_type":"config_load","preset_name":"simple","operation":"load_config","value":1.5,"metadata":{},"session_id":null,"user_context":null},
  {"timestamp":"2000-01-01T10:30:01Z","metric_type":"config_error","preset_name":"=HYPERLINK(\"http://x\")","operation":"load_config","value":1,"metadata":{"error_message":"line 1\nline \"2\""},"session_id":null,"user_context":null},
  {"timestamp":"2000-01-01T10:30:01Z","metric_type":"performance_event","preset_name":"","operation":"qa","value":1,"metadata":{"event":"breaker_transition","from":"closed","to":"open","generation":1,"reason":""},"session_id":null,"user_context":null}
]
`},
		"csv": {monitor.CSV, some, "timestamp,metric_type,preset_name,operation,value,metadata,session_id,user_context\r\n" +
			`2000-01-01T10:30:00Z,preset_usage,production,load,1,"{""batch_size"":100}",s-1,ada` + "\r\n" +
			"2000-01-01T10:30:01Z,config_load,simple,load_config,1.5,{},,\r\n" +
			`2000-01-01T10:30:01Z,config_error,"'=HYPERLINK(""http://x"")",load_config,1,"{""error_message"":""line 1\nline \""2\""""}",,` + "\r\n" +
			`2000-01-01T10:30:01Z,performance_event,,qa,1,"{""event"":""breaker_transition"",""from"":""closed"",""to"":""open"",""generation"":1,""reason"":""""}",,` + "\r\n"},
		"ndjson": {monitor.NDJSON, func(c *monitor.Collector) { c.RecordConfigLoad(of("simple"), time.Millisecond) }, `{"timestamp":"2000-01-01T10:30:00Z","metric_type":"config_load","preset_name":"simple","operation":"load_config","value":1,"metadata":{},"session_id":null,"user_context":null}
`},
		"no json":   {monitor.JSON, func(*monitor.Collector) {}, "[\n]\n"},
		"no csv":    {monitor.CSV, func(*monitor.Collector) {}, "timestamp,metric_type,preset_name,operation,value,metadata,session_id,user_context\r\n"},
		"no ndjson": {monitor.NDJSON, func(*monitor.Collector) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
				tc.record(c)
				got, done, err := c.ExportText(tc.format, 24*time.Hour)
				if err != nil || got != tc.want {
					t.Errorf("ExportText() = %s, %v; want %s", got, err, tc.want)
				}
				same(t, "what it says", done, monitor.Exported{Events: c.Counts().Held, Time: time.Now().UTC()})
			})
		})
	}
}

// What an event's JSON is by hand is what encoding/json makes of it.
func TestEventJSON(t *testing.T) {
	bubble(t, monitor.Config{}, func(t *testing.T, c *monitor.Collector) {
		some(c)
		events, _ := c.After(0, 10)
		for _, e := range events {
			text, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			again := decoded(t, string(text))
			again.Seq = e.Seq
			same(t, "the event read back", again, e)
		}
		if text, err := json.Marshal(monitor.Event{Value: 1 / zero()}); err == nil {
			t.Errorf("Marshal(+Inf) = %s, want an error", text)
		}
	})
}

func zero() float64 { return 0 }

func TestExportAllGroupsInOrder(t *testing.T) {
	bubble(t, monitor.Config{MaxEvents: 3000}, func(t *testing.T, c *monitor.Collector) {
		for i := range 5000 {
			switch i % 3 {
			case 0:
				c.RecordPresetUsage(monitor.Subject{Operation: fmt.Sprint(i)})
			case 1:
				c.Observe(trysail.Event{Kind: trysail.EventTransition, Operation: fmt.Sprint(i)})
			default:
				c.Observe(trysail.Event{Kind: trysail.EventCall, Operation: fmt.Sprint(i)})
			}
		}
		text, done, err := c.ExportText(monitor.CSV, 0)
		if err != nil || done.Events != 5000 || done.Missed != 0 {
			t.Fatalf("ExportText() = %+v, %v; want 5000 events", done, err)
		}
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows[1:] {
			if row[3] != fmt.Sprint(i) {
				t.Fatalf("row %d is of the operation %s, want %d", i, row[3], i)
			}
		}
	})
}

func TestParseFormat(t *testing.T) {
	for text, want := range map[string]monitor.Format{"json": monitor.JSON, "CSV": monitor.CSV, "NdJson": monitor.NDJSON} {
		if got, err := monitor.ParseFormat(text); got != want || err != nil {
			t.Errorf("ParseFormat(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
	const want = `unsupported export format "xml", want json, csv or ndjson`
	if _, err := monitor.ParseFormat("xml"); err == nil || err.Error() != want {
		t.Errorf("ParseFormat(xml) = %v, want %s", err, want)
	}
	if text, _, err := must(t, monitor.Config{}).ExportText("xml", 0); err == nil || err.Error() != want || text != "" {
		t.Errorf("ExportText(xml) = %q, %v; want %s", text, err, want)
	}
}

// While a reader takes its time recorders record, which it does not get to see; what it has not reached may be
// pushed out, which it is told.
func TestExportHoldsNoLock(t *testing.T) {
	bubble(t, monitor.Config{MaxEvents: 5000}, func(t *testing.T, c *monitor.Collector) {
		for range 5000 {
			c.RecordPresetUsage(of("before"))
		}
		w := &slow{then: func() {
			for range 1000 {
				c.RecordPresetUsage(of("meanwhile"))
			}
			same(t, "events seen in the middle", c.Statistics(0).PresetUsage["meanwhile"], 1000)
		}}
		done, err := c.Export(t.Context(), w, monitor.NDJSON, 0)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "lines", strings.Count(w.String(), "\n"), done.Events)
		same(t, "lines of the time before", strings.Count(w.String(), `"before"`), done.Events)
		if same(t, "events and missed", done.Events+done.Missed, 5000); done.Missed == 0 {
			t.Error("Missed = 0, want some: a thousand were pushed out from the oldest end")
		}
	})
}

// slow is a writer during whose first write something happens.
type slow struct {
	bytes.Buffer
	then func()
}

func (s *slow) Write(p []byte) (int, error) {
	if s.then != nil {
		s.then()
		s.then = nil
	}
	return s.Buffer.Write(p)
}

// broken is a writer that breaks after some writes.
type broken struct{ writes int }

func (b *broken) Write(p []byte) (int, error) {
	if b.writes--; b.writes < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

func TestExportStops(t *testing.T) {
	c := must(t, monitor.Config{})
	for range 2000 {
		c.RecordPresetUsage(of("simple"))
	}
	for writes := range 4 {
		if done, err := c.Export(t.Context(), &broken{writes}, monitor.JSON, 0); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("Export() to a writer that breaks after %d writes = %+v, %v; want %v", writes, done, err, io.ErrClosedPipe)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("client has left")
	w := &slow{then: func() { cancel(cause) }}
	if done, err := c.Export(ctx, w, monitor.CSV, 0); !errors.Is(err, cause) || done.Events >= 2000 {
		t.Errorf("Export() with a context that ends = %+v, %v; want fewer than 2000 events and %v", done, err, cause)
	}
}

func TestCells(t *testing.T) {
	for text, want := range map[string]string{
		"plain":         "plain",
		"":              "",
		"a,b":           `"a,b"`,
		`say "x"`:       `"say ""x"""`,
		"two\r\nlines":  "\"two\r\nlines\"",
		" blank":        `" blank"`,
		"=1+1":          "'=1+1",
		"+1":            "'+1",
		"-1":            "'-1",
		"@SUM(A1)":      "'@SUM(A1)",
		"\t=1":          "\"'\t=1\"",
		"\rx":           "\"'\rx\"",
		"  =1":          `"'  =1"`,
		"\u00a0=1":      "\"'\u00a0=1\"",
		"\ufeff=1":      "'\ufeff=1",
		"＝1":            "'＝1",
		"'quoted'":      "''quoted'",
		"|cmd":          "'|cmd",
		`=cmd,"x"`:      `"'=cmd,""x"""`,
		"a=1":           "a=1",
		"semicolon;=1":  `"semicolon;=1"`,
		"12":            "12",
		"tab\tinside":   "\"tab\tinside\"",
		"\u200b\u3000@": "'\u200b\u3000@",
	} {
		row := exportedRow(t, text)
		if row != want {
			t.Errorf("cell of %q = %s, want %s", text, row, want)
		}
	}
}

// exportedRow returns the cell of an operation as it stands in CSV.
func exportedRow(t *testing.T, operation string) string {
	t.Helper()
	c := must(t, monitor.Config{})
	c.Observe(trysail.Event{Kind: trysail.EventHedge, Operation: operation})
	text, _, err := c.ExportText(monitor.CSV, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ = strings.Cut(text, "performance_event,,")
	text, _, found := strings.Cut(text, `,0,"{`)
	if !found {
		t.Fatalf("no cell found in %q", text)
	}
	return text
}

func FuzzCell(f *testing.F) {
	for _, text := range []string{"", "=1", "a,\"b\"\r\n", "\t=", "'", "\xff", "＝", "\x00-"} {
		f.Add(text)
	}
	dangerous := []rune("=+-@\t\r\n＝＋－＠")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 200 || strings.Contains(text, "\r\n") { // longer is cut, and Go's reader of CSV drops \r before \n
			return
		}
		c := must(t, monitor.Config{})
		c.RecordPresetUsage(monitor.Subject{Preset: "p", Operation: "o", Session: text, User: text})
		exported, _, err := c.ExportText(monitor.CSV, 0)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(exported)).ReadAll()
		if err != nil || len(rows) != 2 || len(rows[1]) != 8 {
			t.Fatalf("the export %q reads as %q, %v; want 2 rows of 8", exported, rows, err)
		}
		want := strings.ToValidUTF8(text, "\uFFFD")
		for _, cell := range rows[1][6:] {
			if first := []rune(cell); len(first) > 0 && slices.Contains(dangerous, first[0]) {
				t.Errorf("cell %q begins with %q", cell, first[0])
			}
			if got := strings.TrimPrefix(cell, "'"); got != want {
				t.Errorf("cell %q means %q, want %q", cell, got, want)
			}
		}
	})
}
