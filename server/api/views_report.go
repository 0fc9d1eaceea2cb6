package api

import (
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail/perf"
)

// The views of what is made of benchmarks: thresholds, report and history.
type (
	thresholdsView struct {
		Thresholds  thresholdTimesView `json:"thresholds" doc:"What averages may be."`
		Targets     targetTextsView    `json:"targets"`
		Measurement measurementInfo    `json:"measurement_info"`
	}

	thresholdTimesView struct {
		ConfigLoadingMS          float64 `json:"config_loading_ms"`
		PresetAccessMS           float64 `json:"preset_access_ms"`
		ValidationMS             float64 `json:"validation_ms"`
		ServiceInitializationMS  float64 `json:"service_initialization_ms"`
		CircuitBreakerOverheadMS float64 `json:"circuit_breaker_overhead_ms" doc:"Of a call through a closed circuit breaker."`
		StateCheckMS             float64 `json:"state_check_ms" doc:"Of a look at the state of a circuit breaker."`
		MetricsUpdateMS          float64 `json:"metrics_update_ms" doc:"Of the end of a call."`
	}

	targetTextsView struct {
		PrimaryTarget    string   `json:"primary_target"`
		SecondaryTargets []string `json:"secondary_targets" nullable:"false"`
	}

	measurementInfo struct {
		DefaultIterations int    `json:"default_iterations"`
		MemoryTracking    string `json:"memory_tracking"`
		TimingPrecision   string `json:"timing_precision"`
	}

	textReportView struct {
		Format string    `json:"format" enum:"text"`
		Report string    `json:"report" doc:"For people."`
		Time   time.Time `json:"timestamp" doc:"When this answer was made; the report says when it was measured."`
	}

	jsonReportView struct {
		Format   string       `json:"format" enum:"json"`
		Suite    suiteView    `json:"suite"`
		Analysis analysisView `json:"analysis"`
	}

	analysisView struct {
		Summary         analysisBriefView `json:"performance_summary"`
		Recommendations []string          `json:"recommendations" nullable:"false" doc:"Two or more."`
	}

	analysisBriefView struct {
		AvgConfigLoadingMS *float64 `json:"avg_config_loading_ms" doc:"Of resilience_config_loading; null if it was not run."`
		AvgPresetLoadingMS *float64 `json:"avg_preset_loading_ms" doc:"Of preset_loading; null if it was not run."`
		TargetMet          bool     `json:"target_met" doc:"Whether 80 % of the benchmarks passed."`
	}

	// reportView is one of the two, by the format.
	reportView struct {
		text *textReportView
		json *jsonReportView
	}

	historyView struct {
		History        []runView                 `json:"history" nullable:"false" doc:"The newest first."`
		TotalRuns      int                       `json:"total_runs" doc:"Runs that are remembered."`
		Limit          int                       `json:"limit"`
		Trends         map[string]benchTrendView `json:"trend_analysis" doc:"By operation; those that were not measured twice are not in it."`
		Regressions    []regressionView          `json:"regressions" nullable:"false" doc:"Operations that are slower than their baseline by more than 20 %, or what the program has set."`
		Baseline       orNull[averagesView]      `json:"baseline" doc:"Null when there is nothing to compare with yet."`
		CurrentResults []currentResultView       `json:"current_results" nullable:"false" doc:"The newest of each operation, by name."`
		Message        string                    `json:"message,omitempty" doc:"What is missing, if something is."`
	}

	runView struct {
		BenchmarkID     string             `json:"benchmark_id"`
		Timestamp       time.Time          `json:"timestamp" doc:"When the run began."`
		Name            string             `json:"name"`
		PassRate        float64            `json:"pass_rate" minimum:"0" maximum:"1"`
		TotalDurationMS float64            `json:"total_duration_ms"`
		Partial         bool               `json:"partial" doc:"Whether the run was stopped before its end: it is not compared."`
		Results         []runOperationView `json:"results" nullable:"false"`
	}

	runOperationView struct {
		Operation     string  `json:"operation"`
		AvgDurationMS float64 `json:"avg_duration_ms"`
		P95MS         float64 `json:"p95_ms" doc:"95 % of the iterations were at least as fast."`
		SuccessRate   float64 `json:"success_rate" minimum:"0" maximum:"1"`
	}

	benchTrendView struct {
		TrendPercentage float64 `json:"trend_percentage" doc:"Of the second half of the runs over the first; below 0 is faster."`
		TrendDirection  string  `json:"trend_direction" enum:"improving,stable,degrading" doc:"Stable is within 5 %."`
		FirstHalfAvgMS  float64 `json:"first_half_avg_ms"`
		SecondHalfAvgMS float64 `json:"second_half_avg_ms"`
		SampleCount     int     `json:"sample_count" doc:"Runs."`
	}

	regressionView struct {
		Operation     string  `json:"operation"`
		BaselineAvgMS float64 `json:"baseline_avg_ms"`
		CurrentAvgMS  float64 `json:"current_avg_ms"`
		ChangePercent float64 `json:"change_percent"`
	}

	currentResultView struct {
		Operation     string    `json:"operation"`
		AvgDurationMS float64   `json:"avg_duration_ms"`
		Timestamp     time.Time `json:"timestamp" doc:"When its run began."`
	}

	// averagesView has milliseconds by operation.
	averagesView map[string]float64
)

// MarshalJSON implements [json.Marshaler].
func (v reportView) MarshalJSON() ([]byte, error) {
	if v.text != nil {
		return encode(v.text)
	}
	return encode(v.json)
}

// Schema implements [huma.SchemaProvider].
func (reportView) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{
		OneOf:       []*huma.Schema{r.Schema(typeOf[jsonReportView](), true, ""), r.Schema(typeOf[textReportView](), true, "")},
		Description: "By the format.",
	}
}

func viewOfThresholds(t perf.Targets) *thresholdsView {
	return &thresholdsView{thresholdTimesView(t.Thresholds), targetTextsView(t.Targets), measurementInfo(t.MeasurementInfo)}
}

func viewOfAnalysis(a perf.Analysis) analysisView {
	return analysisView{analysisBriefView(a.PerformanceSummary), listOf(a.Recommendations)}
}

func viewOfHistory(o perf.Overview) *historyView {
	v := historyView{
		History: make([]runView, len(o.History)), TotalRuns: o.TotalRuns, Limit: o.Limit,
		Trends: map[string]benchTrendView{}, Regressions: make([]regressionView, len(o.Regressions)),
		CurrentResults: make([]currentResultView, len(o.CurrentResults)), Message: o.Message,
	}
	for i, run := range o.History {
		v.History[i] = viewOfRun(run)
	}
	for name, t := range o.TrendAnalysis {
		v.Trends[name] = benchTrendView{t.TrendPercentage, string(t.TrendDirection), t.FirstHalfAvgMS, t.SecondHalfAvgMS, t.SampleCount}
	}
	for i, r := range o.Regressions {
		v.Regressions[i] = regressionView(r)
	}
	for i, r := range o.CurrentResults {
		v.CurrentResults[i] = currentResultView{r.Operation, r.AvgDurationMS, instant(r.Timestamp)}
	}
	if o.Baseline != nil {
		averages := averagesView(o.Baseline)
		v.Baseline.value = &averages
	}
	return &v
}

func viewOfRun(r perf.RunSummary) runView {
	v := runView{
		BenchmarkID: r.BenchmarkID, Timestamp: instant(r.Timestamp), Name: r.Name, PassRate: r.PassRate, TotalDurationMS: r.TotalDurationMS,
		Partial: r.Partial, Results: make([]runOperationView, len(r.Results)),
	}
	for i, o := range r.Results {
		v.Results[i] = runOperationView(o)
	}
	return v
}
