package main

import "github.com/trysail-go/trysail/perf"

// benchmarks returns what runs benchmarks for the internal API. What it tells of the program's variables is that of the start.
func (srv *server) benchmarks() (*perf.Runner, error) {
	history, err := perf.NewHistory(perf.HistoryConfig{})
	if err != nil {
		return nil, err
	}
	return perf.NewRunner(perf.RunnerConfig{
		Variables: srv.now.sources.Variable, Orchestrator: srv.orchestrator, History: history,
	}), nil
}
