package main

import "github.com/trysail-go/trysail/perf"

// benchmarks runs benchmarks for the API. Their environment is that of the program; the keeper has their history.
func (srv *server) benchmarks() *perf.Runner {
	return perf.NewRunner(perf.RunnerConfig{
		Variables: srv.now.sources.Variable, Orchestrator: srv.orchestrator, History: srv.keeper.benchmarks,
	})
}
