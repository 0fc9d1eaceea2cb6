// Package perf measures what the engine and its configuration cost: the seven benchmarks of the specification and four of the
// engine itself, against thresholds, and calls of any operation around a target that does nothing.
//
//	runner := perf.NewRunner(perf.RunnerConfig{Variables: os.LookupEnv, History: history})
//	suite, err := runner.Run(ctx, perf.Options{})
//	fmt.Print(suite.Report())
//
// Whatever is measured works on configurations and orchestrators of its own: nothing that is live is changed, and the
// environment of the process is not read. Runs may overlap; they are slower then, but not wrong.
//
// A [History] remembers suites, compares them (trends, a baseline, regressions) and gives them to a [Sink] to be stored.
package perf
