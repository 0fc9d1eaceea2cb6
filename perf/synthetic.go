package perf

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/trysail-go/trysail"
)

// A Measurement is the outcome of a synthetic run. It is not changed any more.
type Measurement struct {
	BenchmarkID   string    `json:"benchmark_id"` // see [Suite]
	OperationName string    `json:"operation_name"`
	Iterations    int       `json:"iterations"` // that were done
	Concurrency   int       `json:"concurrency"`
	Results       Latencies `json:"results"`
	Summary       Totals    `json:"summary"`
	Pipeline      *Pipeline `json:"pipeline,omitempty"` // nil for a benchmark
	Timestamp     time.Time `json:"timestamp"`          // when it began, UTC
	Partial       bool      `json:"partial"`            // whether it was stopped before all iterations were done
}

// Latencies are the times of single calls, failed ones included, each measured by itself with its waits for retries. All
// times are in seconds. For the benchmarks of the engine a call is the share of one in its batch.
type Latencies struct {
	TotalTime           float64 `json:"total_time"` // by the clock, from the first call to the end of the last
	AverageResponseTime float64 `json:"average_response_time"`
	RequestsPerSecond   float64 `json:"requests_per_second"` // iterations / total time; 0 when the clock saw none pass
	SuccessRate         float64 `json:"success_rate"`        // 0 to 1

	// Of n times in rising order, P95 is number ⌈0.95 n⌉; P50 and P99 likewise.
	P50ResponseTime float64 `json:"p50_response_time"`
	P95ResponseTime float64 `json:"p95_response_time"`
	P99ResponseTime float64 `json:"p99_response_time"`
	MinResponseTime float64 `json:"min_response_time"`
	MaxResponseTime float64 `json:"max_response_time"`

	Errors       int            `json:"errors"`                  // calls that failed
	ErrorClasses map[string]int `json:"error_classes,omitempty"` // of these, by class; breaker_open: refused; other: panicked
	FirstError   string         `json:"first_error,omitempty"`   // the text of the earliest, cut to 500 characters
}

// A Pipeline says what the calls went through.
type Pipeline struct {
	Strategy     trysail.Strategy `json:"strategy"`
	Attempts     int              `json:"attempts"`                // at most, per call
	Retries      uint64           `json:"retries"`                 // that were made
	Rejected     uint64           `json:"rejected"`                // calls that the breaker refused
	Opens        uint64           `json:"opens"`                   // of the breaker
	BreakerState string           `json:"breaker_state,omitempty"` // empty: there is no breaker
}

// Synthetic calls a target over and over under an operation: looked up anew for each call, through its breaker and its
// retries with their waits. Operation, breaker and counters are copies: nothing that is live is told or created.
// Throttle, limiter, bulkhead and hedges are left out, and so is the retry budget: they belong to what really is called.
//
// It refuses bad options with an error of [OptionError]s. When ctx ends first, it returns what has been measured until
// then, marked as partial, and [ErrStopped].
func (r *Runner) Synthetic(ctx context.Context, opts SyntheticOptions) (Measurement, error) {
	if err := opts.Check(); err != nil {
		return Measurement{}, fmt.Errorf("run synthetic benchmark: %w", err)
	}
	l := load{iterations: cmp.Or(opts.Iterations, defaultIterations), concurrency: cmp.Or(opts.Concurrency, 1)}
	var orc *trysail.Orchestrator
	if k, ok := find(opts.Operation); ok {
		l.prepare = k.prepare
	} else {
		var err error
		if orc, err = r.isolated(opts.Operation); err != nil {
			return Measurement{}, fmt.Errorf("run synthetic benchmark: %w", err)
		}
		l.prepare = func() (iteration, error) { return callOf(orc, opts), nil }
	}
	start := time.Now()
	s, err := l.run(ctx)
	if err != nil {
		return Measurement{}, fmt.Errorf("run synthetic benchmark: %w", err)
	}
	m := measurementOf(opts.Operation, s)
	m.BenchmarkID, m.Timestamp = r.newID(start), start.UTC().Round(0)
	m.Concurrency, m.Partial = l.concurrency, m.Iterations < l.iterations
	m.Summary.PerformanceTargetMet = m.Summary.PerformanceTargetMet && !m.Partial
	if orc != nil {
		m.Pipeline = pipelineOf(orc, orc.Operation(opts.Operation))
	}
	if m.Partial {
		return m, fmt.Errorf("%w after %d of %d iterations: %w", ErrStopped, m.Iterations, l.iterations, context.Cause(ctx))
	}
	return m, nil
}

// callOf returns a call of the target through the pipeline.
func callOf(orc *trysail.Orchestrator, opts SyntheticOptions) iteration {
	target := nothing
	if opts.Target != nil {
		target = func(ctx context.Context) (struct{}, error) { return struct{}{}, opts.Target(ctx) } //nolint:unparam // Do wants a result
	}
	return func(ctx context.Context, _ notes) (float64, error) {
		start := time.Now()
		_, err := trysail.Do(ctx, orc.Operation(opts.Operation), target)
		return milliseconds(time.Since(start)), err
	}
}

// isolated returns an orchestrator that is set up as the live one is, without what it shares with others.
func (r *Runner) isolated(name string) (*trysail.Orchestrator, error) {
	if r.cfg.Orchestrator == nil {
		return trysail.New(trysail.Config{})
	}
	cfg := r.cfg.Orchestrator.Configuration()
	cfg.Observer, cfg.ObserveCalls = nil, false
	cfg.Default = alone(cfg.Default)
	for other, o := range cfg.Operations {
		o.Policy = alone(o.Policy)
		cfg.Operations[other] = o
	}
	orc, err := trysail.New(cfg)
	if err != nil {
		return nil, err
	}
	if live, ok := r.cfg.Orchestrator.Lookup(name); ok { // with what the program has registered
		_, err = orc.Register(name, trysail.OperationConfig{Strategy: live.Strategy(), Policy: alone(live.Policy())})
	}
	return orc, err
}

// alone returns p without what measures the dependency, or is shared with other operations.
func alone(p trysail.Policy) trysail.Policy {
	p.Throttle, p.Limiter = trysail.ThrottlePolicy{}, trysail.LimiterPolicy{}
	p.Bulkhead, p.Hedge = trysail.BulkheadPolicy{}, trysail.HedgePolicy{}
	p.Retry.Budget = nil
	return p
}

func measurementOf(name string, s samples) Measurement {
	const second = float64(time.Second / time.Millisecond)
	stats := summarize(s.times)
	l := Latencies{
		TotalTime: s.wall.Seconds(), AverageResponseTime: stats.mean / second, SuccessRate: s.successRate(),
		P50ResponseTime: stats.percentile(50) / second, P95ResponseTime: stats.percentile(95) / second,
		P99ResponseTime: stats.percentile(99) / second,
		MinResponseTime: stats.min / second, MaxResponseTime: stats.max / second,
		Errors: s.failed,
	}
	if s.wall > 0 {
		l.RequestsPerSecond = float64(len(s.times)) / s.wall.Seconds()
	}
	if s.failed > 0 {
		l.ErrorClasses, l.FirstError = s.classes, textOf(s.errs[0].err)
	}
	one := Suite{Results: []Result{resultOf(name, len(s.times), s)}}
	return Measurement{OperationName: name, Iterations: len(s.times), Results: l, Summary: one.Totals()}
}

func pipelineOf(orc *trysail.Orchestrator, op *trysail.Operation) *Pipeline {
	m, p := op.Metrics(), op.Policy()
	l := &Pipeline{Strategy: op.Strategy(), Attempts: p.Retry.Attempts, Retries: m.Retries, Rejected: m.Rejected, Opens: m.Opens}
	if p.Retry.Disabled || orc.Configuration().Disabled {
		l.Attempts = 1
	}
	if b := op.Breaker(); b != nil {
		l.BreakerState = b.State().String()
	}
	return l
}
