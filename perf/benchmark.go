package perf

import (
	"slices"
	"time"
)

// A Benchmark is one of those that a [Runner] knows.
type Benchmark struct {
	Name        string
	Description string
	Iterations  int           // by default
	Threshold   time.Duration // what an iteration may take on average
	Slow        bool          // runs only when asked for: see [Options].IncludeSlow
}

// The thresholds of the specification, and its targets for a breaker.
const (
	configLoading        = 100 * time.Millisecond
	presetAccess         = 10 * time.Millisecond
	validation           = 50 * time.Millisecond
	serviceInit          = 200 * time.Millisecond
	breakerCall          = time.Millisecond
	stateCheck           = 100 * time.Microsecond
	metricsUpdate        = 500 * time.Microsecond
	breakerMemory        = mebibyte // bytes
	callsPerBatch        = 1000
	breakersPerIteration = 100
)

// memoryBenchmark takes what others allocate meanwhile for its own.
const memoryBenchmark = "breaker_memory"

// A known is a Benchmark and how it is run.
type known struct {
	Benchmark
	prepare func() (iteration, error)
}

// all returns the benchmarks in the order in which they run.
func all() []known {
	return []known{
		{Benchmark{"preset_loading", "get each of the three presets", 100, presetAccess, false}, presetLoading},
		{Benchmark{"settings_initialization", "load the settings for each preset from an environment", 50, configLoading, false}, settingsInit},
		{Benchmark{"resilience_config_loading", "load the settings, list them with their origins, and resolve five operations, for each preset", 50, configLoading, false}, resilienceConfig},
		{Benchmark{"service_initialization", "load, make an orchestrator and register five operations, for each preset", 25, serviceInit, false}, serviceInitialization},
		{Benchmark{"custom_config_loading", "load three custom configurations on top of the preset simple", 25, configLoading, false}, customConfig},
		{Benchmark{"legacy_config_loading", "load two sets of the old variables", 25, configLoading, false}, legacyConfig},
		{Benchmark{"validation_performance", "validate three custom configurations", 50, validation, false}, validations},
		{Benchmark{"breaker_call_overhead", "one call through a closed breaker of a function that does nothing", 50, breakerCall, true}, breakerCalls},
		{Benchmark{"breaker_state_check", "read the state of a breaker", 50, stateCheck, true}, stateChecks},
		{Benchmark{"breaker_metrics_update", "settle one call: breaker, counters and response times", 50, metricsUpdate, true}, metricsUpdates},
		{Benchmark{memoryBenchmark, "make 100 operations, each with its breaker and counters, and call each once", 10, configLoading, true}, breakersMade},
	}
}

// Benchmarks returns the benchmarks in the order in which they run: the seven of the specification, then the slow
// ones, which measure the engine itself.
func Benchmarks() []Benchmark {
	var list []Benchmark
	for _, k := range all() {
		list = append(list, k.Benchmark)
	}
	return list
}

// Threshold returns what an iteration of the benchmark may take on average. For a name that is none it is 100 ms.
func Threshold(name string) time.Duration {
	if k, ok := find(name); ok {
		return k.Threshold
	}
	return configLoading
}

func find(name string) (known, bool) {
	list := all()
	i := slices.IndexFunc(list, func(k known) bool { return k.Name == name })
	if i < 0 {
		return known{}, false
	}
	return list[i], true
}

// names returns the names of all benchmarks.
func names() []string {
	var list []string
	for _, k := range all() {
		list = append(list, k.Name)
	}
	return list
}
