package api

import (
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail/perf"
)

// The views of the module performance. Rates are shares from 0 to 1. Those that have the fields of a type of package perf are
// converted from it, so that a field which is new there is not forgotten here.
type (
	benchmarkView struct {
		BenchmarkID string             `json:"benchmark_id" example:"bench_20240115_103000" doc:"The time when the run began, followed by _2 and so on if there were more in that second."`
		Suite       suiteView          `json:"benchmark_suite"`
		Summary     benchmarkBriefView `json:"summary"`
	}

	benchmarkBriefView struct {
		TotalBenchmarks      int      `json:"total_benchmarks"`
		PassRate             float64  `json:"pass_rate" minimum:"0" maximum:"1"`
		TotalDurationMS      float64  `json:"total_duration_ms" doc:"By the clock, from begin to end."`
		FailedBenchmarks     []string `json:"failed_benchmarks" nullable:"false"`
		PerformanceTargetMet bool     `json:"performance_target_met" doc:"Whether the run came to its end and pass_rate is 0.8 or more."`
	}

	suiteView struct {
		BenchmarkID      string       `json:"benchmark_id"`
		Name             string       `json:"name"`
		Timestamp        time.Time    `json:"timestamp" doc:"When the run began."`
		Results          []resultView `json:"results" nullable:"false" doc:"In the order in which they ran."`
		TotalDurationMS  float64      `json:"total_duration_ms" doc:"By the clock, from begin to end."`
		PassRate         float64      `json:"pass_rate" minimum:"0" maximum:"1"`
		FailedBenchmarks []string     `json:"failed_benchmarks" nullable:"false" doc:"Operations that did not pass."`
		Environment      machineView  `json:"environment_info"`
		Partial          bool         `json:"partial" doc:"Whether the run was stopped before its end."`
		NotRun           []string     `json:"not_run" nullable:"false" doc:"Operations whose turn never came."`
	}

	resultView struct {
		Operation     string         `json:"operation"`
		DurationMS    float64        `json:"duration_ms" doc:"Of all iterations together."`
		MemoryPeakMB  float64        `json:"memory_peak_mb" doc:"The most that the process allocated during one iteration, in MiB."`
		Iterations    int            `json:"iterations" doc:"Those that were done."`
		AvgDurationMS float64        `json:"avg_duration_ms" doc:"This and the next four are of one iteration."`
		MinDurationMS float64        `json:"min_duration_ms"`
		MaxDurationMS float64        `json:"max_duration_ms"`
		P95DurationMS float64        `json:"p95_duration_ms" doc:"95 % of the iterations were at least as fast."`
		StdDevMS      float64        `json:"std_dev_ms" doc:"Of the sample; 0 for one iteration."`
		SuccessRate   float64        `json:"success_rate" minimum:"0" maximum:"1"`
		ThresholdMS   float64        `json:"threshold_ms" doc:"What avg_duration_ms may be."`
		Partial       bool           `json:"partial" doc:"Whether it was stopped before all iterations were done."`
		Metadata      map[string]any `json:"metadata" doc:"What was done; error_<i> is why iteration i failed."`
	}

	machineView struct {
		GoVersion  string        `json:"go_version"`
		OS         string        `json:"os"`
		Arch       string        `json:"arch"`
		CPUCount   int           `json:"cpu_count" doc:"Those that the process may use."`
		GoMaxProcs int           `json:"gomaxprocs" doc:"Goroutines that run at once."`
		MemoryGB   float64       `json:"memory_gb" doc:"The machine's, in GiB; 0 when it is not known."`
		Variables  variablesView `json:"environment_variables" doc:"False and empty throughout when the program shows its variables to no benchmark."`
	}

	variablesView struct {
		Debug           bool   `json:"DEBUG" doc:"Whether it says yes."`
		Preset          string `json:"RESILIENCE_PRESET" doc:"Empty when it is not set."`
		APIKeySet       bool   `json:"API_KEY_SET"`
		GeminiKeySet    bool   `json:"GEMINI_API_KEY_SET"`
		OpenAIKeySet    bool   `json:"OPENAI_API_KEY_SET"`
		AnthropicKeySet bool   `json:"ANTHROPIC_API_KEY_SET"`
	}

	benchmarkTotalsView struct {
		TotalBenchmarks      int     `json:"total_benchmarks"`
		TotalDurationMS      float64 `json:"total_duration_ms" doc:"Of all iterations together."`
		AvgDurationMS        float64 `json:"avg_duration_ms" doc:"Mean of the averages of the results."`
		OverallSuccessRate   float64 `json:"overall_success_rate" minimum:"0" maximum:"1" doc:"Mean of the rates of the results."`
		PerformanceTargetMet bool    `json:"performance_target_met" doc:"Whether everything was run and avg_duration_ms is below 100."`
	}

	briefResultView struct {
		Operation     string         `json:"operation"`
		MemoryPeakMB  float64        `json:"memory_peak_mb" doc:"The most that the process allocated during one iteration, in MiB."`
		Iterations    int            `json:"iterations" doc:"Those that were done."`
		AvgDurationMS float64        `json:"avg_duration_ms" doc:"This and the next four are of one iteration."`
		MinDurationMS float64        `json:"min_duration_ms"`
		MaxDurationMS float64        `json:"max_duration_ms"`
		P95DurationMS float64        `json:"p95_duration_ms" doc:"95 % of the iterations were at least as fast."`
		StdDevMS      float64        `json:"std_dev_ms" doc:"Of the sample; 0 for one iteration."`
		SuccessRate   float64        `json:"success_rate" minimum:"0" maximum:"1"`
		ThresholdMS   float64        `json:"threshold_ms" doc:"What avg_duration_ms may be."`
		Partial       bool           `json:"partial" doc:"Whether it was stopped before all iterations were done."`
		Metadata      map[string]any `json:"metadata" doc:"What was done; error_<i> is why iteration i failed."`
	}

	// benchmarksView answers a request without operation_name.
	benchmarksView struct {
		BenchmarkID string              `json:"benchmark_id"`
		Timestamp   time.Time           `json:"timestamp" doc:"When the run began."`
		Results     []briefResultView   `json:"results" nullable:"false" doc:"In the order in which they ran."`
		Summary     benchmarkTotalsView `json:"summary"`
		Partial     bool                `json:"partial" doc:"Whether the run was stopped before its end."`
		NotRun      []string            `json:"not_run" nullable:"false" doc:"Operations whose turn never came."`
	}

	// measurementView answers a request with operation_name.
	measurementView struct {
		BenchmarkID   string               `json:"benchmark_id" example:"bench_20240115_103000"`
		OperationName string               `json:"operation_name"`
		Iterations    int                  `json:"iterations" doc:"Calls that were made."`
		Concurrency   int                  `json:"concurrency" doc:"Calls that were under way at once."`
		Results       latenciesView        `json:"results" doc:"Times in seconds, of single calls."`
		Summary       benchmarkTotalsView  `json:"summary"`
		Pipeline      orNull[pipelineView] `json:"pipeline" doc:"What the calls went through; null for a benchmark."`
		Timestamp     time.Time            `json:"timestamp" doc:"When the run began."`
		Partial       bool                 `json:"partial" doc:"Whether the run was stopped before its end."`
	}

	latenciesView struct {
		TotalTime           float64        `json:"total_time" doc:"By the clock, from the first call to the end of the last."`
		AverageResponseTime float64        `json:"average_response_time" doc:"Of a call by itself: with concurrency it is not total_time divided by the calls."`
		RequestsPerSecond   float64        `json:"requests_per_second" doc:"Calls divided by total_time."`
		SuccessRate         float64        `json:"success_rate" minimum:"0" maximum:"1"`
		P50ResponseTime     float64        `json:"p50_response_time" doc:"Half of the calls were at least as fast."`
		P95ResponseTime     float64        `json:"p95_response_time" doc:"95 % of the calls were at least as fast."`
		P99ResponseTime     float64        `json:"p99_response_time" doc:"99 % of the calls were at least as fast."`
		MinResponseTime     float64        `json:"min_response_time"`
		MaxResponseTime     float64        `json:"max_response_time"`
		Errors              int            `json:"errors" doc:"Calls that failed."`
		ErrorClasses        map[string]int `json:"error_classes,omitempty" doc:"Of these, by class."`
		FirstError          string         `json:"first_error,omitempty"`
	}

	pipelineView struct {
		Strategy     string `json:"strategy"`
		Attempts     int    `json:"attempts" doc:"At most, of one call."`
		Retries      uint64 `json:"retries" doc:"Those that were made."`
		Rejected     uint64 `json:"rejected" doc:"Calls that the circuit breaker refused."`
		Opens        uint64 `json:"opens" doc:"How often the circuit breaker opened."`
		BreakerState string `json:"breaker_state" doc:"Empty when there is no circuit breaker."`
	}

	// benchmarkRunView is one of the two answers, by what was asked for.
	benchmarkRunView struct {
		one  *measurementView
		many *benchmarksView
	}
)

// MarshalJSON implements [json.Marshaler].
func (v benchmarkRunView) MarshalJSON() ([]byte, error) {
	if v.one != nil {
		return encode(v.one)
	}
	return encode(v.many)
}

// Schema implements [huma.SchemaProvider].
func (benchmarkRunView) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{
		OneOf:       []*huma.Schema{r.Schema(typeOf[measurementView](), true, ""), r.Schema(typeOf[benchmarksView](), true, "")},
		Description: "The first with operation_name, the second without.",
	}
}

func viewOfSuite(s perf.Suite) suiteView {
	v := suiteView{
		BenchmarkID: s.BenchmarkID, Name: s.Name, Timestamp: instant(s.Timestamp), Results: make([]resultView, len(s.Results)),
		TotalDurationMS: s.TotalDurationMS, PassRate: s.PassRate, FailedBenchmarks: listOf(s.FailedBenchmarks),
		Environment: viewOfMachine(s.EnvironmentInfo), Partial: s.Partial, NotRun: listOf(s.NotRun),
	}
	for i, r := range s.Results {
		v.Results[i] = resultView(r)
	}
	return v
}

func viewOfMachine(e perf.Environment) machineView {
	return machineView{e.GoVersion, e.OS, e.Arch, e.CPUCount, e.GoMaxProcs, e.MemoryGB, variablesView(e.Variables)}
}

func viewOfBenchmarks(s perf.Suite) *benchmarksView {
	v := benchmarksView{
		BenchmarkID: s.BenchmarkID, Timestamp: instant(s.Timestamp), Results: make([]briefResultView, len(s.Results)),
		Summary: benchmarkTotalsView(s.Totals()), Partial: s.Partial, NotRun: listOf(s.NotRun),
	}
	for i, r := range s.Results {
		v.Results[i] = briefResultView{
			r.Operation, r.MemoryPeakMB, r.Iterations, r.AvgDurationMS, r.MinDurationMS, r.MaxDurationMS, r.P95DurationMS, r.StdDevMS,
			r.SuccessRate, r.ThresholdMS, r.Partial, r.Metadata,
		}
	}
	return &v
}

func viewOfMeasurement(m perf.Measurement) *measurementView {
	v := measurementView{
		BenchmarkID: m.BenchmarkID, OperationName: m.OperationName, Iterations: m.Iterations, Concurrency: m.Concurrency,
		Results: latenciesView(m.Results), Summary: benchmarkTotalsView(m.Summary), Timestamp: instant(m.Timestamp), Partial: m.Partial,
	}
	if p := m.Pipeline; p != nil {
		v.Pipeline.value = &pipelineView{string(p.Strategy), p.Attempts, p.Retries, p.Rejected, p.Opens, p.BreakerState}
	}
	return &v
}
