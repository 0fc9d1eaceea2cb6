package perf

import "fmt"

// A Targets says what is wanted and how it is measured: the answer of GET /performance/thresholds.
type Targets struct {
	Thresholds      TargetThresholds `json:"thresholds"`
	Targets         TargetTexts      `json:"targets"`
	MeasurementInfo MeasurementInfo  `json:"measurement_info"`
}

// TargetThresholds are the averages that are not to be passed, in milliseconds.
type TargetThresholds struct {
	ConfigLoadingMS          float64 `json:"config_loading_ms"`
	PresetAccessMS           float64 `json:"preset_access_ms"`
	ValidationMS             float64 `json:"validation_ms"`
	ServiceInitializationMS  float64 `json:"service_initialization_ms"`
	CircuitBreakerOverheadMS float64 `json:"circuit_breaker_overhead_ms"`
	StateCheckMS             float64 `json:"state_check_ms"`
	MetricsUpdateMS          float64 `json:"metrics_update_ms"`
}

// TargetTexts are the thresholds in words.
type TargetTexts struct {
	PrimaryTarget    string   `json:"primary_target"`
	SecondaryTargets []string `json:"secondary_targets"`
}

// MeasurementInfo says how it is measured.
type MeasurementInfo struct {
	DefaultIterations int    `json:"default_iterations"`
	MemoryTracking    string `json:"memory_tracking"`
	TimingPrecision   string `json:"timing_precision"`
}

// defaultIterations is how often a synthetic run calls.
const defaultIterations = 50

// Thresholds returns what is wanted and how it is measured.
func Thresholds() Targets {
	t := TargetThresholds{
		milliseconds(configLoading), milliseconds(presetAccess), milliseconds(validation), milliseconds(serviceInit),
		milliseconds(breakerCall), milliseconds(stateCheck), milliseconds(metricsUpdate),
	}
	under := func(what string, ms float64) string { return fmt.Sprintf("%s under %vms", what, ms) }
	return Targets{
		Thresholds: t,
		Targets: TargetTexts{
			PrimaryTarget: under("Configuration loading", t.ConfigLoadingMS),
			SecondaryTargets: []string{
				under("Preset access", t.PresetAccessMS), under("Validation", t.ValidationMS),
				under("Service initialization", t.ServiceInitializationMS),
			},
		},
		MeasurementInfo: MeasurementInfo{
			DefaultIterations: defaultIterations,
			MemoryTracking:    "Peak memory usage in MB",
			TimingPrecision:   "nanoseconds of a monotonic clock",
		},
	}
}
