package api

import "net/http"

// Both routes that run benchmarks say so.
const aboutRuns = "Two runs are under way at most; beyond that the answer is 503, and Retry-After says when to come back. A run ends early, " +
	"with partial in the answer, after two minutes or when the server stops. Nothing live is called or changed, but the run takes processor time. "

func (a *API) performanceRoutes() []route {
	return []route{
		{
			method: http.MethodGet, path: "/performance/benchmark", id: "runBenchmarks", module: performance, run: handleLong(a.runBenchmarks),
			summary: "Measure what configurations cost",
			description: "Runs the seven benchmarks of loading and checking configurations, with include_slow also the four of the engine, and answers " +
				"when they have run. " + aboutRuns + "The run is in the history.",
			further: []int{http.StatusServiceUnavailable},
		},
		{
			method: http.MethodPost, path: "/performance/benchmark", id: "runBenchmark", module: performance, run: handleLong(a.runBenchmark),
			summary: "Measure calls of an operation, or single benchmarks",
			description: "With operation_name: calls under that operation, through copies of its circuit breaker and retries, of a target that does nothing; or, if it " +
				"is the name of a benchmark, that benchmark. Every call is timed by itself. Without: the benchmarks in operations, by default the seven. " +
				aboutRuns + "Benchmarks without operation_name are in the history.",
			further: []int{http.StatusServiceUnavailable},
		},
		{
			method: http.MethodGet, path: "/performance/thresholds", id: "getPerformanceThresholds", module: performance, access: optional, run: handle(a.thresholds),
			summary:     "Show what benchmarks may take",
			description: "The averages that benchmarks must not pass, in numbers and in words, and how they are measured.",
		},
		{
			method: http.MethodGet, path: "/performance/report", id: "getPerformanceReport", module: performance, run: handleLong(a.report),
			summary: "Report on the newest run",
			description: "The newest run of benchmarks that came to its end, with what it means, as data or as a text for people. " +
				"If there is none, the seven benchmarks are run first. " + aboutRuns,
			further: []int{http.StatusBadRequest, http.StatusServiceUnavailable},
		},
		{
			method: http.MethodGet, path: "/performance/history", id: "getPerformanceHistory", module: performance, run: handle(a.benchmarkHistory),
			summary: "Compare runs of benchmarks",
			description: "The newest runs, and what all that are remembered come to: where each operation's times go, which are slower than their baseline, " +
				"and the newest of each. The baseline is what the program has set, otherwise the mean of up to 10 runs before the newest. " +
				"Results that were stopped, or failed, are listed but not compared.",
		},
	}
}
