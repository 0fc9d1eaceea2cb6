package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/trysail-go/trysail/monitor"
)

func openInMemory(t *testing.T, cfg Config) *Store {
	t.Helper()
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

// However much comes long before PruneEvery is over, memory holds no more rows than the limits and what came since they were last looked at.
func TestMemoryHoldsFewRows(t *testing.T) {
	s := openInMemory(t, Config{Events: Keep{Most: 20}, Alerts: Keep{Most: 5}, PruneEvery: time.Hour})
	now, seq := time.Now(), uint64(0)
	for range 300 {
		var b monitor.Batch
		for i := range 100 {
			seq++
			b.Events = append(b.Events, monitor.Event{Seq: seq, Time: now, Kind: []monitor.Kind{monitor.ConfigLoad, monitor.PerformanceEvent}[i%2], Metadata: `{"n":1}`})
		}
		b.Alerts = []monitor.Alert{{ID: seq, Time: now, Last: now, Level: monitor.LevelError, Rule: monitor.RuleConfigError}}
		if err := s.Save(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if n := number(t, s, "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM alerts)"); n > 2*20+5+piece+41 {
			t.Fatalf("%d rows after %d events, want at most those of the limits and %d", n, seq, piece)
		}
	}
	if got := number(t, s, "SELECT max(seq) FROM events"); got != int(seq) {
		t.Errorf("the newest event there is %d, want %d", got, seq)
	}
}

// Whatever rows hold, memory takes no more bytes than it may, and the newest rows stay.
func TestMemoryTakesFewBytes(t *testing.T) {
	const most = 2 << 20
	for name, add := range map[string]func(*Store, json.RawMessage, int) error{
		"runs": func(s *Store, body json.RawMessage, i int) error {
			return s.AddRun(t.Context(), Run{ID: fmt.Sprintf("run-%04d", i), Time: time.Now(), Body: body})
		},
		"versions": func(s *Store, body json.RawMessage, i int) error {
			_, err := s.AddVersion(t.Context(), Version{Who: fmt.Sprintf("run-%04d", i), Config: body})
			return err
		},
		"audit": func(s *Store, body json.RawMessage, i int) error {
			_, err := s.Audit(t.Context(), Entry{Who: fmt.Sprintf("run-%04d", i), What: "x", After: body})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := openInMemory(t, Config{MaxMemoryBytes: most, PruneEvery: time.Hour})
			body := append(append([]byte(`"`), bytes.Repeat([]byte("x"), 100<<10)...), '"')
			for i := range 200 {
				if err := add(s, body, i); err != nil {
					t.Fatal(err)
				}
				if used := number(t, s, "PRAGMA page_count") * number(t, s, "PRAGMA page_size"); used > most+(3<<20) {
					t.Fatalf("%d bytes after %d rows, want at most %d and what comes until they are counted", used, i+1, most)
				}
			}
			column := map[string]string{"runs": "id", "versions": "who", "audit": "who"}[name]
			if n := number(t, s, "SELECT count(*) FROM "+name+" WHERE "+column+" = 'run-0199'"); n != 1 {
				t.Errorf("the newest row is there %d times, want once", n)
			}
			if n := number(t, s, "SELECT count(*) FROM "+name); n < 4 || n > 60 {
				t.Errorf("%d rows of 100 KiB stay, want what 2 MiB have room for, and not next to nothing", n)
			}
		})
	}
}

// Limits that are halved until nothing is left end as well: one row may be larger than all.
func TestMemoryWithOneLargeRow(t *testing.T) {
	s := openInMemory(t, Config{MaxMemoryBytes: 1 << 20})
	body := append(append([]byte(`"`), bytes.Repeat([]byte("x"), 3<<20)...), '"')
	for i := range 3 {
		if _, err := s.AddVersion(t.Context(), Version{Who: fmt.Sprint(i), Config: body}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Audit(t.Context(), Entry{Who: "x", What: "x"}); err != nil { // comes when the one before has been dealt with
		t.Fatal(err)
	}
	found, err := s.Versions(t.Context(), 0, 0)
	if err != nil || len(found) != 1 || found[0].Who != "2" {
		t.Errorf("%d versions, %v, want the newest only", len(found), err)
	}
}
