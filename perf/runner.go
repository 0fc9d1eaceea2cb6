package perf

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// A RunnerConfig sets up a [Runner]. Its zero value is ready to use.
type RunnerConfig struct {
	// Variables are what environment_info tells of; usually [os.LookupEnv]. No benchmark reads them. Nil: there are
	// none.
	Variables config.Environ

	// Orchestrator is whose operations synthetic runs copy the strategy and policy of. It is only read. Nil:
	// operations have what the preset simple gives them.
	Orchestrator *trysail.Orchestrator

	// History remembers the suites. Nil: nobody does.
	History *History
}

// A Runner runs benchmarks. Any number of runs may be under way at once; they share the processors, but no state. Its
// zero value is that of a zero [RunnerConfig].
type Runner struct {
	cfg RunnerConfig
	ids ids // of a runner without a history
}

// NewRunner returns a Runner.
func NewRunner(cfg RunnerConfig) *Runner { return &Runner{cfg: cfg} }

// History returns what remembers the suites, nil if nobody does.
func (r *Runner) History() *History { return r.cfg.History }

// ErrStopped says that a context ended a run before its end. The run's outcome says how far it came.
var ErrStopped = errors.New("benchmark stopped")

// ErrNotStored says that a suite was run, and is in the history, but that its [Sink] could not store it.
var ErrNotStored = errors.New("benchmark not stored")

// Run runs the benchmarks that opts ask for, one after the other: with the defaults in some
// hundred milliseconds. It refuses bad options with an error of [OptionError]s.
//
// When ctx ends first, Run returns what has been measured until then, marked as partial, and [ErrStopped]. With
// [ErrNotStored] the suite is complete.
func (r *Runner) Run(ctx context.Context, opts Options) (Suite, error) {
	if err := opts.Check(); err != nil {
		return Suite{}, fmt.Errorf("run benchmarks: %w", err)
	}
	start := time.Now()
	s := Suite{
		BenchmarkID: r.newID(start), Name: SuiteName, Timestamp: start.UTC().Round(0),
		Results: []Result{}, EnvironmentInfo: environmentOf(r.cfg.Variables),
	}
	for _, k := range opts.chosen() {
		if ctx.Err() != nil {
			s.NotRun = append(s.NotRun, k.Name)
			s.Partial = true
			continue
		}
		s.Results = append(s.Results, k.measure(ctx, opts.Iterations))
	}
	s.TotalDurationMS = milliseconds(time.Since(start))
	s.judge()
	var stopped error
	if s.Partial {
		stopped = fmt.Errorf("%w: %w", ErrStopped, context.Cause(ctx))
	}
	return s, errors.Join(stopped, r.remember(ctx, s))
}

// measure runs a benchmark. One that could not begin has failed without an iteration.
func (k known) measure(ctx context.Context, iterations int) Result {
	if iterations == 0 {
		iterations = k.Iterations
	}
	s, err := load{iterations: iterations, concurrency: 1, memory: true, prepare: k.prepare}.run(ctx)
	r := resultOf(k.Name, iterations, s)
	if err != nil {
		r.Partial, r.Metadata["error_prepare"] = false, err.Error()
	}
	return r
}

func (r *Runner) remember(ctx context.Context, s Suite) error {
	if r.cfg.History == nil {
		return nil
	}
	return r.cfg.History.Add(ctx, s)
}

// newID asks the history, if there is one: runners that share it must not give one ID twice.
func (r *Runner) newID(now time.Time) string {
	h := r.cfg.History
	if h == nil {
		return r.ids.next(now, func(string) bool { return false })
	}
	return h.ids.next(now, h.has)
}
