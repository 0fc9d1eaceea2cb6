package perf_test

import (
	"context"
	"fmt"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/perf"
)

func Example() {
	history, err := perf.NewHistory(perf.HistoryConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	runner := perf.NewRunner(perf.RunnerConfig{History: history}) // usually with Variables: os.LookupEnv
	suite, err := runner.Run(context.Background(), perf.Options{Iterations: 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range suite.Results {
		fmt.Printf("%s: %d iterations, success rate %v, threshold %v ms\n", r.Operation, r.Iterations, r.SuccessRate, r.ThresholdMS)
	}
	fmt.Println("kept:", history.Len())
	// Output:
	// preset_loading: 5 iterations, success rate 1, threshold 10 ms
	// settings_initialization: 5 iterations, success rate 1, threshold 100 ms
	// resilience_config_loading: 5 iterations, success rate 1, threshold 100 ms
	// service_initialization: 5 iterations, success rate 1, threshold 200 ms
	// custom_config_loading: 5 iterations, success rate 1, threshold 100 ms
	// legacy_config_loading: 5 iterations, success rate 1, threshold 100 ms
	// validation_performance: 5 iterations, success rate 1, threshold 50 ms
	// kept: 1
}

// What an operation costs its callers, without calling what it usually calls.
func ExampleRunner_Synthetic() {
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	runner := perf.NewRunner(perf.RunnerConfig{Orchestrator: orc})
	m, err := runner.Synthetic(context.Background(), perf.SyntheticOptions{
		Operation: "text_processing", Iterations: 1000, Concurrency: 10,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Iterations, m.Results.SuccessRate, m.Pipeline.Strategy, m.Pipeline.BreakerState)
	fmt.Println("live operations:", len(orc.Operations()))
	// Output:
	// 1000 1 balanced closed
	// live operations: 0
}

func ExampleHistory_Overview() {
	history, err := perf.NewHistory(perf.HistoryConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, ms := range []float64{8, 12} {
		if err := history.Add(context.Background(), runOf(i, ms)); err != nil {
			fmt.Println(err)
			return
		}
	}
	overview, err := history.Overview(10)
	if err != nil {
		fmt.Println(err)
		return
	}
	trend := overview.TrendAnalysis["preset_loading"]
	fmt.Println(trend.TrendDirection, trend.TrendPercentage, trend.SampleCount)
	fmt.Println(overview.Regressions)
	// Output:
	// degrading 50 2
	// [{preset_loading 8 12 50}]
}
