package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
)

// edits are other values for places of an answer, such as "suite.results.0.name".
type edits map[string]any

// with returns a recorded answer with other values. The answer must have each place with a value of that type, so that it keeps the shape of what the
// real handler says.
func (r recorded) with(t *testing.T, values edits) recorded {
	t.Helper()
	var body any
	if err := json.Unmarshal(r.Body, &body); err != nil {
		t.Fatal(err)
	}
	for place, value := range values {
		path := strings.Split(place, ".")
		at := body
		for i, name := range path {
			last := i == len(path)-1
			switch in := at.(type) {
			case map[string]any:
				at = in[name]
				if last {
					in[name] = value
				}
			case []any:
				n, err := strconv.Atoi(name)
				if err != nil || n >= len(in) {
					t.Fatalf("the answer has no %s", place)
				}
				at = in[n]
				if last {
					in[n] = value
				}
			default:
				t.Fatalf("the answer has no %s", place)
			}
		}
		if got, want := fmt.Sprintf("%T", at), fmt.Sprintf("%T", value); got != want {
			t.Fatalf("%s is a %s in the answer, not a %s", place, got, want)
		}
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = text
	return r
}

// The clock of the API's tests stands still while they measure, so that recorded times are 0. These are others, of every size.
func suiteTimes() edits {
	const first, second = "benchmark_suite.results.0.", "benchmark_suite.results.3."
	return edits{
		first + "avg_duration_ms": 0.000212, first + "p95_duration_ms": 0.0005, first + "max_duration_ms": 0.00112,
		second + "avg_duration_ms": 240.4, second + "p95_duration_ms": 900.25, second + "max_duration_ms": 1500.0, second + "success_rate": 0.98,
		"benchmark_suite.total_duration_ms": 12000.01,
	}
}

func measuredTimes() edits {
	const results = "results."
	return edits{
		results + "total_time": 0.0205, results + "requests_per_second": 48780.4, results + "success_rate": 0.999, results + "average_response_time": 0.000012,
		results + "min_response_time": 0.0000009, results + "p50_response_time": 0.00001, results + "p95_response_time": 0.00002,
		results + "p99_response_time": 0.00019, results + "max_response_time": 0.0012,
	}
}

// and returns all values of both.
func (e edits) and(more edits) edits {
	all := maps.Clone(e)
	maps.Copy(all, more)
	return all
}

// What bench sends, the tables that it makes of what the real handler answers, and that a missed target is a no.
func TestTablesOfBench(t *testing.T) {
	measure := []string{"bench", "run", "--operation", "text_processing"}
	for name, tc := range map[string]struct {
		args   []string
		answer string
		edits  edits
		code   int
	}{
		"bench_run":                   {[]string{"bench", "run", "--iterations", "50", "--slow"}, "benchmarks_with_the_slow", suiteTimes(), 0},
		"bench_run_that_fails":        {[]string{"bench", "run"}, "benchmarks", suiteTimes().and(edits{"benchmark_suite.failed_benchmarks": []any{"service_initialization"}}), 3},
		"bench_run_that_is_stopped":   {[]string{"bench", "run"}, "benchmarks", suiteTimes().and(edits{"benchmark_suite.partial": true, "benchmark_suite.not_run": []any{"validation_performance"}}), 3},
		"bench_run_too_often":         {[]string{"bench", "run", "--iterations", "10001"}, "benchmarks_too_often", nil, 2},
		"bench_operation":             {append(measure, "--iterations", "1000", "--concurrency", "10"), "benchmark_of_the_specification", measuredTimes(), 0},
		"bench_operation_by_default":  {measure, "benchmark_of_the_specification", nil, 0},
		"bench_operation_too_slow":    {measure, "benchmark_of_the_specification", measuredTimes().and(edits{"summary.performance_target_met": false}), 3},
		"bench_operation_stopped":     {measure, "benchmark_of_the_specification", measuredTimes().and(edits{"partial": true}), 3},
		"bench_history":               {[]string{"bench", "history", "--limit", "4"}, "history_of_benchmarks", nil, 0},
		"bench_history_of_one":        {[]string{"bench", "history", "--limit", "1"}, "history_of_one_benchmark", nil, 0},
		"bench_history_that_is_empty": {[]string{"bench", "history"}, "history_that_is_empty", nil, 0},
		"bench_history_without_a_key": {[]string{"bench", "history"}, "history_without_a_key", nil, 2},
		"bench_report":                {[]string{"bench", "report"}, "report_as_text", nil, 0},
		"bench_report_as_JSON":        {[]string{"bench", "report", "-o", "json"}, "report", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := listenFor(t, recording(t, tc.answer).with(t, tc.edits))
			got := l.ask(t, tc.args)
			if got.code != tc.code {
				t.Errorf("exit code %d, want %d\n%s", got.code, tc.code, got.stderr)
			}
			compareGolden(t, name, fmt.Sprintf("%s\n--- exit code %d\n%s--- errors\n%s", l.requests(), got.code, got.stdout, got.stderr))
		})
	}
}
