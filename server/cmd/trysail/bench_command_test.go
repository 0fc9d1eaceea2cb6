package main

import (
	"fmt"
	"testing"
)

// The answers have the shapes of contract 1.9, with times that benchmarks have.
const (
	suiteAnswer = `{"benchmark_id":"bench_20240115_103000","benchmark_suite":{"benchmark_id":"bench_20240115_103000","name":"Resilience Configuration Performance Benchmark",
"timestamp":"2024-01-15T10:30:00Z","results":[
{"operation":"preset_loading","duration_ms":0.01,"iterations":50,"avg_duration_ms":0.000212,"min_duration_ms":0.0001,"max_duration_ms":0.00112,"p95_duration_ms":0.0005,"success_rate":1,"threshold_ms":10},
{"operation":"service_initialization","duration_ms":12000,"iterations":50,"avg_duration_ms":240.4,"min_duration_ms":1.5,"max_duration_ms":1500,"p95_duration_ms":900.25,"success_rate":0.98,"threshold_ms":200}],
"total_duration_ms":12000.01,"pass_rate":0.5,"failed_benchmarks":%s,"partial":%t,"not_run":%s},
"summary":{"total_benchmarks":2,"pass_rate":0.5,"total_duration_ms":12000.01,"failed_benchmarks":[],"performance_target_met":false}}`

	measurementAnswer = `{"benchmark_id":"bench_20240115_103000","operation_name":"text_processing","iterations":1000,"concurrency":10,
"results":{"total_time":0.0205,"average_response_time":0.000012,"requests_per_second":48780.4,"success_rate":0.999,"p50_response_time":0.00001,
"p95_response_time":0.00002,"p99_response_time":0.00019,"min_response_time":0.0000009,"max_response_time":0.0012,"errors":1},
"summary":{"performance_target_met":%t},"timestamp":"2024-01-15T10:30:00Z","partial":%t}`

	historyAnswer = `{"history":[
{"benchmark_id":"bench_20240115_103002","timestamp":"2024-01-15T10:30:02Z","pass_rate":0.5,"total_duration_ms":431.2,"partial":true,"results":[]},
{"benchmark_id":"bench_20240115_103001","timestamp":"2024-01-15T10:30:01Z","pass_rate":1,"total_duration_ms":31.2,"partial":false,"results":[]}],
"total_runs":4,"limit":2,"trend_analysis":{"preset_loading":{"trend_percentage":31.25,"trend_direction":"degrading"}},
"regressions":[{"operation":"preset_loading","baseline_avg_ms":2,"current_avg_ms":3,"change_percent":50}],"baseline":{"preset_loading":2},
"current_results":[{"operation":"validation","avg_duration_ms":0.02,"timestamp":"2024-01-15T10:30:02Z"},{"operation":"preset_loading","avg_duration_ms":3,"timestamp":"2024-01-15T10:30:02Z"}]}`

	noHistoryAnswer = `{"history":[],"total_runs":0,"limit":10,"trend_analysis":{},"regressions":[],"baseline":null,"current_results":[],"message":"No benchmark has been run yet."}`

	reportAnswer = `{"format":"text","report":"====\nREPORT\n====\npreset_loading: \u2713 PASS\n\n","timestamp":"2024-01-15T10:30:00Z"}`
)

// What bench sends, the tables that it makes, and that a missed target is a no.
func TestTablesOfBench(t *testing.T) {
	for name, tc := range map[string]struct {
		args   []string
		answer string
		code   int
	}{
		"bench_run":                   {[]string{"bench", "run", "--iterations", "50", "--slow"}, fmt.Sprintf(suiteAnswer, "[]", false, "[]"), 0},
		"bench_run_that_fails":        {[]string{"bench", "run"}, fmt.Sprintf(suiteAnswer, `["service_initialization"]`, false, "[]"), 3},
		"bench_run_that_is_stopped":   {[]string{"bench", "run"}, fmt.Sprintf(suiteAnswer, "[]", true, `["validation_performance"]`), 3},
		"bench_operation":             {[]string{"bench", "run", "--operation", "text_processing", "--iterations", "1000", "--concurrency", "10"}, fmt.Sprintf(measurementAnswer, true, false), 0},
		"bench_operation_by_default":  {[]string{"bench", "run", "--operation", "text_processing"}, fmt.Sprintf(measurementAnswer, true, false), 0},
		"bench_operation_too_slow":    {[]string{"bench", "run", "--operation", "text_processing"}, fmt.Sprintf(measurementAnswer, false, false), 3},
		"bench_operation_stopped":     {[]string{"bench", "run", "--operation", "text_processing"}, fmt.Sprintf(measurementAnswer, true, true), 3},
		"bench_history":               {[]string{"bench", "history", "--limit", "2"}, historyAnswer, 0},
		"bench_history_that_is_empty": {[]string{"bench", "history"}, noHistoryAnswer, 0},
		"bench_report":                {[]string{"bench", "report"}, reportAnswer, 0},
		"bench_report_as_JSON":        {[]string{"bench", "report", "-o", "json"}, `{"format":"json","suite":{},"analysis":{"recommendations":[]}}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := listenFor(t, says(200, "application/json", tc.answer))
			got := l.ask(t, tc.args)
			if got.code != tc.code {
				t.Errorf("exit code %d, want %d\n%s", got.code, tc.code, got.stderr)
			}
			compareGolden(t, name, fmt.Sprintf("%s\n--- exit code %d\n%s--- errors\n%s", l.requests(), got.code, got.stdout, got.stderr))
		})
	}
}
