package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/perf"
)

// Bounds of the runs that requests begin: measuring takes processor time from what the program is there for.
const (
	maxRuns = 2               // at once
	maxRun  = 2 * time.Minute // the longest that can be asked for takes about one on two shared cores
)

var (
	errRunTooLong = fmt.Errorf("it took more than %v", maxRun)
	errStopping   = errors.New("the server is stopping")
)

// benchmarking returns the runner and its history for a configuration in which either may be missing.
func benchmarking(runner *perf.Runner, history *perf.History, orc *trysail.Orchestrator) (*perf.Runner, *perf.History, error) {
	if runner != nil {
		own := runner.History()
		switch {
		case own == nil:
			return nil, nil, errors.New("Benchmarks has no history, want a runner with one: perf.RunnerConfig.History")
		case history != nil && history != own:
			return nil, nil, errors.New("BenchmarkHistory is not the history of Benchmarks, want the same or nil")
		}
		return runner, own, nil
	}
	if history == nil {
		var err error
		if history, err = perf.NewHistory(perf.HistoryConfig{}); err != nil {
			return nil, nil, err
		}
	}
	return perf.NewRunner(perf.RunnerConfig{Orchestrator: orc, History: history}), history, nil
}

// A benchmarkInput says how to run the benchmarks.
type benchmarkInput struct {
	Iterations int  `query:"iterations" default:"50" minimum:"1" maximum:"10000" doc:"How often each benchmark is run."`
	Slow       bool `query:"include_slow" default:"false" doc:"Whether to run the benchmarks of the engine, too, which make up to 1000 calls in an iteration."`
}

func (a *API) runBenchmarks(ctx context.Context, in *benchmarkInput) (*benchmarkView, error) {
	s, err := a.suite(ctx, perf.Options{Iterations: in.Iterations, IncludeSlow: in.Slow})
	if err != nil {
		return nil, err
	}
	return &benchmarkView{BenchmarkID: s.BenchmarkID, Suite: viewOfSuite(s), Summary: benchmarkBriefView(s.Summary())}, nil
}

// A benchmarkRunInput says what to measure.
type benchmarkRunInput struct {
	Body rawBody[benchmarkShape]
}

func (a *API) runBenchmark(ctx context.Context, in *benchmarkRunInput) (*benchmarkRunView, error) {
	ask, err := readBenchmark(&in.Body)
	if err != nil {
		return nil, err
	}
	if ask.one != nil {
		m, err := measured(ctx, a, func(ctx context.Context) (perf.Measurement, error) { return a.benchmarks.Synthetic(ctx, *ask.one) })
		if err != nil {
			return nil, err
		}
		a.ran(ctx, m.BenchmarkID, m.Partial)
		return &benchmarkRunView{one: viewOfMeasurement(m)}, nil
	}
	s, err := a.suite(ctx, ask.many)
	if err != nil {
		return nil, err
	}
	return &benchmarkRunView{many: viewOfBenchmarks(s)}, nil
}

func (a *API) thresholds(context.Context, *nothing) (*thresholdsView, error) {
	return viewOfThresholds(perf.Thresholds()), nil
}

// A reportInput says how the report is wanted.
type reportInput struct {
	Format reportFormat `query:"format" default:"json" doc:"json or text, in upper or lower case."`
}

// A reportFormat is the name of a format, regardless of case.
type reportFormat string

// Schema implements [huma.SchemaProvider].
func (reportFormat) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Examples: []any{"text"}, Extensions: asWritten{"pattern": anyCase("json", "text")}}
}

func (a *API) report(ctx context.Context, in *reportInput) (*reportView, error) {
	format := strings.ToLower(string(in.Format))
	if format != "json" && format != "text" {
		return nil, badRequest("Format must be 'json' or 'text'",
			Fault{Location: "query.format", Message: "unknown format; value has the known ones", Value: []string{"json", "text"}})
	}
	s, ok := a.history.Latest()
	if !ok {
		var err error
		if s, err = a.suite(ctx, perf.Options{}); err != nil {
			return nil, err
		}
	}
	if format == "text" {
		return &reportView{text: &textReportView{Format: format, Report: s.Report(), Time: instant(time.Now())}}, nil
	}
	return &reportView{json: &jsonReportView{Format: format, Suite: viewOfSuite(s), Analysis: viewOfAnalysis(s.Analysis())}}, nil
}

// A historyInput says how much is wanted.
type historyInput struct {
	Limit int `query:"limit" default:"10" minimum:"1" maximum:"100" doc:"How many runs to list, the newest. All that are remembered are compared."`
}

func (a *API) benchmarkHistory(_ context.Context, in *historyInput) (*historyView, error) {
	o, err := a.history.Overview(in.Limit)
	if err != nil {
		return nil, err
	}
	return viewOfHistory(o), nil
}

// suite runs benchmarks.
func (a *API) suite(ctx context.Context, opts perf.Options) (perf.Suite, error) {
	s, err := measured(ctx, a, func(ctx context.Context) (perf.Suite, error) { return a.benchmarks.Run(ctx, opts) })
	if err == nil {
		a.ran(ctx, s.BenchmarkID, s.Partial)
	}
	return s, err
}

// measured runs something, unless as much is being run already. The run ends with the request, with the server or
// after maxRun. A run that was ended so, or could not be stored, is an outcome all the same.
func measured[Outcome any](ctx context.Context, a *API, run func(context.Context) (Outcome, error)) (out Outcome, err error) {
	select {
	case <-a.stopped:
		return out, &laterError{"The server is stopping"}
	default:
	}
	select {
	case a.runs <- struct{}{}:
		defer func() { <-a.runs }()
	default:
		return out, &laterError{fmt.Sprintf("%d benchmarks are running already; try again when one has ended", maxRuns)}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxRun, errRunTooLong)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	forget := a.onStop(func() { end(errStopping) })
	defer forget()
	out, err = run(ctx)
	if errors.Is(err, perf.ErrNotStored) {
		a.log.ErrorContext(ctx, "benchmark is in memory only", "error", err, "request_id", callerOf(ctx).requestID)
		return out, nil
	}
	if errors.Is(err, perf.ErrStopped) {
		a.log.InfoContext(ctx, "benchmark was stopped", "error", err, "request_id", callerOf(ctx).requestID)
		return out, nil
	}
	return out, err
}

// ran tells the log of a run.
func (a *API) ran(ctx context.Context, id string, partial bool) {
	who, subject := callerOf(ctx), subjectOf(ctx)
	a.log.InfoContext(ctx, "benchmark was run", "benchmark_id", id, "partial", partial, "remote_addr", who.addr,
		"session_id", subject.Session, "user_context", subject.User, "request_id", who.requestID)
}
