package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/perf"
	"github.com/trysail-go/trysail/server/store"
)

// keeping opens the store of a directory, and returns what closes it.
func keeping(t *testing.T, dir string) (*keeper, *bytes.Buffer, func()) {
	t.Helper()
	var log bytes.Buffer
	k, err := openKeeper(t.Context(), dir, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return k, &log, func() {
		t.Helper()
		if err := k.close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// Runs of benchmarks and the baseline are there after a restart, however many runs have come since it was set.
func TestBenchmarksOutliveTheProgram(t *testing.T) {
	dir := t.TempDir()
	k, _, shut := keeping(t, dir)
	runner := perf.NewRunner(perf.RunnerConfig{History: k.benchmarks})
	first, err := runner.Run(t.Context(), perf.Options{Operations: []string{"breaker_state_check"}, Iterations: 10})
	if err != nil {
		t.Fatal(err)
	}
	baseline, err := k.benchmarks.SetBaseline(t.Context(), first.BenchmarkID)
	if err != nil {
		t.Fatal(err)
	}
	shut()

	k, log, shut := keeping(t, dir)
	second, err := perf.NewRunner(perf.RunnerConfig{History: k.benchmarks}).Run(t.Context(), perf.Options{Operations: []string{"breaker_state_check"}, Iterations: 10})
	if err != nil {
		t.Fatal(err)
	}
	found, ok := k.benchmarks.Find(first.BenchmarkID)
	want, got := asJSON(t, first), asJSON(t, found)
	if !ok || got != want {
		t.Errorf("the run came back as\n%s\nwant\n%s", got, want)
	}
	run, err := k.store.Run(t.Context(), baselineRun)
	if err != nil || string(run.Body) != asJSON(t, baseline) || run.Time.Before(second.Timestamp) {
		t.Errorf("the baseline is stored as %s of %v, %v; want %s, with the newest run again", run.Body, run.Time, err, asJSON(t, baseline))
	}
	bad := store.Run{ID: "odd", Time: time.Now(), Name: suiteRun, Body: json.RawMessage(`{"benchmark_id": 7}`)}
	if err := k.store.AddRun(t.Context(), bad); err != nil {
		t.Fatal(err)
	}
	shut()
	if strings.Contains(log.String(), "left out") {
		t.Errorf("the log tells of a fault: %s", log)
	}

	k, log, shut = keeping(t, dir)
	defer shut()
	if n := k.benchmarks.Len(); n != 2 || !strings.Contains(log.String(), "run odd") {
		t.Errorf("%d runs, want the 2 that can be read, and the log to name the other:\n%s", n, log)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A program that could not read the file when it started has begun with version 1 again. The next one numbers its versions
// behind those of before, and leaves out what it cannot read.
func TestVersionsOfAProgramThatCouldNotRead(t *testing.T) {
	k, log, shut := keeping(t, t.TempDir())
	defer shut()
	loaded, err := config.Sources{}.Load()
	if err != nil {
		t.Fatal(err)
	}
	keep := func(number, of int) {
		k.keepVersion(&config.Version{Number: number, Of: of, Time: time.Now(), Trigger: config.TriggerAPI, Why: fmt.Sprint(number), Loaded: loaded})
	}
	keep(6, 0)
	keep(7, 6)
	if _, err := k.store.AddVersion(t.Context(), store.Version{Who: "another program", Config: json.RawMessage(`{"format": 99}`)}); err != nil {
		t.Fatal(err)
	}
	keep(1, 0)
	keep(2, 1)
	keep(3, 0)
	var got []string
	for _, v := range k.earlier(t.Context()) {
		got = append(got, fmt.Sprint(v.Number, " of ", v.Of, " was ", v.Why))
	}
	if want := "6 of 0 was 6, 7 of 6 was 7, 8 of 0 was 1, 9 of 8 was 2, 10 of 0 was 3"; strings.Join(got, ", ") != want {
		t.Errorf("earlier() = %s, want %s", strings.Join(got, ", "), want)
	}
	if !strings.Contains(log.String(), "it has format 99, want 1") {
		t.Errorf("the log does not tell of what is left out:\n%s", log)
	}
}
