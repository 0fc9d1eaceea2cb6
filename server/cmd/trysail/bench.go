package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// benchCmd holds the commands about the benchmarks of a server.
type benchCmd struct {
	Run     benchRunCmd     `cmd:"" help:"Have a server measure itself, or calls of one operation."`
	History benchHistoryCmd `cmd:"" help:"Compare the runs of a server."`
	Report  benchReportCmd  `cmd:"" help:"Print a server's report on its newest run; without one it runs first."`
}

const (
	benchPath   = apiBase + "/performance/benchmark"
	historyPath = apiBase + "/performance/history"
	reportPath  = apiBase + "/performance/report"
)

type benchRunCmd struct {
	Operation   string `placeholder:"NAME" help:"Measure calls of this operation through its retries and circuit breaker, or the benchmark of this name. Default: the server's benchmarks."`
	Iterations  int    `placeholder:"N" help:"How often, 1 to 10000. Default: the server's, 50."`
	Concurrency int    `placeholder:"N" help:"Calls of the operation at once, 1 to 100. Default: 1."`
	Slow        bool   `help:"Without an operation: run the benchmarks of the engine, too."`
	output
	connection
}

// Help is shown by "trysail bench run --help".
func (benchRunCmd) Help() string {
	return `Nothing live is called or changed: the calls go to a target that does nothing, through copies of breaker and retries.
The server is busy meanwhile.

` + exitCodesOfClients + ` 3 if a target was missed or the run was stopped early.`
}

// Run has the server measure.
func (c *benchRunCmd) Run(p *program) error {
	switch {
	case c.Operation == "" && c.Concurrency != 0:
		return usageError{fmt.Errorf("concurrency is for the calls of an operation: name it with --operation")}
	case c.Operation != "" && c.Slow:
		return usageError{fmt.Errorf("slow is for the server's own benchmarks: leave --operation or --slow out")}
	case c.Operation != "":
		return c.measure(p)
	}
	query := url.Values{}
	if c.Iterations != 0 {
		query.Set("iterations", strconv.Itoa(c.Iterations))
	}
	if c.Slow {
		query.Set("include_slow", "true")
	}
	var run struct {
		Suite benchSuite `json:"benchmark_suite"`
	}
	err := c.ask(p, c.output, question{
		request: request{method: http.MethodGet, path: benchPath, query: query}, patience: measureTimeout, answer: &run, table: run.Suite.show,
	})
	if err == nil && !run.Suite.good() {
		err = answerNo{}
	}
	return err
}

// benchSuite is a run of benchmarks.
type benchSuite struct {
	ID      string        `json:"benchmark_id"`
	Results []benchResult `json:"results"`
	TotalMS float64       `json:"total_duration_ms"`
	Failed  []string      `json:"failed_benchmarks"`
	Partial bool          `json:"partial"`
	NotRun  []string      `json:"not_run"`
}

type benchResult struct {
	Operation   string  `json:"operation"`
	Iterations  int     `json:"iterations"`
	AverageMS   float64 `json:"avg_duration_ms"`
	P95MS       float64 `json:"p95_duration_ms"`
	MaxMS       float64 `json:"max_duration_ms"`
	SuccessRate float64 `json:"success_rate"`
	ThresholdMS float64 `json:"threshold_ms"`
}

func (b *benchSuite) good() bool { return len(b.Failed) == 0 && !b.Partial }

func (b *benchSuite) show(s *page) {
	rows, colours := make([][]string, len(b.Results)), make([]colour, len(b.Results))
	for i, r := range b.Results {
		verdict := "pass"
		if slices.Contains(b.Failed, r.Operation) {
			verdict, colours[i] = "FAIL", red
		}
		rows[i] = []string{
			r.Operation, strconv.Itoa(r.Iterations), milliseconds(r.AverageMS), milliseconds(r.P95MS), milliseconds(r.MaxMS),
			milliseconds(r.ThresholdMS), rate(r.SuccessRate), verdict,
		}
	}
	s.colouredTable([]string{"BENCHMARK", "ITERATIONS", "AVERAGE", "P95", "MAX", "TARGET", "SUCCEEDED", "RESULT"}, rows, colours)
	s.line("")
	s.line("%s: %d of %d within their targets, in %s.", harmless(b.ID), len(b.Results)-len(b.Failed), len(b.Results), milliseconds(b.TotalMS))
	if b.Partial {
		s.line("%s not run: %s", s.paint(yellow, "It was stopped early;"), harmless(strings.Join(b.NotRun, ", ")))
	}
}

// benchMeasurement is what calls of one operation took; times are in seconds.
type benchMeasurement struct {
	ID          string `json:"benchmark_id"`
	Operation   string `json:"operation_name"`
	Iterations  int    `json:"iterations"`
	Concurrency int    `json:"concurrency"`
	Results     struct {
		Total       float64 `json:"total_time"`
		PerSecond   float64 `json:"requests_per_second"`
		SuccessRate float64 `json:"success_rate"`
		Average     float64 `json:"average_response_time"`
		Min         float64 `json:"min_response_time"`
		P50         float64 `json:"p50_response_time"`
		P95         float64 `json:"p95_response_time"`
		P99         float64 `json:"p99_response_time"`
		Max         float64 `json:"max_response_time"`
	} `json:"results"`
	Summary struct {
		Met bool `json:"performance_target_met"`
	} `json:"summary"`
	Partial bool `json:"partial"`
}

// measure has the server measure one operation.
func (c *benchRunCmd) measure(p *program) error {
	body, err := json.Marshal(struct {
		Operation   string `json:"operation_name"`
		Iterations  int    `json:"iterations,omitempty"`
		Concurrency int    `json:"concurrency,omitempty"`
	}{c.Operation, c.Iterations, c.Concurrency})
	if err != nil {
		return err //nolint:wrapcheck // it cannot happen
	}
	var m benchMeasurement
	err = c.ask(p, c.output, question{
		request: request{method: http.MethodPost, path: benchPath, body: body}, patience: measureTimeout, answer: &m, table: m.show,
	})
	if err == nil && (!m.Summary.Met || m.Partial) {
		err = answerNo{}
	}
	return err
}

func (m *benchMeasurement) show(s *page) {
	r := &m.Results
	s.line("%s: %d calls, %d at once, in %s", s.paint(bold, harmless(m.Operation)), m.Iterations, m.Concurrency, milliseconds(r.Total*1e3))
	s.line("")
	s.table([]string{"AVERAGE", "MIN", "P50", "P95", "P99", "MAX", "CALLS/S", "SUCCEEDED"}, [][]string{{
		milliseconds(r.Average * 1e3), milliseconds(r.Min * 1e3), milliseconds(r.P50 * 1e3), milliseconds(r.P95 * 1e3), milliseconds(r.P99 * 1e3),
		milliseconds(r.Max * 1e3), strconv.FormatFloat(r.PerSecond, 'f', 0, 64), rate(r.SuccessRate),
	}})
	switch {
	case m.Partial:
		s.line("\n%s", s.paint(yellow, "It was stopped early."))
	case !m.Summary.Met:
		s.line("\n%s", s.paint(red, "The target was missed."))
	}
}

type benchHistoryCmd struct {
	Limit int `placeholder:"N" help:"How many runs to list, 1 to 100. Default: the server's, 10."`
	output
	connection
}

// Help is shown by "trysail bench history --help".
func (benchHistoryCmd) Help() string { return exitCodesOfClients }

// benchHistory is what the runs of a server come to.
type benchHistory struct {
	Runs []struct {
		ID       string    `json:"benchmark_id"`
		Time     time.Time `json:"timestamp"`
		PassRate float64   `json:"pass_rate"`
		TotalMS  float64   `json:"total_duration_ms"`
		Partial  bool      `json:"partial"`
	} `json:"history"`
	Total  int `json:"total_runs"`
	Trends map[string]struct {
		Percent   float64 `json:"trend_percentage"`
		Direction string  `json:"trend_direction"`
	} `json:"trend_analysis"`
	Regressions []struct {
		Operation string  `json:"operation"`
		Percent   float64 `json:"change_percent"`
	} `json:"regressions"`
	Baseline map[string]float64 `json:"baseline"`
	Current  []struct {
		Operation string  `json:"operation"`
		AverageMS float64 `json:"avg_duration_ms"`
	} `json:"current_results"`
	Message string `json:"message"`
}

// Run compares the runs.
func (c *benchHistoryCmd) Run(p *program) error {
	query := url.Values{}
	if c.Limit != 0 {
		query.Set("limit", strconv.Itoa(c.Limit))
	}
	var h benchHistory
	return c.ask(p, c.output, question{request: request{method: http.MethodGet, path: historyPath, query: query}, answer: &h, table: h.show})
}

func (h *benchHistory) show(s *page) {
	if len(h.Runs) == 0 {
		s.line("%s Run them with trysail bench run.", harmless(h.Message))
		return
	}
	rows := make([][]string, len(h.Runs))
	for i, run := range h.Runs {
		note := ""
		if run.Partial {
			note = "stopped early"
		}
		rows[i] = []string{run.ID, moment(run.Time), percent(run.PassRate), milliseconds(run.TotalMS), note}
	}
	s.table([]string{"RUN", "AT", "PASSED", "TOOK", ""}, rows)
	s.line("")
	h.showOperations(s)
	s.line("")
	s.line("%d of %d runs, the newest first.", len(h.Runs), h.Total)
}

// showOperations shows where each benchmark's times have come from and are going.
func (h *benchHistory) showOperations(s *page) {
	now := map[string]float64{}
	for _, current := range h.Current {
		now[current.Operation] = current.AverageMS
	}
	names := slices.Sorted(maps.Keys(now))
	rows, colours := make([][]string, len(names)), make([]colour, len(names))
	for i, name := range names {
		baseline, trend, note := "", "", ""
		if ms, ok := h.Baseline[name]; ok {
			baseline = milliseconds(ms)
		}
		if t, ok := h.Trends[name]; ok {
			trend = fmt.Sprintf("%s (%+.1f %%)", t.Direction, t.Percent)
		}
		for _, slower := range h.Regressions {
			if slower.Operation == name {
				note, colours[i] = fmt.Sprintf("%.1f %% slower than its baseline", slower.Percent), red
			}
		}
		rows[i] = []string{name, baseline, milliseconds(now[name]), trend, note}
	}
	s.colouredTable([]string{"BENCHMARK", "BASELINE", "NEWEST", "TREND", ""}, rows, colours)
}

type benchReportCmd struct {
	output
	connection
}

// Help is shown by "trysail bench report --help".
func (benchReportCmd) Help() string {
	return `The table is the server's text for people; json and yaml have the same as data.

` + exitCodesOfClients
}

// Run prints the report.
func (c *benchReportCmd) Run(p *program) error {
	format := "json"
	if c.Output == "table" {
		format = "text"
	}
	var answer struct {
		Report string `json:"report"`
	}
	r := request{method: http.MethodGet, path: reportPath, query: url.Values{"format": {format}}}
	return c.ask(p, c.output, question{request: r, patience: measureTimeout, answer: &answer, table: func(s *page) {
		s.line("%s", strings.TrimRight(harmlessLines(answer.Report), "\n"))
	}})
}

// rate is a share of which the last bit counts: 99,999 of 100,000 are not all.
func rate(share float64) string {
	hundredths := math.Round(share * 1e4)
	if share < 1 {
		hundredths = min(hundredths, 9999)
	}
	return strconv.FormatFloat(hundredths/100, 'f', -1, 64) + " %"
}

// milliseconds is a time for people: three figures that count.
func milliseconds(ms float64) string {
	switch {
	case ms == 0:
		return "0 ms"
	case ms < 0.001:
		return strconv.FormatFloat(ms*1e6, 'g', 3, 64) + " ns"
	case ms < 1:
		return strconv.FormatFloat(ms*1e3, 'g', 3, 64) + " µs"
	case ms < 1e3:
		return strconv.FormatFloat(ms, 'g', 3, 64) + " ms"
	default:
		return strconv.FormatFloat(ms/1e3, 'f', 2, 64) + " s"
	}
}
