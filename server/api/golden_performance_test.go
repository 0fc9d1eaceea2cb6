package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/perf"
	"github.com/trysail-go/trysail/server/api"
)

const (
	benchmark     = base + "/performance/benchmark"
	specBenchmark = `{
  "operation_name": "text_processing",
  "iterations": 1000,
  "concurrency": 10
}`
	specSlow = `{"operation_name": "text_processing", "iterations": 100}`
)

// benchAPI is [newAPI] with benchmarks of the test's choice; either may be nil.
func benchAPI(t *testing.T, orc *trysail.Orchestrator, runner *perf.Runner, history *perf.History) *api.API {
	t.Helper()
	keys, err := api.NewKeys(key)
	must(t, err)
	a, err := api.New(api.Config{Orchestrator: orc, Keys: keys, Benchmarks: runner, BenchmarkHistory: history})
	must(t, err)
	return a
}

func newHistory(t *testing.T, cfg perf.HistoryConfig) *perf.History {
	t.Helper()
	h, err := perf.NewHistory(cfg)
	must(t, err)
	return h
}

// aSuite is the n-th run, in which loading took so many milliseconds, on a machine that every test has.
func aSuite(n int, loading float64) perf.Suite {
	s := perf.Suite{
		BenchmarkID: fmt.Sprintf("bench_20240115_10300%d", n), Name: perf.SuiteName, Timestamp: time.Date(2024, 1, 15, 10, 30, n, 123_456_789, time.UTC),
		TotalDurationMS: 431.2, PassRate: 1, FailedBenchmarks: []string{},
		EnvironmentInfo: perf.Environment{GoVersion: "go1.26.0", OS: "linux", Arch: "amd64", CPUCount: 2, GoMaxProcs: 2, MemoryGB: 7.8},
		Results: []perf.Result{
			{Operation: "preset_loading", DurationMS: 100, Iterations: 50, AvgDurationMS: 2, MinDurationMS: 1, MaxDurationMS: 4, P95DurationMS: 3.5, StdDevMS: 0.25, SuccessRate: 1, ThresholdMS: 10, Metadata: map[string]any{"preset_simple_loaded": true}},
			{Operation: "resilience_config_loading", DurationMS: 50 * loading, MemoryPeakMB: 0.5, Iterations: 50, AvgDurationMS: loading, MinDurationMS: loading, MaxDurationMS: loading, P95DurationMS: loading, SuccessRate: 1, ThresholdMS: 100, Metadata: map[string]any{}},
		},
	}
	if loading > 100 {
		s.PassRate, s.FailedBenchmarks = 0.5, []string{"resilience_config_loading"}
	}
	return s
}

// remembering returns an API whose history has some runs, the last of them stopped.
func remembering(t *testing.T, loading ...float64) *api.API {
	t.Helper()
	h := newHistory(t, perf.HistoryConfig{})
	for i, ms := range loading {
		must(t, h.Add(t.Context(), aSuite(i, ms)))
	}
	stopped := aSuite(9, 1)
	stopped.Partial, stopped.NotRun, stopped.PassRate, stopped.Results = true, []string{"preset_loading"}, 0, []perf.Result{}
	must(t, h.Add(t.Context(), stopped))
	return benchAPI(t, busy(t), nil, h)
}

// machine matches what an answer tells of the machine, which no other need have, and of its memory. Times need no mask: in a bubble
// the clock stands still while something is measured.
var machine = regexp.MustCompile(`"(go_version|os|arch|cpu_count|gomaxprocs|memory_gb|memory_peak_mb|bytes_per_breaker)":("[^"]*"|[0-9.e+-]+)`)

// maskMachine replaces what [machine] matches.
func maskMachine(w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	masked := machine.ReplaceAllStringFunc(w.Body.String(), func(member string) string {
		name, value, _ := strings.Cut(member, ":")
		if strings.HasPrefix(value, `"`) {
			return name + `:"masked"`
		}
		return name + ":1"
	})
	w.Body.Reset()
	w.Body.WriteString(masked)
	return w
}

// TestAnswersOfPerformance keeps the good answer and each problem of the routes of benchmarks.
func TestAnswersOfPerformance(t *testing.T) {
	const (
		thresholds = base + "/performance/thresholds"
		report     = base + "/performance/report"
		history    = base + "/performance/history"
	)
	for name, tc := range map[string]struct {
		ask    request
		status int
	}{
		"benchmarks":                        {get(benchmark + "?iterations=2"), 200},
		"benchmarks by default":             {get(benchmark), 200},
		"benchmarks with the slow":          {get(benchmark + "?iterations=1&include_slow=true"), 200},
		"benchmarks without iterations":     {get(benchmark + "?iterations=0"), 422},
		"benchmarks too often":              {get(benchmark + "?iterations=10001"), 422},
		"benchmarks of no number":           {get(benchmark + "?iterations=hunter2&include_slow=hunter2"), 422},
		"benchmarks with another parameter": {get(benchmark + "?operations=preset_loading"), 422},
		"benchmarks without a key":          {get(benchmark).with("X-API-Key", ""), 401},

		"benchmark of the specification":     {post(benchmark, specBenchmark), 200},
		"benchmark for troubleshooting":      {post(benchmark, specSlow), 200},
		"benchmark of a live operation":      {post(benchmark, `{"operation_name": "open"}`), 200},
		"benchmark without a breaker":        {post(benchmark, `{"operation_name": "plain", "iterations": 2}`), 200},
		"benchmark by its name":              {post(benchmark, `{"operation_name": "validation_performance", "iterations": 4, "concurrency": 2}`), 200},
		"benchmark by default":               {post(benchmark, `{}`), 200},
		"benchmark of all":                   {post(benchmark, `{"iterations": 1, "include_slow": true, "operations": null}`), 200},
		"benchmark of two":                   {post(benchmark, `{"iterations": 3, "operations": ["breaker_state_check", "preset_loading"]}`), 200},
		"benchmark unknown":                  {post(benchmark, `{"operations": ["preset_loading", "x", "y"]}`), 400},
		"benchmark twice":                    {post(benchmark, `{"operations": ["preset_loading", "preset_loading"]}`), 422},
		"benchmark of both forms":            {post(benchmark, `{"operation_name": "chat", "operations": ["preset_loading"], "include_slow": false}`), 422},
		"benchmark of concurrency alone":     {post(benchmark, `{"concurrency": 2}`), 422},
		"benchmark out of range":             {post(benchmark, `{"operation_name": "chat", "iterations": 0, "concurrency": 101}`), 422},
		"benchmark of other types":           {post(benchmark, `{"operation_name": 7, "iterations": "hunter2", "include_slow": "hunter2", "operations": "hunter2"}`), 422},
		"benchmark of a fraction":            {post(benchmark, `{"iterations": 1.5}`), 422},
		"benchmark of an exponent":           {post(benchmark, `{"iterations": 1e2}`), 422},
		"benchmark without a name":           {post(benchmark, `{"operation_name": ""}`), 422},
		"benchmark of null":                  {post(benchmark, `{"operation_name": null}`), 422},
		"benchmark null times":               {post(benchmark, `{"iterations": null}`), 422},
		"benchmark of a long name":           {post(benchmark, `{"operation_name": "`+strings.Repeat("ü", 101)+`"}`), 422},
		"benchmark of a control character":   {post(benchmark, `{"operation_name": "a\u0000b"}`), 422},
		"benchmark with a member":            {post(benchmark, `{"api_key": "hunter2"}`), 422},
		"benchmark with a member in capital": {post(benchmark, `{"Iterations": 2}`), 422},
		"benchmark with a member twice":      {post(benchmark, `{"iterations": 2, "iterations": 3}`), 422},
		"benchmark without a body":           {post(benchmark, ""), 422},
		"benchmark with malformed JSON":      {post(benchmark, `{"hunter2`), 422},
		"benchmark with a form":              {post(benchmark, "a=b").with("Content-Type", "application/x-www-form-urlencoded"), 415},
		"benchmark with too much":            {post(benchmark, strings.Repeat(" ", 1<<20+1)), 413},
		"benchmark with a wrong key":         {post(benchmark, "{}").with("X-API-Key", "guess"), 401},

		"thresholds":                  {request{method: http.MethodGet, target: thresholds}, 200},
		"thresholds with a wrong key": {get(thresholds).with("X-API-Key", "guess"), 401},
		"thresholds with a parameter": {get(thresholds + "?unit=s"), 422},

		"report":                     {get(report), 200},
		"report as text":             {get(report + "?format=TEXT"), 200},
		"report of an unknown kind":  {get(report + "?format=xml"), 400},
		"report with no kind":        {get(report + "?format="), 422},
		"report without a key":       {get(report).with("X-API-Key", ""), 401},
		"history of benchmarks":      {get(history), 200},
		"history of one benchmark":   {get(history + "?limit=1"), 200},
		"history of none":            {get(history + "?limit=0"), 422},
		"history of too many":        {get(history + "?limit=101"), 422},
		"history without a key":      {get(history).with("X-API-Key", ""), 401},
		"history with a wrong param": {get(history + "?limits=5"), 422},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { checkMasked(t, remembering(t, 80, 90, 120), tc.ask, tc.status) })
		})
	}
}

// checkMasked is [checkRow] for answers that tell of the machine.
func checkMasked(t *testing.T, a *api.API, ask request, status int) {
	t.Helper()
	w := maskMachine(send(a, ask))
	path, _, _ := strings.Cut(ask.target, "?")
	route := ask.method + " " + path
	goldenOf(t, w, route)
	if w.Code != status {
		t.Errorf("status %d, want %d", w.Code, status)
	}
	if strings.Contains(w.Body.String(), "hunter2") {
		t.Error("the answer repeats what was sent")
	}
	checkPromise(t, a, route, w.Code, w.Body.Bytes())
}

// TestHistoryThatIsEmpty shows what a program answers before its first run, and that a report makes one.
func TestHistoryThatIsEmpty(t *testing.T) {
	t.Run("history that is empty", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			checkMasked(t, benchAPI(t, busy(t), nil, nil), get(base+"/performance/history"), 200)
		})
	})
	t.Run("report without a run", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHistory(t, perf.HistoryConfig{})
			a := benchAPI(t, busy(t), nil, h)
			checkMasked(t, a, get(base+"/performance/report"), 200)
			send(a, get(base+"/performance/report?format=text"))
			if n := h.Len(); n != 1 {
				t.Errorf("two reports made %d runs, want one", n)
			}
		})
	})
}
