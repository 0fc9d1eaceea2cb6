package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/perf"
	"github.com/trysail-go/trysail/server/api"
)

// A slowSink takes time to store a run, which makes the run as long as a test wants.
type slowSink struct {
	begun chan struct{}
	last  func(context.Context) error
}

// SaveSuite implements [perf.Sink].
func (s *slowSink) SaveSuite(ctx context.Context, _ perf.Suite) error {
	s.begun <- struct{}{}
	return s.last(ctx)
}

// SaveBaseline implements [perf.Sink].
func (s *slowSink) SaveBaseline(context.Context, perf.Baseline) error { return nil }

// slowAPI returns an API whose runs of benchmarks end as last does.
func slowAPI(t *testing.T, last func(context.Context) error) (*api.API, *slowSink) {
	t.Helper()
	sink := &slowSink{begun: make(chan struct{}, 10), last: last}
	return benchAPI(t, newOrchestrator(t, trysail.Config{}), nil, newHistory(t, perf.HistoryConfig{Sink: sink})), sink
}

// untilLeft waits for the end of a run's context.
func untilLeft(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// TestSpecifiedBenchmark sends the specification's requests and looks at figures that were really measured.
func TestSpecifiedBenchmark(t *testing.T) {
	a := benchAPI(t, newOrchestrator(t, trysail.Config{}), nil, nil)
	for name, tc := range map[string]struct {
		body                    string
		iterations, concurrency float64
	}{
		"the example":         {specBenchmark, 1000, 10},
		"for troubleshooting": {specSlow, 100, 1},
		"without iterations":  {`{"operation_name": "text_processing"}`, 50, 1},
		"a benchmark":         {`{"operation_name": "preset_loading", "iterations": 20, "concurrency": 3}`, 20, 3},
		"everything":          {`{"operation_name": "x", "iterations": 10000, "concurrency": 100}`, 10_000, 100},
	} {
		t.Run(name, func(t *testing.T) {
			w := send(a, post(benchmark, tc.body))
			got := decode[map[string]any](t, w)
			r, ok := got["results"].(map[string]any)
			if w.Code != 200 || !ok {
				t.Fatalf("answer %d %s, want results as an object", w.Code, w.Body)
			}
			if got["iterations"] != tc.iterations || got["concurrency"] != tc.concurrency || got["partial"] != false {
				t.Errorf("%v iterations, %v at once, partial %v; want %v, %v, false", got["iterations"], got["concurrency"], got["partial"], tc.iterations, tc.concurrency)
			}
			for _, member := range []string{"benchmark_id", "operation_name", "timestamp"} {
				if text, _ := got[member].(string); text == "" {
					t.Errorf("%s is %v, want a text", member, got[member])
				}
			}
			checkFigures(t, r, tc.iterations)
			checkPromise(t, a, "POST "+benchmark, w.Code, w.Body.Bytes())
		})
	}
}

// checkFigures checks that the times of calls fit together.
func checkFigures(t *testing.T, r map[string]any, iterations float64) {
	t.Helper()
	n := func(name string) float64 {
		v, ok := r[name].(float64)
		if !ok {
			t.Errorf("%s is %v, want a number", name, r[name])
		}
		return v
	}
	if total := n("total_time"); total <= 0 || total > 300 {
		t.Errorf("total_time is %v, want seconds", total)
	}
	if got, want := n("requests_per_second"), iterations/n("total_time"); got < want*0.999 || got > want*1.001 {
		t.Errorf("requests_per_second is %v, want %v calls in %v s: %v", got, iterations, n("total_time"), want)
	}
	times := []float64{n("min_response_time"), n("p50_response_time"), n("p95_response_time"), n("p99_response_time"), n("max_response_time")}
	if !slices.IsSorted(times) || times[0] <= 0 || times[4] > n("total_time") {
		t.Errorf("times %v are not in order, or longer than all together", times)
	}
	if avg := n("average_response_time"); avg < times[0] || avg > times[4] {
		t.Errorf("average_response_time is %v, not between %v and %v", avg, times[0], times[4])
	}
	if n("success_rate") != 1 || n("errors") != 0 {
		t.Errorf("success_rate %v, errors %v; want 1, 0", r["success_rate"], r["errors"])
	}
}

// TestBenchmarksLeaveEverythingAlone compares what is live before and after runs of every kind.
func TestBenchmarksLeaveEverythingAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events, err := monitor.New(monitor.Config{})
		must(t, err)
		orc := busy(t)
		a, err := api.New(api.Config{Orchestrator: orc, Monitor: events})
		must(t, err)
		look := func() map[string]string {
			live := map[string]string{}
			for _, target := range []string{
				"/health", "/health/detailed", "/metrics", "/circuit-breakers", "/config", "/dashboard", "/operations/open/explain",
				"/monitoring/usage-statistics", "/monitoring/performance-metrics", "/monitoring/alerts",
			} {
				live[target] = send(a, get(base+target)).Body.String()
			}
			return live
		}
		before, counts := look(), events.Counts()
		for _, ask := range []request{
			get(benchmark + "?iterations=2&include_slow=true"), post(benchmark, `{"iterations": 1}`), get(base + "/performance/report"),
			get(base + "/performance/history"), get(base + "/performance/thresholds"),
			post(benchmark, specBenchmark), post(benchmark, `{"operation_name": "open"}`), post(benchmark, `{"operation_name": "half-open"}`),
			post(benchmark, `{"operation_name": "planned"}`), post(benchmark, `{"operation_name": "service_initialization"}`),
		} {
			if w := send(a, ask); w.Code != 200 {
				t.Fatalf("%s %s %s is answered %d: %s", ask.method, ask.target, ask.body, w.Code, w.Body)
			}
		}
		after := look()
		for target, was := range before {
			if is := after[target]; is != was {
				t.Errorf("%s was %s and is %s", target, was, is)
			}
		}
		if now := events.Counts(); now != counts {
			t.Errorf("the monitor had %+v and has %+v", counts, now)
		}
	})
}

// TestRunsAtOnce has two runs under way, a third refused, and another when one has ended.
func TestRunsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		a, sink := slowAPI(t, func(context.Context) error { <-release; return nil })
		answers := make(chan int, 2)
		for _, ask := range []request{get(benchmark + "?iterations=1"), post(benchmark, `{"iterations": 1}`)} {
			go func() { answers <- send(a, ask).Code }()
			<-sink.begun
		}
		for name, ask := range map[string]request{
			"benchmarks": get(benchmark), "benchmark": post(benchmark, `{}`), "calls": post(benchmark, specBenchmark),
		} {
			w := send(a, ask)
			p := checkProblem(t, w, http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE")
			if got := w.Header().Get("Retry-After"); got != "5" || p.Detail != "2 benchmarks are running already; try again when one has ended" {
				t.Errorf("%s: Retry-After %q, detail %q", name, got, p.Detail)
			}
			checkPromise(t, a, ask.method+" "+ask.target, w.Code, w.Body.Bytes())
		}
		if w := send(a, get(base+"/performance/report")); w.Code != 200 {
			t.Errorf("a report of what was run is answered %d, want 200", w.Code)
		}
		close(release)
		for range 2 {
			if code := <-answers; code != 200 {
				t.Errorf("status %d, want 200", code)
			}
		}
		if w := send(a, get(benchmark+"?iterations=1")); w.Code != 200 {
			t.Errorf("a run after the others is answered %d, want 200", w.Code)
		}
	})
}

// TestRunOfWhoHasLeft does not go on.
func TestRunOfWhoHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(t, perf.HistoryConfig{})
		a := benchAPI(t, newOrchestrator(t, trysail.Config{}), nil, h)
		for _, ask := range []request{get(benchmark), get(base + "/performance/report"), post(benchmark, `{}`), post(benchmark, specBenchmark)} {
			ask.gone = true
			w := send(a, ask)
			if got := decode[map[string]any](t, w); w.Code != 200 || got["partial"] == false {
				t.Errorf("%s %s is answered %d %s, want what was measured", ask.method, ask.target, w.Code, w.Body)
			}
		}
		for _, s := range h.Recent(10) {
			if !s.Partial || len(s.NotRun) != 7 || len(s.Results) != 0 {
				t.Errorf("suite %s is partial %v with %d results, want nothing measured", s.BenchmarkID, s.Partial, len(s.Results))
			}
		}
		if n := h.Len(); n != 3 {
			t.Errorf("%d suites, want 3", n)
		}
		if w := send(a, get(benchmark+"?iterations=1")); w.Code != 200 {
			t.Errorf("a run after them is answered %d, want 200", w.Code)
		}
	})
}

// TestRunEnds has runs that would take for ever.
func TestRunEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		end   func(*api.API)
		after time.Duration
	}{
		"after two minutes":     {func(*api.API) {}, 2 * time.Minute},
		"when the server stops": {(*api.API).Close, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, sink := slowAPI(t, untilLeft)
				begun, done := time.Now(), make(chan *httptest.ResponseRecorder)
				go func() { done <- send(a, get(benchmark+"?iterations=1")) }()
				<-sink.begun
				tc.end(a)
				w := <-done
				if took := time.Since(begun); took != tc.after || w.Code != 200 {
					t.Errorf("answer %d after %v, want 200 after %v", w.Code, took, tc.after)
				}
			})
		})
	}
	t.Run("a server that stops begins none", func(t *testing.T) {
		a, _ := slowAPI(t, untilLeft)
		a.Close()
		for _, ask := range []request{get(benchmark), post(benchmark, specBenchmark), get(base + "/performance/report")} {
			if p := checkProblem(t, send(a, ask), http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE"); p.Detail != "The server is stopping" {
				t.Errorf("detail %q", p.Detail)
			}
		}
		if w := send(a, get(base+"/performance/history")); w.Code != 200 {
			t.Errorf("history is answered %d, want 200", w.Code)
		}
	})
}

// TestLongRunAndTimeLimits has runs of ten seconds on a server that gives a request three, and huma's five for a body.
func TestLongRunAndTimeLimits(t *testing.T) {
	for _, ask := range []request{get(benchmark + "?iterations=1"), post(benchmark, `{"iterations": 1}`)} {
		t.Run(ask.method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, sink := slowAPI(t, func(ctx context.Context) error {
					select {
					case <-time.After(10 * time.Second):
						return nil
					case <-ctx.Done():
						return errors.New("ended too early")
					}
				})
				p := servePiped(t, a, 3*time.Second)
				begun := time.Now()
				c := p.askAll(t, ask)
				text, err := io.ReadAll(c.body)
				if took := time.Since(begun); err != nil || c.resp.StatusCode != 200 || took != 10*time.Second {
					t.Fatalf("answer %d after %v, error %v; want 200 after 10s", c.resp.StatusCode, took, err)
				}
				if s := new(map[string]any); json.Unmarshal(text, s) != nil {
					t.Errorf("answer %s is no JSON", text)
				}
				if n := len(sink.begun); n != 1 {
					t.Errorf("%d runs, want 1", n)
				}
			})
		})
	}
}

// TestClientLeavesLongRun closes the connection in the middle of a run.
func TestClientLeavesLongRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		a, sink := slowAPI(t, func(ctx context.Context) error {
			err := untilLeft(ctx)
			ended <- err
			return err
		})
		p := servePiped(t, a)
		conn := p.write(t, post(benchmark, `{"iterations": 1}`))
		<-sink.begun
		begun := time.Now()
		_ = conn.Close()
		if err := <-ended; !errors.Is(err, context.Canceled) || time.Since(begun) != 0 {
			t.Errorf("run ended with %v after %v, want it at once as the client left", err, time.Since(begun))
		}
	})
}

// TestRunThatIsNotStored is answered all the same, and the log hears of it.
func TestRunThatIsNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := slowAPI(t, func(context.Context) error { return errors.New("disk is full") })
		w := send(a, get(benchmark+"?iterations=1"))
		if w.Code != 200 || strings.Contains(w.Body.String(), "disk") {
			t.Errorf("answer %d %s, want 200 without what is wrong inside", w.Code, w.Body)
		}
		if got := decode[map[string]any](t, send(a, get(base+"/performance/history"))); got["total_runs"] != 1.0 {
			t.Errorf("total_runs %v, want 1", got["total_runs"])
		}
	})
}

// TestBenchmarkConfig gives runner and history in every way.
func TestBenchmarkConfig(t *testing.T) {
	mine, other := newHistory(t, perf.HistoryConfig{}), newHistory(t, perf.HistoryConfig{})
	with := perf.NewRunner(perf.RunnerConfig{History: mine})
	for name, tc := range map[string]struct {
		runner  *perf.Runner
		history *perf.History
		want    string // error; "" for none
	}{
		"both":                     {with, mine, ""},
		"a runner":                 {with, nil, ""},
		"a history":                {nil, mine, ""},
		"neither":                  {nil, nil, ""},
		"two histories":            {with, other, "api config: BenchmarkHistory is not the history of Benchmarks, want the same or nil"},
		"a runner without history": {perf.NewRunner(perf.RunnerConfig{}), nil, "api config: Benchmarks has no history, want a runner with one: perf.RunnerConfig.History"},
		"history for a runner":     {perf.NewRunner(perf.RunnerConfig{}), mine, "api config: Benchmarks has no history, want a runner with one: perf.RunnerConfig.History"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := api.New(api.Config{Orchestrator: newOrchestrator(t, trysail.Config{}), Benchmarks: tc.runner, BenchmarkHistory: tc.history})
			if tc.want != "" {
				if err == nil || err.Error() != tc.want {
					t.Errorf("New = %v, want %q", err, tc.want)
				}
				return
			}
			must(t, err)
			was := mine.Len()
			send(a, get(benchmark+"?iterations=1"))
			if grew, want := mine.Len()-was, 1; grew != want && (tc.runner != nil || tc.history != nil) {
				t.Errorf("history grew by %d, want %d", grew, want)
			}
			got := decode[struct {
				Total int `json:"total_runs"`
			}](t, send(a, get(base+"/performance/history")))
			if got.Total < 1 {
				t.Errorf("total_runs %d, want the run", got.Total)
			}
		})
	}
}

// TestReportMarks looks for what the contract wants in a text.
func TestReportMarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := decode[map[string]string](t, send(remembering(t, 120), get(base+"/performance/report?format=text")))
		for _, mark := range []string{"RESILIENCE CONFIGURATION PERFORMANCE REPORT", "Performance Results:", "✓ PASS", "✗ FAIL"} {
			if !strings.Contains(got["report"], mark) {
				t.Errorf("report lacks %q: %s", mark, got["report"])
			}
		}
		if members := slices.Sorted(maps.Keys(got)); !slices.Equal(members, []string{"format", "report", "timestamp"}) {
			t.Errorf("members %v", members)
		}
	})
}
